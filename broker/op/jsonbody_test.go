package op

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeObject(t *testing.T) {
	got, err := decodeObject([]byte(` {"a":{"b":[1.50,"x",true,null,{}]},"A":[]} `))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"a": map[string]any{"b": []any{json.Number("1.50"), "x", true, nil, map[string]any{}}},
		"A": []any{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n) }
	for text, want := range map[string]error{
		``: errSyntax, `{`: errSyntax, `{"a"}`: errSyntax, `{"a":}`: errSyntax, `{"a":1,}`: errSyntax, `{a:1}`: errSyntax,
		`{1:2}`: errSyntax, `{"a":[1 2]}`: errSyntax, `{"a":01}`: errSyntax, `{"a":[}`: errSyntax, `{"a":1]`: errSyntax,
		`null`: errNoObject, `[]`: errNoObject, `"{}"`: errNoObject, `1`: errNoObject,
		`{} {}`: errTrailing, `{}]`: errTrailing, `{}x`: errTrailing,
		`{"a":1,"a":1}`: errDuplicate, `{"a":{"b":1,"\u0062":2}}`: errDuplicate, `{"x":[{"a":1,"a":2}]}`: errDuplicate,
		"{\"a\":\"\xff\"}": errNotUTF8,
		nested(31):         nil, nested(32): errTooDeep,
		strings.Repeat("[", 60_000): errTooDeep,
	} {
		if _, err := decodeObject([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.40s: %v, want %v", text, err, want)
		}
	}
}

// What decodes must be what encoding/json makes of it.
func FuzzDecodeObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,{"b":null}],"c":"\ud800"}`, `{"a":1,"a":2}`, `[]`, `{"a":1e400}`, `{} x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decodeObject(raw)
		if err != nil {
			return
		}
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.UseNumber()
		var want map[string]any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted what is no JSON: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMember(t *testing.T) {
	for name, want := range map[string]string{
		"plan": "'plan'", "": "''", "a\nb": `'a\nb'`, "ü": `'\u00fc'`,
		strings.Repeat("x", 101): "'" + strings.Repeat("x", 100) + "...'",
	} {
		if got := member(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
