package brokertest_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

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
