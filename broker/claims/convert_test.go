package claims

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestM59_WeakConversion(t *testing.T) {
	for _, tt := range []struct {
		from string
		to   Type
		want string // JSON; empty for a mismatch
	}{
		// bool -> string, number
		{`true`, String, `"1"`},
		{`false`, String, `"0"`},
		{`true`, Number, `1`},
		{`false`, Number, `0`},

		// number -> string in base 10
		{`5`, String, `"5"`},
		{`-5`, String, `"-5"`},
		{`1.50`, String, `"1.50"`},
		{`9007199254740993`, String, `"9007199254740993"`},
		{`123456789012345678901234567890`, String, `"123456789012345678901234567890"`},
		{`1e3`, String, `"1000"`},
		{`1E+3`, String, `"1000"`},
		{`-1.25e1`, String, `"-12.5"`},
		{`1.5e-3`, String, `"0.0015"`},
		{`100e-2`, String, `"1"`},
		{`1.20e1`, String, `"12"`},
		{`0e400`, String, `"0"`},
		{`1e401`, String, ``},
		{`1e-401`, String, ``},
		{`1e999999999`, String, ``},
		{`1e99999999999999999999`, String, ``},

		// number -> bool
		{`0`, Bool, `false`},
		{`-0`, Bool, `false`},
		{`0.000`, Bool, `false`},
		{`0e5`, Bool, `false`},
		{`1`, Bool, `true`},
		{`-2`, Bool, `true`},
		{`0.001`, Bool, `true`},
		{`1e-400`, Bool, `true`},
		{`1e999999999`, Bool, `true`},

		// string -> number, base by prefix
		{`"10"`, Number, `10`},
		{`"-10"`, Number, `-10`},
		{`"+10"`, Number, `10`},
		{`"0x1f"`, Number, `31`},
		{`"-0X1F"`, Number, `-31`},
		{`"0o17"`, Number, `15`},
		{`"017"`, Number, `15`},
		{`"0b101"`, Number, `5`},
		{`"1.5"`, Number, `1.5`},
		{`"1e3"`, Number, `1e3`},
		{`"9007199254740993"`, Number, `9007199254740993`},
		{`"0xffffffffffffffffff"`, Number, `4722366482869645213695`},
		{`""`, Number, ``},
		{`" 1"`, Number, ``},
		{`"1 "`, Number, ``},
		{`"08"`, Number, ``},
		{`"1_000"`, Number, ``},
		{`"0x"`, Number, ``},
		{`"ten"`, Number, ``},
		{`"NaN"`, Number, ``},
		{`"Inf"`, Number, ``},
		{`"１"`, Number, ``}, // full-width digit

		// string -> bool
		{`"1"`, Bool, `true`},
		{`"t"`, Bool, `true`},
		{`"T"`, Bool, `true`},
		{`"TRUE"`, Bool, `true`},
		{`"true"`, Bool, `true`},
		{`"True"`, Bool, `true`},
		{`"0"`, Bool, `false`},
		{`"f"`, Bool, `false`},
		{`"F"`, Bool, `false`},
		{`"FALSE"`, Bool, `false`},
		{`"false"`, Bool, `false`},
		{`"False"`, Bool, `false`},
		{`"tRUE"`, Bool, ``},
		{`"yes"`, Bool, ``},
		{`"no"`, Bool, ``},
		{`""`, Bool, ``},
		{`" true"`, Bool, ``},
		{`"2"`, Bool, ``},

		// empty array <-> empty object
		{`[]`, Object, `{}`},
		{`{}`, StringArray, `[]`},
		{`{}`, NumberArray, `[]`},
		{`{}`, BoolArray, `[]`},
		{`{}`, ObjectArray, `[]`},

		// array of objects -> one merged object
		{`[{"a":1,"b":1},{"b":2},{}]`, Object, `{"a":1,"b":2}`},
		{`[{"a":{"x":1}},{"a":{"y":2}}]`, Object, `{"a":{"y":2}}`},
		{`[{"a":1},"b"]`, Object, ``},
		{`[{"a":1},null]`, Object, ``},

		// scalar -> one-element array
		{`"staff"`, StringArray, `["staff"]`},
		{`""`, StringArray, `[""]`},
		{`5`, NumberArray, `[5]`},
		{`true`, BoolArray, `[true]`},
		{`5`, StringArray, `["5"]`},
		{`"5"`, NumberArray, `[5]`},
		{`"x"`, NumberArray, ``},
		{`"x"`, ObjectArray, ``},
		{`{"a":1}`, ObjectArray, ``},
		{`{"a":1}`, StringArray, ``},

		// elements likewise
		{`[1,true,"a"]`, StringArray, `["1","1","a"]`},
		{`["1",true,0]`, NumberArray, `[1,1,0]`},
		{`[0,"true",false]`, BoolArray, `[false,true,false]`},
		{`[[],{"a":1}]`, ObjectArray, `[{},{"a":1}]`},
		{`["1","x"]`, NumberArray, ``},
		{`["a",null]`, StringArray, ``},
		{`["a",["b"]]`, StringArray, ``},
		{`["a",{}]`, StringArray, ``},

		// and nothing else
		{`null`, String, ``},
		{`null`, StringArray, ``},
		{`null`, Any, ``},
		{`["a"]`, String, ``},
		{`[1]`, Number, ``},
		{`[true]`, Bool, ``},
		{`{}`, String, ``},
		{`{}`, Bool, ``},
		{`"{}"`, Object, ``},
		{`1`, Object, ``},
		{`[]`, String, ``},
	} {
		t.Run(tt.from+" to "+string(tt.to), func(t *testing.T) {
			got, err := Convert(decode(t, tt.from), tt.to, true)
			if tt.want == "" {
				if !errors.Is(err, ErrType) {
					t.Errorf("got %#v, %v; want a mismatch", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decode(t, tt.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !tt.to.Matches(got) {
				t.Errorf("%#v is no %s", got, tt.to)
			}
			if tt.to.Matches(decode(t, tt.from)) {
				return
			}
			if got, err := Convert(decode(t, tt.from), tt.to, false); err == nil {
				t.Errorf("converted without being allowed to: %#v", got)
			}
		})
	}
}

// What fits needs no conversion and gets none, weak or not.
func TestWeakLeavesMatchingValuesAlone(t *testing.T) {
	for text, types := range samples {
		v := decode(t, text)
		for _, typ := range types {
			got, err := Convert(v, typ, true)
			if err != nil || !cmp.Equal(got, v) {
				t.Errorf("%s as %s became %#v, %v", text, typ, got, err)
			}
		}
	}
}

// An upstream chooses how long a number is. Work and memory must not grow
// with its exponent, nor faster than its length.
func TestConvertIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		v  any
		to Type
	}{
		"long number to string": {json.Number(strings.Repeat("9", 1_000_000)), String},
		"long string to number": {strings.Repeat("9", 1_000_000), Number},
		"long hex to number":    {"0x" + strings.Repeat("f", 1_000_000), Number},
		"huge exponent":         {json.Number("1e1000000"), String},
		"tiny exponent":         {json.Number("1e-1000000"), String},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Convert(tt.v, tt.to, true); !errors.Is(err, ErrType) {
				t.Errorf("got error %v, want a mismatch", err)
			}
		})
	}
	t.Run("a long integer passes strictly", func(t *testing.T) {
		long := json.Number(strings.Repeat("9", 1000))
		if got, err := Convert(long, Number, false); err != nil || got != long {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestInvalidNumbersDoNotConvert(t *testing.T) {
	for _, text := range []string{"", "NaN", "1x", "0x1"} {
		for _, to := range []Type{Number, String, Bool, StringArray} {
			if got, err := Convert(json.Number(text), to, true); err == nil {
				t.Errorf("json.Number(%q) became %s %#v", text, to, got)
			}
		}
	}
}

func TestMergeLeavesTheElementsAlone(t *testing.T) {
	v := decode(t, `[{"a":1},{"b":2}]`)
	if _, err := Convert(v, Object, true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, `[{"a":1},{"b":2}]`), v); diff != "" {
		t.Errorf("the input changed (-want +got):\n%s", diff)
	}
}

func TestClone(t *testing.T) {
	const text = `{"a":[1,{"b":["c"]}],"d":{"e":true},"f":null,"g":[],"h":{}}`
	original := object(t, text)
	clone, _ := Clone(original).(map[string]any)
	if diff := cmp.Diff(original, clone); diff != "" {
		t.Fatalf("(-original +clone):\n%s", diff)
	}
	path(t, "d.e").set(clone, false)
	inner, _ := path(t, "a.1.b").Lookup(clone)
	inner.([]any)[0] = "changed"
	if diff := cmp.Diff(object(t, text), original); diff != "" {
		t.Errorf("writing to the clone changed the original (-want +got):\n%s", diff)
	}
	for _, v := range []any{map[string]any(nil), []any(nil)} {
		if diff := cmp.Diff(v, Clone(v)); diff != "" {
			t.Errorf("a nil came back as something (-want +got):\n%s", diff)
		}
	}
}
