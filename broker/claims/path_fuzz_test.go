package claims

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzF2_Path: whatever parses prints as it was written, survives JSON, and
// reads exactly the value that was put there, next to what a careless
// parser would take for it.
func FuzzF2_Path(f *testing.F) {
	for _, text := range []string{
		"email", "a.b", `a\.b`, `a\\.b`, `https://example\.com/groups`, "a..b", ".", `a\`, `\q`,
		"list.0", "list.01", "\xff", "größe", `\..\.`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePath(text)
		if err != nil {
			if !p.IsZero() {
				t.Fatalf("path %q beside error %v", p, err)
			}
			return
		}
		if p.String() != text || !join(p.segments...).Equal(p) {
			t.Fatalf("%q prints as %q", text, p)
		}
		if !utf8.ValidString(text) {
			t.Fatalf("accepted invalid UTF-8 %q", text)
		}
		encoded, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Path
		if err := json.Unmarshal(encoded, &back); err != nil || !back.Equal(p) {
			t.Fatalf("%q came back from JSON as %q, %v", text, back, err)
		}

		doc := make(map[string]any)
		p.set(doc, "here")
		if v, ok := p.Lookup(doc); !ok || v != "here" {
			t.Fatalf("%q does not find what was put there", text)
		}
		if len(p.segments) > 1 {
			if v, ok := p.Lookup(map[string]any{text: "whole key"}); ok {
				t.Fatalf("%q guessed a whole key: %v", text, v)
			}
		}
		if better, warn := p.Suggestion(); warn {
			if _, err := ParsePath(better); err != nil {
				t.Fatalf("suggestion for %q: %v", text, err)
			}
		}
	})
}
