package brokertest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// Auth0's dialect: what RFC 6749 answers with 400, Auth0 does with 403, and
// a wrong secret is "access_denied".
func TestTokenErrors(t *testing.T) {
	clock := new(brokertest.Clock)
	other := application()
	other.ID = "other"
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now, Clients: []brokertest.Client{application(), other}})
	p.signIn(b, "ada")
	for name, test := range map[string]struct {
		change func(url.Values)
		status int
		code   string
		text   string
	}{
		"wrong verifier":  {func(v url.Values) { v.Set("code_verifier", strings.Repeat("x", 43)) }, 403, "invalid_grant", "Failed to verify code verifier"},
		"no verifier":     {func(v url.Values) { v.Del("code_verifier") }, 403, "invalid_grant", "Failed to verify code verifier"},
		"unknown code":    {func(v url.Values) { v.Set("code", "guess") }, 403, "invalid_grant", "Invalid authorization code"},
		"other client":    {func(v url.Values) { v.Set("client_id", "other") }, 403, "invalid_grant", "Invalid authorization code"},
		"late":            {func(url.Values) { clock.Advance(61 * time.Second) }, 403, "invalid_grant", "Invalid authorization code"},
		"wrong secret":    {func(v url.Values) { v.Set("client_secret", "wrong") }, 401, "access_denied", "Unauthorized"},
		"empty secret":    {func(v url.Values) { v.Set("client_secret", "") }, 401, "access_denied", "Unauthorized"},
		"no secret":       {func(v url.Values) { v.Del("client_secret") }, 401, "access_denied", "Unauthorized"},
		"unknown client":  {func(v url.Values) { v.Set("client_id", "nobody") }, 401, "access_denied", "Unauthorized"},
		"other callback":  {func(v url.Values) { v.Set("redirect_uri", "https://app.example.com/") }, 401, "unauthorized_client", "The redirect URI is wrong. You sent https://app.example.com/, and we expected " + callback},
		"grant not known": {func(v url.Values) { v.Set("grant_type", "password") }, 403, "unauthorized_client", "Grant type not allowed for the client."},
	} {
		t.Run(name, func(t *testing.T) {
			form := p.tokenForm(p.code(b.Get(p.authorizeURL())))
			test.change(form)
			resp, got := post(t, tenant, "oauth/token", form)
			if resp.StatusCode != test.status || got["error"] != test.code || got["error_description"] != test.text {
				t.Errorf("got %d %v; want %d %s: %s", resp.StatusCode, got, test.status, test.code, test.text)
			}
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("got Cache-Control %q", resp.Header.Get("Cache-Control"))
			}
		})
	}
	t.Run("verifier without challenge", func(t *testing.T) {
		page := b.Get(p.authorizeURL("code_challenge", "", "code_challenge_method", ""))
		if resp, _ := post(t, tenant, "oauth/token", p.tokenForm(p.code(page))); resp.StatusCode != 403 {
			t.Errorf("got status %d", resp.StatusCode)
		}
	})
	t.Run("no PKCE at all", func(t *testing.T) {
		form := p.tokenForm(p.code(b.Get(p.authorizeURL("code_challenge", "", "code_challenge_method", ""))))
		form.Del("code_verifier")
		if resp, _ := post(t, tenant, "oauth/token", form); resp.StatusCode != 200 {
			t.Errorf("got status %d", resp.StatusCode)
		}
	})
}

// tokenForm is a right token request.
func (p *party) tokenForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {p.config.ClientID}, "client_secret": {p.config.ClientSecret},
		"redirect_uri": {p.config.RedirectURL}, "code": {code}, "code_verifier": {p.verifier},
	}
}

func TestCodeIsRedeemedOnce(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	form := p.tokenForm(p.code(b.Get(p.authorizeURL())))
	var wg sync.WaitGroup
	statuses := make([]int, 16)
	for i := range statuses {
		wg.Go(func() {
			resp, err := tenant.Client().PostForm(tenant.Issuer()+"oauth/token", form)
			if err == nil {
				statuses[i] = resp.StatusCode
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	won := 0
	for _, status := range statuses {
		switch status {
		case 200:
			won++
		case 403:
		default:
			t.Errorf("got status %d", status)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d redemptions won, want 1", won, len(statuses))
	}
}

func TestClientAuthentication(t *testing.T) {
	basic := application()
	basic.ID, basic.Secret, basic.AuthMethod = "ba sic", "a:b%c+d", "client_secret_basic"
	public := application()
	public.ID, public.Secret, public.AuthMethod = "public", "", "none"
	either := application()
	tenant, _, b := start(t, brokertest.Options{Clients: []brokertest.Client{either, basic, public}})
	for name, test := range map[string]struct {
		client brokertest.Client
		style  oauth2.AuthStyle
		ok     bool
	}{
		"either, post":      {either, oauth2.AuthStyleInParams, true},
		"either, basic":     {either, oauth2.AuthStyleInHeader, true},
		"basic only, basic": {basic, oauth2.AuthStyleInHeader, true},
		"basic only, post":  {basic, oauth2.AuthStyleInParams, false},
		"public":            {public, oauth2.AuthStyleInParams, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParty(t, tenant, test.client)
			p.config.Endpoint.AuthStyle = test.style
			page := b.Get(p.authorizeURL())
			if page.Has("tenant-login-form") {
				page = b.SignIn("ada")
			}
			if _, err := p.redeem(page); (err == nil) != test.ok {
				t.Errorf("got error %v, want success %v", err, test.ok)
			}
		})
	}
	t.Run("a public client must use PKCE", func(t *testing.T) {
		page := b.Get(newParty(t, tenant, public).authorizeURL("code_challenge", "", "code_challenge_method", ""))
		if got := page.Location.Query().Get("error"); got != "invalid_request" {
			t.Errorf("got %q", got)
		}
	})
}

func TestPrivateKeyJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := application()
	c.AuthMethod, c.Secret = "private_key_jwt", ""
	c.Keys = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}}
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now, Clients: []brokertest.Client{c}})
	p.signInFails(b)

	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	right := func() map[string]any {
		return map[string]any{
			"iss": c.ID, "sub": c.ID, "aud": tenant.Issuer(), "jti": rand.Text(),
			"iat": clock.Now().Unix(), "exp": clock.Now().Add(time.Minute).Unix(),
		}
	}
	redeem := func(claims map[string]any) int {
		raw, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		form := p.tokenForm(p.code(b.Get(p.authorizeURL())))
		form.Del("client_secret")
		form.Set("client_assertion", raw)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		resp, _ := post(t, tenant, "oauth/token", form)
		return resp.StatusCode
	}
	if got := redeem(right()); got != http.StatusOK {
		t.Errorf("right: got status %d", got)
	}
	replayed := right()
	redeem(replayed)
	if got := redeem(replayed); got != http.StatusUnauthorized {
		t.Errorf("jti used twice: got status %d", got)
	}
	for name, change := range map[string]func(map[string]any){
		"audience without slash":  func(m map[string]any) { m["aud"] = strings.TrimSuffix(tenant.Issuer(), "/") },
		"audience is an array":    func(m map[string]any) { m["aud"] = []string{tenant.Issuer()} },
		"audience is an endpoint": func(m map[string]any) { m["aud"] = tenant.Issuer() + "oauth/token" },
		"no jti":                  func(m map[string]any) { delete(m, "jti") },
		"expired":                 func(m map[string]any) { m["exp"] = clock.Now().Add(-11 * time.Second).Unix() },
		"lives too long":          func(m map[string]any) { m["exp"] = clock.Now().Add(6 * time.Minute).Unix() },
		"no expiry":               func(m map[string]any) { delete(m, "exp") },
		"other issuer":            func(m map[string]any) { m["iss"] = "other" },
		"other subject":           func(m map[string]any) { m["sub"] = "other" },
		"too long":                func(m map[string]any) { m["x"] = strings.Repeat("x", 2048) },
	} {
		m := right()
		change(m)
		if got := redeem(m); got != http.StatusUnauthorized {
			t.Errorf("%s: got status %d, want 401", name, got)
		}
	}
}

// signInFails signs in the browser; the party cannot redeem the code.
func (p *party) signInFails(b *brokertest.Browser) {
	p.t.Helper()
	b.Get(p.authorizeURL())
	if _, err := p.redeem(b.SignIn("ada")); err == nil {
		p.t.Error("redeemed a code without client authentication")
	}
}

func TestRefreshTokens(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now})
	refresh := func(token string) (int, map[string]any) {
		resp, body := post(t, tenant, "oauth/token", url.Values{
			"grant_type": {"refresh_token"}, "client_id": {"gateway"}, "client_secret": {"not-a-secret"}, "refresh_token": {token},
		})
		return resp.StatusCode, body
	}
	offline := []string{"scope", "openid offline_access"}
	if got := p.signIn(b, "mfa").RefreshToken; got != "" {
		t.Error("a refresh token without offline_access")
	}

	t.Run("rotate", func(t *testing.T) {
		first := p.signIn(newBrowser(t), "mfa", append(offline, "max_age", "60")...)
		if idClaims(t, first)["amr"] == nil {
			t.Fatal("no amr in the first ID token")
		}
		status, body := refresh(first.RefreshToken)
		if status != http.StatusOK || body["refresh_token"] == nil || body["refresh_token"] == first.RefreshToken {
			t.Fatalf("got %d, want a new refresh token", status)
		}
		got := claims(t, body["id_token"].(string))
		if got["nonce"] != nil || got["amr"] != nil || got["sub"] != "auth0|mfa" || got["sid"] != idClaims(t, first)["sid"] {
			t.Errorf("ID token: got %v", got)
		}
	})
	t.Run("reuse ends the family", func(t *testing.T) {
		first := p.silent(b, offline...).RefreshToken
		_, body := refresh(first)
		if status, body := refresh(first); status != 403 || body["error_description"] != "Unknown or invalid refresh token." {
			t.Errorf("reused: got %d %v", status, body)
		}
		if status, _ := refresh(body["refresh_token"].(string)); status != 403 {
			t.Errorf("the newest after a reuse: got %d", status)
		}
	})
	t.Run("concurrent use has one winner", func(t *testing.T) {
		token := p.silent(b, offline...).RefreshToken
		form := url.Values{
			"grant_type": {"refresh_token"}, "client_id": {"gateway"}, "client_secret": {"not-a-secret"}, "refresh_token": {token},
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 8 {
			wg.Go(func() {
				resp, err := tenant.Client().PostForm(tenant.Issuer()+"oauth/token", form)
				if err != nil {
					return
				}
				_ = resp.Body.Close()
				mu.Lock()
				defer mu.Unlock()
				if resp.StatusCode == http.StatusOK {
					won++
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d won, want 1", won)
		}
	})
	t.Run("revoke", func(t *testing.T) {
		token := p.silent(b, offline...).RefreshToken
		form := url.Values{"client_id": {"gateway"}, "client_secret": {"not-a-secret"}, "token": {token}}
		if resp, _ := post(t, tenant, "oauth/revoke", form); resp.StatusCode != http.StatusOK {
			t.Errorf("got status %d", resp.StatusCode)
		}
		if status, _ := refresh(token); status != 403 {
			t.Errorf("revoked: got %d", status)
		}
		form.Set("client_secret", "wrong")
		if resp, _ := post(t, tenant, "oauth/revoke", form); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("wrong secret: got status %d", resp.StatusCode)
		}
	})
	t.Run("blocked user", func(t *testing.T) {
		token := p.signIn(newBrowser(t), "grace", offline...).RefreshToken
		grace, _ := tenant.User("grace")
		grace.Blocked = true
		tenant.PutUser(grace)
		if status, body := refresh(token); status != 403 || body["error"] != "invalid_grant" {
			t.Errorf("got %d %v", status, body)
		}
	})
	t.Run("end after 30 days, whatever the rotation", func(t *testing.T) {
		token := p.silent(b, offline...).RefreshToken
		clock.Advance(29 * 24 * time.Hour)
		_, body := refresh(token)
		clock.Advance(24*time.Hour + time.Second)
		if status, _ := refresh(body["refresh_token"].(string)); status != 403 {
			t.Errorf("got %d", status)
		}
	})
}

func TestRefreshTokenIsWithheld(t *testing.T) {
	c := application()
	c.NoRefresh = true
	_, p, b := start(t, brokertest.Options{Clients: []brokertest.Client{c}})
	token := p.signIn(b, "ada", "scope", "openid offline_access")
	if token.RefreshToken != "" || token.Extra("scope") != "openid" {
		t.Errorf("grant taken away: got a refresh token, or scope %v", token.Extra("scope"))
	}
	_, p, b = start(t, brokertest.Options{APIs: []brokertest.API{{Identifier: audience, NoOfflineAccess: true}}})
	if token := p.signIn(b, "ada", "scope", "openid offline_access", "audience", audience); token.RefreshToken != "" {
		t.Error("API without offline access: got a refresh token")
	}
}

func TestRateLimits(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now, RateLimits: true})
	ada := p.signIn(b, "ada").AccessToken
	grace := p.signIn(newBrowser(t), "grace").AccessToken
	for i := range 10 {
		resp, _ := get(t, tenant, "userinfo", ada)
		if resp.StatusCode != 200 || resp.Header.Get("X-RateLimit-Limit") != "10" {
			t.Fatalf("call %d: got status %d, limit %q", i+1, resp.StatusCode, resp.Header.Get("X-RateLimit-Limit"))
		}
	}
	resp, got := get(t, tenant, "userinfo", ada)
	if resp.StatusCode != 429 || got["error"] != "too_many_requests" || resp.Header.Get("X-RateLimit-Remaining") != "0" ||
		resp.Header.Get("X-RateLimit-Reset") == "" {
		t.Errorf("call 11: got %d %v %v", resp.StatusCode, got, resp.Header)
	}
	if resp, _ := get(t, tenant, "userinfo", grace); resp.StatusCode != 200 {
		t.Errorf("another user: got status %d", resp.StatusCode)
	}
	clock.Advance(12 * time.Second)
	for i, want := range []int{200, 429} {
		if resp, _ := get(t, tenant, "userinfo", ada); resp.StatusCode != want {
			t.Errorf("call %d after 12 s: got status %d, want %d", i+1, resp.StatusCode, want)
		}
	}
	limited := 0
	for range 25 {
		if resp, _ := get(t, tenant, ".well-known/jwks.json", ""); resp.StatusCode == 429 {
			limited++
		}
	}
	if limited != 5 {
		t.Errorf("keys: %d of 25 requests limited, want 5", limited)
	}
}
