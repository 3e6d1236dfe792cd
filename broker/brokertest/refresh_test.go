package brokertest_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

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
