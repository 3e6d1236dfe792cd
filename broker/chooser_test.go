package broker_test

import (
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
)

// twoConnections adds a second connection to the same tenant.
func twoConnections(w *world, c *broker.Config) {
	c.Connections[0].Order = 2
	second := w.connection("second", "Partners")
	second.Order = 1
	c.Connections = append(c.Connections, second)
}

func TestM86_M87_Chooser(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	b := w.newBrowser()
	page := b.Get(gatedSite + "/")
	if page.URL.Path != "/oauth2/login" || !page.Has("login-form") || page.Status != 200 {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	var order []string
	for _, id := range page.IDs() {
		if id == "connection-auth0" || id == "connection-second" {
			order = append(order, id)
		}
	}
	if len(order) != 2 || order[0] != "connection-second" {
		t.Errorf("choices in order %v", order)
	}
	if w.tenant.Requests("/authorize") != 0 {
		t.Error("the provider was asked before anybody chose")
	}
	b.Click("connection-second")
	if got := w.tenant.LastAuthorize().Get("redirect_uri"); got != issuer+"/oauth2/callback/second" {
		t.Errorf("redirect_uri = %s", got)
	}
	if w.tenant.Requests("/authorize") != 1 {
		t.Error("more than one connection's sign-in began")
	}
	if page = b.SignIn("ada"); !page.Has("consent-form") {
		t.Errorf("%d at %s", page.Status, page.URL)
	}
}

func TestM86_HintAndSilence(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	b := w.newBrowser()
	if page := b.Get(authorizeURL("idp_hint", "second")); !page.Has("tenant-login-form") {
		t.Errorf("the hint did not lead to the provider: %d %s", page.Status, page.URL)
	}
	if got := w.authorize(w.newBrowser(), "", "idp_hint", "unknown").Get("error"); got != "invalid_request" {
		t.Errorf("unknown hint: %q", got)
	}
	if got := w.authorize(w.newBrowser(), "", "prompt", "none").Get("error"); got != "interaction_required" {
		t.Errorf("prompt=none with two connections: %q", got)
	}
}

func TestM39_SingleConnectionNeedsNoChooser(t *testing.T) {
	w := newWorld(t, options{})
	if page := w.newBrowser().Get(gatedSite + "/"); !page.Has("tenant-login-form") {
		t.Errorf("%d at %s", page.Status, page.URL)
	}
}

func TestM82_DisabledAndHidden(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		twoConnections(w, c)
		hidden, disabled := w.connection("hidden", "Hidden"), w.connection("disabled", "Disabled")
		hidden.Hidden, disabled.Disabled = true, true
		c.Connections = append(c.Connections, hidden, disabled)
	}})
	page := w.newBrowser().Get(gatedSite + "/")
	if page.Has("connection-hidden") || page.Has("connection-disabled") {
		t.Error("the chooser offers a hidden or disabled connection")
	}
	if got := w.authorize(w.newBrowser(), "", "idp_hint", "disabled").Get("error"); got != "invalid_request" {
		t.Errorf("hint to a disabled connection: %q", got)
	}
	b := w.newBrowser()
	b.StopBefore = w.tenant.Issuer()
	if page := b.Get(authorizeURL("idp_hint", "hidden")); page.Location == nil {
		t.Errorf("hint to a hidden connection: %d %s", page.Status, page.URL)
	}
}

// Somebody picks the wrong provider, goes back and picks the other one.
func TestChoosingAgain(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	b := w.newBrowser()
	b.Get(gatedSite + "/page")
	first := b.Page().URL.String()
	b.Click("connection-second")
	b.Get(first)
	if page := b.Click("connection-auth0"); !page.Has("tenant-login-form") {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	page := b.SignIn("ada")
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if page.URL.String() != gatedSite+"/page" {
		t.Errorf("ended at %s", page.URL)
	}
}
