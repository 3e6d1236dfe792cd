package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestVerifyAccess(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	raw := mint(t, m, authorization("openid"), client()).AccessToken
	got, err := m.VerifyAccess(t.Context(), raw, issuer)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != "jti-1" || got.Subject != "subject-1" || got.ClientID != "web" || got.Issuer != issuer ||
		len(got.Audience) != 1 || got.Audience[0] != issuer || got.Expires != 1767269400 {
		t.Errorf("got %+v", got)
	}
}

func TestVerifyAccess_Expiry(t *testing.T) {
	clock := storetest.NewClock()
	m := newMinter(t, clock)
	raw := mint(t, m, authorization("openid"), client()).AccessToken
	clock.Advance(DefaultLifetime - time.Second)
	if _, err := m.VerifyAccess(t.Context(), raw, issuer); err != nil {
		t.Errorf("a second early: %v", err)
	}
	clock.Advance(time.Second)
	refuse(t, m, "on time", raw, issuer)
}

func TestS64_IDTokenIsNoAccessToken(t *testing.T) {
	m, c := newMinter(t, storetest.NewClock()), client()
	for _, alg := range []string{ES256, RS256} {
		c.IDTokenAlg = alg
		raw := mint(t, m, authorization("openid"), c).IDToken
		refuse(t, m, alg+" ID token for its client", raw, "web")
		refuse(t, m, alg+" ID token for the issuer", raw, issuer)
	}
}

// Each row differs from a good token by one thing.
func TestR33_CrossFeed(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	set, err := m.Keys.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own := set.signers[ES256]
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	published, _ := m.Keys.JWKS(t.Context())
	payload := m.accessClaims(authorization("openid"), client(), m.Now(), time.Minute, "jti-1")
	with := func(name string, v any) map[string]any {
		changed := map[string]any{}
		maps.Copy(changed, payload)
		if changed[name] = v; v == nil {
			delete(changed, name)
		}
		return changed
	}
	if _, err := m.VerifyAccess(t.Context(), forge(t, own.key, ES256, own.kid, typeAccessToken, payload), issuer); err != nil {
		t.Fatalf("the good token: %v", err)
	}
	if _, err := m.VerifyAccess(t.Context(), forge(t, own.key, ES256, own.kid, typeAccessToken, with("aud", []string{"x", issuer})), issuer); err != nil {
		t.Fatalf("the good token with two audiences: %v", err)
	}
	for name, raw := range map[string]string{
		"foreign key under our kid":   forge(t, foreign, ES256, own.kid, typeAccessToken, payload),
		"foreign key under its own":   forge(t, foreign, ES256, "foreign", typeAccessToken, payload),
		"our key under another kid":   forge(t, own.key, ES256, set.signers[RS256].kid, typeAccessToken, payload),
		"our key without a kid":       forge(t, own.key, ES256, "", typeAccessToken, payload),
		"RS256":                       forge(t, set.signers[RS256].key, RS256, set.signers[RS256].kid, typeAccessToken, payload),
		"HS256 by our published keys": forge(t, published, "HS256", own.kid, typeAccessToken, payload),
		"alg none":                    unsigned(t, "none", own.kid, payload),
		"alg None":                    unsigned(t, "None", own.kid, payload),
		"ES256 without a signature":   unsigned(t, ES256, own.kid, payload),
		"typ JWT":                     forge(t, own.key, ES256, own.kid, "JWT", payload),
		"typ logout+jwt":              forge(t, own.key, ES256, own.kid, "logout+jwt", payload),
		"typ dpop+jwt":                forge(t, own.key, ES256, own.kid, "dpop+jwt", payload),
		"no typ":                      forge(t, own.key, ES256, own.kid, "", payload),
		"another issuer":              forge(t, own.key, ES256, own.kid, typeAccessToken, with("iss", issuer+"/")),
		"no issuer":                   forge(t, own.key, ES256, own.kid, typeAccessToken, with("iss", nil)),
		"another audience":            forge(t, own.key, ES256, own.kid, typeAccessToken, with("aud", "https://other.example.com")),
		"longer audience":             forge(t, own.key, ES256, own.kid, typeAccessToken, with("aud", issuer+"/x")),
		"other audiences":             forge(t, own.key, ES256, own.kid, typeAccessToken, with("aud", []string{"a", "b"})),
		"audience of another type":    forge(t, own.key, ES256, own.kid, typeAccessToken, with("aud", 1)),
		"no audience":                 forge(t, own.key, ES256, own.kid, typeAccessToken, with("aud", nil)),
		"no expiry":                   forge(t, own.key, ES256, own.kid, typeAccessToken, with("exp", nil)),
		"expiry in words":             forge(t, own.key, ES256, own.kid, typeAccessToken, with("exp", "tomorrow")),
		"expired":                     forge(t, own.key, ES256, own.kid, typeAccessToken, with("exp", m.Now().Unix())),
		"no jti":                      forge(t, own.key, ES256, own.kid, typeAccessToken, with("jti", nil)),
		"no subject":                  forge(t, own.key, ES256, own.kid, typeAccessToken, with("sub", nil)),
	} {
		refuse(t, m, name, raw, issuer)
	}
	other := newMinter(t, storetest.NewClock())
	other.Keys = NewKeys(store.NewMemory(nil))
	refuse(t, m, "another broker's", mint(t, other, authorization("openid"), client()).AccessToken, issuer)
	refuse(t, m, "asked for another audience", forge(t, own.key, ES256, own.kid, typeAccessToken, payload), "https://app.example.com")
	refuse(t, m, "asked for no audience", forge(t, own.key, ES256, own.kid, typeAccessToken, payload), "")
}

func TestR31_AnyOtherSpellingIsRefused(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	raw := mint(t, m, authorization("openid"), client()).AccessToken
	for i := range len(raw) {
		refuse(t, m, "truncated", raw[:i], issuer)
		refuse(t, m, "beheaded", raw[i+1:], issuer)
		for _, bit := range []byte{0x01, 0x02, 0x04, 0x20} {
			flipped := []byte(raw)
			flipped[i] ^= bit
			refuse(t, m, "flipped", string(flipped), issuer)
		}
		refuse(t, m, "line break inside", raw[:i]+"\n"+raw[i:], issuer)
	}
	for _, more := range []string{"A", "AA", "=", "==", ".", ".A", "\n", "\r\n", " ", "\x00", raw, "." + raw} {
		refuse(t, m, "extended", raw+more, issuer)
		refuse(t, m, "preceded", more+raw, issuer)
	}
	// The last character of a 64-byte signature has four spare bits, which
	// lax decoders ignore.
	for c := byte(' '); c <= '~'; c++ {
		if twin := raw[:len(raw)-1] + string(c); twin != raw {
			refuse(t, m, "spare bits", twin, issuer)
		}
	}
	for name, other := range map[string]string{
		"empty": "", "dots": "..", "many dots": strings.Repeat(".", 1000), "JSON": `{"payload":"","signatures":[]}`,
		"huge": strings.Repeat("A", maxToken) + raw, "bearer": "Bearer " + raw,
	} {
		refuse(t, m, name, other, issuer)
	}
}

func TestVerifyAccess_StoreFailureIsNotInvalid(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	raw := mint(t, m, authorization("openid"), client()).AccessToken
	m.Keys = NewKeys(storetest.Faulty(store.NewMemory(nil), 1))
	if a, err := m.VerifyAccess(t.Context(), raw, issuer); err == nil || errors.Is(err, ErrInvalid) || a != nil {
		t.Errorf("got %+v, %v; want the store's failure", a, err)
	}
}

func FuzzF4_VerifyAccess(f *testing.F) {
	m := newMinter(f, storetest.NewClock())
	tokens := mint(f, m, authorization("openid"), client())
	f.Add(tokens.AccessToken)
	f.Add(tokens.IDToken)
	f.Add(tokens.AccessToken + "\n")
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := m.VerifyAccess(t.Context(), raw, issuer)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || a != nil {
				t.Errorf("got %+v, %v", a, err)
			}
			return
		}
		if raw != tokens.AccessToken {
			t.Errorf("a token that was never minted passes: %q", raw)
		}
		verify(t, m.Keys, raw, ES256)
	})
}

func BenchmarkVerifyAccess(b *testing.B) {
	m := newMinter(b, storetest.NewClock())
	raw := mint(b, m, authorization("openid", "profile", "email"), client()).AccessToken
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.VerifyAccess(ctx, raw, issuer); err != nil {
			b.Fatal(err)
		}
	}
}

func refuse(t *testing.T, m *Minter, name, raw, aud string) {
	t.Helper()
	if a, err := m.VerifyAccess(t.Context(), raw, aud); !errors.Is(err, ErrInvalid) || a != nil {
		t.Errorf("%s: got %+v, %v; want ErrInvalid for %q", name, a, err, raw)
	}
}

// forge signs by go-jose, which writes headers in its own way.
func forge(t *testing.T, key any, alg, kid, typ string, payload map[string]any) string {
	t.Helper()
	opts := new(jose.SignerOptions)
	if typ != "" {
		opts = opts.WithType(jose.ContentType(typ))
	}
	if kid != "" {
		opts = opts.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, opts)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func unsigned(t *testing.T, alg, kid string, payload map[string]any) string {
	t.Helper()
	head, err := json.Marshal(map[string]string{"alg": alg, "kid": kid, "typ": typeAccessToken})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString(head) + "." + enc.EncodeToString(body) + "."
}
