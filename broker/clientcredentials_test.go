package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// machine adds a client with the grant and a client with both.
func machine(_ *world, c *broker.Config) {
	c.Scopes = []claims.Scope{{Name: "orders:read"}, {Name: "teams"}}
	c.Claims = []claims.Claim{{Name: "groups", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"teams"}}}
	secrets := [][32]byte{oauth.HashSecret(clientSecret)}
	grants := []string{oauth.GrantClientCredentials}
	c.Clients = append(c.Clients,
		oauth.Client{ID: "machine", Secrets: secrets, Grants: grants, Scopes: []string{"openid", "profile", "teams", "orders:read", "introspect_tokens", "revoke_tokens"}},
		oauth.Client{ID: "narrow", Secrets: secrets, Grants: grants},
		oauth.Client{
			ID: "both", Secrets: secrets, Scopes: []string{"openid", "orders:read"}, RedirectURIs: []string{callbackURL},
			Grants: []string{oauth.GrantAuthorizationCode, oauth.GrantClientCredentials},
		},
		oauth.Client{ID: "addressed", Secrets: secrets, Grants: grants, Scopes: []string{"orders:read"}, RedirectURIs: []string{callbackURL}},
		oauth.Client{ID: "spa", Public: true, Scopes: []string{"orders:read"}, RedirectURIs: []string{callbackURL}})
}

func (w *world) clientCredentials(id, scope string) (int, map[string]any) {
	w.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}}
	if id != "spa" {
		form.Set("client_secret", clientSecret)
	}
	if scope != "" {
		form.Set("scope", scope)
	}
	return w.post("/oauth2/token", form)
}

func TestClientCredentials(t *testing.T) {
	w := newWorld(t, options{config: machine})
	status, body := w.clientCredentials("machine", "orders:read")
	if status != http.StatusOK || body["token_type"] != "Bearer" || body["scope"] != "orders:read" ||
		body["expires_in"] == nil || len(body) != 4 {
		t.Fatalf("%d %v", status, body)
	}
	access := payload(t, body["access_token"])
	if access["sub"] != "machine" || access["client_id"] != "machine" || access["aud"] != issuer || access["iss"] != issuer ||
		access["scope"] != "orders:read" || access["auth_time"] != nil || access["idp"] != nil {
		t.Errorf("access token %v", access)
	}
	if status, _ := w.userinfo(body["access_token"].(string)); status != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", status)
	}
	t.Run("all that makes sense without a user, where none is named", func(t *testing.T) {
		if _, body := w.clientCredentials("machine", ""); body["scope"] != "orders:read introspect_tokens" {
			t.Errorf("scope %v", body["scope"])
		}
	})
	t.Run("a client can have both grants", func(t *testing.T) {
		if status, body := w.clientCredentials("both", ""); status != http.StatusOK || body["scope"] != "orders:read" {
			t.Errorf("%d %v", status, body)
		}
		b := w.newBrowser()
		if got := w.authorize(b, "ada", "client_id", "both", "scope", "openid"); !got.Has("code") {
			t.Errorf("the client got %v", got)
		}
	})
	for name, c := range map[string]struct{ client, scope, error string }{
		"without the grant":          {"notes", "profile", "unauthorized_client"},
		"a public client":            {"spa", "orders:read", "unauthorized_client"},
		"openid":                     {"machine", "openid", "invalid_scope"},
		"a scope with claims":        {"machine", "profile", "invalid_scope"},
		"one of the operator's own":  {"machine", "orders:read teams", "invalid_scope"},
		"a user's own affairs":       {"machine", "revoke_tokens", "invalid_scope"},
		"not on its list":            {"machine", "orders:write", "invalid_scope"},
		"no scope name":              {"machine", `a"b`, "invalid_scope"},
		"nothing on its list does":   {"narrow", "", "invalid_scope"},
		"unknown client":             {"stranger", "orders:read", "invalid_client"},
		"the client of a gated site": {"gate:app.example.com", "openid", "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			want := http.StatusBadRequest
			if c.error == "invalid_client" {
				want = http.StatusUnauthorized
			}
			if status, body := w.clientCredentials(c.client, c.scope); status != want || body["error"] != c.error || body["access_token"] != nil {
				t.Errorf("%d %v", status, body)
			}
		})
	}
}

func TestClientWithoutTheCodeGrant(t *testing.T) {
	w := newWorld(t, options{config: machine})
	t.Run("no address: a page", func(t *testing.T) {
		page := w.newBrowser().Get(authorizeURL("client_id", "machine"))
		if page.Status != http.StatusBadRequest || page.Text("error-code") != "unauthorized_client" || page.URL.Host != "auth.example.com" {
			t.Errorf("%d %q at %s", page.Status, page.Text("error-code"), page.URL)
		}
	})
	t.Run("a registered address: there", func(t *testing.T) {
		b := w.newBrowser()
		b.StopBefore = clientSite
		got := w.answer(b.Get(authorizeURL("client_id", "addressed", "scope", "orders:read")))
		if got.Get("error") != "unauthorized_client" || got.Get("state") != "client-state" {
			t.Errorf("the client got %v", got)
		}
	})
	t.Run("no codes either", func(t *testing.T) {
		if status, body := w.exchange("x", "client_id", "machine"); status != http.StatusBadRequest || body["error"] != "unauthorized_client" {
			t.Errorf("%d %v", status, body)
		}
	})
}

func TestGrantsAreAdvertisedWhereTheyWork(t *testing.T) {
	advertised := func(w *world) []any {
		_, body := w.do(httptest.NewRequest(http.MethodGet, issuer+"/.well-known/openid-configuration", nil))
		return body["grant_types_supported"].([]any)
	}
	if got := advertised(newWorld(t, options{})); !slices.Equal(got, []any{"authorization_code"}) {
		t.Errorf("got %v", got)
	}
	if got := advertised(newWorld(t, withDemo)); !slices.Equal(got, []any{"authorization_code", "refresh_token"}) {
		t.Errorf("got %v", got)
	}
	if got := advertised(newWorld(t, offline())); !slices.Equal(got, []any{"authorization_code", "refresh_token", "client_credentials"}) {
		t.Errorf("got %v", got)
	}
	if got := advertised(newWorld(t, options{config: machine})); !slices.Equal(got, []any{"authorization_code", "client_credentials"}) {
		t.Errorf("got %v", got)
	}
}
