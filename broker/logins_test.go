package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// S98: with the context cache a request costs the browser
// nothing, so what it leaves in the store is bounded. The newest logins win.
func TestS98_StoredLoginsOfABrowserAreBounded(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	b.Get(authorizeURL())
	b.SignIn("ada")
	var pages []*brokertest.Page
	for range 3 * session.MaxLogins {
		page := b.Get(authorizeURL())
		if !page.Has("consent-form") {
			t.Fatalf("%d at %s", page.Status, page.URL)
		}
		pages = append(pages, page)
	}
	keys, err := w.store.List(t.Context(), "login/", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != session.MaxLogins {
		t.Errorf("%d logins are stored, want %d", len(keys), session.MaxLogins)
	}
	if page := b.Get(pages[0].URL.String()); page.Status != 400 || !strings.Contains(string(page.Body), "took too long") {
		t.Errorf("the oldest: %d at %s", page.Status, page.URL)
	}
	b.StopBefore = clientSite
	b.Get(pages[len(pages)-1].URL.String())
	if got := w.answer(b.Click("consent-allow")); got.Get("code") == "" {
		t.Errorf("the newest: %v", got)
	}
}
