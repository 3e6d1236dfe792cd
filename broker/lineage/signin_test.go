package lineage

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// told is a sign-in in which everything that comes from elsewhere is hostile.
func told() *SignInPage {
	const hostile = "<script>alert(1)</script>\x1b[31m\u202e"
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return &SignInPage{
		About:  []SignInFact{{"App", "notes"}, {"Provider", hostile}, {"Outcome", "code_issued"}},
		Tokens: []string{"ID token", "Access token"},
		Missing: []SignInClaim{{
			Name: hostile, Tokens: []SignInToken{{Reason: "type_mismatch"}, {Reason: "claim_not_declared"}},
			Words: hostile + ` is not in the ID token of notes: type_mismatch: attribute "teams" (Caddyfile:7) got string, want string_array`,
		}},
		Delivered: []SignInClaim{{Name: "name", Tokens: []SignInToken{{Carries: true}, {Reason: "claim_not_declared"}}, Words: "name is in the ID token of notes: string, 3 bytes"}},
		Stages: []SignInStage{{Name: "Attributes", Entries: []SignInEntry{
			{Name: hostile, From: "id_token " + hostile, Reason: "absent_upstream", Origin: hostile}, {Name: "name", Type: "string, 3 bytes", Origin: "default"},
		}}},
		Values:      []SignInValues{{Name: "What the provider told", JSON: "{\n  \"name\": \"" + hostile + "\"\n}"}},
		ValuesUntil: at, Linked: true,
	}
}

// S42: whoever can edit a profile upstream writes into the operator's page.
func TestS42_SignInPageShowsNamesAsText(t *testing.T) {
	raw, err := told().HTML()
	if err != nil {
		t.Fatal(err)
	}
	list, err := (&SignInList{Linked: true, SignIns: []SignInLine{{LoginID: `"><script>x</script>`, Client: "<script>", Trace: "T", Outcome: "<b>"}}}).HTML()
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range map[string]string{"a sign-in": string(raw), "the list": string(list)} {
		doc := document(t, page)
		for _, tag := range []string{"script", "img", "iframe", "form", "link", "b"} {
			if n := len(elements(doc, tag)); n > 0 {
				t.Errorf("%s: %d elements %s", name, n, tag)
			}
		}
		for _, a := range elements(doc, "a") {
			if !strings.HasPrefix(attr(a, "href"), "?") {
				t.Errorf("%s: a link to %q", name, attr(a, "href"))
			}
		}
		if strings.ContainsAny(page, "\x1b\u202e") || strings.Contains(page, "style=") || strings.Contains(page, " on") && strings.Contains(page, "onclick") {
			t.Errorf("%s: something that is no text", name)
		}
		style := content(elements(doc, "style")[0])
		sum := sha256.Sum256([]byte(style))
		if !strings.Contains(SignInPolicy(), "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("%s: its policy forbids its own style", name)
		}
	}
	if text := told().Text(); strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("a terminal would obey: %q", text)
	}
}

// Every table has a head for each column and row, a name where it scrolls, and
// can be reached by the keyboard there.
func TestSignInPageCanBeRead(t *testing.T) {
	raw, err := told().HTML()
	if err != nil {
		t.Fatal(err)
	}
	doc := document(t, string(raw))
	if n := len(elements(doc, "h1")); n != 1 || len(elements(doc, "main")) != 1 || attr(elements(doc, "html")[0], "lang") != "en" {
		t.Errorf("%d headings, or no main part or language", n)
	}
	for _, th := range elements(doc, "th") {
		if attr(th, "scope") == "" {
			t.Errorf("a head without scope: %s", content(th))
		}
	}
	ids := map[string]bool{}
	for n := range doc.Descendants() {
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %s is there twice", id)
			}
			ids[id] = true
		}
	}
	for _, region := range elements(doc, "div") {
		if attr(region, "class") != "scroll" {
			continue
		}
		if attr(region, "tabindex") != "0" || attr(region, "role") != "region" || attr(region, "aria-label") == "" && !ids[attr(region, "aria-labelledby")] {
			t.Error("a part that scrolls has no name, or no keyboard gets there")
		}
	}
	for _, word := range []string{"yes", "no type_mismatch", "Caddyfile:7", "This page shows personal data: a window is open until 2026-03-01 09:00:00 UTC", "Show all sign-ins"} {
		if !strings.Contains(strings.Join(strings.Fields(content(doc)), " "), word) {
			t.Errorf("the page lacks %q", word)
		}
	}
}

func TestSignInText(t *testing.T) { golden(t, "signin.txt", told().Text()) }

func TestSignInPageWithoutValues(t *testing.T) {
	p := told()
	p.Values, p.Missing, p.Delivered, p.Linked = nil, nil, nil, false
	raw, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"Values", "Not delivered", "Show all"} {
		if strings.Contains(content(elements(document(t, string(raw)), "body")[0]), gone) {
			t.Errorf("the page has %q", gone)
		}
	}
	if list, err := (&SignInList{}).HTML(); err != nil || !strings.Contains(string(list), "Nobody has signed in") {
		t.Errorf("%v: an empty list", err)
	}
}
