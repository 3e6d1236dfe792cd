package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// selfService lets the client of the world speak for its users about their
// other clients.
var selfService = options{
	client: func(c *oauth.Client) {
		c.Scopes = []string{"openid", "profile", "email", "list_clients_with_access", "revoke_client_access"}
	},
	config: func(_ *world, c *broker.Config) {
		c.Connections[0].ContextCache = time.Hour
		c.Clients = append(c.Clients, oauth.Client{
			ID: "other", Public: true, RedirectURIs: []string{callbackURL}, Scopes: []string{"openid", "email", "profile"},
		})
	},
}

// asUser calls a self-service address with the token.
func (w *world) asUser(method, path, accessToken string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(method, issuer+path, nil)
	r.Header.Set("Authorization", "Bearer "+accessToken)
	rec := httptest.NewRecorder()
	w.broker.ServeHTTP(rec, r)
	return rec
}

// manager signs the user in at the client and returns a token for the
// self-service interface.
func (w *world) manager(user string) string {
	w.Helper()
	_, tokens := w.exchange(w.authorize(w.newBrowser(), user, "scope", "openid list_clients_with_access revoke_client_access").Get("code"))
	return tokens["access_token"].(string)
}

// other redeems a code of the second client.
func (w *world) other(code string) (int, map[string]any) {
	return w.exchange(code, "client_id", "other", "client_secret", "")
}

func TestM94_WithdrawalEndsEverythingOfTheClient(t *testing.T) {
	w := newWorld(t, selfService)
	manager := w.manager("ada")
	b := w.newBrowser()
	_, tokens := w.other(w.authorize(b, "ada", "client_id", "other").Get("code"))
	access := tokens["access_token"].(string)
	unspent := w.authorize(b, "ada", "client_id", "other").Get("code")
	w.clock.Advance(time.Second)

	rec := w.asUser(http.MethodGet, "/oauth2/clients", manager)
	if body := rec.Body.String(); rec.Code != 200 || !containsAll(body, `"id":"other"`, `"scope_name":"email"`, `"given_at"`, `"id":"notes"`) {
		t.Fatalf("%d %s", rec.Code, body)
	}
	if rec := w.asUser(http.MethodDelete, "/oauth2/clients/other", manager); rec.Code != http.StatusNoContent {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if status, _ := w.userinfo(access); status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d", status)
	}
	if status, body := w.other(unspent); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("the unspent code: %d %v", status, body)
	}
	if body := w.asUser(http.MethodGet, "/oauth2/clients", manager).Body.String(); containsAll(body, `"id":"other"`) || !containsAll(body, `"id":"notes"`) {
		t.Errorf("the list: %s", body)
	}
	// M19: the next sign-in asks again, and counts.
	w.clock.Advance(time.Second)
	b.StopBefore = clientSite
	if page := b.Get(authorizeURL("client_id", "other")); !page.Has("consent-form") {
		t.Fatalf("no consent page: %d %s", page.Status, page.URL)
	}
	_, tokens = w.other(w.answer(b.Click("consent-allow")).Get("code"))
	if status, _ := w.userinfo(tokens["access_token"].(string)); status != 200 {
		t.Errorf("after a new consent userinfo answers %d", status)
	}
	if status, _ := w.userinfo(access); status != http.StatusUnauthorized {
		t.Errorf("a token of the old consent lives again: %d", status)
	}
}

// The gate refuses on the very next request, in every browser of the user,
// and nobody else's.
func TestM94_WithdrawalEndsGateSessions(t *testing.T) {
	w := newWorld(t, selfService)
	manager := w.manager("ada")
	ada, grace := w.newBrowser(), w.newBrowser()
	w.enter(ada, "/", "ada")
	w.enter(grace, "/", "grace")
	w.clock.Advance(time.Second)
	if rec := w.asUser(http.MethodDelete, "/oauth2/clients/"+url.PathEscape("gate:app.example.com"), manager); rec.Code != http.StatusNoContent {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	reached := w.receivedCount()
	if page := ada.Get(gatedSite + "/"); page.Has("app") || w.receivedCount() != reached {
		t.Errorf("the gate lets the user through: %d %s", page.Status, page.URL)
	}
	if page := ada.Fetch(gatedSite + "/data"); page.Status != http.StatusUnauthorized {
		t.Errorf("a script's request: %d", page.Status)
	}
	if page := grace.Get(gatedSite + "/"); !page.Has("app") {
		t.Errorf("another user is affected: %d %s", page.Status, page.URL)
	}
	w.clock.Advance(time.Second)
	if page := w.enterAgain(ada); !page.Has("app") {
		t.Errorf("after a new consent: %d %s", page.Status, page.URL)
	}
}

// enterAgain goes to the gated site, where consent must be asked.
func (w *world) enterAgain(b *brokertest.Browser) *brokertest.Page {
	w.Helper()
	page := b.Get(gatedSite + "/")
	if !page.Has("consent-form") {
		w.Fatalf("no consent page: %d %s", page.Status, page.URL)
	}
	return b.Click("consent-allow")
}

func TestM94_WithdrawalOfOneScope(t *testing.T) {
	w := newWorld(t, selfService)
	manager := w.manager("ada")
	b := w.newBrowser()
	token := func(scope string) string {
		_, tokens := w.other(w.authorize(b, "ada", "client_id", "other", "scope", scope).Get("code"))
		return tokens["access_token"].(string)
	}
	wide, narrow := token("openid email profile"), token("openid profile")
	w.clock.Advance(time.Second)
	if rec := w.asUser(http.MethodDelete, "/oauth2/clients/other/scopes/email", manager); rec.Code != http.StatusNoContent {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if status, _ := w.userinfo(wide); status != http.StatusUnauthorized {
		t.Errorf("the token with the scope: %d", status)
	}
	if status, _ := w.userinfo(narrow); status != 200 {
		t.Errorf("the token without the scope: %d", status)
	}
	b.StopBefore = clientSite
	page := b.Get(authorizeURL("client_id", "other"))
	if !page.Has("scope-email") || page.Has("scope-profile") {
		t.Errorf("asked again: email %v, profile %v", page.Has("scope-email"), page.Has("scope-profile"))
	}
}

// S98: what a user's token asks to withdraw leaves nothing in the store
// unless there is something to withdraw, or could be.
func TestS98_MadeUpWithdrawalsLeaveNothing(t *testing.T) {
	w := newWorld(t, selfService)
	manager := w.manager("ada")
	before := w.dump()
	for _, path := range []string{
		"/oauth2/clients/nobody", "/oauth2/clients/nobody/scopes/email",
		"/oauth2/clients/other/scopes/no-such-scope", "/oauth2/clients/notes/scopes/" + url.PathEscape("all scopes"),
		"/oauth2/clients/notes/scopes/" + url.PathEscape("claim id_token email"),
		"/oauth2/clients/other", "/oauth2/clients/other/scopes/email", // the user was never there
	} {
		if rec := w.asUser(http.MethodDelete, path, manager); rec.Code != http.StatusNoContent {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	if after := w.dump(); after != before {
		t.Error("the store has changed")
	}
	if status, _ := w.userinfo(manager); status != 200 {
		t.Error("a made-up withdrawal had an effect")
	}
	// A scope of a client that the user has been at counts, granted before or
	// not: what was issued for a transient one is in no record.
	if rec := w.asUser(http.MethodDelete, "/oauth2/clients/notes/scopes/profile", manager); rec.Code != http.StatusNoContent || w.dump() == before {
		t.Errorf("a scope that the client may ask for: %d", rec.Code)
	}
}

func TestM94_SelfServiceNeedsTheScope(t *testing.T) {
	w := newWorld(t, selfService)
	_, tokens := w.exchange(w.authorize(w.newBrowser(), "ada").Get("code"))
	plain := tokens["access_token"].(string)
	for _, call := range [][2]string{{"GET", "/oauth2/clients"}, {"DELETE", "/oauth2/clients/notes"}, {"DELETE", "/oauth2/clients/notes/scopes/email"}} {
		if rec := w.asUser(call[0], call[1], plain); rec.Code != http.StatusForbidden {
			t.Errorf("%v without the scope: %d", call, rec.Code)
		}
		if rec := w.asUser(call[0], call[1], "not-a-token"); rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%v without a token: %d", call, rec.Code)
		}
	}
	if status, _ := w.userinfo(plain); status != 200 {
		t.Error("a refused withdrawal had an effect")
	}
}

func containsAll(s string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}
