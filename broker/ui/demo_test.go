package ui

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func drawDemo(t *testing.T, v Demo) (body string) {
	t.Helper()
	p := newPages(t)
	return serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Demo(w, r, v) }).Body.String()
}

func TestDemoTabs(t *testing.T) {
	for _, tab := range append(demoTabs(), "no-such-tab", "") {
		doc := parse(t, drawDemo(t, fullDemo(tab)))
		var current []string
		for _, a := range elements(mustID(t, doc, "demo-tabs"), "a") {
			if attr(a, "aria-current") == "page" {
				current = append(current, attr(a, "id"))
			}
		}
		want := "demo-tab-" + string(tab)
		if byID(doc, want) == nil {
			want = "demo-tab-claims"
		}
		if len(current) != 1 || current[0] != want {
			t.Errorf("tab %q: %q is current", tab, current)
		}
	}
}

// A token is shown as it is: whoever selects it gets it whole.
func TestDemoShowsTheTokenWhole(t *testing.T) {
	v := fullDemo(DemoAccessToken)
	doc := parse(t, drawDemo(t, v))
	if got := text(mustID(t, doc, "token-raw")); got != v.AccessToken.Raw {
		t.Errorf("shown as %q", got)
	}
	if got := text(mustID(t, doc, "token-expires")); got != "in 9 minutes (25 Nov 2026, 12:18:09 UTC)" {
		t.Errorf("expires %q", got)
	}
	v.Now = v.Now.Add(time.Hour)
	v.AccessToken.Verified = false
	doc = parse(t, drawDemo(t, v))
	if got := text(mustID(t, doc, "token-expires")); !strings.HasPrefix(got, "has expired (") {
		t.Errorf("expires %q", got)
	}
	if got := text(mustID(t, doc, "token-signature")); got != "Not verified" {
		t.Errorf("signature %q", got)
	}
	v.AccessToken = DemoToken{}
	if doc = parse(t, drawDemo(t, v)); byID(doc, "token-none") == nil || byID(doc, "token-raw") != nil {
		t.Error("a token that there is none of is shown")
	}
}

// Attacker: a provider's user. Move: a name that reverses the direction of
// what follows, or hides in it. Harm: the page tells another value than the
// one that came, or another one's.
func TestDemoSpellsOutWhatCannotBeSeen(t *testing.T) {
	v := fullDemo(DemoClaims)
	v.Claims = []DemoClaim{{Name: "name", Path: "name", Value: "Ada\u202egnp.exe\u200b\x00", In: []string{"id_token"}}}
	if got := text(mustID(t, parse(t, drawDemo(t, v)), "demo-claim-name")); !strings.Contains(got, `Ada\u202egnp.exe\u200b\u0000`) {
		t.Errorf("shown as %q", got)
	}
	v.Claims[0].Value = strings.Repeat("ä", maxValue+1)
	if got := text(mustID(t, parse(t, drawDemo(t, v)), "demo-claim-name")); strings.Count(got, "ä") != maxValue || !strings.Contains(got, "…") {
		t.Errorf("%d characters of a long value", strings.Count(got, "ä"))
	}
	v = fullDemo(DemoIDToken)
	v.IDToken.Payload = "{\n  \"name\": \"Ada\u2066\"\n}"
	if body := drawDemo(t, v); !strings.Contains(body, "\n  &#34;name&#34;: &#34;Ada\\u2066&#34;\n") {
		t.Errorf("payload in %s", body)
	}
}

func TestDemoForwardGoesOnByItself(t *testing.T) {
	p := newPages(t)
	for url, want := range map[string]string{
		"https://auth.example.com/oauth2/authorize?a=b&c=d": "0; url=https://auth.example.com/oauth2/authorize?a=b&c=d",
		"/oauth2/authorize":   "0; url=/oauth2/authorize",
		"javascript:alert(1)": "",
		"//evil.example/":     "",
	} {
		w := serve("GET", func(w http.ResponseWriter, r *http.Request) { p.DemoForward(w, r, DemoForward{URL: url}) })
		if got := w.Header().Get("Refresh"); got != want {
			t.Errorf("%s: Refresh %q", url, got)
		}
		link := byID(parse(t, w.Body.String()), "demo-continue")
		if (link != nil) != (want != "") || link != nil && attr(link, "href") != url {
			t.Errorf("%s: link %v", url, link)
		}
	}
}

func TestDemoStartHoldsWhatWasChosen(t *testing.T) {
	p := newPages(t)
	doc := parse(t, serve("GET", func(w http.ResponseWriter, r *http.Request) { p.DemoStart(w, r, fullDemoStart()) }).Body.String())
	form := mustID(t, doc, "demo-form")
	if attr(form, "method") != "get" || attr(form, "action") != "/demo/login" {
		t.Errorf("form by %q to %q", attr(form, "method"), attr(form, "action"))
	}
	for id, want := range map[string]bool{"demo-scope-profile": true, "demo-scope-orders:read": false} {
		if got := hasAttr(mustID(t, doc, id), "checked"); got != want {
			t.Errorf("%s ticked: %v", id, got)
		}
	}
	if byID(doc, "demo-scope-openid") != nil {
		t.Error("a fixed scope has a box")
	}
	for _, option := range elements(mustID(t, doc, "demo-prompt"), "option") {
		if hasAttr(option, "selected") != (attr(option, "value") == "consent") {
			t.Errorf("prompt %q is selected, or is not", attr(option, "value"))
		}
	}
	if !hasAttr(mustID(t, doc, "demo-options"), "open") {
		t.Error("options that are chosen are folded away")
	}
}
