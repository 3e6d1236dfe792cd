package broker_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// wantFallback checks that the page is the chooser with the second connection
// marked, and that the sign-in goes on at the other one.
func wantFallback(t *testing.T, page *brokertest.Page) {
	t.Helper()
	if page.Status != http.StatusOK || page.URL.Path != "/oauth2/login" || !page.Has("login-form") {
		t.Fatalf("no chooser: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	if got := page.Text("chooser-unavailable"); !strings.HasPrefix(got, "Partners did not answer.") {
		t.Errorf("the page says %q", got)
	}
	if got := marked(page); slices.Contains(offered(page), "second") && !slices.Equal(got, []string{"second"}) {
		t.Errorf("marked: %v", got)
	}
}

// Whatever led to the provider that does not answer, the person can choose
// another one.
func TestM86_S126_ChooserComesBack(t *testing.T) {
	hidden := func(c *broker.Config) {
		c.Connections[1].Hidden = true
		c.Connections = append(c.Connections, c.Connections[0])
		c.Connections[2].ID, c.Connections[2].Name = "third", "Others"
	}
	domain := func(c *broker.Config) { c.Connections[1].Domains = []string{"partner.example"} }
	for name, tt := range map[string]struct {
		config  func(*broker.Config)
		changes []string
		choose  func(*brokertest.Browser) *brokertest.Page // nil: what authorize leads to
	}{
		"chosen": {choose: func(b *brokertest.Browser) *brokertest.Page { return b.Click("connection-second") }},
		"chosen, to be remembered": {choose: func(b *brokertest.Browser) *brokertest.Page {
			b.Click("chooser-remember")
			return b.Click("connection-second")
		}},
		"by hint":                 {changes: []string{"idp_hint", "second"}},
		"by hint, hidden":         {config: hidden, changes: []string{"idp_hint", "second"}},
		"by the client's address": {config: domain, changes: []string{"login_hint", "ada@partner.example"}},
		"by a typed address": {config: domain, choose: func(b *brokertest.Browser) *brokertest.Page {
			typeAddress(b, "ada@partner.example")
			return b.Click("connection-second")
		}},
		"with prompt=login": {changes: []string{"idp_hint", "second", "prompt", "login"}},
	} {
		t.Run(name, func(t *testing.T) {
			change := tt.config
			if change == nil {
				change = func(*broker.Config) {}
			}
			w, other := twoTenants(t, change)
			other.SetFaults(brokertest.Faults{Down: true})
			b := w.newBrowser()
			b.StopBefore = clientSite
			page := b.Get(authorizeURL(tt.changes...))
			if tt.choose != nil {
				page = tt.choose(b)
			}
			wantFallback(t, page)
			wantFallback(t, b.Reload())
			if b.Cookie(issuer, choiceCookie) != nil {
				t.Error("the choice that failed is remembered")
			}
			b.Click("connection-auth0")
			if answer := w.answer(b.SignIn("ada")); !answer.Has("code") || answer.Get("state") != "client-state" {
				t.Errorf("the client got %v", answer)
			}
		})
	}
}

func TestM86_S126_RememberedProviderIsDown(t *testing.T) {
	w, other := twoTenants(t)
	b := w.newBrowser()
	b.StopBefore = clientSite
	b.Get(authorizeURL())
	b.Click("chooser-remember")
	b.Click("connection-second")
	b.SignIn("ada")
	w.newBroker(options{client: trusted, config: func(w *world, c *broker.Config) { // knows no metadata
		c.Connections = append(c.Connections, w.connectionTo(other.Domain(), "second", "Partners"))
	}})
	other.SetFaults(brokertest.Faults{Down: true})
	wantFallback(t, b.Get(authorizeURL()))
	t.Run("and is not where the next sign-in goes", func(t *testing.T) {
		page := b.Get(authorizeURL())
		if !page.Has("login-form") || page.Has("chooser-unavailable") {
			t.Errorf("%d at %s", page.Status, page.URL)
		}
	})
}

func TestM86_S126_GatedSiteFallsBackToo(t *testing.T) {
	w, other := twoTenants(t)
	other.SetFaults(brokertest.Faults{Down: true})
	b := w.newBrowser()
	b.Get(gatedSite + "/deep?x=1")
	wantFallback(t, b.Click("connection-second"))
	b.Click("connection-auth0")
	page := b.SignIn("ada")
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if page.URL.String() != gatedSite+"/deep?x=1" || !page.Has("app") {
		t.Errorf("ended at %s", page.URL)
	}
}

// Who comes back to the provider finds it where it was.
func TestM86_ProviderIsTriedAgain(t *testing.T) {
	w, other := twoTenants(t)
	other.SetFaults(brokertest.Faults{Down: true})
	b := w.newBrowser()
	b.StopBefore = clientSite
	wantFallback(t, b.Get(authorizeURL("idp_hint", "second")))
	other.Heal()
	w.clock.Advance(2 * time.Second)
	b.Click("connection-second")
	if answer := w.answer(b.SignIn("ada")); !answer.Has("code") {
		t.Errorf("the client got %v", answer)
	}
}

// Where there is nobody to ask or nothing to choose, the client hears of it.
func TestM86_NoFallback(t *testing.T) {
	for name, tt := range map[string]struct {
		config  func(*broker.Config)
		client  func(*oauth.Client)
		changes []string
	}{
		"prompt=none":                   {changes: []string{"prompt", "none"}},
		"the client's only one":         {client: func(c *oauth.Client) { c.Connections = []string{"second"} }},
		"the only one that is offered":  {config: func(c *broker.Config) { c.Connections[0].Hidden = true }},
		"the only one that is switched": {config: func(c *broker.Config) { c.Connections[0].Disabled = true }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{client: tt.client, config: func(w *world, c *broker.Config) {
				c.Connections = append(c.Connections, w.connection("second", "Partners"))
				if tt.config != nil {
					tt.config(c)
				}
			}})
			w.tenant.SetFaults(brokertest.Faults{Down: true})
			answer := w.authorize(w.newBrowser(), "", append(tt.changes, "idp_hint", "second")...)
			if answer.Get("error") != oauth.TemporarilyUnavailable || !strings.Contains(answer.Get("error_description"), "upstream_unreachable") {
				t.Errorf("the client got %v", answer)
			}
		})
	}
}

func TestFallbackSpeaksGerman(t *testing.T) {
	w, other := twoTenants(t)
	w.setLanguage("de")
	other.SetFaults(brokertest.Faults{Down: true})
	page := w.newBrowser().Get(authorizeURL("idp_hint", "second"))
	checkLanguage(t, page, "chooser-unavailable", "de", "Partners hat nicht geantwortet.")
}
