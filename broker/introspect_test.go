package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// told is offline with claims for access tokens and for introspection alone,
// and "other" is a pairwise client.
func told() options {
	o, config := offline(), offline().config
	o.config = func(w *world, c *broker.Config) {
		config(w, c)
		c.Claims = append(c.Claims,
			claims.Claim{Name: "name", Types: []claims.TokenType{claims.AccessToken}, Scopes: []string{"profile"}},
			claims.Claim{Name: "mail", From: claims.Key("email"), Types: []claims.TokenType{claims.Introspection}, Scopes: []string{"email"}},
			claims.Claim{Name: "active", From: claims.Key("email"), Types: []claims.TokenType{claims.Introspection}})
		c.Clients[1].SubjectType = oauth.SubjectPairwise
	}
	return o
}

func TestX20_IntrospectionTellsWhatATokenStandsFor(t *testing.T) {
	w := newWorld(t, told())
	h := w.keep("ada", "notes")
	access := payload(t, h.access)
	got := w.introspect(h.access)
	for _, name := range []string{"iss", "sub", "client_id", "scope", "idp", "jti", "name"} {
		if got[name] == nil || got[name] != access[name] {
			t.Errorf("%s is %v, and %v in the token", name, got[name], access[name])
		}
	}
	if got["active"] != true || got["token_type"] != "Bearer" || got["mail"] != "ada@example.com" || access["mail"] != nil || !strings.HasPrefix(got["idp_sub"].(string), "auth0|") {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"exp", "iat", "nbf", "auth_time"} {
		if got[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	if got["email"] != nil {
		t.Error("a claim that is for ID token and userinfo")
	}
	narrow := w.keep("ada", "notes", "scope", "openid offline_access")
	if got := w.introspect(narrow.access); got["active"] != true || got["name"] != nil || got["mail"] != nil || got["username"] != nil {
		t.Errorf("more than was granted: %v", got)
	}
	pairwise := w.keep("ada", "other")
	if got := w.introspect(pairwise.access); got["active"] != true || got["idp_sub"] != nil || got["sub"] != pairwise.subject || got["sub"] == h.subject {
		t.Errorf("a pairwise client's: %v", got)
	}
}

func TestX20_IntrospectionIsForTheTokensOwnClient(t *testing.T) {
	w := newWorld(t, offline())
	notes, other := w.keep("ada", "notes"), w.keep("ada", "other")
	ask := func(h holder, token string, changes ...string) (int, map[string]any) {
		return w.post("/oauth2/introspect", h.form(append([]string{"token", token}, changes...)...))
	}
	if _, got := ask(notes, notes.access); got["active"] != true {
		t.Errorf("its own: %v", got)
	}
	if _, got := ask(notes, notes.refresh); got["active"] != true || got["token_type"] != nil || got["scope"] != "openid profile email offline_access" || got["exp"] == nil {
		t.Errorf("its own refresh token: %v", got)
	}
	_, machine := w.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"service"}, "client_secret": {serviceSecret}})
	own := machine["access_token"].(string)
	if got := w.introspect(own); got["active"] != true || got["sub"] != "service" || got["idp_sub"] != nil {
		t.Errorf("a client's own: %v", got)
	}
	service := holder{client: "service", secret: serviceSecret}
	for name, tt := range map[string]struct {
		caller holder
		token  string
	}{
		"another client's":                               {notes, other.access},
		"another client's refresh token":                 {notes, other.refresh},
		"a refresh token, to one that may ask about all": {service, notes.refresh},
		"the token that another client has for itself":   {notes, own},
		"garbage":                  {service, "x"},
		"an unknown refresh token": {notes, store.NewSecret() + "." + store.NewSecret()},
		"a refresh token that is spent or was never there": {notes, strings.Split(notes.refresh, ".")[0] + "." + store.NewSecret()},
		"a token with a changed signature":                 {service, notes.access[:len(notes.access)-4] + "AAAA"},
	} {
		status, got := ask(tt.caller, tt.token)
		if d := cmp.Diff(map[string]any{"active": false}, got); status != http.StatusOK || d != "" {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
	w.wantGood(&notes) // to ask is no reuse

	for name, tt := range map[string]struct {
		caller  holder
		changes []string
		status  int
		error   string
	}{
		"a public client": {other, nil, 401, "invalid_client"},
		"a wrong secret":  {notes, []string{"client_secret", "wrong"}, 401, "invalid_client"},
		"no token":        {notes, []string{"token", ""}, 400, "invalid_request"},
	} {
		if status, got := ask(tt.caller, tt.caller.access, tt.changes...); status != tt.status || got["error"] != tt.error {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
	twice := notes.form("token", notes.access)
	twice.Add("token", notes.access)
	if status, got := w.post("/oauth2/introspect", twice); status != http.StatusBadRequest || got["error"] != "invalid_request" {
		t.Errorf("token twice: %d %v", status, got)
	}
	if status := w.postStatus("/oauth2/introspect?token="+notes.access, notes.form()); status != http.StatusBadRequest {
		t.Errorf("in the address: %d", status)
	}
	r := httptest.NewRequest(http.MethodGet, issuer+"/oauth2/introspect", nil)
	rec := httptest.NewRecorder()
	if w.broker.ServeHTTP(rec, r); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", rec.Code)
	}
}

func TestIntrospectionOfWhatHasEnded(t *testing.T) {
	w := newWorld(t, offline())
	h := w.keep("ada", "notes")
	w.enter(w.newBrowser(), "/", "ada")
	gate := strings.TrimPrefix(w.received().Header.Get("Authorization"), "Bearer ")
	if got := w.introspect(gate); got["active"] != false {
		t.Errorf("a gate's token: %v", got)
	}
	_, tokens := w.exchange(w.authorize(w.newBrowser(), "ada").Get("code"))
	if got := w.introspect(tokens["id_token"].(string)); got["active"] != false {
		t.Errorf("an ID token: %v", got)
	}
	w.clock.Advance(10 * time.Minute)
	if got := w.introspect(h.access); got["active"] != false {
		t.Errorf("an expired one: %v", got)
	}
	if _, got := w.post("/oauth2/introspect", h.form("token", h.refresh)); got["active"] != true {
		t.Errorf("its refresh token: %v", got)
	}
	w.clock.Advance(31 * 24 * time.Hour)
	if _, got := w.post("/oauth2/introspect", h.form("token", h.refresh)); got["active"] != false {
		t.Errorf("an expired refresh token: %v", got)
	}
}
