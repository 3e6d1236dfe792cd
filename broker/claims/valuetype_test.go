package claims

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// samples is one or more JSON values for every way a value can look, with
// all the types it has. What is not listed it must not be.
var samples = map[string][]Type{
	`""`:               {String, Any},
	`"text"`:           {String, Any},
	`"1"`:              {String, Any},
	`"true"`:           {String, Any},
	`0`:                {Number, Any},
	`-1.5e+3`:          {Number, Any},
	`9007199254740993`: {Number, Any},
	`1e999999999`:      {Number, Any},
	`true`:             {Bool, Any},
	`false`:            {Bool, Any},
	`{}`:               {Object, Any},
	`{"a":null}`:       {Object, Any},
	`[]`:               {StringArray, NumberArray, BoolArray, ObjectArray, Any},
	`["a",""]`:         {StringArray, Any},
	`[1,2.5]`:          {NumberArray, Any},
	`[true,false]`:     {BoolArray, Any},
	`[{},{"a":1}]`:     {ObjectArray, Any},
	`["a",1]`:          {Any},
	`["a",null]`:       {Any},
	`[null]`:           {Any},
	`[["a"]]`:          {Any},
	`null`:             {},
}

func TestM59_StrictTypes(t *testing.T) {
	for text, types := range samples {
		v := decode(t, text)
		for _, typ := range Types() {
			if got, want := typ.Matches(v), slices.Contains(types, typ); got != want {
				t.Errorf("%s matches %s: %v, want %v", text, typ, got, want)
			}
			converted, err := Convert(v, typ, false)
			switch {
			case slices.Contains(types, typ) && err != nil:
				t.Errorf("%s to %s: %v", text, typ, err)
			case !slices.Contains(types, typ) && !errors.Is(err, ErrType):
				t.Errorf("%s to %s = %v, %v; want ErrType", text, typ, converted, err)
			}
		}
	}
}

// A json.Number can hold any text. One that is no number would fail when a
// token is encoded, long after the person has been let in.
func TestNumberIsCheckedToBeOne(t *testing.T) {
	for _, text := range []string{"", "NaN", "Infinity", "-", "+1", "01", "1.", ".5", "1e", "0x1f", " 1", "1 ", "1_0", "true", `"1"`, "1,2"} {
		if Number.Matches(json.Number(text)) {
			t.Errorf("%q passes for a number", text)
		}
	}
	for _, text := range []string{"0", "-0", "1", "-1", "1.5", "1e5", "1E-5", strings.Repeat("9", 400)} {
		if !Number.Matches(json.Number(text)) {
			t.Errorf("%q does not pass for a number", text)
		}
	}
}

// Values that encoding/json would not decode to have no type: a float64
// among them means that somebody lost digits on the way.
func TestForeignValuesHaveNoType(t *testing.T) {
	for _, v := range []any{1.5, 1, int64(1), []string{"a"}, map[string]string{}, struct{}{}} {
		for _, typ := range Types() {
			if typ != Any && typ.Matches(v) {
				t.Errorf("%T matches %s", v, typ)
			}
		}
		_, err := Convert(v, String, true)
		wantError(t, err, "not decoded JSON")
	}
}

func TestTypeValidate(t *testing.T) {
	for _, typ := range Types() {
		if err := typ.Validate(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, Type("text").Validate(), `"text"`, "string", "object_array", "any")
	if err := Type("").Validate(); err == nil {
		t.Error("the empty type passes")
	}
	if Type("null").Matches(nil) || Type("array").Matches([]any{}) {
		t.Error("a type that does not exist matches a value")
	}
}

func TestSourceValidate(t *testing.T) {
	for _, s := range Sources() {
		if err := s.validate(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, Source("idtoken").validate(), `"idtoken"`, "id_token", "userinfo")
}

func TestTypeErrorHoldsNoValue(t *testing.T) {
	_, err := Convert("ada@example.com", Bool, false)
	wantError(t, err, "got string", "want bool")
	if strings.Contains(err.Error(), "ada") {
		t.Errorf("error %q tells the value", err)
	}
}
