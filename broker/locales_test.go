package broker_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// setLanguage has every browser send this Accept-Language to the broker.
func (w *world) setLanguage(accept string) {
	w.serve("auth.example.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept-Language", accept)
		w.broker.ServeHTTP(rw, r)
	}))
}

// threePages brings browsers to the chooser, the consent page and an error
// page of a login, with changes to the authorization request.
func (w *world) threePages(changes ...string) (chooser, consent, failed *brokertest.Page) {
	w.Helper()
	b := w.newBrowser()
	chooser = b.Get(authorizeURL(changes...))
	b.Click("connection-auth0")
	consent = b.SignIn("ada")

	b = w.newBrowser()
	flow := b.Get(authorizeURL(changes...)).URL.Query().Get("flow")
	failed = b.Get(issuer + "/oauth2/login?flow=" + flow + "&connection=unknown")
	return chooser, consent, failed
}

func checkLanguage(t *testing.T, page *brokertest.Page, id, lang, says string) {
	t.Helper()
	if !page.Has(id) {
		t.Fatalf("%d at %s has no #%s", page.Status, page.URL, id)
	}
	if got := page.Header.Get("Content-Language"); got != lang {
		t.Errorf("#%s: Content-Language %q", id, got)
	}
	if body := string(page.Body); !strings.Contains(body, `<html lang="`+lang+`">`) || !strings.Contains(body, says) {
		t.Errorf("#%s: not in %s, or lacks %q:\n%s", id, lang, says, body)
	}
}

// The language of the client's request (OpenID Connect Core, 3.1.2.1) goes
// before that of the browser (RFC 9110, 12.5.4), on every page of a sign-in.
func TestPagesSpeakTheLanguageOfTheVisitor(t *testing.T) {
	german := [3]string{"Wie möchten Sie sich anmelden?", "Zugriff erlauben", "Diese Art der Anmeldung gibt es nicht"}
	english := [3]string{"Choose how to sign in", "Allow access", "This way of signing in does not exist"}
	for _, tt := range []struct {
		name, accept, locales, lang string
		says                        [3]string
	}{
		{"the browser's", "de-AT,de;q=0.9,en;q=0.8", "", "de", german},
		{"the client's first", "en", "fr de-CH", "de", german},
		{"the client's first, the other way", "de", "en", "en", english},
		{"English for everybody else", "fr", "nl", "en", english},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, options{config: twoConnections})
			w.setLanguage(tt.accept)
			chooser, consent, failed := w.threePages("ui_locales", tt.locales)
			checkLanguage(t, chooser, "login-form", tt.lang, tt.says[0])
			checkLanguage(t, consent, "consent-form", tt.lang, tt.says[1])
			checkLanguage(t, failed, "error-code", tt.lang, tt.says[2])
		})
	}
}

func TestIDsAreTheSameInEveryLanguage(t *testing.T) {
	var want [3][]string
	for _, lang := range []string{"en", "de"} {
		w := newWorld(t, options{config: twoConnections})
		w.setLanguage(lang)
		chooser, consent, failed := w.threePages("scope", "openid profile email", "purpose", "To show your orders")
		got := [3][]string{chooser.IDs(), consent.IDs(), failed.IDs()}
		if lang == "en" {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", lang, d)
		}
	}
}

// An error before there is a login has the request to go by.
func TestErrorPageSpeaksTheLanguageOfTheRefusedRequest(t *testing.T) {
	w := newWorld(t, options{})
	page := w.newBrowser().Get(authorizeURL("redirect_uri", "https://evil.example.com/", "ui_locales", "de"))
	checkLanguage(t, page, "error-code", "de", "Die Rücksprungadresse ist nicht registriert")
	if got := page.Text("error-code"); got != "invalid_redirect_uri" {
		t.Errorf("code %q", got)
	}
}

func TestGateSpeaksTheLanguageOfTheBrowser(t *testing.T) {
	w := newWorld(t, options{})
	gated := w.servers["app.example.com"].Config.Handler
	w.serve("app.example.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept-Language", "de")
		gated.ServeHTTP(rw, r)
	}))
	page := w.newBrowser().Get(gatedSite + "/.auth/callback?state=unknown&error=access_denied")
	checkLanguage(t, page, "error-code", "de", "Fehlercode")
}

// The consent page says how long the answer is good for.
func TestConsentPageNamesTheLifetime(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) { c.ConsentLifetime = 90 * 24 * time.Hour }})
	w.setLanguage("de")
	page := w.consentPage(w.newBrowser())
	for _, want := range []string{"90 Tage", "Ihre Identität", "E-Mail-Adresse"} {
		if !strings.Contains(string(page.Body), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
