package brokertest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestBrowserNavigationHeaders(t *testing.T) {
	w := newWeb(t)
	for _, host := range []string{"app.example.com", "auth.example.com", "login.example.org"} {
		w.page(host+"/", `<a id="same" href="/x">x</a> <a id="sister" href="https://auth.example.com/">y</a>
			<a id="stranger" href="https://login.example.org/">z</a>
			<form method="post" action="/"><button id="post">go</button></form>`)
	}
	w.redirect("login.example.org/back", "https://app.example.com/", http.StatusFound)
	b := w.browser(t, brokertest.BrowserOptions{})
	check := func(when, site, referer, origin string) {
		t.Helper()
		if w.header("Sec-Fetch-Site") != site || w.header("Referer") != referer || w.header("Origin") != origin {
			t.Errorf("%s: got Sec-Fetch-Site %q, Referer %q, Origin %q", when,
				w.header("Sec-Fetch-Site"), w.header("Referer"), w.header("Origin"))
		}
		if w.header("Sec-Fetch-Mode") != "navigate" || w.header("Sec-Fetch-Dest") != "document" ||
			!strings.HasPrefix(w.header("Accept"), "text/html,") {
			t.Errorf("%s: not the headers of a navigation", when)
		}
	}
	b.Get("https://app.example.com/?q=1")
	check("typed", "none", "", "")
	b.Click("same")
	check("same origin", "same-origin", "https://app.example.com/?q=1", "")
	b.Click("post")
	check("form", "same-origin", "https://app.example.com/x", "https://app.example.com")
	b.Click("sister")
	check("same site", "same-site", "https://app.example.com/", "")
	b.Click("stranger")
	check("cross site", "cross-site", "https://auth.example.com/", "")
	b.Get("https://login.example.org/back")
	check("typed, redirected", "none", "", "")

	b.Fetch("/data")
	if w.header("Sec-Fetch-Mode") != "cors" || w.header("Sec-Fetch-Dest") != "empty" || w.header("Accept") != "*/*" ||
		w.header("Sec-Fetch-User") != "" {
		t.Error("fetch: the headers of a navigation")
	}
}

// The policy no-referrer makes browsers send "Origin: null" with forms,
// which origin checks refuse: a page that sets it breaks its own form.
func TestBrowserReferrerPolicy(t *testing.T) {
	w := newWeb(t)
	const form = `<form method="post" action="%s"><input name="a" value="b"><button id="go">go</button></form>`
	for _, test := range []struct{ policy, action, referer, origin string }{
		{"", "/end", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"no-referrer", "/end", "", "null"},
		{"same-origin", "/end", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"same-origin", "https://login.example.org/", "", "null"},
		{"strict-origin", "/end", "https://app.example.com/", "https://app.example.com"},
		{"origin", "https://login.example.org/", "https://app.example.com/", "https://app.example.com"},
		{"unsafe-url", "https://login.example.org/", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"origin-when-cross-origin", "/end", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"no-referrer-when-downgrade", "https://login.example.org/", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"unknown, no-referrer", "/end", "", "null"},
		{"same-origin", "https://auth.example.com/", "", "null"},
		{"origin", "/end", "https://app.example.com/", "https://app.example.com"},
		{"origin-when-cross-origin", "https://login.example.org/", "https://app.example.com/", "https://app.example.com"},
		{"", "https://login.example.org/", "https://app.example.com/", "https://app.example.com"},
		{"", "https://auth.example.com/307", "https://app.example.com/", "null"},
	} {
		t.Run(test.policy+" to "+test.action, func(t *testing.T) {
			w.mux = http.NewServeMux()
			w.page("login.example.org/", "")
			w.page("auth.example.com/", "")
			w.page("app.example.com/end", "")
			w.redirect("auth.example.com/307", "https://login.example.org/307", http.StatusTemporaryRedirect)
			w.redirect("login.example.org/307", "https://app.example.com/end", http.StatusTemporaryRedirect)
			w.page("app.example.com/start", fmt.Sprintf(form, test.action), "Referrer-Policy", test.policy)
			b := w.browser(t, brokertest.BrowserOptions{})
			b.Get("https://app.example.com/start?q=1")
			b.Click("go")
			if got := w.header("Referer"); got != test.referer && !strings.Contains(test.action, "307") {
				t.Errorf("got Referer %q, want %q", got, test.referer)
			}
			if got := w.header("Origin"); got != test.origin {
				t.Errorf("got Origin %q, want %q", got, test.origin)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.form.Get("a") != "b" {
				t.Error("the form did not arrive")
			}
		})
	}
	t.Run("in a meta element", func(t *testing.T) {
		w.page("app.example.com/meta", `<meta name="referrer" content="no-referrer">`+fmt.Sprintf(form, "/end"))
		b := w.browser(t, brokertest.BrowserOptions{})
		b.Get("https://app.example.com/meta")
		b.Click("go")
		if got := w.header("Origin"); got != "null" {
			t.Errorf("got Origin %q, want null", got)
		}
	})
}
