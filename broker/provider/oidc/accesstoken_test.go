package oidc

import (
	"maps"
	"testing"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

const testAPI = "https://api.example.com"

// What an access token may be at Auth0, and which of these become a
// document. None ends the sign-in.
func TestM52_AccessTokenDocument(t *testing.T) {
	now := newClock().now().Unix()
	auth0 := func(edit object) object {
		set := object{
			"sub": testSubject, "aud": []any{testAPI, "https://tenant.example/userinfo"}, "azp": testClient,
			"exp": now + 86400, "iat": now, "permissions": []any{"read:orders"},
		}
		for name, value := range edit {
			if set[name] = value; value == nil {
				delete(set, name)
			}
		}
		return set
	}
	rfc9068 := auth0(object{"azp": nil, "client_id": testClient, "jti": "1", "aud": testAPI})
	cases := []struct {
		name   string
		token  func(id string) string // given the issuer
		ok     bool
		warned bool
	}{
		{"Auth0's own profile", sealedBy(rsaKey(), nil, auth0(nil)), true, false},
		{"RFC 9068", sealedBy(rsaKey(), object{"typ": "at+jwt"}, rfc9068), true, false},
		{"opaque", func(string) string { return "opaque-access-token" }, false, true},
		{"Auth0's opaque JWE", func(id string) string {
			return encode(object{"alg": "dir", "enc": "A256GCM", "iss": id}) + "..AAAA.AAAA.AAAA"
		}, false, true},
		{"HS256 of the API", func(id string) string { return hmacJWT([]byte("k"), nil, auth0(object{"iss": id})) }, false, true},
		{"of another key", sealedBy(otherRSA(), nil, auth0(nil)), false, true},
		{"for another API", sealedBy(rsaKey(), nil, auth0(object{"aud": "https://other.example"})), false, true},
		{"for another client", sealedBy(rsaKey(), nil, auth0(object{"azp": "other"})), false, true},
		{"for no client", sealedBy(rsaKey(), nil, auth0(object{"azp": nil})), false, true},
		{"client_id before azp", sealedBy(rsaKey(), nil, auth0(object{"client_id": "other"})), false, true},
		{"about another subject", sealedBy(rsaKey(), nil, auth0(object{"sub": "auth0|other"})), false, true},
		{"about nobody", sealedBy(rsaKey(), nil, auth0(object{"sub": nil})), false, true},
		{"expired", sealedBy(rsaKey(), nil, auth0(object{"exp": now - 60})), false, true},
		{"without exp", sealedBy(rsaKey(), nil, auth0(object{"exp": nil})), false, true},
		{"of another kind", sealedBy(rsaKey(), object{"typ": "logout+jwt"}, auth0(nil)), false, true},
		{"of another issuer", func(string) string {
			return rsaKey().jwt(nil, auth0(object{"iss": "https://evil.example/"}))
		}, false, true},
		{"garbage in three parts", func(string) string { return "a.b.c" }, false, true},
		{"payload no object", func(string) string { return rsaKey().jwt(nil, "x") }, false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, func(cfg *Config) { cfg.Audience = testAPI })
			s.issuer.access = c.token(s.issuer.id)
			id := s.mustSignIn(t)
			doc, ok := id.Documents[claims.AccessToken]
			if ok != c.ok || ok && doc["permissions"] == nil {
				t.Errorf("document %v, want one: %v", doc, c.ok)
			}
			warnings := s.logs.FilterMessageSnippet("access token").FilterLevelExact(zap.WarnLevel).All()
			if warned := len(warnings) == 1; warned != c.warned {
				t.Errorf("warned: %v, want %v", warned, c.warned)
			}
			for _, w := range warnings {
				hint, _ := w.ContextMap()["hint"].(string)
				wantText(t, hint, "audience")
			}
		})
	}
	t.Run("without audience it is not looked at", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.access = rsaKey().jwt(nil, auth0(object{"iss": s.issuer.id}))
		if id := s.mustSignIn(t); len(id.Documents) != 1 || s.logs.Len() != 0 {
			t.Errorf("documents %v, %d log lines", id.Documents, s.logs.Len())
		}
	})
}

// sealedBy signs claims with the issuer put in.
func sealedBy(k testKey, head, claims object) func(string) string {
	return func(id string) string {
		full := object{"iss": id}
		maps.Copy(full, claims)
		return k.jwt(head, full)
	}
}
