package brokertest_test

import (
	"net/url"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestLogout(t *testing.T) {
	tenant, p, _ := start(t, brokertest.Options{})
	endpoint := func(params ...string) string {
		query := url.Values{"client_id": {"gateway"}, "post_logout_redirect_uri": {signedOut}, "state": {"s"}}
		for i := 0; i < len(params); i += 2 {
			query.Set(params[i], params[i+1])
		}
		return tenant.Issuer() + "oidc/logout?" + query.Encode()
	}
	live := func(b *brokertest.Browser) bool {
		return b.Get(p.authorizeURL("prompt", "none")).Location.Query().Has("code")
	}
	home := signedOut + "&state=s"
	at := func(page *brokertest.Page) string {
		if page.Location == nil {
			return page.String()
		}
		return page.Location.String()
	}

	t.Run("with the session's own hint nobody is asked", func(t *testing.T) {
		b := newBrowser(t)
		sid := idClaims(t, p.signIn(b, "ada"))["sid"].(string)
		if got := at(b.Get(endpoint("logout_hint", sid))); got != home {
			t.Errorf("got %s, want %s", got, home)
		}
		if live(b) {
			t.Error("the session lives on")
		}
	})
	t.Run("with an ID token as the hint", func(t *testing.T) {
		b := newBrowser(t)
		token := p.signIn(b, "ada")
		if got := at(b.Get(endpoint("id_token_hint", token.Extra("id_token").(string)))); got != home {
			t.Errorf("got %s, want %s", got, home)
		}
		if live(b) {
			t.Error("the session lives on")
		}
	})
	for name, hint := range map[string]string{"without a hint": "", "with another session's hint": "another"} {
		t.Run(name+" the person is asked", func(t *testing.T) {
			b := newBrowser(t)
			p.signIn(b, "ada")
			page := b.Get(endpoint("logout_hint", hint))
			if !page.Has("tenant-logout-form") || !live(b) {
				t.Fatalf("want a question and a live session, got %v", page)
			}
			b.Get(endpoint("logout_hint", hint))
			if got := at(b.Click("tenant-logout-confirm")); got != home {
				t.Errorf("got %s, want %s", got, home)
			}
			if live(b) {
				t.Error("the session lives on")
			}
		})
	}
	t.Run("without a session nobody is asked", func(t *testing.T) {
		if got := at(newBrowser(t).Get(endpoint())); got != home {
			t.Errorf("got %s, want %s", got, home)
		}
	})
	t.Run("without an address there is a page", func(t *testing.T) {
		if page := newBrowser(t).Get(tenant.Issuer() + "oidc/logout"); !page.Has("tenant-signed-out") {
			t.Errorf("got %v", page)
		}
	})
	for name, params := range map[string][]string{
		"unregistered address": {"post_logout_redirect_uri", "https://evil.example/"},
		"query left out":       {"post_logout_redirect_uri", "https://app.example.com/signed-out"},
		"unknown client":       {"client_id", "nobody"},
		"forged hint":          {"id_token_hint", "a.b.c"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			p.signIn(b, "ada")
			if page := b.Get(endpoint(params...)); !page.Has("tenant-error") || page.Location != nil {
				t.Errorf("want an error page, got %v", page)
			}
			if !live(b) {
				t.Error("a refused logout has ended the session")
			}
		})
	}
	t.Run("a changed confirmation form", func(t *testing.T) {
		b := newBrowser(t)
		p.signIn(b, "ada")
		b.Get(endpoint())
		page := b.Submit("tenant-logout-form", map[string]string{"post_logout_redirect_uri": "https://evil.example/"})
		if !page.Has("tenant-error") || !live(b) {
			t.Errorf("want an error page and a live session, got %v", page)
		}
	})
}

func TestOldLogout(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	endpoint := func(client, returnTo string) string {
		return tenant.Issuer() + "v2/logout?" + url.Values{"client_id": {client}, "returnTo": {returnTo}}.Encode()
	}
	p.signIn(b, "ada")
	for _, bad := range []string{endpoint("gateway", "https://evil.example/"), endpoint("nobody", signedOut)} {
		if page := b.Get(bad); !page.Has("tenant-error") {
			t.Errorf("want an error page, got %v", page)
		}
	}
	p.silent(b) // still signed in
	if page := b.Get(endpoint("gateway", signedOut)); page.Location == nil || page.Location.String() != signedOut {
		t.Errorf("got %v", page)
	}
	if page := b.Get(p.authorizeURL()); !page.Has("tenant-login-form") {
		t.Errorf("the session lives on: %v", page)
	}
}

func TestLogoutToken(t *testing.T) {
	tenant, _, _ := start(t, brokertest.Options{})
	raw := tenant.LogoutToken("gateway", "auth0|ada", "a-sid", "", nil)
	got := claims(t, raw)
	if header(t, raw)["typ"] != "JWT" || got["aud"] != "gateway" || got["sid"] != "a-sid" || got["nonce"] != nil ||
		got["exp"].(float64)-got["iat"].(float64) != 120 {
		t.Errorf("got %v %v", header(t, raw), got)
	}
	if _, ok := got["events"].(map[string]any)["http://schemas.openid.net/event/backchannel-logout"]; !ok {
		t.Errorf("events: got %v", got["events"])
	}
	raw = tenant.LogoutToken("gateway", "", "a-sid", brokertest.WrongAudience, func(c map[string]any) { c["nonce"] = "n" })
	if got := claims(t, raw); got["sub"] != nil || got["nonce"] != "n" || got["aud"] == "gateway" {
		t.Errorf("spoiled: got %v", got)
	}
}
