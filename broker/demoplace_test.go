package broker_test

import (
	"net/http"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

func TestM85_DemoOffIsNotThere(t *testing.T) {
	w := newWorld(t, options{})
	for _, path := range []string{"/demo", "/demo/", "/demo/login", "/demo/callback?code=x&state=y", "/demo/logout"} {
		if page := w.newBrowser().Get(issuer + path); page.Status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, page.Status)
		}
	}
	if w.broker.Ours("/demo/") || w.broker.Ours("/demo") {
		t.Error("an application that shares the host cannot have its own /demo/")
	}
	if page := w.newBrowser().Get(authorizeURL("client_id", "demo", "redirect_uri", issuer+"/demo/callback")); page.Text("error-code") != "invalid_client" {
		t.Errorf("the client exists: %s", page)
	}
}

func TestDemoIsOurs(t *testing.T) {
	w := newWorld(t, withDemo)
	for path, want := range map[string]bool{"/demo": true, "/demo/": true, "/demo/login": true, "/demography": false, "/": false} {
		if got := w.broker.Ours(path); got != want {
			t.Errorf("Ours(%q) = %v", path, got)
		}
	}
	if page := w.newBrowser().Get(issuer + "/demo"); page.URL.String() != demoPage || !page.Has("demo-start") {
		t.Errorf("/demo leads to %s", page)
	}
}

func TestDemoKeepsItsID(t *testing.T) {
	config := broker.Config{
		Issuer: issuer, Demo: true,
		Connections: []broker.Connection{{ID: "auth0"}},
		Clients:     []oauth.Client{{ID: "demo", Public: true, RedirectURIs: []string{callbackURL}}},
	}
	_, err := broker.New(config, broker.Deps{Store: newWorld(t, options{}).store})
	if err == nil || !containsAll(err.Error(), "client demo", "demo application", "another one") {
		t.Errorf("got %v", err)
	}
}

// An issuer with a path has all its addresses below it.
func TestDemoBelowAPath(t *testing.T) {
	const below = issuer + "/sso"
	w := newWorld(t, options{
		tenant: brokertest.Options{Clients: []brokertest.Client{{
			ID: upstreamID, Secret: upstreamSecret, Callbacks: []string{below + "/oauth2/callback/auth0"},
		}}},
		config: func(w *world, c *broker.Config) {
			demoOn(w, c)
			c.Issuer = below
		},
	})
	b := w.newBrowser()
	b.Get(below + "/demo")
	w.demoStart(b, "ada")
	if page := b.Click("consent-allow"); page.URL.String() != below+"/demo/" || !page.Has("demo-claim-name") {
		t.Fatalf("signing in leads to %s", page)
	}
	if id := shown(t, b, "id_token"); id["iss"] != below {
		t.Errorf("ID token %v", id)
	}
	b.Click("demo-logout-everywhere")
	if page := b.Click("logout-confirm"); !page.Has("logout-done") || page.URL.String() != below+"/oauth2/logout" {
		t.Errorf("logging out leads to %s", page)
	}
	if page := b.Get(below + "/demo/"); !page.Has("demo-start") {
		t.Errorf("still signed in: %s", page)
	}
	if !w.broker.Ours("/sso/demo/") || w.broker.Ours("/demo/") {
		t.Error("the demo is not below the path, or not only there")
	}
}
