package token

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

const issuer = "https://auth.example.com"

// testKeys is one key set for all tests that need no other: making an RSA
// key takes longer than most tests.
var testKeys = sync.OnceValues(generateKeys)

func newMinter(t testing.TB, clock *storetest.Clock) *Minter {
	t.Helper()
	raw, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	s := store.NewMemory(clock.Now)
	if err := s.Put(t.Context(), keysRecord, raw, 0); err != nil {
		t.Fatal(err)
	}
	return &Minter{Issuer: issuer, Keys: NewKeys(s), Claims: claims.DefaultClaims(), Now: clock.Now}
}

func client() *oauth.Client {
	return &oauth.Client{ID: "web", IDTokenAlg: RS256}
}

func authorization(scopes ...string) *authn.Authorization {
	return &authn.Authorization{
		ID: "authorization-1", ClientID: "web", SID: "sid-1", Nonce: "nonce-1", Scopes: scopes, Subject: "subject-1",
		Context: &authn.Context{
			Attributes: map[string]any{
				"name": "Ada", "email": "ada@example.com", "email_verified": true,
				"address": map[string]any{"country": "GB"}, "phone_number": "+44 0", "department": "engines",
				"updated_at": json.Number("9007199254740993"),
			},
			Connection: "staff", Issuer: "https://idp.example.com/", IDPSubject: "idp|ada",
			Subject: "subject-1", UpstreamSID: "upstream-sid",
			AuthTime: time.Date(2026, 1, 1, 11, 0, 0, 0, time.UTC),
			AMR:      []string{"pwd", "mfa"}, ACR: "urn:mfa",
		},
	}
}

func mint(t testing.TB, m *Minter, a *authn.Authorization, c *oauth.Client) Tokens {
	t.Helper()
	tokens, err := m.Mint(t.Context(), a, c, "jti-1")
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// verify is an independent reader: it checks the signature by the published
// keys, and nothing else, and returns header and payload.
func verify(t testing.TB, keys *Keys, raw, alg string) (header jose.Header, payload map[string]any) {
	t.Helper()
	jwks, err := keys.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatal(err)
	}
	body, err := jws.Verify(set)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&payload); err != nil {
		t.Fatal(err)
	}
	return jws.Signatures[0].Protected, payload
}

// golden decodes a payload as it is expected.
func golden(t testing.TB, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v map[string]any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func seconds(t testing.TB, payload map[string]any, name string) int64 {
	t.Helper()
	n, ok := payload[name].(json.Number)
	if !ok {
		t.Fatalf("%s is %v", name, payload[name])
	}
	v, err := n.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sortedNames(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
