package oidc

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"
)

// jwkOf returns k's JWK as an object to edit.
func jwkOf(k testKey, edits object) object {
	raw, err := json.Marshal(k.jwk())
	if err != nil {
		panic(err)
	}
	var out object
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	maps.Copy(out, edits)
	for name, value := range out {
		if value == nil {
			delete(out, name)
		}
	}
	return out
}

// S81: which keys of a set are used. Skipped ones do not spoil the others.
func TestS81_UsableKeys(t *testing.T) {
	big := base64.RawURLEncoding.EncodeToString(append([]byte{0x80}, make([]byte, 8191)...))
	cases := []struct {
		name string
		key  any
		ok   bool
	}{
		{"RSA 2048", jwkOf(rsaKey(), nil), true},
		{"no use, no alg, no kid", jwkOf(rsaKey(), object{"use": nil, "alg": nil, "kid": nil}), true},
		{"P-256", jwkOf(ecKey(), nil), true},
		{"P-521", jwkOf(newEC("p521", elliptic.P521()), object{"alg": "ES512"}), true},
		{"Ed25519", jwkOf(edKey(), nil), true},
		{"with key_ops", jwkOf(ecKey(), object{"key_ops": []string{"verify"}}), true},
		{"with unread certificates", jwkOf(ecKey(), object{"x5c": []string{"garbage"}}), true},

		{"for encryption", jwkOf(rsaKey(), object{"use": "enc"}), false},
		{"key_ops without verify", jwkOf(rsaKey(), object{"key_ops": []string{"encrypt"}}), false},
		{"RSA 1024", jwkOf(weakRSA(), nil), false},
		{"RSA 65536", jwkOf(rsaKey(), object{"n": big}), false},
		{"RSA with exponent 1", jwkOf(rsaKey(), object{"e": "AQ"}), false},
		{"RSA with even exponent", jwkOf(rsaKey(), object{"e": "BA"}), false},
		{"RSA with a huge exponent", jwkOf(rsaKey(), object{"e": strings.Repeat("A", 2000)}), false},
		{"RSA without modulus", jwkOf(rsaKey(), object{"n": nil}), false},
		{"point off the curve", jwkOf(ecKey(), object{"x": jwkOf(otherEC(), nil)["x"]}), false},
		{"unknown curve", jwkOf(ecKey(), object{"crv": "secp256k1"}), false},
		{"Ed25519 too short", jwkOf(edKey(), object{"x": "AAAA"}), false},
		{"private", jwkOf(rsaKey(), object{"d": "AQAB"}), false},
		{"symmetric", object{"kty": "oct", "k": "bm90LWEtc2VjcmV0", "alg": "HS256"}, false},
		{"unknown kind", object{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}, false},
		{"kid too long", jwkOf(rsaKey(), object{"kid": strings.Repeat("k", maxKeyID+1)}), false},
		{"kid a number", jwkOf(rsaKey(), object{"kid": 5}), false},
		{"a string", "key", false},
		{"null", nil, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			raw, _ := json.Marshal(object{"keys": []any{c.key}})
			keys, err := parseJWKS(raw)
			if (err == nil) != c.ok {
				t.Errorf("got %d keys, %v; want usable: %v", len(keys), err, c.ok)
			}
			raw, _ = json.Marshal(object{"keys": []any{c.key, jwkOf(otherEC(), nil)}, "extra": object{"x": 1}})
			if keys, err := parseJWKS(raw); err != nil || keys[len(keys)-1].id != "ec-2" {
				t.Errorf("beside a good key: got %d keys, %v", len(keys), err)
			}
		})
	}
}

func TestMalformedKeySets(t *testing.T) {
	good, _ := json.Marshal(jwkOf(ecKey(), nil))
	for _, raw := range []string{
		"", "{", "null", "[]", `"keys"`, "{}", `{"keys":null}`, `{"keys":{}}`, `{"keys":[]}`, `{"keys":[1,2]}`,
		`{"keys":[` + string(good), `{"keys":[` + string(good) + `]`, `{"keys":[` + string(good) + `]} x`,
		`{"keys":[` + string(good) + `,]}`, `[` + string(good) + `]`,
	} {
		if keys, err := parseJWKS([]byte(raw)); !errors.Is(err, errMisconfigured) {
			t.Errorf("%.60s: got %d keys, %v", raw, len(keys), err)
		}
	}
}

// A key verifies its own algorithm and curve alone (S31).
func TestS31_KeyFitsAlgorithm(t *testing.T) {
	p384 := newEC("p384", elliptic.P384())
	cases := []struct {
		key  verificationKey
		fits string
	}{
		{verificationKey{public: rsaKey().private.Public()}, "RS256 RS384 RS512 PS256 PS384 PS512"},
		{verificationKey{public: rsaKey().private.Public(), alg: "PS256"}, "PS256"},
		{verificationKey{public: rsaKey().private.Public(), alg: "RSA-OAEP"}, ""},
		{verificationKey{public: ecKey().private.Public()}, "ES256"},
		{verificationKey{public: ecKey().private.Public(), alg: "ES384"}, ""},
		{verificationKey{public: p384.private.Public()}, "ES384"},
		{verificationKey{public: edKey().private.Public()}, "EdDSA"},
		{verificationKey{public: "no key"}, ""},
	}
	for _, c := range cases {
		var got []string
		for _, alg := range asymmetric {
			if c.key.fits(alg) {
				got = append(got, alg)
			}
		}
		if strings.Join(got, " ") != c.fits {
			t.Errorf("%T with alg %q fits %v, want %s", c.key.public, c.key.alg, got, c.fits)
		}
	}
}

// The hostile inputs of R54: each is refused before it costs anything.
func TestR54_HostileTokensAndKeySetsAreCheap(t *testing.T) {
	head := func(members object) string {
		full := object{"alg": "RS256", "kid": "rsa-1"}
		maps.Copy(full, members)
		return encode(full)
	}
	nested := strings.Repeat("[", 100000)
	pad := strings.Repeat("A", 1<<20)
	tokens := map[string]string{
		"1 MB of dots":             strings.Repeat(".", 1<<20),
		"200 KB of dots":           strings.Repeat(".", 200<<10),
		"1 MB kid":                 head(object{"kid": pad}) + ".e30.AAAA",
		"7 KB kid":                 head(object{"kid": pad[:7<<10]}) + ".e30.AAAA",
		"1 MB payload":             head(nil) + "." + pad + ".AAAA",
		"zip":                      head(object{"zip": "DEF"}) + ".e30.AAAA",
		"JWE with zip":             head(object{"alg": "dir", "enc": "A256GCM", "zip": "DEF"}) + ".AAAA.AAAA.AAAA.AAAA",
		"PBES2 with a huge count":  head(object{"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1 << 30}) + ".A.A.A.A",
		"p2c in a JWS":             head(object{"p2c": 1 << 30}) + ".e30.AAAA",
		"header nested 5000 deep":  base64.RawURLEncoding.EncodeToString([]byte(`{"x":`+nested[:5000])) + ".e30.AAAA",
		"header nested 70 KB deep": base64.RawURLEncoding.EncodeToString([]byte(`{"x":`+nested[:70000])) + ".e30.AAAA",
	}
	s := newSetup(t, nil)
	s.mustSignIn(t)
	fetches := s.issuer.count(pathKeys)
	for name, token := range tokens {
		cheap(t, name, func() error {
			_, err := s.keys.VerifySignature(t.Context(), token)
			return err
		})
	}
	if n := s.issuer.count(pathKeys); n != fetches {
		t.Errorf("%d fetches", n-fetches)
	}

	rsa64k := base64.RawURLEncoding.EncodeToString(append([]byte{0x80}, make([]byte, 8191)...))
	sets := map[string]string{
		"100 000 keys":     `{"keys":[` + strings.Repeat("{},", 99999) + "{}]}",
		"80 000 keys":      `{"keys":[` + strings.Repeat("1,", 79999) + "1]}",
		"RSA 64 kbit":      fmt.Sprintf(`{"keys":[{"kty":"RSA","n":%q,"e":"AQAB"}]}`, rsa64k),
		"nested":           `{"keys":[` + nested,
		"nested elsewhere": `{"x":` + nested,
		"5 MB":             `{"keys":[` + strings.Repeat(" ", 5<<20) + "]}",
	}
	for name, set := range sets {
		raw := []byte(set)
		cheap(t, name, func() error {
			_, err := parseJWKS(raw)
			return err
		})
	}
}

// cheap runs refuse a few times and judges the best run: the machine may be
// busy, the limit is about the work.
func cheap(t *testing.T, name string, refuse func() error) {
	t.Helper()
	best, bestBytes := time.Hour, uint64(1<<62)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		err := refuse()
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: accepted", name)
			return
		}
		best, bestBytes = min(best, took), min(bestBytes, after.TotalAlloc-before.TotalAlloc)
	}
	if best > 5*time.Millisecond*slowdown || bestBytes > 1<<20 {
		t.Errorf("%s: refused after %v and %d bytes, want under 5 ms and 1 MiB", name, best, bestBytes)
	}
}

// 100 KB of claims are legitimate at Auth0 and must work.
func TestLargeIDTokenWorks(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.claims = func(c object) { c["https://example.com/groups"] = strings.Repeat("g", 120<<10) }
	s.mustSignIn(t)
}
