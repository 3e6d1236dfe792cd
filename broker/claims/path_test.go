package claims

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePath(t *testing.T) {
	for text, want := range map[string][]string{
		"email":                           {"email"},
		"a.b":                             {"a", "b"},
		"a.b.0.c":                         {"a", "b", "0", "c"},
		`a\.b`:                            {"a.b"},
		`a\\b`:                            {`a\b`},
		`a\\.b`:                           {`a\`, "b"},
		`a\\\.b`:                          {`a\.b`},
		`\.`:                              {"."},
		`\\`:                              {`\`},
		`\..\.`:                           {".", "."},
		`https://example\.com/groups`:     {"https://example.com/groups"},
		`https://example\.com/a.b`:        {"https://example.com/a", "b"},
		"urn:oid:2":                       {"urn:oid:2"},
		"with space":                      {"with space"},
		"größe.名前":                        {"größe", "名前"},
		"\uFFFD":                          {"\uFFFD"}, // itself valid UTF-8
		`http://schemas\.example/ws/2005`: {"http://schemas.example/ws/2005"},
	} {
		t.Run(text, func(t *testing.T) {
			p, err := ParsePath(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, p.segments); diff != "" {
				t.Errorf("segments (-want +got):\n%s", diff)
			}
			if got := p.String(); got != text {
				t.Errorf("String() = %q, want the text back", got)
			}
			if got := join(want...); !got.Equal(p) || got.String() != text {
				t.Errorf("join(%q) = %q, want %q", want, got, text)
			}
		})
	}
}

func TestParsePathErrors(t *testing.T) {
	for _, tt := range []struct {
		text   string
		column int
		words  []string
	}{
		{"", 1, []string{"empty path", "email"}},
		{".", 1, []string{"whole document", "schema"}},
		{".a", 1, []string{"empty segment"}},
		{"a..b", 3, []string{"empty segment", `\.`}},
		{"a.", 2, []string{"empty segment"}},
		{"..", 1, []string{"empty segment"}},
		{`a\`, 2, []string{"backslash at the end", `\.`, `\\`}},
		{`a\\\`, 4, []string{"backslash at the end"}},
		{`a\n`, 2, []string{"unknown escape", `\.`, `\\`}},
		{`ab.c\/d`, 5, []string{"unknown escape"}},
		{`größe\x`, 6, []string{"unknown escape"}}, // columns are characters
		{"a\xffb", 2, []string{"invalid UTF-8"}},
		{"\\\xff", 2, []string{"invalid UTF-8"}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			p, err := ParsePath(tt.text)
			var pathErr *PathError
			if !errors.As(err, &pathErr) {
				t.Fatalf("got path %q and error %v, want a *PathError", p, err)
			}
			if pathErr.Column != tt.column {
				t.Errorf("column %d, want %d", pathErr.Column, tt.column)
			}
			wantError(t, err, append(tt.words, "column")...)
			if !p.IsZero() {
				t.Errorf("got path %q beside an error", p)
			}
		})
	}
}

// An operator must recognise what they wrote: an error about escapes that
// doubles every backslash would send them looking for the wrong text.
func TestPathErrorShowsTheTextAsWritten(t *testing.T) {
	_, err := ParsePath(`a\tb`)
	wantError(t, err, "`a\\tb`")
}

func TestM60_EscapedDotIsOneKey(t *testing.T) {
	doc := object(t, `{
		"https://example.com/groups": ["staff"],
		"https://example": {"com/groups": ["wrong"]}
	}`)
	got, ok := path(t, `https://example\.com/groups`).Lookup(doc)
	if !ok || !cmp.Equal(got, []any{"staff"}) {
		t.Errorf("got %v, %v; want the top-level claim", got, ok)
	}
}

func TestM61_UnescapedDotGoesInside(t *testing.T) {
	doc := object(t, `{"a": {"b": "inside"}, "a.b": "top"}`)
	if got, _ := path(t, "a.b").Lookup(doc); got != "inside" {
		t.Errorf("a.b = %v, want the b inside a", got)
	}
	if got, _ := path(t, `a\.b`).Lookup(doc); got != "top" {
		t.Errorf(`a\.b = %v, want the key "a.b"`, got)
	}
	t.Run("a whole key is never tried as a guess", func(t *testing.T) {
		if got, ok := path(t, "a.b").Lookup(object(t, `{"a.b": "top"}`)); ok {
			t.Errorf("a.b found %v in a document that has no a", got)
		}
	})
}

func TestM61_UnescapedURLIsSuggested(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.com/groups":             `https://example\.com/groups`,
		"https://example.com/a.b":                `https://example\.com/a\.b`,
		"https://a.b.example.com/x":              `https://a\.b\.example\.com/x`,
		`https://auth\.example.com/groups`:       `https://auth\.example\.com/groups`,
		"https://localhost/app.plan":             `https://localhost/app\.plan`,
		"user.https://example.com/groups":        `user.https://example\.com/groups`,
		`https://example\.com/groups`:            "",
		`https://example\.com/app_metadata.plan`: "",
		"email":                                  "",
		"address.country":                        "",
		"https://localhost/groups":               "",
	} {
		t.Run(text, func(t *testing.T) {
			got, warn := path(t, text).Suggestion()
			if got != want || warn != (want != "") {
				t.Errorf("Suggestion() = %q, %v; want %q", got, warn, want)
			}
			if warn {
				if _, again := path(t, got).Suggestion(); again {
					t.Errorf("the suggestion %q is itself warned about", got)
				}
			}
		})
	}
}

func TestM62_PathSurvivesJSON(t *testing.T) {
	type config struct {
		Claim Path `json:"claim"`
	}
	for text, want := range map[string]string{
		`https://example\.com/groups`: `{"claim":"https://example\\.com/groups"}`,
		`a\\b.c`:                      `{"claim":"a\\\\b.c"}`,
		"address.country":             `{"claim":"address.country"}`,
	} {
		t.Run(text, func(t *testing.T) {
			got, err := json.Marshal(config{path(t, text)})
			if err != nil || string(got) != want {
				t.Fatalf("JSON %s, %v; want %s", got, err, want)
			}
			var back config
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			if !back.Claim.Equal(path(t, text)) {
				t.Errorf("came back as %q", back.Claim)
			}
		})
	}
	t.Run("a bad path is an error", func(t *testing.T) {
		var c config
		wantError(t, json.Unmarshal([]byte(`{"claim":"a..b"}`), &c), "column 3")
		wantError(t, json.Unmarshal([]byte(`{"claim":""}`), &c), "empty path")
	})
}

func TestLookup(t *testing.T) {
	doc := object(t, `{
		"email": "ada@example.com", "empty": "", "zero": 0, "no": false, "none": [], "null": null,
		"address": {"country": "GB", "null": null},
		"list": ["a", {"b": "c"}, null, ["nested"]],
		"0": "key that looks like an index"
	}`)
	for text, want := range map[string]any{
		"email":           "ada@example.com",
		"address.country": "GB",
		"list.0":          "a",
		"list.1.b":        "c",
		"list.3.0":        "nested",
		"0":               "key that looks like an index",
		// Empty values are values.
		"empty": "",
		"zero":  json.Number("0"),
		"no":    false,
		"none":  []any{},
	} {
		t.Run(text, func(t *testing.T) {
			got, ok := path(t, text).Lookup(doc)
			if !ok || !cmp.Equal(got, want) {
				t.Errorf("got %#v, %v; want %#v", got, ok, want)
			}
		})
	}
	for _, text := range []string{
		"missing", "missing.deeper", "address.missing", "email.length", "zero.x", "no.x",
		"null", "address.null", "null.x", "list.2", "list.2.x",
		"list.4", "list.-1", "list.+1", "list.01", "list.1_0", "list.0x0", "list.b", "list. 0",
		"list.99999999999999999999", "none.0",
	} {
		t.Run("absent: "+text, func(t *testing.T) {
			if got, ok := path(t, text).Lookup(doc); ok {
				t.Errorf("got %#v, want nothing", got)
			}
		})
	}
}

func TestLookupInWhatIsNoDocument(t *testing.T) {
	for name, doc := range map[string]any{
		"nil": nil, "string": "x", "number": json.Number("1"), "nil map": map[string]any(nil),
		"empty array": []any{}, "foreign type": struct{ A int }{1}, "typed map": map[string]string{"a": "b"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := path(t, "a").Lookup(doc); ok || got != nil {
				t.Errorf("got %v, %v", got, ok)
			}
		})
	}
}

// The zero Path must not be another spelling of the refused ".".
func TestZeroPathFindsNothing(t *testing.T) {
	if got, ok := (Path{}).Lookup(map[string]any{"": "x"}); ok {
		t.Errorf("the zero path found %v", got)
	}
	if (Path{}).Top() != "" || !Key("").IsZero() || !join("a", "").IsZero() {
		t.Error("an empty segment made a path")
	}
}

func TestM57_MatchIsExact(t *testing.T) {
	doc := object(t, `{"Email": "upper", "email ": "space", "e-mail": "dash", "\u0435mail": "cyrillic"}`)
	if got, ok := path(t, "email").Lookup(doc); ok {
		t.Errorf("email found %v", got)
	}
	if got, _ := path(t, "Email").Lookup(doc); got != "upper" {
		t.Errorf("Email found %v", got)
	}
}

func TestKey(t *testing.T) {
	for _, key := range []string{"email", "a.b", `a\b`, `\.`, ".", "https://example.com/x"} {
		p := Key(key)
		if got := p.Top(); got != key {
			t.Errorf("Key(%q).Top() = %q", key, got)
		}
		if again := path(t, p.String()); !again.Equal(p) || len(again.segments) != 1 {
			t.Errorf("Key(%q) prints as %q, which is another path", key, p)
		}
	}
}

func TestPathSet(t *testing.T) {
	doc := map[string]any{"kept": true}
	path(t, "a.b.c").set(doc, "1")
	path(t, "a.d").set(doc, "2")
	path(t, `x\.y`).set(doc, "3")
	want := object(t, `{"kept": true, "a": {"b": {"c": "1"}, "d": "2"}, "x.y": "3"}`)
	if diff := cmp.Diff(want, doc); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOverlap(t *testing.T) {
	paths := func(texts string) (out []Path) {
		for text := range strings.FieldsSeq(texts) {
			out = append(out, path(t, text))
		}
		return out
	}
	for texts, want := range map[string][2]string{
		"a b c":             {},
		"a.b a.c":           {},
		"a a":               {}, // one place, not two
		`a a\.b`:            {},
		"ab a.b":            {},
		"a.b a":             {"a", "a.b"},
		"x a a.b.c":         {"a", "a.b.c"},
		"a.b a.b.c.d":       {"a.b", "a.b.c.d"},
		`a\.b a.b a\.b.c x`: {`a\.b`, `a\.b.c`},
	} {
		t.Run(texts, func(t *testing.T) {
			outer, inner, found := Overlap(paths(texts))
			if got := [2]string{outer.String(), inner.String()}; got != want || found != (want[0] != "") {
				t.Errorf("got %q, %v; want %q", got, found, want)
			}
		})
	}
}

// Parsing must not be what makes a large configuration slow.
func TestParsePathIsLinear(t *testing.T) {
	long := strings.Repeat(`a\.b\\c.`, 50_000) + "d"
	p := path(t, long)
	if got := len(p.segments); got != 50_001 {
		t.Errorf("%d segments", got)
	}
	if _, ok := p.Lookup(object(t, `{"a": 1}`)); ok {
		t.Error("found something")
	}
}

func TestPathsSortAndCompareByText(t *testing.T) {
	a, b := path(t, `a\.b`), path(t, "a.b")
	if a.Equal(b) {
		t.Error("two places compare equal")
	}
	if !slices.ContainsFunc([]Path{b, a}, a.Equal) {
		t.Error("a path does not equal itself")
	}
}
