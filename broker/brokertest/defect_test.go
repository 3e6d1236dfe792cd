package brokertest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// Every defect must be in the token, or a test that expects a refusal
// proves nothing. What go-oidc says of it is what it can see: nonce, azp,
// sub and iat are left to its callers.
func TestDefectsAreInTheToken(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	provider, err := oidc.NewProvider(p.context(), tenant.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "gateway", SupportedSigningAlgs: []string{"RS256"}})

	unseen := map[brokertest.Defect]func(map[string]any) bool{
		brokertest.WrongNonce:   func(c map[string]any) bool { return c["nonce"] == "another-nonce" },
		brokertest.NoNonce:      func(c map[string]any) bool { return c["nonce"] == nil },
		brokertest.NoSubject:    func(c map[string]any) bool { _, ok := c["sub"]; return !ok },
		brokertest.EmptySubject: func(c map[string]any) bool { return c["sub"] == "" },
		brokertest.IssuedAhead:  func(c map[string]any) bool { return c["iat"].(float64) > float64(time.Now().Unix()+7000) },
		brokertest.NoIssuedAt:   func(c map[string]any) bool { return c["iat"] == nil },
		brokertest.ForeignParty: func(c map[string]any) bool { return len(c["aud"].([]any)) == 2 && c["azp"] == "another-application" },
	}
	for _, defect := range brokertest.Defects() {
		t.Run(string(defect), func(t *testing.T) {
			tenant.SetFaults(brokertest.Faults{IDToken: defect})
			raw, _ := p.silent(b).Extra("id_token").(string)
			token, err := verifier.Verify(p.context(), raw)
			visible, isUnseen := unseen[defect]
			switch {
			case isUnseen && err != nil:
				t.Errorf("go-oidc refused it: %v", err)
			case isUnseen && !visible(claims(t, raw)):
				t.Errorf("the claims are right: %v", claims(t, raw))
			case !isUnseen && err == nil:
				t.Errorf("go-oidc accepted the token of %s", token.Subject)
			}
		})
	}
	t.Run("healed", func(t *testing.T) {
		tenant.Heal()
		if _, err := verifier.Verify(p.context(), p.silent(b).Extra("id_token").(string)); err != nil {
			t.Error(err)
		}
	})
	t.Run(string(brokertest.NoKeyID), func(t *testing.T) {
		tenant.SetFaults(brokertest.Faults{IDToken: brokertest.NoKeyID})
		raw := p.silent(b).Extra("id_token").(string)
		if _, ok := header(t, raw)["kid"]; ok {
			t.Errorf("got header %v", header(t, raw))
		}
		if _, err := verifier.Verify(p.context(), raw); err != nil {
			t.Errorf("the signature is right: %v", err)
		}
	})
}

// The forgeries must be good ones: each would verify if its guard were
// missing.
func TestForgeriesWouldFoolACarelessVerifier(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	forge := func(d brokertest.Defect) string {
		tenant.SetFaults(brokertest.Faults{IDToken: d})
		raw, _ := p.silent(b).Extra("id_token").(string)
		return raw
	}
	raw := forge(brokertest.EmbeddedKey)
	sig, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sig.Verify(sig.Signatures[0].Header.JSONWebKey); err != nil {
		t.Errorf("the key in the token does not verify it: %v", err)
	}
	if got := header(t, forge(brokertest.AlgNone))["alg"]; got != "none" {
		t.Errorf("got alg %v", got)
	}
	raw = forge(brokertest.HMACSecret)
	if _, err = jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.HS256}); err != nil {
		t.Errorf("HS256: %v", err)
	}
	if h := header(t, forge(brokertest.KeyURLs)); h["jku"] == nil || h["x5u"] == nil {
		t.Errorf("got header %v", h)
	}
	_, set := get(t, tenant, ".well-known/jwks.json", "")
	known, _ := json.Marshal(set)
	if kid := header(t, forge(brokertest.BadSignature))["kid"].(string); !strings.Contains(string(known), kid) {
		t.Error("bad signature: the kid is not in the key set")
	}
	if kid := header(t, forge(brokertest.UnknownKey))["kid"].(string); strings.Contains(string(known), kid) {
		t.Error("unknown key: the kid is in the key set")
	}
	if got := claims(t, forge(brokertest.TamperedPayload))["sub"]; got != "auth0|someone-else" {
		t.Errorf("tampered: got sub %v", got)
	}
	if a, b := forge(brokertest.UnknownKey), forge(brokertest.UnknownKey); header(t, a)["kid"] == header(t, b)["kid"] {
		t.Error("unknown key: a flood needs a new kid each time")
	}
}

func TestDefectsOfAccessTokens(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{APIs: []brokertest.API{{Identifier: audience}}})
	p.signIn(b, "ada")
	tenant.SetFaults(brokertest.Faults{
		AccessToken:     brokertest.WrongAudience,
		EditAccessToken: func(c map[string]any) { c["azp"] = "edited" },
	})
	got := claims(t, p.silent(b, "audience", audience).AccessToken)
	if got["aud"] != "another-application" || got["azp"] != "edited" {
		t.Errorf("got %v", got)
	}
}

func TestDefectsAreDistinct(t *testing.T) {
	seen := make(map[brokertest.Defect]bool)
	for _, d := range brokertest.Defects() {
		if seen[d] || d == "" {
			t.Errorf("%q is twice in the list", d)
		}
		seen[d] = true
	}
	if len(seen) != 26 {
		t.Errorf("got %d defects, want 26", len(seen))
	}
}
