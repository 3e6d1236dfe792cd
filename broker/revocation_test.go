package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

func TestRevocationOfARefreshTokenEndsItsFamily(t *testing.T) {
	for name, token := range map[string]func(w *world, h *holder) string{
		"the last one": func(_ *world, h *holder) string { return h.refresh },
		"a spent one": func(w *world, h *holder) string {
			used := h.refresh
			w.renew(h)
			w.renew(h)
			return used
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, offline())
			h, another := w.keep("ada", "other"), w.keep("ada", "other")
			first := h
			given := token(w, &h)
			for range 2 { // the second time it is unknown, which is as good
				if status, body := w.post("/oauth2/revoke", h.form("token", given, "token_type_hint", "access_token")); status != http.StatusOK || body != nil {
					t.Errorf("%d %v", status, body)
				}
			}
			w.wantDead(h)
			w.wantDead(first)
			w.wantGood(&another)
		})
	}
}

func TestRevocationOfAnAccessTokenEndsItAlone(t *testing.T) {
	w := newWorld(t, offline())
	for _, client := range []string{"notes", "other"} {
		h := w.keep("ada", client)
		for range 2 {
			revoked := h.access
			if status, body := w.post("/oauth2/revoke", h.form("token", revoked, "token_type_hint", "no-such-type")); status != http.StatusOK {
				t.Errorf("%d %v", status, body)
			}
			if status, _ := w.userinfo(revoked); status != http.StatusUnauthorized {
				t.Errorf("userinfo: %d", status)
			}
			if got := w.introspect(revoked); got["active"] != false {
				t.Errorf("introspection: %v", got)
			}
			w.renew(&h)
			w.wantGood(&h)
		}
	}
}

func TestRevocationIsForTheTokensOwnClient(t *testing.T) {
	w := newWorld(t, offline())
	notes, other := w.keep("ada", "notes"), w.keep("ada", "other")
	_, machine := w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"service"}, "client_secret": {serviceSecret}})
	service := holder{client: "service", secret: serviceSecret}
	for name, tt := range map[string]struct {
		caller holder
		token  string
		status int
		error  any
	}{
		"another client's refresh token": {notes, other.refresh, 400, "unauthorized_client"},
		"another client's access token":  {other, notes.access, 400, "unauthorized_client"},
		"the client's own":               {service, machine["access_token"].(string), 400, "unsupported_token_type"},
		"garbage":                        {notes, "x", 200, nil},
		"an unknown refresh token":       {notes, store.NewSecret() + "." + store.NewSecret(), 200, nil},
		"a changed access token":         {notes, notes.access + "A", 200, nil},
		"a wrong secret":                 {holder{client: "notes", secret: "wrong"}, notes.refresh, 401, "invalid_client"},
		"no token":                       {notes, "", 400, "invalid_request"},
	} {
		if status, body := w.post("/oauth2/revoke", tt.caller.form("token", tt.token)); status != tt.status || body["error"] != tt.error {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	w.wantGood(&notes)
	w.wantGood(&other)
}

// Both endpoints are where the metadata say, for the methods that they say.
func TestMetadataOfIntrospectionAndRevocation(t *testing.T) {
	w := newWorld(t, offline())
	_, about := w.do(httptest.NewRequest(http.MethodGet, issuer+"/.well-known/oauth-authorization-server", nil))
	h := w.keep("ada", "notes")
	for name, methods := range map[string][]any{
		"introspection_endpoint": {"client_secret_basic", "client_secret_post"},
		"revocation_endpoint":    {"client_secret_basic", "client_secret_post", "none"},
	} {
		path, found := strings.CutPrefix(about[name].(string), issuer)
		if got := about[name+"_auth_methods_supported"].([]any); !found || !slices.Equal(got, methods) {
			t.Errorf("%s: %s by %v", name, path, got)
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.SetBasicAuth(h.client, h.secret)
		if status, body := w.post(path, url.Values{"token": {"x"}}, "Authorization", r.Header.Get("Authorization")); status != http.StatusOK {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
}
