package oidc

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"
	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// offline returns a provider with metadata and keys in its caches, so that
// fuzzing makes no call.
func offline(t testing.TB) *Provider {
	c := newClock()
	p, err := New(Config{
		Issuer: "https://idp.example/", ClientID: testClient, ClientSecret: testSecret, Userinfo: UserinfoOn,
	}, Deps{Outbound: outbound.New(outbound.Config{}), Now: c.now, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{rsaKey().jwk(), ecKey().jwk()}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := parseJWKS(set)
	if err != nil {
		t.Fatal(err)
	}
	p.keys.cache.load = func(context.Context) ([]verificationKey, error) { return keys, nil }
	return p
}

func goodClaims() object {
	now := newClock().now().Unix()
	return object{
		"iss": "https://idp.example/", "sub": "s", "aud": testClient, "nonce": "n", "exp": now + 60, "iat": now,
	}
}

// Accepted means: an independent reading of the same bytes accepts too.
func FuzzF4_IDToken(f *testing.F) {
	p := offline(f)
	good := rsaKey().jwt(nil, goodClaims())
	f.Add(good)
	f.Add(ecKey().jwt(nil, goodClaims()))
	f.Add(rsaKey().jwt(object{"kid": nil}, goodClaims()))
	f.Add(otherRSA().named("rsa-1").jwt(nil, goodClaims()))
	f.Add(hmacJWT(rsaKey().private.Public().(*rsa.PublicKey).N.Bytes(), nil, goodClaims()))
	f.Add(encode(object{"alg": "none"}) + "." + encode(goodClaims()) + ".")
	f.Add(good + ".")
	f.Add(strings.ToUpper(good))
	f.Add("{}")
	f.Fuzz(func(t *testing.T, raw string) {
		set, err := p.verifyIDToken(t.Context(), raw, expectation{nonce: "n"})
		if err != nil {
			if _, ok := errors.AsType[*provider.Error](err); !ok || set != nil {
				t.Fatalf("error %T, claims %v", err, set)
			}
			return
		}
		jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256})
		if err != nil {
			t.Fatalf("go-jose does not parse it: %v", err)
		}
		payload, err := jws.Verify(rsaKey().private.Public())
		if err != nil {
			payload, err = jws.Verify(ecKey().private.Public())
		}
		if err != nil {
			t.Fatalf("go-jose does not verify it: %v", err)
		}
		var claims struct {
			Iss, Sub, Nonce string
			Aud             any
			Exp, Iat        float64
		}
		now := float64(newClock().now().Unix())
		if err := json.Unmarshal(payload, &claims); err != nil || claims.Iss != "https://idp.example/" ||
			claims.Sub == "" || claims.Nonce != "n" || claims.Exp < now-60 || claims.Iat > now+300 {
			t.Fatalf("accepted %s", payload)
		}
	})
}

// Documents of a hostile provider: whatever passes keeps within the bounds,
// and nothing panics.
func FuzzF12_HostileDocuments(f *testing.F) {
	p := offline(f)
	discovery, _ := json.Marshal(object{
		"issuer": "https://idp.example/", "authorization_endpoint": "https://idp.example/authorize",
		"token_endpoint": "https://idp.example/token", "jwks_uri": "https://idp.example/keys",
		"userinfo_endpoint": "https://idp.example/userinfo",
	})
	keys, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{rsaKey().jwk(), ecKey().jwk(), edKey().jwk()}})
	for _, seed := range [][]byte{
		discovery, keys, []byte(`{"sub":"s","n":1e999,"a":[{}]}`), []byte("null"), []byte(`{"keys":[{"kty":"RSA"}]}`),
		[]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`), []byte(rsaKey().jwt(nil, goodClaims())),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if md, err := p.parseMetadata(raw); err == nil {
			if md.Issuer != "https://idp.example/" {
				t.Fatalf("issuer %q", md.Issuer)
			}
			for _, endpoint := range []string{md.AuthorizationEndpoint, md.TokenEndpoint, md.JWKSURI, md.UserinfoEndpoint} {
				u, err := url.Parse(endpoint)
				if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
					t.Fatalf("endpoint %q", endpoint)
				}
			}
		}
		if set, err := parseJWKS(raw); err == nil {
			if len(set) == 0 || len(set) > maxKeys {
				t.Fatalf("%d keys", len(set))
			}
			for i := range set {
				if !strongEnough(set[i].public) || len(set[i].id) > maxKeyID {
					t.Fatalf("key %+v", set[i])
				}
			}
		}
		for _, mediaType := range []string{"application/json", "application/jwt", "text/html"} {
			set, err := p.parseUserinfo(t.Context(), &document{body: raw, mediaType: mediaType})
			if err == nil && (set == nil || mediaType == "text/html") {
				t.Fatalf("%s: %v", mediaType, set)
			}
			if err == nil && mediaType == "application/json" && !json.Valid(bytes.TrimSpace(raw)) {
				t.Fatalf("accepted %q", raw)
			}
		}
	})
}
