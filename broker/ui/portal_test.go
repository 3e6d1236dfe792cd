package ui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func drawPortal(t *testing.T, lang string, v Portal) *html.Node {
	t.Helper()
	p := newPages(t)
	return parse(t, serve("GET", speaking(lang, func(w http.ResponseWriter, r *http.Request) { p.Portal(w, r, v) })).Body.String())
}

func TestPortal(t *testing.T) {
	doc := drawPortal(t, "en", fullPortal())
	for id, want := range map[string]string{
		"portal-account":             "ada@example.com",
		"portal-done":                "Access is withdrawn.",
		"demo-login":                 "LOGIN TO DEMO APP",
		"portal-sign-out":            "Sign out",
		"portal-app-grafana":         "Last used 1 Oct 2026",
		"portal-app-old":             "not known here any more",
		"portal-app-home":            "Intranet",
		"portal-scope-grafana-email": "Withdraw",
		"withdraw-grafana":           "Withdraw",
		"data":                       "From Acme staff, ID token: name",
		"sessions":                   "Safari, iPhone",
		"portal-end-1":               "End",
		"portal-end-all":             "End all sessions",
	} {
		if got := text(mustID(t, doc, id)); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
	for _, id := range []string{"withdraw-home", "portal-scope-grafana-birthdate", "portal-scope-grafana-", "portal-end-2"} {
		if byID(doc, id) != nil {
			t.Errorf("there is a %s", id)
		}
	}
	if got := text(mustID(t, doc, "portal-app-grafana")); !strings.Contains(got, "Given 1 Sep 2026, ends 1 Mar 2027") {
		t.Errorf("dates: %q", got)
	}
}

// Every form carries the token and nothing that the visitor did not see.
func TestPortalForms(t *testing.T) {
	doc := drawPortal(t, "en", fullPortal())
	got := map[string][]string{}
	for _, form := range elements(doc, "form") {
		if attr(form, "method") != "post" {
			t.Errorf("a form is sent by %q", attr(form, "method"))
		}
		got[attr(form, "action")] = controls(doc, form)
	}
	const token = `<input type="hidden" name="token" value="not-a-secret">`
	want := map[string][]string{
		"/portal/withdraw":         {`<button name="scope" value="email">`, `<input type="hidden" name="client" value="grafana">`, token},
		"/portal/sessions/end":     {`<button name="session" value="two">`, token},
		"/portal/sessions/end-all": {token},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The names that screen readers say begin with what is to be read, or
// contain it (WCAG 2.2, 2.5.3), and tell equal buttons apart (2.4.6).
func TestS51_PortalButtonsHaveNamesOfTheirOwn(t *testing.T) {
	for _, lang := range Languages() {
		names := map[string]bool{}
		for _, n := range elements(drawPortal(t, lang, fullPortal()), "") {
			name := attr(n, "aria-label")
			if name == "" || n.Data == "nav" {
				continue
			}
			if !strings.Contains(strings.ToLower(name), strings.ToLower(text(n))) {
				t.Errorf("%s: %q is called %q", lang, text(n), name)
			}
			if names[name] {
				t.Errorf("%s: two are called %q", lang, name)
			}
			names[name] = true
		}
		if len(names) < 4 {
			t.Errorf("%s: %d names", lang, len(names))
		}
	}
}

// Headings go down by one level, and each section has one.
func TestS51_PortalOutline(t *testing.T) {
	doc := drawPortal(t, "en", fullPortal())
	level := 0
	for _, n := range elements(doc, "") {
		if i := slices.Index([]string{"h1", "h2", "h3", "h4"}, n.Data) + 1; i > 0 {
			if i > level+1 {
				t.Errorf("<%s> %q follows level %d", n.Data, text(n), level)
			}
			level = i
		}
	}
	for _, n := range elements(doc, "a") {
		if id, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && byID(doc, id) == nil {
			t.Errorf("%q leads to no %q", text(n), id)
		}
	}
}

func TestPortalOfANewcomer(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"You have not let any application have your data yet.", "told us nothing about you", "You are signed in nowhere else."},
		"de": {"Sie haben noch keiner Anwendung", "nichts über Sie verraten", "Sie sind nirgends sonst angemeldet."},
	} {
		doc := drawPortal(t, lang, Portal{Account: "ada"})
		for _, w := range want {
			if !strings.Contains(text(doc), w) {
				t.Errorf("%s: no %q", lang, w)
			}
		}
		if len(elements(doc, "form")) != 0 || byID(doc, "demo-login") != nil {
			t.Errorf("%s: there is something to do", lang)
		}
	}
}

func TestPortalInGerman(t *testing.T) {
	page := text(drawPortal(t, "de", fullPortal()))
	for _, want := range []string{
		"Mein Konto", "Von Acme staff, ID-Token: name", "Von einem Skript des Betreibers gesetzt", "E-Mail-Adresse bestätigt Nein",
		"Passwort, badge", "Erteilt 01.09.2026, endet 01.03.2027", "25.11.2026, 12:08 UTC", "2 Berechtigungen", "Dieser Browser",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
}

func TestReadableValues(t *testing.T) {
	words := english()
	long := strings.Repeat("x", maxAbout+1)
	many := make([]any, maxItems+1)
	for i := range many {
		many[i] = json.Number(fmt.Sprint(i))
	}
	for name, tt := range map[string]struct {
		value any
		want  readable
	}{
		"text":               {"Ada", readable{Text: "Ada"}},
		"lines":              {"a\nb\u202ec", readable{Text: "a bc"}},
		"yes":                {true, readable{Text: "Yes"}},
		"no":                 {false, readable{Text: "No"}},
		"number":             {json.Number("9007199254740993"), readable{Text: "9007199254740993"}},
		"time":               {"2026-03-05T08:08:09+01:00", readable{Text: "5 Mar 2026, 07:08:09 UTC"}},
		"a time":             {time.Date(2026, 3, 5, 7, 8, 9, 0, time.UTC), readable{Text: "5 Mar 2026, 07:08:09 UTC"}},
		"nothing":            {"", readable{Text: "Empty"}},
		"empty list":         {[]any{}, readable{Text: "Empty"}},
		"list":               {[]any{"a", true, json.Number("1")}, readable{Items: []string{"a", "Yes", "1"}}},
		"object":             {map[string]any{"b": "x", "a": []any{"1", "2"}}, readable{Items: []string{"a: 1, 2", "b: x"}}},
		"list of objects":    {[]any{map[string]any{"id": "1", "ok": false}}, readable{Items: []string{"id: 1, ok: No"}}},
		"too long":           {long, readable{Text: long[1:] + "…", Cut: true}},
		"too long in a list": {[]any{long}, readable{Items: []string{long[1:] + "…"}, Cut: true}},
		"too many":           {[]any{many}, readable{Items: []string{"0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19"}, Cut: true}},
		"too deep":           {[]any{[]any{[]any{[]any{"x"}}}}, readable{Items: []string{"…"}, Cut: true}},
	} {
		if d := cmp.Diff(tt.want, words.readable(tt.value)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// What a registry names, people are to be told in words.
func TestEveryMethodAndDocumentHasWords(t *testing.T) {
	for _, c := range languages() {
		for _, method := range authn.AMRValues() {
			if c.Portal.Methods[method] == "" {
				t.Errorf("%s: no words for %s", c.Lang, method)
			}
		}
		for _, document := range claims.Sources() {
			if c.Portal.Documents[string(document)] == "" {
				t.Errorf("%s: no words for %s", c.Lang, document)
			}
		}
		if len(c.Portal.Methods) != len(authn.AMRValues()) || len(c.Portal.Documents) != len(claims.Sources()) {
			t.Errorf("%s: words for what there is not", c.Lang)
		}
	}
}

func TestWithdrawal(t *testing.T) {
	p := newPages(t)
	doc := parse(t, serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Withdrawal(w, r, fullWithdrawal()) }).Body.String())
	form := mustID(t, doc, "withdraw-form")
	want := []string{`<input type="hidden" name="client" value="grafana">`, `<input type="hidden" name="token" value="not-a-secret">`}
	if d := cmp.Diff(want, controls(doc, form)); d != "" || attr(form, "action") != "/portal/withdraw" {
		t.Errorf("%s to %s", d, attr(form, "action"))
	}
	if attr(mustID(t, doc, "withdraw-cancel"), "href") != "/portal" || !strings.Contains(text(doc), "Grafana") || !strings.Contains(text(doc), "Date of birth") {
		t.Error(text(doc))
	}
}
