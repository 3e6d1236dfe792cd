package broker_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// TestM30_M49_ConnectionsAreListed proves that the list has every connection
// whatever its state, and that the redirect URL in it is the one that is
// sent upstream.
func TestM30_M49_ConnectionsAreListed(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		c.Connections[0].Kind = "auth0"
		hidden, disabled := w.connection("second", ""), w.connection("third", "Third")
		hidden.Hidden, disabled.Disabled, disabled.Origin = true, true, "Caddyfile:9"
		c.Connections = append(c.Connections, hidden, disabled)
	}})
	want := []broker.ConnectionInfo{
		{ID: "auth0", Name: "Acme staff", Kind: "auth0", State: lineage.Enabled, RedirectURL: issuer + "/oauth2/callback/auth0", Attributes: 24, Mappings: 24},
		{ID: "second", Name: "second", State: lineage.Hidden, RedirectURL: issuer + "/oauth2/callback/second", Attributes: 24, Mappings: 24},
		{ID: "third", Name: "Third", State: lineage.Disabled, RedirectURL: issuer + "/oauth2/callback/third", Attributes: 24, Mappings: 24, Origin: "Caddyfile:9"},
	}
	got := w.broker.Connections()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
	b := w.newBrowser()
	b.StopBefore = "https://" + w.tenant.Domain()
	page := b.Get(authorizeURL())
	if page.Location == nil {
		t.Fatalf("no redirect upstream: %d %s", page.Status, page.URL)
	}
	if sent := page.Location.Query().Get("redirect_uri"); sent != got[0].RedirectURL {
		t.Errorf("redirect_uri sent upstream %q, listed %q", sent, got[0].RedirectURL)
	}
}

// TestM50_NewConnectionListsStandardAttributes proves that a connection of
// which nothing but the provider is configured has the whole list.
func TestM50_NewConnectionListsStandardAttributes(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) {
		c.Connections[0].Pipeline.Attributes, c.Connections[0].Pipeline.Mappings = nil, nil
	}})
	var got []claims.Attribute
	for _, a := range w.broker.Lineage().Attributes {
		got = append(got, a.Attribute)
	}
	if diff := cmp.Diff(claims.Default(false), got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// custom configures a claim groups, and an attribute of the tenant's that is
// mapped to target.
func custom(target string) options {
	// The tenant tells all that it knows, whatever it is asked for.
	users := brokertest.Users()
	users[0].IDTokenClaims = users[0].Claims
	return options{
		tenant: brokertest.Options{Users: users},
		client: func(c *oauth.Client) { c.Scopes = []string{"openid", "profile", "email", "teams"} },
		gate: func(c *broker.GateConfig) {
			c.Scopes = []string{"openid", "profile", "email", "teams"}
			for name, value := range map[string]string{"X-Groups": "{claim.groups}", "X-Nickname": "{claim.nickname}", "X-Id-Token": "{id_token}"} {
				header, err := gateway.ParseHeader(name, value)
				if err != nil {
					panic(err)
				}
				c.Headers = append(c.Headers, header)
			}
		},
		config: func(w *world, c *broker.Config) {
			p := &c.Connections[0].Pipeline
			source, err := claims.ParsePath(`https://example\.com/plan`)
			if err != nil {
				w.Fatal(err)
			}
			p.Attributes = claims.Override(p.Attributes, []claims.Attribute{
				{Name: "plan", Source: claims.IDToken, Path: source, DisplayName: "Plan", Origin: "Caddyfile:7"},
			})
			p.Mappings = append([]claims.Mapping{{From: "plan", To: claims.Key(target), Weak: true, Origin: "Caddyfile:8"}}, p.Mappings...)
			c.Claims = []claims.Claim{{
				Name: "groups", Types: []claims.TokenType{claims.IDToken, claims.AccessToken}, Scopes: []string{"teams"}, Origin: "Caddyfile:9",
			}}
		},
	}
}

// TestM65_M66_M73_LineageIsWhatHappens signs a person in and compares: each
// token, userinfo and the headers of the gate hold exactly the claims that
// lineage says they can. Then the mapping is changed, and both change.
func TestM65_M66_M73_LineageIsWhatHappens(t *testing.T) {
	w := newWorld(t, custom("groups"))
	for _, target := range []string{"groups", "nickname"} {
		t.Run("mapped to "+target, func(t *testing.T) {
			w.newBroker(custom(target))
			g := w.broker.Lineage()
			answer := w.authorize(w.newBrowser(), "ada", "scope", "openid profile email teams")
			_, tokens := w.exchange(answer.Get("code"))
			if tokens["id_token"] == nil {
				t.Fatalf("no tokens: %v", tokens)
			}
			_, userinfo := w.userinfo(tokens["access_token"].(string))
			for token, got := range map[claims.TokenType]map[string]any{
				claims.IDToken: payload(t, tokens["id_token"]), claims.AccessToken: payload(t, tokens["access_token"]), claims.Userinfo: userinfo,
			} {
				if diff := cmp.Diff(predicted(t, g, "notes", token), dataClaims(got)); diff != "" {
					t.Errorf("claims of the %s (-lineage +token):\n%s", token, diff)
				}
			}
			nickname := receipt(t, g, "notes", "nickname").Sources[0]
			if first := payload(t, tokens["id_token"])["nickname"] == "enterprise"; first != (nickname.Attribute == "plan") || first != (target == "nickname") {
				t.Errorf("mapped to %s, the nickname comes from plan: %t; lineage says from %s", target, first, nickname.Attribute)
			}

			w.enter(w.newBrowser(), "/", "ada")
			headers := w.received().Header
			for name, claim := range map[string]string{"X-Groups": "groups", "X-Nickname": "nickname"} {
				said := slices.Contains(receipt(t, g, "gate:app.example.com", claim).Headers, name)
				if sent := headers.Get(name) != ""; sent != said {
					t.Errorf("header %s: sent %t, in lineage %t", name, sent, said)
				}
			}
		})
	}
}

func receipt(t *testing.T, g *lineage.Graph, client, claim string) lineage.Receipt {
	t.Helper()
	answer, err := g.What(client)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(answer.Receipts, func(r lineage.Receipt) bool { return r.Claim == claim })
	if i < 0 {
		t.Fatalf("no claim %s", claim)
	}
	return answer.Receipts[i]
}

// predicted are the claims that lineage says are in a token of the client.
// The upstream tells all there is of ada.
func predicted(t *testing.T, g *lineage.Graph, client string, token claims.TokenType) (names []string) {
	t.Helper()
	answer, err := g.What(client)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range answer.Receipts {
		if slices.Contains(r.Tokens, lineage.TokenReceipt{Token: token}) {
			names = append(names, r.Claim)
		}
	}
	slices.Sort(names)
	return names
}

// dataClaims are the names in a token but for those by which it is a token.
func dataClaims(token map[string]any) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(token)) {
		if !claims.Reserved(name) {
			names = append(names, name)
		}
	}
	return names
}

// TestLineageOfSites proves that a site is a client with the headers of all
// gates that guard it.
func TestLineageOfSites(t *testing.T) {
	w := newWorld(t, options{})
	header, err := gateway.ParseHeader("X-Who", "{claim.nickname}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.broker.NewGate(broker.GateConfig{Origins: []string{gatedSite}, Name: "Orders", Headers: []gateway.Header{header}}); err != nil {
		t.Fatal(err)
	}
	g := w.broker.Lineage()
	var ids []string
	for _, c := range g.Clients {
		ids = append(ids, fmt.Sprint(c.Kind, " ", c.ID))
	}
	if want := []string{"client notes", "site gate:app.example.com"}; !slices.Equal(ids, want) {
		t.Errorf("clients %v, want %v", ids, want)
	}
	if got, want := receipt(t, g, "gate:app.example.com", "nickname").Headers, []string{"X-Id-Token", "X-Who"}; !slices.Equal(got, want) {
		t.Errorf("headers with the nickname %v, want %v", got, want)
	}
	if got, want := receipt(t, g, "gate:app.example.com", "email").Headers, []string{"X-Id-Token", http.CanonicalHeaderKey("remote-email")}; !slices.Equal(got, want) {
		t.Errorf("headers with the address %v, want %v", got, want)
	}
}
