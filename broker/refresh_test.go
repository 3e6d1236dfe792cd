package broker_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// offline is selfService in which both clients may ask for offline_access,
// and a third one may ask about everybody's tokens.
func offline() options {
	o := selfService
	o.client = func(c *oauth.Client) {
		selfService.client(c)
		c.Scopes = append(c.Scopes, "offline_access")
	}
	o.config = func(w *world, c *broker.Config) {
		selfService.config(w, c)
		c.Clients[1].Scopes = append(c.Clients[1].Scopes, "offline_access")
		c.Clients = append(c.Clients, oauth.Client{
			ID: "service", Secrets: [][32]byte{oauth.HashSecret(serviceSecret)},
			Grants: []string{oauth.GrantClientCredentials}, Scopes: []string{"introspect_tokens", "orders:read"},
		})
	}
	return o
}

const serviceSecret = "not-a-secret-service"

// A holder is a client that has tokens of a user.
type holder struct {
	client, secret           string
	access, refresh, subject string
}

// keep signs the user in at a client, with offline_access.
func (w *world) keep(user, client string, changes ...string) holder {
	w.Helper()
	h := holder{client: client}
	if client == "notes" {
		h.secret = clientSecret
	}
	changes = append([]string{"client_id", client, "scope", "openid profile email offline_access"}, changes...)
	status, tokens := w.exchange(w.authorize(w.newBrowser(), user, changes...).Get("code"), "client_id", h.client, "client_secret", h.secret)
	if status != http.StatusOK || tokens["refresh_token"] == nil {
		w.Fatalf("no refresh token: %d %v", status, tokens)
	}
	h.access, h.refresh = tokens["access_token"].(string), tokens["refresh_token"].(string)
	h.subject, _ = payload(w, h.access)["sub"].(string)
	return h
}

// form is a request of the client, with changes as in authorizeURL.
func (h holder) form(changes ...string) url.Values {
	form := url.Values{"client_id": {h.client}}
	if h.secret != "" {
		form.Set("client_secret", h.secret)
	}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	return form
}

// refresh uses a refresh token.
func (w *world) refresh(h holder, token string, changes ...string) (int, map[string]any) {
	w.Helper()
	changes = append([]string{"grant_type", "refresh_token", "refresh_token", token}, changes...)
	return w.post("/oauth2/token", h.form(changes...))
}

// renew refreshes and expects success.
func (w *world) renew(h *holder) map[string]any {
	w.Helper()
	status, tokens := w.refresh(*h, h.refresh)
	if status != http.StatusOK {
		w.Fatalf("refresh: %d %v", status, tokens)
	}
	h.access, h.refresh = tokens["access_token"].(string), tokens["refresh_token"].(string)
	return tokens
}

// introspect asks about a token as the service that may ask about all.
func (w *world) introspect(token string) map[string]any {
	w.Helper()
	status, body := w.post("/oauth2/introspect", url.Values{"client_id": {"service"}, "client_secret": {serviceSecret}, "token": {token}})
	if status != http.StatusOK {
		w.Fatalf("introspection: %d %v", status, body)
	}
	return body
}

// wantDead checks that nothing the holder has brings anything.
func (w *world) wantDead(h holder) {
	w.Helper()
	if status, body := w.refresh(h, h.refresh); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		w.Errorf("%s: refresh: %d %v", h.client, status, body)
	}
	if status, _ := w.userinfo(h.access); status != http.StatusUnauthorized {
		w.Errorf("%s: userinfo: %d", h.client, status)
	}
	if body := w.introspect(h.access); body["active"] != false || len(body) != 1 {
		w.Errorf("%s: introspection: %v", h.client, body)
	}
}

// wantGood checks that what the holder has is good.
func (w *world) wantGood(h *holder) {
	w.Helper()
	if status, _ := w.userinfo(h.access); status != http.StatusOK {
		w.Errorf("%s: userinfo: %d", h.client, status)
	}
	if body := w.introspect(h.access); body["active"] != true {
		w.Errorf("%s: introspection: %v", h.client, body)
	}
	w.renew(h)
}

func TestM19_WithdrawalKillsRefreshTokens(t *testing.T) {
	for name, withdraw := range map[string]func(w *world, h holder){
		"all of the client": func(w *world, h holder) {
			w.asUser(http.MethodDelete, "/oauth2/clients/other", w.manager("ada"))
		},
		"a scope of it": func(w *world, h holder) {
			w.asUser(http.MethodDelete, "/oauth2/clients/other/scopes/email", w.manager("ada"))
		},
		"the access in absence": func(w *world, h holder) {
			w.asUser(http.MethodDelete, "/oauth2/clients/other/scopes/offline_access", w.manager("ada"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, offline())
			ada, grace, elsewhere := w.keep("ada", "other"), w.keep("grace", "other"), w.keep("ada", "notes")
			w.wantGood(&ada)
			w.clock.Advance(time.Second)
			withdraw(w, ada)
			w.wantDead(ada)
			w.wantGood(&grace)
			w.wantGood(&elsewhere)

			w.clock.Advance(time.Second)
			b := w.newBrowser()
			b.StopBefore = clientSite
			b.Get(authorizeURL("client_id", "other", "scope", "openid profile email offline_access"))
			if page := b.SignIn("ada"); !page.Has("consent-form") {
				t.Fatalf("the next sign-in does not ask: %d %s", page.Status, page.URL)
			}
			again := w.keep("ada", "other")
			w.wantGood(&again)
			w.wantDead(ada)
		})
	}
}

func TestM22_RefreshTokenOnlyByGrantedOfflineAccess(t *testing.T) {
	w := newWorld(t, offline())
	b := w.newBrowser()
	refreshToken := func(code string) bool {
		status, tokens := w.other(code)
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, tokens)
		}
		return tokens["refresh_token"] != nil
	}
	if refreshToken(w.authorize(b, "ada", "client_id", "other", "scope", "openid email").Get("code")) {
		t.Error("one that nobody asked for")
	}
	b.StopBefore = clientSite
	page := b.Get(authorizeURL("client_id", "other", "scope", "openid offline_access"))
	if !page.Has("scope-offline_access") {
		t.Fatalf("not asked for: %s", page.Body)
	}
	b.Check("scope-offline_access", false)
	if refreshToken(w.answer(b.Click("consent-allow")).Get("code")) {
		t.Error("one that was withheld")
	}
	if !refreshToken(w.authorize(b, "ada", "client_id", "other", "scope", "openid offline_access").Get("code")) {
		t.Error("none that was granted")
	}
}

func TestS56_RefreshTokensRotate(t *testing.T) {
	w := newWorld(t, offline())
	h := w.keep("ada", "notes")
	first, before := h, payload(t, h.access)
	w.clock.Advance(2 * time.Minute)
	tokens := w.renew(&h)
	if h.refresh == first.refresh || h.access == first.access {
		t.Error("a token has not changed")
	}
	access, id := payload(t, h.access), payload(t, tokens["id_token"])
	for _, name := range []string{"sub", "auth_time", "client_id", "aud", "scope"} {
		if access[name] != before[name] {
			t.Errorf("%s was %v and is %v", name, before[name], access[name])
		}
	}
	if id["nonce"] != nil || id["auth_time"] != before["auth_time"] || id["email"] != "ada@example.com" || access["iat"] == before["iat"] {
		t.Errorf("ID token %v", id)
	}
	if strings.Count(h.refresh, ".") != 1 || tokens["token_type"] != "Bearer" {
		t.Errorf("%v", tokens)
	}
	w.wantGood(&h)
	if status, _ := w.userinfo(first.access); status != http.StatusOK {
		t.Errorf("the earlier access token ended: %d", status)
	}
}
