package claims

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// decodeAny reads what the fuzzer made up; not all of it is JSON.
func decodeAny(text []byte) (map[string]any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var doc map[string]any
	return doc, decoder.Decode(&doc) == nil
}

// fuzzMappings is the default set with a mapping of one claim to each type,
// strict and weak.
func fuzzMappings() ([]Attribute, []Mapping) {
	attributes := append(Default(true), Attribute{Name: "x", Source: IDToken, Path: Key("x"), Type: Any})
	mappings := DefaultMappings(true)
	for _, typ := range Types() {
		mappings = append(mappings,
			Mapping{From: "x", To: join("strict", string(typ)), Type: typ},
			Mapping{From: "x", To: join("weak", string(typ)), Type: typ, Weak: true})
	}
	return attributes, mappings
}

// FuzzF3_Mapping: whatever an upstream sends, the context holds values of
// the declared types only, none of them reserved, the verified flags belong
// to their values, the result encodes and decodes to itself, and the
// documents are left alone.
func FuzzF3_Mapping(f *testing.F) {
	f.Add([]byte(everything), []byte(`{}`))
	f.Add([]byte(`{"email_verified":true}`), []byte(`{"email":"victim@example.com"}`))
	for _, x := range []string{
		`null`, `[]`, `{}`, `"0x1f"`, `1e999999999`, `[{"a":1},{"a":2}]`, `[1,"a",true]`, `"\ud800"`,
		`{"a":{"a":{"a":[[[[]]]]}}}`, `-0`, `"true"`, `[null]`, "\"\xff\"", `1,"x":2`,
	} {
		f.Add([]byte(`{"x":`+x+`}`), []byte(`{"address":`+x+`,"updated_at":`+x+`}`))
	}
	attributes, mappings := fuzzMappings()
	m, err := NewMapper(attributes, mappings)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, idToken, userinfo []byte) {
		first, ok := decodeAny(idToken)
		if !ok {
			return
		}
		second, _ := decodeAny(userinfo)
		docs := Documents{IDToken: first, Userinfo: second}
		before := Clone(first)

		values, _ := Extract(attributes, docs)
		context, _, _, err := m.Map(values)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(before, any(first)) {
			t.Fatal("the document changed")
		}
		for _, mapping := range mappings {
			if v, present := mapping.To.Lookup(context); present && !mapping.Type.Matches(v) {
				t.Fatalf("%s holds %#v, which is no %s", mapping.To, v, mapping.Type)
			}
		}
		for name := range context {
			if Reserved(name) {
				t.Fatalf("reserved %q is filled", name)
			}
		}
		checkPair(t, docs, context, "email")
		checkPair(t, docs, context, "phone_number")
		checkEncodes(t, context)
	})
}

// checkPair looks for a document that has both the value and its flag.
func checkPair(t *testing.T, docs Documents, context map[string]any, value string) {
	t.Helper()
	flag, flagged := context[value+"_verified"]
	if !flagged {
		return
	}
	for _, doc := range docs {
		if doc[value] == context[value] && doc[value+"_verified"] == flag {
			return
		}
	}
	t.Fatalf("%s %v is called verified (%v) by no document", value, context[value], flag)
}

func checkEncodes(t *testing.T, context map[string]any) {
	t.Helper()
	encoded, err := json.Marshal(context)
	if err != nil {
		t.Fatal(err)
	}
	back, ok := decodeAny(encoded)
	if !ok || !reflect.DeepEqual(back, context) {
		t.Fatalf("came back as %#v, was %#v", back, context)
	}
}
