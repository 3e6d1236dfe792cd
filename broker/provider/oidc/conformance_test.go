package oidc

import (
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// The modules of the OpenID Foundation's basic relying-party plan, under
// their names; "refuse" means that no identity results.
func TestConformance(t *testing.T) {
	set := func(name string, value any) func(*setup) {
		return func(s *setup) { s.issuer.claims = func(c object) { c[name] = value } }
	}
	drop := func(name string) func(*setup) {
		return func(s *setup) { s.issuer.claims = func(c object) { delete(c, name) } }
	}
	invalid := provider.ReasonIDTokenInvalid
	modules := []struct {
		name   string
		fault  func(*setup)
		reason provider.Reason // "" = completes
	}{
		{"oidcc-client-test", func(*setup) {}, ""},
		{"oidcc-client-test-idtoken-sig-rs256", func(s *setup) { s.issuer.header = object{"alg": "RS256"} }, ""},
		{"oidcc-client-test-invalid-iss", set("iss", "https://other.example/"), invalid},
		{"oidcc-client-test-invalid-aud", set("aud", "other"), invalid},
		{"oidcc-client-test-missing-sub", drop("sub"), invalid},
		{"oidcc-client-test-missing-iat", drop("iat"), invalid},
		{"oidcc-client-test-nonce-invalid", set("nonce", "other"), invalid},
		{"oidcc-client-test-invalid-sig-rs256", func(s *setup) { s.issuer.signer = otherRSA().named("rsa-1") }, invalid},
		{"oidcc-client-test-idtoken-sig-none", func(s *setup) {
			s.issuer.idToken = func(c object) string { return encode(object{"alg": "none"}) + "." + encode(c) + "." }
		}, invalid},
		{"oidcc-client-test-kid-absent-single-jwks", func(s *setup) { s.issuer.header = object{"kid": nil} }, ""},
		{"oidcc-client-test-kid-absent-multiple-jwks", func(s *setup) {
			s.issuer.header, s.issuer.published = object{"kid": nil}, []testKey{otherRSA(), rsaKey()}
		}, ""},
		{"oidcc-client-test-userinfo-invalid-sub", func(s *setup) { s.issuer.userinfo["sub"] = "other" }, provider.ReasonUserinfoSubject},
		{"oidcc-client-test-signing-key-rotation-just-before-signing", func(s *setup) {
			s.mustSignIn(s.issuer.t)
			s.issuer.rotate(otherRSA(), otherRSA())
		}, ""},
		{"oidcc-client-test-signing-key-rotation", func(s *setup) {
			s.mustSignIn(s.issuer.t)
			s.issuer.rotate(otherRSA(), rsaKey(), otherRSA())
		}, ""},
	}
	for _, m := range modules {
		t.Run(m.name, func(t *testing.T) {
			s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
			m.fault(s)
			if m.reason != "" {
				s.refused(t, m.reason)
				return
			}
			s.mustSignIn(t)
		})
	}

	t.Run("oidcc-client-test-client-secret-basic", func(t *testing.T) {
		s := newSetup(t, nil)
		s.mustSignIn(t)
		if got := s.issuer.head.Get("Authorization"); !strings.HasPrefix(got, "Basic ") || s.issuer.form.Has("client_secret") {
			t.Errorf("Authorization %q, form %v", got, s.issuer.form)
		}
	})
	t.Run("oidcc-client-test-scope-userinfo-claims", func(t *testing.T) {
		s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
		request, _ := s.begin(t, s.request())
		id := s.mustSignIn(t)
		if !strings.Contains(request.Get("scope"), "email") || id.Documents[claims.Userinfo]["email"] != "ada@example.com" {
			t.Errorf("scope %q, documents %v", request.Get("scope"), id.Documents)
		}
	})
	t.Run("oidcc-client-test-discovery-openid-config", func(t *testing.T) {
		s := newSetup(t, nil)
		s.begin(t, s.request())
		if s.issuer.count(pathDiscovery) != 1 {
			t.Error("discovery was not used")
		}
	})
	t.Run("oidcc-client-test-discovery-jwks-uri-keys", func(t *testing.T) {
		s := newSetup(t, nil)
		s.mustSignIn(t)
		if s.issuer.count(pathKeys) != 1 {
			t.Error("jwks_uri was not used")
		}
	})
	t.Run("oidcc-client-test-discovery-issuer-mismatch", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.metadata = func(d object) { d["issuer"] = "https://other.example/" }
		s.beginFails(t, provider.ReasonMisconfigured)
	})
}
