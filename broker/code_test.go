package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// postStatus posts a form and returns the status alone.
func (w *world) postStatus(path string, form url.Values, header ...string) int {
	w.Helper()
	r := httptest.NewRequest(http.MethodPost, issuer+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.broker.ServeHTTP(rec, r)
	return rec.Code
}

func TestM20_CodeGoesToTheExactAddress(t *testing.T) {
	w := newWorld(t, options{client: func(c *oauth.Client) { c.RedirectURIs = []string{callbackURL + "?tenant=1"} }})
	answer := w.authorize(w.newBrowser(), "ada", "redirect_uri", callbackURL+"?tenant=1")
	if answer.Get("tenant") != "1" || answer.Get("state") != "client-state" || answer.Get("iss") != issuer || len(answer.Get("code")) != 43 {
		t.Errorf("the client got %v", answer)
	}
}

func TestM21_CodeNeedsClientVerifierAndFirstUse(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) {
		c.Clients = append(c.Clients,
			oauth.Client{ID: "other", Secrets: [][32]byte{oauth.HashSecret("not-a-secret-other")}, RedirectURIs: []string{callbackURL}},
			oauth.Client{ID: "spa", Public: true, RedirectURIs: []string{callbackURL}})
	}})
	b := w.newBrowser()
	code := w.authorize(b, "ada").Get("code")
	for name, c := range map[string]struct {
		changes []string
		error   string
	}{
		"wrong secret":       {[]string{"client_secret", "wrong"}, "invalid_client"},
		"no secret":          {[]string{"client_secret", ""}, "invalid_client"},
		"unknown client":     {[]string{"client_id", "stranger"}, "invalid_client"},
		"the gate's client":  {[]string{"client_id", "gate:app.example.com", "client_secret", ""}, "invalid_client"},
		"another client":     {[]string{"client_id", "other", "client_secret", "not-a-secret-other"}, "invalid_grant"}, // R24
		"a public client":    {[]string{"client_id", "spa", "client_secret", ""}, "invalid_grant"},
		"no verifier":        {[]string{"code_verifier", ""}, "invalid_grant"}, // R22
		"wrong verifier":     {[]string{"code_verifier", strings.Repeat("x", 43)}, "invalid_grant"},
		"wrong redirect_uri": {[]string{"redirect_uri", callbackURL + "/"}, "invalid_grant"},
		"no redirect_uri":    {[]string{"redirect_uri", ""}, "invalid_grant"},
		"another grant":      {[]string{"grant_type", "password"}, "unsupported_grant_type"},
		"no grant":           {[]string{"grant_type", ""}, "invalid_request"},
		"truncated code":     {[]string{"code", code[:42]}, "invalid_grant"}, // R31
		"lengthened code":    {[]string{"code", code + "A"}, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := w.exchange(code, c.changes...)
			if body["error"] != c.error || status/100 != 4 {
				t.Errorf("%d %v, want %s", status, body, c.error)
			}
		})
	}
	status, tokens := w.exchange(code)
	if status != http.StatusOK {
		t.Fatalf("after all that the code must still be good: %d %v", status, tokens)
	}
	access := tokens["access_token"].(string)
	if status, _ := w.userinfo(access); status != http.StatusOK {
		t.Fatalf("userinfo: %d", status)
	}
	if status, body := w.exchange(code); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("second use: %d %v", status, body)
	}
	if status, _ := w.userinfo(access); status != http.StatusUnauthorized {
		t.Errorf("userinfo after the second use: %d", status)
	}
}

func TestS52_CodeExpires(t *testing.T) {
	w := newWorld(t, options{})
	code := w.authorize(w.newBrowser(), "ada").Get("code")
	w.clock.Advance(61 * time.Second)
	if status, body := w.exchange(code); body["error"] != "invalid_grant" {
		t.Errorf("%d %v", status, body)
	}
}

func TestS52_OneOfManyRedemptionsWins(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	for range 5 {
		code := w.authorize(b, "ada").Get("code")
		var wins atomic.Int32
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				if status, _ := w.exchange(code); status == http.StatusOK {
					wins.Add(1)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%d redemptions won", wins.Load())
		}
	}
}

func TestM22_M24_NothingThatWasNotAskedFor(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	_, tokens := w.exchange(w.authorize(b, "ada", "scope", "openid").Get("code"))
	id := payload(t, tokens["id_token"])
	for _, name := range []string{"name", "email", "given_name", "updated_at"} {
		if id[name] != nil {
			t.Errorf("%s is in the ID token of scope openid", name)
		}
	}
	if tokens["refresh_token"] != nil {
		t.Error("a refresh token nobody asked for")
	}
	_, tokens = w.exchange(w.authorize(b, "ada", "scope", "email").Get("code"))
	if tokens["id_token"] != nil || tokens["access_token"] == nil {
		t.Errorf("without openid: %v", tokens)
	}
	if status, _ := w.userinfo(tokens["access_token"].(string)); status != http.StatusForbidden {
		t.Errorf("userinfo without openid: %d", status)
	}
	if got := w.authorize(b, "", "scope", "openid phone").Get("error"); got != "invalid_scope" {
		t.Errorf("a scope outside the client's list: %q", got)
	}
}

func TestM23_TokensAreOurs(t *testing.T) {
	w := newWorld(t, options{})
	_, tokens := w.exchange(w.authorize(w.newBrowser(), "ada").Get("code"))
	access, id := payload(t, tokens["access_token"]), payload(t, tokens["id_token"])
	if access["iss"] != issuer || id["iss"] != issuer || access["aud"] != issuer || id["aud"] != "notes" || access["client_id"] != "notes" {
		t.Errorf("access token %v\nID token %v", access, id)
	}
	if access["sub"] != id["sub"] || strings.Contains(access["sub"].(string), "auth0|") {
		t.Errorf("sub %v", access["sub"])
	}
	for name := range access {
		if !strings.Contains(" iss sub aud client_id exp iat nbf jti scope auth_time amr acr idp ", " "+name+" ") {
			t.Errorf("the access token holds %s", name)
		}
	}
	for name := range id {
		if strings.Contains(name, "://") {
			t.Errorf("an unmapped claim %s is in the ID token", name)
		}
	}
}

func TestClientAuthentication(t *testing.T) {
	w := newWorld(t, options{})
	form := func(code string, changes ...string) url.Values {
		f := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callbackURL}, "code_verifier": {testVerifier}}
		for i := 0; i < len(changes); i += 2 {
			f.Add(changes[i], changes[i+1])
		}
		return f
	}
	basic := func(id, secret string) []string {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		return []string{"Authorization", r.Header.Get("Authorization")}
	}
	b := w.newBrowser()
	if status, body := w.post("/oauth2/token", form(w.authorize(b, "ada").Get("code")), basic("notes", clientSecret)...); status != http.StatusOK {
		t.Errorf("client_secret_basic: %d %v", status, body)
	}
	for name, c := range map[string]struct {
		status int
		got    int
	}{
		"two methods":        {400, w.postStatus("/oauth2/token", form("x", "client_id", "notes", "client_secret", clientSecret), basic("notes", clientSecret)...)},
		"two ids":            {400, w.postStatus("/oauth2/token", form("x", "client_id", "other"), basic("notes", clientSecret)...)},
		"wrong basic secret": {401, w.postStatus("/oauth2/token", form("x"), basic("notes", "wrong")...)},
		"bearer":             {401, w.postStatus("/oauth2/token", form("x"), "Authorization", "Bearer x")},
		"parameter twice":    {400, w.postStatus("/oauth2/token", form("x", "code", "y"), basic("notes", clientSecret)...)},
		"in the address":     {400, w.postStatus("/oauth2/token?client_id=notes", form("x"), basic("notes", clientSecret)...)},
		"another type":       {400, w.postStatus("/oauth2/token", form("x"), "Content-Type", "application/json")},
		"too large":          {413, w.postStatus("/oauth2/token", form(strings.Repeat("x", 70<<10)), basic("notes", clientSecret)...)},
	} {
		if c.got != c.status {
			t.Errorf("%s: %d, want %d", name, c.got, c.status)
		}
	}
}

func TestUserinfo(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	gateToken := strings.TrimPrefix(w.received().Header.Get("Authorization"), "Bearer ")
	_, tokens := w.exchange(w.authorize(b, "ada").Get("code"))
	access := tokens["access_token"].(string)

	if status, info := w.post("/oauth2/userinfo", url.Values{"access_token": {access}}); status != 200 || info["email"] != "ada@example.com" {
		t.Errorf("POST body: %d %v", status, info)
	}
	if status, _ := w.post("/oauth2/userinfo", nil, "Authorization", "Bearer "+access); status != 200 {
		t.Errorf("POST header: %d", status)
	}
	for name, token := range map[string]string{
		"an ID token":                tokens["id_token"].(string), // S64
		"a token for another site":   gateToken,
		"nothing":                    "",
		"garbage":                    "a.b.c",
		"a token with a bit flipped": access[:len(access)-10] + "AAAAAAAAAA",
	} {
		if status, _ := w.userinfo(token); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
	}
	w.clock.Advance(11 * time.Minute)
	if status, _ := w.userinfo(access); status != http.StatusUnauthorized {
		t.Errorf("an expired token: %d", status)
	}
}
