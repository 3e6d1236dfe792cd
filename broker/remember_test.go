package broker_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

const choiceCookie = "__Host-auth_broker_choice"

// remembering returns a world with two connections and a browser that has
// signed in at the second one, to be remembered.
func remembering(t *testing.T) (*world, *brokertest.Browser) {
	t.Helper()
	w := newWorld(t, options{config: twoConnections, client: func(c *oauth.Client) { c.Consent = oauth.ConsentTrusted }})
	b := w.newBrowser()
	b.StopBefore = clientSite
	b.Get(authorizeURL())
	page := b.Click("chooser-remember")
	if page.URL.Path != "/oauth2/login" || !page.Has("login-form") {
		t.Fatalf("the switch leads to %d %s", page.Status, page.URL)
	}
	b.Click("connection-second")
	if answer := w.answer(b.SignIn("ada")); !answer.Has("code") {
		t.Fatalf("%v", answer)
	}
	return w, b
}

func TestX6_RememberedChoiceSkipsTheChooser(t *testing.T) {
	w, b := remembering(t)
	if got := w.upstreamConnection(b); got != "second" {
		t.Errorf("leads to %q", got)
	}
	if got := w.upstreamConnection(b, "prompt", "login"); got != "second" {
		t.Errorf("prompt=login leads to %q", got)
	}
	if answer := w.authorize(b, "", "prompt", "none"); !answer.Has("code") {
		t.Errorf("prompt=none: %v", answer)
	}
	if got := w.upstreamConnection(b, "idp_hint", "auth0"); got != "auth0" {
		t.Errorf("the client's hint leads to %q", got)
	}
	if got := w.upstreamConnection(w.newBrowser()); got != "" {
		t.Errorf("another browser goes to %q", got)
	}
	t.Run("wherever the same connections are offered", func(t *testing.T) {
		b := b.NewTab()
		b.StopBefore = w.tenant.Issuer()
		if page := b.Get(gatedSite + "/"); page.Location == nil || connectionOf(page.Location) != "second" {
			t.Errorf("the gate asks: %d %s", page.Status, page.URL)
		}
	})
	t.Run("for half a year", func(t *testing.T) {
		w.clock.Advance(179 * 24 * time.Hour)
		if got := w.upstreamConnection(b); got != "second" {
			t.Errorf("leads to %q", got)
		}
		w.clock.Advance(2 * 24 * time.Hour)
		if got := w.upstreamConnection(b); got != "" {
			t.Errorf("leads to %q after 181 days", got)
		}
	})
}

func TestX6_NothingIsRememberedUnasked(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	b := w.newBrowser()
	b.Get(authorizeURL())
	b.Click("connection-second")
	b.SignIn("ada")
	if b.Cookie(issuer, choiceCookie) != nil {
		t.Error("the choice is kept")
	}
	if got := w.upstreamConnection(b); got != "" {
		t.Errorf("leads to %q", got)
	}
}

func TestX6_TheWayBack(t *testing.T) {
	w, b := remembering(t)
	if got := w.upstreamConnection(b, "prompt", "select_account"); got != "" {
		t.Fatalf("prompt=select_account leads to %q", got)
	}
	if got := b.Page().Text("chooser-remember"); !strings.Contains(got, "Ask me every time") {
		t.Errorf("the switch reads %q", got)
	}
	t.Run("another choice takes the place of the first", func(t *testing.T) {
		tab := b.NewTab()
		tab.StopBefore = w.tenant.Issuer()
		tab.Get(authorizeURL("prompt", "select_account"))
		tab.Click("connection-auth0")
		if got := w.upstreamConnection(b); got != "auth0" {
			t.Errorf("leads to %q", got)
		}
	})
	t.Run("the switch ends it at once", func(t *testing.T) {
		b.Get(authorizeURL("prompt", "select_account"))
		if page := b.Click("chooser-remember"); page.Text("chooser-remember") != "Remember my choice" {
			t.Errorf("the switch reads %q", page.Text("chooser-remember"))
		}
		if got := w.upstreamConnection(b); got != "" {
			t.Errorf("leads to %q", got)
		}
	})
}

// The cookie outlives configurations, and people can edit it.
func TestX6_ChoiceThatIsNoneAnyMore(t *testing.T) {
	third := func(change func(c *broker.Config)) options {
		return options{config: func(w *world, c *broker.Config) {
			twoConnections(w, c)
			c.Connections = append(c.Connections, w.connection("third", "Others"))
			change(c)
		}}
	}
	for name, after := range map[string]options{
		"disabled":           third(func(c *broker.Config) { c.Connections[1].Disabled = true }),
		"hidden":             third(func(c *broker.Config) { c.Connections[1].Hidden = true }),
		"gone":               third(func(c *broker.Config) { c.Connections = append(c.Connections[:1], c.Connections[2]) }),
		"one more to choose": third(func(*broker.Config) {}),
		"not this client's": {
			config: third(func(*broker.Config) {}).config,
			client: func(c *oauth.Client) { c.Connections = []string{"auth0", "third"} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, b := remembering(t)
			w.newBroker(after)
			if got := w.upstreamConnection(b); got != "" {
				t.Errorf("leads to %q", got)
			}
		})
	}
	w, b := remembering(t)
	value := b.Cookie(issuer, choiceCookie).Value
	w.newBroker(options{config: func(w *world, c *broker.Config) {
		twoConnections(w, c)
		hidden := w.connection("hidden", "Hidden")
		hidden.Hidden = true
		c.Connections = append(c.Connections, hidden)
	}})
	for name, forged := range map[string]string{
		"a hidden connection": strings.Replace(value, "~second", "~hidden", 1),
		"an unknown one":      strings.Replace(value, "~second", "~../../x", 1),
		"noise":               strings.Repeat("~.", 500),
		"nothing":             "",
	} {
		b.SetCookie(issuer, &http.Cookie{Name: choiceCookie, Value: forged, Path: "/", Secure: true})
		if got := w.upstreamConnection(b); got != "" {
			t.Errorf("cookie with %s leads to %q", name, got)
		}
	}
}

// The remembered provider fails. Whoever tries again must not be sent there
// for ever.
func TestX6_FailedSignInBringsTheChooserBack(t *testing.T) {
	t.Run("at the callback", func(t *testing.T) {
		w, b := remembering(t)
		w.tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Status: 500}}})
		if got := w.authorize(b, "ada").Get("error"); got == "" {
			t.Fatal("no error")
		}
		if got := w.upstreamConnection(b); got != "" {
			t.Errorf("leads to %q again", got)
		}
	})
	t.Run("before anybody left for the provider", func(t *testing.T) {
		w := newWorld(t, options{config: twoConnections})
		w.tenant.SetFaults(brokertest.Faults{Down: true})
		b := w.newBrowser()
		b.StopBefore = clientSite
		b.Get(authorizeURL())
		b.Click("chooser-remember")
		page := b.Click("connection-second")
		if !page.Has("chooser-unavailable") || page.Text("chooser-remember") != "Remember my choice" {
			t.Fatalf("no chooser that remembers nothing: %d %s", page.Status, page.URL)
		}
		if set := page.Header.Values("Set-Cookie"); strings.Count(strings.Join(set, "\n"), choiceCookie+"=") > 1 {
			t.Errorf("one cookie is set twice: %q", set)
		}
		if page = b.Get(authorizeURL()); !page.Has("login-form") {
			t.Errorf("no chooser: %d %s", page.Status, page.URL)
		}
	})
	t.Run("at the gate, by its own link", func(t *testing.T) {
		w, b := remembering(t)
		w.tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Status: 500}}})
		if page := b.Get(gatedSite + "/"); !page.Has("error-retry") {
			t.Fatalf("no retry link: %d %s", page.Status, page.URL)
		}
		if page := b.Click("error-retry"); !page.Has("login-form") {
			t.Errorf("trying again leads to %d %s", page.Status, page.URL)
		}
	})
	t.Run("on a page of the provider's own", func(t *testing.T) {
		w, b := remembering(t)
		for i, want := range []string{"second", "second", ""} {
			if got := w.upstreamConnection(b); got != want {
				t.Errorf("attempt %d leads to %q, want %q", i+1, got, want)
			}
		}
		w.clock.Advance(11 * time.Minute)
		if got := w.upstreamConnection(b); got != "second" {
			t.Errorf("later it leads to %q", got)
		}
	})
}

// A page in the background that asks whether somebody is signed in gets
// errors all day long.
func TestX6_SilentFailureForgetsNothing(t *testing.T) {
	w, b := remembering(t)
	value := b.Cookie(issuer, choiceCookie).Value
	b.ClearCookies()
	b.SetCookie(issuer, &http.Cookie{Name: choiceCookie, Value: value, Path: "/", Secure: true})
	if got := w.authorize(b, "", "prompt", "none").Get("error"); got != "login_required" {
		t.Fatalf("error = %q", got)
	}
	if got := w.upstreamConnection(b); got != "second" {
		t.Errorf("leads to %q", got)
	}
}
