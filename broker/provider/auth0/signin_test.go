package auth0_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// Against the tenant, and counted there: no call unless asked, and one a
// sign-in.
func TestM13_M14_M44_UserinfoCalls(t *testing.T) {
	for mode, calls := range map[oidc.UserinfoMode]int{oidc.UserinfoOff: 0, oidc.UserinfoOn: 1, oidc.UserinfoOptional: 1} {
		t.Run("userinfo "+string(mode), func(t *testing.T) {
			w := newWorld(t, nil, func(c *auth0.Config) { c.Userinfo = mode })
			user, _ := w.tenant.User("ada")
			user.UserinfoClaims = map[string]any{"only_here": true}
			w.tenant.PutUser(user)
			for n := 1; n <= 2; n++ {
				id := w.mustSignIn("ada")
				if got := id.Documents[claims.Userinfo]["only_here"]; (got == true) != (calls > 0) {
					t.Errorf("userinfo tells %v", got)
				}
				if got := w.tenant.Requests("/userinfo"); got != n*calls {
					t.Errorf("%d calls after %d sign-ins, want %d", got, n, n*calls)
				}
			}
		})
	}
}

// D10, D13 and Auth0's limit of ten calls and then five a minute.
func TestD13_UserinfoRateLimit(t *testing.T) {
	limited := func(o *brokertest.Options, _ *brokertest.Client) { o.RateLimits = true }
	w := newWorld(t, limited, func(c *auth0.Config) { c.Userinfo = oidc.UserinfoOn })
	for range 10 {
		w.mustSignIn("ada")
	}
	e := w.refused("ada", provider.ReasonRateLimited)
	if e.Code != "temporarily_unavailable" || e.RetryAfter <= 0 || e.RetryAfter > 13*time.Second {
		t.Errorf("code %s, retry after %v; want the twelve seconds that x-ratelimit-reset says", e.Code, e.RetryAfter)
	}
	w.clock.Advance(e.RetryAfter)
	w.mustSignIn("ada")

	w = newWorld(t, limited, func(c *auth0.Config) { c.Userinfo = oidc.UserinfoOptional })
	for range 11 {
		w.mustSignIn("ada")
	}
	if n := w.logs.FilterMessageSnippet("userinfo failed").Len(); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}

func TestD10_S32_UserinfoOfAnotherSubject(t *testing.T) {
	for _, signed := range []bool{false, true} {
		for _, mode := range []oidc.UserinfoMode{oidc.UserinfoOn, oidc.UserinfoOptional} {
			w := newWorld(t, func(o *brokertest.Options, _ *brokertest.Client) { o.SignedUserinfo = signed },
				func(c *auth0.Config) { c.Userinfo = mode })
			if id := w.mustSignIn("ada"); id.Documents[claims.Userinfo]["email"] != "ada@example.com" {
				t.Errorf("signed %v: documents %v", signed, id.Documents)
			}
			w.tenant.SetFaults(brokertest.Faults{EditUserinfo: func(c map[string]any) { c["sub"] = "auth0|grace" }})
			if e := w.refused("ada", provider.ReasonUserinfoSubject); e.Code != "access_denied" {
				t.Errorf("code %s", e.Code)
			}
		}
	}
}

// Both of Auth0's token profiles are read, with audience; without it, and
// for an API whose tokens nobody else can verify, there is a word to the
// operator and no document.
func TestM52_AccessToken(t *testing.T) {
	for _, c := range []struct {
		name   string
		api    brokertest.API
		asked  string
		ok     bool
		warned bool
	}{
		{"no audience", brokertest.API{Identifier: api}, "", false, false},
		{"Auth0's profile", brokertest.API{Identifier: api}, api, true, false},
		{"RFC 9068", brokertest.API{Identifier: api, RFC9068: true}, api, true, false},
		{"HS256", brokertest.API{Identifier: api, HS256: true}, api, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(o *brokertest.Options, _ *brokertest.Client) { o.APIs = []brokertest.API{c.api} },
				func(cfg *auth0.Config) { cfg.Audience = c.asked })
			user, _ := w.tenant.User("ada")
			user.AccessTokenClaims = map[string]any{"https://example.com/id": json.Number("9007199254740993")}
			w.tenant.PutUser(user)
			id := w.mustSignIn("ada")
			document, ok := id.Documents[claims.AccessToken]
			if ok != c.ok || ok && document["https://example.com/id"] != json.Number("9007199254740993") {
				t.Errorf("document %v", document)
			}
			if w.logs.FilterFieldKey("hint").Len() > 0 != c.warned {
				t.Errorf("log: %v", w.logs.All())
			}
		})
	}
	t.Run("no such API", func(t *testing.T) {
		w := newWorld(t, nil, func(cfg *auth0.Config) { cfg.Audience = api })
		if e := w.refused("ada", provider.ReasonDenied); !strings.Contains(e.Hint, "audience") {
			t.Errorf("hint %q", e.Hint)
		}
	})
}

// M53, M54, M56: one name, three documents, three values, none of them
// found elsewhere.
func TestM53_M54_M56_EachDocumentHasItsOwn(t *testing.T) {
	w := newWorld(t, func(o *brokertest.Options, _ *brokertest.Client) { o.APIs = []brokertest.API{{Identifier: api}} },
		func(c *auth0.Config) { c.Audience, c.Userinfo = api, oidc.UserinfoOn })
	user, _ := w.tenant.User("ada")
	const groups = "https://example.com/groups"
	user.IDTokenClaims = map[string]any{groups: []string{"id_token"}}
	user.AccessTokenClaims = map[string]any{groups: []string{"access_token"}}
	user.UserinfoClaims = map[string]any{groups: []string{"userinfo"}}
	w.tenant.PutUser(user)
	id := w.mustSignIn("ada")
	for _, source := range []claims.Source{claims.IDToken, claims.AccessToken, claims.Userinfo} {
		path, err := claims.ParsePath(`https://example\.com/groups.0`)
		if err != nil {
			t.Fatal(err)
		}
		values, _ := claims.Extract([]claims.Attribute{{Name: "group", Source: source, Path: path}}, id.Documents)
		if values["group"] != string(source) {
			t.Errorf("%s: got %v", source, values["group"])
		}
	}
}

// Group 23 against a tenant: whom the organization in the request lets in,
// and whom it does not although the tenant does.
func TestOrganizations(t *testing.T) {
	tenant := func(o *brokertest.Options, _ *brokertest.Client) {
		o.Organizations = []brokertest.Organization{{ID: "org_example", Name: "Example"}, {ID: "org_other", Name: "Other"}}
	}
	for _, c := range []struct {
		name, organization string
		allowed            []string
		reason             provider.Reason // "" = signed in
	}{
		{"none asked", "", nil, ""},
		{"by id", "org_example", nil, ""},
		{"by name", "Example", nil, ""},
		{"of others", "org_other", nil, provider.ReasonDenied},
		{"unknown", "org_unknown", nil, provider.ReasonMisconfigured},
		{"a list, none told", "", []string{"org_example"}, provider.ReasonOrganization},
		{"listed", "org_example", []string{"org_example", "org_other"}, ""},
		{"not listed", "org_example", []string{"org_other"}, provider.ReasonOrganization},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, tenant, func(cfg *auth0.Config) { cfg.Organization, cfg.Organizations = c.organization, c.allowed })
			if c.reason != "" {
				w.refused("ada", c.reason)
				return
			}
			w.mustSignIn("ada")
			if got := w.tenant.LastAuthorize().Get("organization"); got != c.organization {
				t.Errorf("organization %q went up", got)
			}
		})
	}
	t.Run("told, but another", func(t *testing.T) {
		w := newWorld(t, tenant, func(cfg *auth0.Config) { cfg.Organization = "org_example" })
		w.tenant.SetFaults(brokertest.Faults{EditIDToken: func(c map[string]any) { c["org_id"] = "org_other" }})
		w.refused("ada", provider.ReasonOrganization)
	})
}
