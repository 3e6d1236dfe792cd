package authn

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

// FuzzF3_Merge: whatever a script or an application sends, it is applied
// whole or refused whole. What was applied encodes, comes back as it was and
// applies again without a change; what was refused has an error that says so
// in a few words.
func FuzzF3_Merge(f *testing.F) {
	for _, change := range []string{
		`{"plan":"gold"}`, `{"email":"victim@example.com"}`, `{"email":null,"email_verified":true}`,
		`{"address":{"country":null,"planet":"Earth"}}`, `{"sub":"admin","amr":["mfa"],"acr":"x"}`,
		`{"anything":[1e999999999,-0,"\ud800",{"a":[[[]]]}]}`, `{"plan":"a","plan":1}`, "{\"anything\":\"\xff\"}",
		`{"":"x"}`, `{"address.country":"GB"}`, `{"org":{"roles":{"own":["a",null]}}}`, `null`,
	} {
		f.Add([]byte(change))
	}
	schema := mergeSchema(f)
	maySet := []string{"plan", "email", "address", "org", "anything", "amr", "acr", "sub"}
	f.Fuzz(func(t *testing.T, text []byte) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var change map[string]any
		if decoder.Decode(&change) != nil {
			return
		}
		checkApplied(t, func(c *Context) (*Context, Trace, error) {
			return schema.ApplyScript(c, Change{Attributes: change})
		})
		checkApplied(t, func(c *Context) (*Context, Trace, error) {
			return schema.ApplyApplication(c, change, maySet)
		})
	})
}

// checkApplied compares with reflect: go-cmp compares each level of nested
// arrays twice, which at the depth that is allowed takes for ever.
func checkApplied(t *testing.T, apply func(*Context) (*Context, Trace, error)) {
	t.Helper()
	c := signedInContext(t)
	got, trace, err := apply(c)
	if !reflect.DeepEqual(signedInContext(t), c) {
		t.Fatalf("the context changed to %+v", c)
	}
	if len(trace) == 0 {
		t.Fatal("the trace is empty")
	}
	if err != nil {
		var wrong *ChangeError
		if !errors.As(err, &wrong) || got != nil || wrong.Reason == "" || len(err.Error()) > 2000 {
			t.Fatalf("got %v, %v", got, err)
		}
		return
	}
	encoded, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var back Context
	if err := json.Unmarshal(encoded, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, &back) {
		t.Fatalf("%+v came back from JSON as %+v", got, &back)
	}
	again, _, err := apply(got)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, again) {
		t.Fatalf("once %+v, twice %+v", got, again)
	}
}
