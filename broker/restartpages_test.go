package broker_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A tab with one of our pages has been open for too long, or the server has
// lost what it knew.
func TestS28_PagesOfALostSignIn(t *testing.T) {
	yesterday := func(w *world) { w.clock.Advance(24 * time.Hour) }
	halfAnHour := func(w *world) { w.clock.Advance(31 * time.Minute) }
	emptied := func(w *world) {
		w.store = store.NewMemory(w.clock.Now)
		w.newBroker(options{client: withHomePage, config: twoConnections})
	}
	chooser := func(_ *world, b *brokertest.Browser, s starter) { b.Get(s.address) }
	consent := func(_ *world, b *brokertest.Browser, s starter) {
		b.Get(s.address)
		b.Click("connection-auth0")
		b.SignIn("ada")
	}
	reload := func(b *brokertest.Browser) *brokertest.Page { return b.Reload() }
	click := func(id string) func(*brokertest.Browser) *brokertest.Page {
		return func(b *brokertest.Browser) *brokertest.Page { return b.Click(id) }
	}
	for name, c := range map[string]struct {
		open  func(*world, *brokertest.Browser, starter)
		lose  func(*world)
		do    func(*brokertest.Browser) *brokertest.Page
		wayIs string // where the gated site's own page is lost, too
	}{
		"chooser of yesterday, reloaded":    {chooser, yesterday, reload, ""},
		"chooser of yesterday, chosen from": {chooser, yesterday, click("connection-second"), ""},
		"chooser of yesterday, switched":    {chooser, yesterday, click("chooser-remember"), ""},
		"chooser of half an hour ago":       {chooser, halfAnHour, click("connection-second"), ""},
		"chooser, the store is empty":       {chooser, emptied, click("connection-second"), gatedSite},
		"consent of yesterday, reloaded":    {consent, yesterday, reload, ""},
		"consent of yesterday, allowed":     {consent, yesterday, click("consent-allow"), ""},
		"consent of half an hour ago":       {consent, halfAnHour, click("consent-deny"), ""},
		"consent, the store is empty":       {consent, emptied, click("consent-allow"), gatedSite},
	} {
		for _, s := range starters() {
			t.Run(s.name+", "+name, func(t *testing.T) {
				w := newWorld(t, options{client: withHomePage, config: twoConnections})
				b := w.newBrowser()
				c.open(w, b, s)
				c.lose(w)
				if s.way == "error-retry" && c.wayIs != "" {
					s.to = c.wayIs // its seal cannot be opened any more
				}
				wantKindPage(t, w, c.do(b), s, "stale_sign_in", "invalid_request")
			})
		}
	}
	t.Run("e-mail form of yesterday", func(t *testing.T) {
		w := newWorld(t, options{config: withDomains, client: withHomePage})
		b := w.newBrowser()
		b.Get(authorizeURL())
		yesterday(w)
		wantKindPage(t, w, typeAddress(b, "ada@partner.example"), starters()[1], "stale_sign_in", "invalid_request")
	})
	t.Run("consent after signing out in another tab", func(t *testing.T) {
		w := newWorld(t, options{client: withHomePage})
		b := w.newBrowser()
		w.enter(b, "/", "ada")
		b.Get(authorizeURL())
		b.NewTab().Get(gatedSite + "/.auth/logout")
		wantKindPage(t, w, b.Reload(), starters()[1], "session_ended", "login_required")
	})
	t.Run("return from the application too late", func(t *testing.T) {
		w := newWorld(t, options{client: withHomePage, config: application()})
		b := w.newBrowser()
		v := w.visitApp(b)
		to := v.back(v.complete(`{}`))
		w.clock.Advance(11 * time.Minute)
		b.StopBefore = ""
		wantKindPage(t, w, b.Get(to), starters()[1], "stale_sign_in", "invalid_request")
	})
}

// A browser that keeps no cookies cannot sign in anywhere: the first page
// says why.
func TestS28_BrowserWithoutCookies(t *testing.T) {
	w := newWorld(t, options{client: withHomePage, config: twoConnections})
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{Resolve: w.resolve, RootCAs: w.ca.Pool(), Now: w.clock.Now, BlockCookies: true})
	for _, s := range starters() {
		wantKindPage(t, w, b.Get(s.address), s, "cookies_missing", "invalid_request")
	}
}

// The way back is not sealed. Whoever makes one up gets no further than to a
// registered client's own address.
func TestR50_WayBackLeadsToRegisteredAddressesOnly(t *testing.T) {
	for name, tt := range map[string]struct {
		uri   string
		query url.Values
		way   starter
	}{
		"an unknown client":            {homePage, url.Values{"client_id": {"https://evil.example.com/"}}, starter{}},
		"no client":                    {homePage, url.Values{"state": {"https://evil.example.com/"}}, starter{}},
		"a client without address":     {"", url.Values{"client_id": {"notes"}}, starter{}},
		"a client with a script":       {"javascript:alert(1)", url.Values{"client_id": {"notes"}}, starter{}},
		"a client with a path":         {"/oauth2/authorize", url.Values{"client_id": {"notes"}}, starter{}},
		"a site and a made-up state":   {"", url.Values{"client_id": {"gate:app.example.com"}, "state": {"https://evil.example.com/"}}, starter{way: "error-retry", to: gatedSite}},
		"a client and a site's state":  {homePage, url.Values{"client_id": {"notes"}, "state": {"/"}}, starter{way: "error-back", to: homePage}},
		"a time that is no number":     {homePage, url.Values{"client_id": {"notes"}, "started": {"<script>"}}, starter{way: "error-back", to: homePage}},
		"a time at the end of days":    {homePage, url.Values{"client_id": {"notes"}, "started": {"9223372036854775807"}}, starter{way: "error-back", to: homePage}},
		"a client, as on a real page,": {homePage, url.Values{"client_id": {"notes"}}, starter{way: "error-back", to: homePage}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{client: func(c *oauth.Client) { c.URI = tt.uri }})
			b := w.newBrowser()
			b.Get(authorizeURL()) // has a cookie
			for _, path := range []string{"/oauth2/login?flow=x&", "/oauth2/consent?login_id=x&", "/oauth2/resume?login_id=x&resume=x&"} {
				page := b.Get(issuer + path + tt.query.Encode())
				wantKindPage(t, w, page, tt.way, "stale_sign_in", "invalid_request")
			}
		})
	}
}

// From the consent page somebody goes back to choose another account.
func TestBackFromConsentToTheChooser(t *testing.T) {
	for _, s := range starters() {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, options{client: withHomePage, config: twoConnections})
			b := w.newBrowser()
			b.StopBefore = clientSite
			chooser := b.Get(s.address).URL.String()
			b.Click("connection-auth0")
			consent := b.SignIn("ada").URL.String()
			page := b.Get(chooser)
			if !page.Has("login-form") {
				t.Fatalf("no chooser: %d %s\n%s", page.Status, page.URL, page.Body)
			}
			chooser = page.URL.String()
			if page := b.NewTab().Get(consent); !page.Has("consent-form") {
				t.Errorf("the first sign-in is gone: %d %s", page.Status, page.URL)
			}
			page = b.Click("connection-second")
			if got := w.tenant.LastAuthorize().Get("redirect_uri"); got != issuer+"/oauth2/callback/second" {
				t.Errorf("it leads to %s", got)
			}
			if page.Has("tenant-login-form") {
				page = b.SignIn("ada")
			}
			if !page.Has("consent-form") {
				t.Fatalf("%d at %s", page.Status, page.URL)
			}
			page = b.Click("consent-allow")
			if code := page.Location; s.way == "error-back" && (code == nil || !code.Query().Has("code")) || s.way == "error-retry" && !page.Has("app") {
				t.Errorf("ended at %d %s", page.Status, page.URL)
			}
			b.StopBefore = ""
			wantKindPage(t, w, b.NewTab().Get(chooser), s, "replayed_callback", "invalid_request")
		})
	}
}
