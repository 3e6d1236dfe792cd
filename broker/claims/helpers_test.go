package claims

import (
	"encoding/json"
	"strings"
	"testing"
)

// decode reads JSON the way documents are read.
func decode(t testing.TB, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return v
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	v, ok := decode(t, text).(map[string]any)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return v
}

func path(t testing.TB, text string) Path {
	t.Helper()
	p, err := ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mapAll runs the documents through the attributes and mappings.
func mapAll(t testing.TB, attributes []Attribute, mappings []Mapping, docs Documents) (map[string]any, []Drop, error) {
	t.Helper()
	m, err := NewMapper(attributes, mappings)
	if err != nil {
		t.Fatal(err)
	}
	values, drops := Extract(attributes, docs)
	context, _, lost, err := m.Map(values)
	return context, append(drops, lost...), err
}

// reasons returns the drops of the target or attribute of that name, but
// for the everyday ones.
func reasons(drops []Drop, name string) []Reason {
	var out []Reason
	for _, d := range drops {
		if d.Reason != AbsentUpstream && (d.Target.String() == name || d.Attribute == name) {
			out = append(out, d.Reason)
		}
	}
	return out
}

// wantError fails unless err holds all the words.
func wantError(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q lacks %q", err, w)
		}
	}
}
