package brokertest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestEdits(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	token := p.signIn(b, "ada")
	tenant.SetFaults(brokertest.Faults{
		NoIDToken:         true,
		EditDiscovery:     func(d map[string]any) { d["issuer"] = "https://evil.example/" },
		EditUserinfo:      func(c map[string]any) { c["sub"] = "auth0|someone-else" },
		EditTokenResponse: func(r map[string]any) { r["expires_in"], r["token_type"] = "86400", "bearer" },
		EditCallback:      func(v url.Values) { v.Del("state") },
	})
	if _, got := get(t, tenant, ".well-known/openid-configuration", ""); got["issuer"] != "https://evil.example/" {
		t.Errorf("discovery: got issuer %v", got["issuer"])
	}
	if _, got := get(t, tenant, "userinfo", token.AccessToken); got["sub"] != "auth0|someone-else" {
		t.Errorf("userinfo: got sub %v", got["sub"])
	}
	page := b.Get(p.authorizeURL())
	if page.Location.Query().Has("state") {
		t.Error("callback: the state is still there")
	}
	_, got := post(t, tenant, "oauth/token", p.tokenForm(p.code(page)))
	if got["id_token"] != nil || got["expires_in"] != "86400" || got["token_type"] != "bearer" {
		t.Errorf("token response: got %v, %v, ID token %v", got["expires_in"], got["token_type"], got["id_token"] != nil)
	}
	tenant.SetFaults(brokertest.Faults{EditIDToken: func(c map[string]any) { c["https://example.com/big"] = strings.Repeat("x", 120_000) }})
	if got := len(p.silent(b).Extra("id_token").(string)); got < 160_000 {
		t.Errorf("a large ID token has %d bytes", got)
	}
}

func TestClockOffset(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now})
	tenant.SetFaults(brokertest.Faults{ClockOffset: -10 * time.Minute})
	want := clock.Now().Add(-10 * time.Minute)
	if got := idClaims(t, p.signIn(b, "ada"))["iat"]; got != float64(want.Unix()) {
		t.Errorf("got iat %v, want %d", got, want.Unix())
	}
	resp, _ := get(t, tenant, ".well-known/jwks.json", "")
	if got := resp.Header.Get("Date"); got != want.Format(http.TimeFormat) {
		t.Errorf("got Date %q, want the tenant's wrong clock", got)
	}
}
