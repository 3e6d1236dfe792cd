package broker_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// Whoever is told to sign in again strikes prompt=login from the address;
// what must be left is a max_age that no older authentication satisfies,
// however generous the client's own is.
func TestPromptLoginBindsWhateverMaxAge(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		p, err := oidc.New(oidc.Config{
			Issuer: w.tenant.Issuer(), ClientID: upstreamID, ClientSecret: upstreamSecret, AuthMethod: "client_secret_post",
		}, oidc.Deps{Outbound: w.outbound(), Now: w.clock.Now})
		if err != nil {
			w.Fatal(err)
		}
		c.Connections[0].Provider = p
	}})
	for _, change := range [][]string{{"prompt", "login"}, {"prompt", "login", "max_age", "86400"}} {
		b := w.newBrowser()
		b.StopBefore = w.tenant.Issuer()
		page := b.Get(authorizeURL(change...))
		if page.Location == nil {
			t.Fatalf("no redirect: %d", page.Status)
		}
		if got := page.Location.Query().Get("max_age"); got != "0" {
			t.Errorf("%v: max_age %q goes upstream", change, got)
		}
	}
}

// An operator takes a connection away because it has been taken over. Those
// it signed in before must not stay for the rest of their sessions.
func TestR29_R30_ConnectionIsTakenAway(t *testing.T) {
	second := func(change func(*broker.Config)) options {
		return options{
			config: func(w *world, c *broker.Config) {
				c.Connections = append(c.Connections, w.connection("second", "Guests"))
				if change != nil {
					change(c)
				}
			},
			gate: func(g *broker.GateConfig) { g.Trusted, g.Connections = true, []string{"auth0", "second"} },
		}
	}
	disabled := second(func(c *broker.Config) { c.Connections[0].Disabled = true })
	narrowed := second(nil)
	narrowed.gate = func(g *broker.GateConfig) { g.Trusted, g.Connections = true, []string{"second"} }
	for name, after := range map[string]options{"disabled": disabled, "not this site's any more": narrowed} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{gate: func(g *broker.GateConfig) { g.Trusted = true }})
			b := w.newBrowser()
			w.enter(b, "/", "ada")
			before := w.receivedCount()
			cookie := "__Host-auth_gate=" + b.Cookie(gatedSite, "__Host-auth_gate").Value
			w.newBroker(second(nil))
			if w.visit(cookie); w.receivedCount() != before+1 {
				t.Fatal("the session did not survive a reload that changes nothing for it")
			}
			w.newBroker(after)
			if status := w.visit(cookie); status != http.StatusFound || w.receivedCount() != before+1 {
				t.Errorf("still let through: %d", status)
			}
		})
	}
	t.Run("codes and access tokens", func(t *testing.T) {
		w := newWorld(t, second(nil))
		b := w.newBrowser()
		_, tokens := w.exchange(w.authorize(b, "ada", "idp_hint", "auth0").Get("code"))
		code := w.authorize(b, "ada", "idp_hint", "auth0").Get("code")
		w.newBroker(disabled)
		if status, body := w.exchange(code); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
			t.Errorf("code: %d %v", status, body["error"])
		}
		if status, _ := w.userinfo(tokens["access_token"].(string)); status != http.StatusUnauthorized {
			t.Errorf("userinfo: %d", status)
		}
	})
}

// visit sends a cookie, and no more, to whoever serves the gated site now.
func (w *world) visit(cookie string) int {
	w.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", w.resolve["app.example.com"])
	}
	transport := &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: w.ca.Pool()}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, gatedSite+"/", nil)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	resp, err := transport.RoundTrip(r)
	if err != nil {
		w.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// The router panics at patterns that are not plain paths.
func TestIssuerPathIsPlain(t *testing.T) {
	w := newWorld(t, options{})
	for _, bad := range []string{"https://auth.example.com/a//b", "https://auth.example.com/a/../b", "https://auth.example.com/{x}"} {
		_, err := broker.New(broker.Config{Issuer: bad, Connections: []broker.Connection{w.connection("auth0", "")}}, broker.Deps{Store: w.store})
		if err == nil || !strings.Contains(err.Error(), "issuer") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
