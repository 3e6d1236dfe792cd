package oidc

import (
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// Every claim the ID token must carry, wrong and missing. Bare go-oidc
// accepts about half of these.
func TestM3_S30_IDTokenClaims(t *testing.T) {
	ok := provider.Reason("")
	set := func(name string, value any) func(object) { return func(c object) { c[name] = value } }
	drop := func(name string) func(object) { return func(c object) { delete(c, name) } }
	both := func(edits ...func(object)) func(object) {
		return func(c object) {
			for _, edit := range edits {
				edit(c)
			}
		}
	}
	cases := []struct {
		name string
		edit func(object)
		want provider.Reason
	}{
		{"nothing wrong", func(object) {}, ok},

		{"iss of another provider", set("iss", "https://evil.example/"), provider.ReasonIDTokenInvalid},
		{"iss without the slash", func(c object) { c["iss"] = strings.TrimSuffix(c["iss"].(string), "/") }, provider.ReasonIDTokenInvalid},
		{"iss in other case", func(c object) { c["iss"] = strings.ToUpper(c["iss"].(string)) }, provider.ReasonIDTokenInvalid},
		{"iss missing", drop("iss"), provider.ReasonIDTokenInvalid},
		{"iss under another name", func(c object) { c["ISS"] = c["iss"]; delete(c, "iss") }, provider.ReasonIDTokenInvalid},
		{"iss an array", func(c object) { c["iss"] = []any{c["iss"]} }, provider.ReasonIDTokenInvalid},

		{"aud of another client", set("aud", "other"), provider.ReasonIDTokenInvalid},
		{"aud missing", drop("aud"), provider.ReasonIDTokenInvalid},
		{"aud empty", set("aud", []any{}), provider.ReasonIDTokenInvalid},
		{"aud an array of one", set("aud", []any{testClient}), ok},
		{"aud with an element that is no string", set("aud", []any{testClient, 7}), provider.ReasonIDTokenInvalid},
		{"several aud without azp", set("aud", []any{testClient, "other"}), provider.ReasonIDTokenInvalid},
		{"several aud with azp", both(set("aud", []any{"other", testClient}), set("azp", testClient)), ok},
		{"several aud with foreign azp", both(set("aud", []any{testClient, "other"}), set("azp", "other")), provider.ReasonIDTokenInvalid},
		{"one aud with foreign azp", set("azp", "other"), provider.ReasonIDTokenInvalid},
		{"azp of another type", set("azp", 5), provider.ReasonIDTokenInvalid},

		{"sub missing", drop("sub"), provider.ReasonIDTokenInvalid},
		{"sub empty", set("sub", ""), provider.ReasonIDTokenInvalid},
		{"sub a number", set("sub", 5), provider.ReasonIDTokenInvalid},
		{"sub under another name", func(c object) { c["SUB"] = c["sub"]; delete(c, "sub") }, provider.ReasonIDTokenInvalid},
		{"sub of 255 bytes", set("sub", strings.Repeat("x", 255)), ok},
		{"sub of 256 bytes", set("sub", strings.Repeat("x", 256)), provider.ReasonIDTokenInvalid},
		{"sub as SAML gives it", set("sub", "samlp|acme|ada=x, o/é"), ok},

		{"nonce wrong", set("nonce", "other"), provider.ReasonIDTokenInvalid},
		{"nonce missing", drop("nonce"), provider.ReasonIDTokenInvalid},
		{"nonce empty", set("nonce", ""), provider.ReasonIDTokenInvalid},
		{"nonce an array", func(c object) { c["nonce"] = []any{c["nonce"]} }, provider.ReasonIDTokenInvalid},

		{"exp missing", drop("exp"), provider.ReasonIDTokenInvalid},
		{"exp a string", set("exp", "tomorrow"), provider.ReasonIDTokenInvalid},
		{"exp a numeric string", set("exp", "99999999999"), provider.ReasonIDTokenInvalid},
		{"exp zero", set("exp", 0), provider.ReasonIDTokenInvalid},
		{"exp beyond any calendar", set("exp", json.Number("1e300")), provider.ReasonIDTokenInvalid},
		{"exp with a fraction", func(c object) { c["exp"] = float64(c["exp"].(int64)) + 0.5 }, ok},
		{"iat missing", drop("iat"), provider.ReasonIDTokenInvalid},
		{"iat a string", set("iat", "now"), provider.ReasonIDTokenInvalid},
		{"nbf a string", set("nbf", "now"), provider.ReasonIDTokenInvalid},

		{"at_hash wrong", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), provider.ReasonIDTokenInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.issuer.claims = c.edit
			if c.want == ok {
				s.mustSignIn(t)
				return
			}
			e := s.refused(t, c.want)
			if e.Code != codeUnavailable || e.Err == nil {
				t.Errorf("got %+v, want temporarily_unavailable with a cause", e)
			}
		})
	}
}

// The tolerances, to the second, in both directions.
func TestS30_Times(t *testing.T) {
	now := newClock().now()
	at := func(name string, d time.Duration) func(object) {
		return func(c object) { c[name] = now.Add(d).Unix() }
	}
	cases := []struct {
		name string
		edit func(object)
		ok   bool
	}{
		{"expired 59 s ago", at("exp", -59*time.Second), true},
		{"expired 60 s ago", at("exp", -60*time.Second), false},
		{"expired long ago", at("exp", -year), false},
		{"nbf 60 s ahead", at("nbf", 60*time.Second), true},
		{"nbf 61 s ahead", at("nbf", 61*time.Second), false},
		{"nbf 4 min ahead, which go-oidc lets pass", at("nbf", 4*time.Minute), false},
		{"iat 5 min ahead", at("iat", 5*time.Minute), true},
		{"iat 5 min 1 s ahead", at("iat", 5*time.Minute+time.Second), false},
		{"iat 2 h ahead, which go-oidc lets pass", at("iat", 2*time.Hour), false},
		{"iat a day ago", at("iat", -day), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.issuer.claims = c.edit
			if c.ok {
				s.mustSignIn(t)
				return
			}
			e := s.refused(t, provider.ReasonClock)
			wantText(t, e.Hint, "agrees")
		})
	}
}

// Clocks that disagree: small offsets work, large ones fail with the offset
// in the hint, because that is the one thing the operator cannot see.
func TestS30_ClockOffsets(t *testing.T) {
	cases := []struct {
		offset time.Duration // the provider's clock against ours
		hint   string        // "" = works
	}{
		{45 * time.Second, ""},
		{-45 * time.Second, ""},
		{4 * time.Minute, ""},
		{7*time.Minute + 12*time.Second, "this host's clock is 7m12s behind the provider's"},
		{-11 * time.Hour, "this host's clock is 11h0m0s ahead of the provider's"},
	}
	for _, c := range cases {
		s := newSetup(t, nil)
		s.issuer.clock.add(c.offset)
		if c.hint == "" {
			s.mustSignIn(t)
			continue
		}
		e := s.refused(t, provider.ReasonClock)
		wantText(t, e.Hint, c.hint)
	}

	t.Run("no Date header", func(t *testing.T) {
		s := newSetup(t, nil)
		e := s.clockFailure(expectation{}, "iat is %s ahead", time.Hour)
		wantText(t, e.Error(), "clock_skew", "compare", "1h0m0s")
	})
}

// The token chooses nothing about how it is verified.
func TestM3_S31_IDTokenHeaders(t *testing.T) {
	publicPEM := func() []byte {
		der, err := x509.MarshalPKIXPublicKey(rsaKey().private.Public())
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	resign := func(head object) func(object) string {
		return func(c object) string { return rsaKey().jwt(head, c) }
	}
	foreign := otherRSA().jwk()
	cases := []struct {
		name  string
		token func(object) string
		ok    bool
		text  string
	}{
		{"RS256", resign(nil), true, ""},
		{"PS256", resign(object{"alg": "PS256"}), false, "no key"}, // the key's own alg is RS256
		{"typ absent", resign(object{"typ": nil}), true, ""},
		{"typ jwt", resign(object{"typ": "jwt"}), true, ""},
		{"typ of an access token", resign(object{"typ": "at+jwt"}), false, "another kind"},
		{"typ of a logout token", resign(object{"typ": "application/logout+jwt"}), false, "another kind"},
		{"typ no string", resign(object{"typ": 5}), false, "typ is not a string"},
		{"harmless extra members", resign(object{"x5t": "AAAA", "cty": "JWT"}), true, ""},

		{"header of 7 KB", resign(object{"x": strings.Repeat("x", 7<<10)}), true, ""},
		{"header of 9 KB", resign(object{"x": strings.Repeat("x", 9<<10)}), false, "header larger"},

		{"alg none", func(c object) string { return encode(object{"alg": "none"}) + "." + encode(c) + "." }, false, "alg"},
		{"alg None", func(c object) string { return encode(object{"alg": "None"}) + "." + encode(c) + "." }, false, "alg"},
		{"alg missing", resign(object{"alg": nil}), false, "alg"},
		{"alg a number", resign(object{"alg": 5}), false, "alg is not a string"},
		{"alg RS384, not allowed", resign(object{"alg": "RS384"}), false, "alg"},
		{"HS256 with the client secret", func(c object) string { return hmacJWT([]byte(testSecret), nil, c) }, false, "shared secret"},
		{"HS256 with the public key", func(c object) string { return hmacJWT(publicPEM(), object{"kid": "rsa-1"}, c) }, false, "shared secret"},
		{"HS256 with the modulus", func(c object) string {
			return hmacJWT(rsaKey().private.Public().(*rsa.PublicKey).N.Bytes(), object{"kid": "rsa-1"}, c)
		}, false, "shared secret"},

		{"embedded jwk", func(c object) string { return otherRSA().jwt(object{"jwk": foreign}, c) }, false, "jwk"},
		{"own jwk", resign(object{"jwk": rsaKey().jwk()}), false, "jwk"},
		{"jku", resign(object{"jku": "https://evil.example/keys"}), false, "jku"},
		{"x5u", resign(object{"x5u": "https://evil.example/cert"}), false, "x5u"},
		{"crit unknown", resign(object{"crit": []string{"exp"}, "exp": 1}), false, "crit"},
		{"crit b64", resign(object{"crit": []string{"b64"}, "b64": true}), false, "crit"},
		{"b64 false", resign(object{"b64": false}), false, "b64"},
		{"zip", resign(object{"zip": "DEF"}), false, "zip"},
		{"enc", resign(object{"enc": "A256GCM"}), false, "encrypted"},

		{"signed by another key under this kid", func(c object) string { return otherRSA().named("rsa-1").jwt(nil, c) }, false, "signature"},
		{"unknown kid", func(c object) string { return otherRSA().jwt(nil, c) }, false, "no key"},
		{"signature of other claims", func(c object) string {
			parts := strings.Split(rsaKey().jwt(nil, c), ".")
			c["sub"] = "auth0|victim"
			return parts[0] + "." + encode(c) + "." + parts[2]
		}, false, "signature"},
		{"signature cut", func(c object) string { return strings.TrimSuffix(rsaKey().jwt(nil, c), "A")[:300] }, false, ""},
		{"signature empty", func(c object) string {
			token := rsaKey().jwt(nil, c)
			return token[:strings.LastIndexByte(token, '.')+1]
		}, false, ""},
		{"ES256 with a curve of another size", func(c object) string {
			key := newEC("rsa-1", elliptic.P384())
			return key.jwt(nil, c)
		}, false, "no key"},

		{"two JWTs", func(c object) string { return rsaKey().jwt(nil, c) + "." + rsaKey().jwt(nil, c) }, false, "not a JWT"},
		{"JWS with JSON serialization", func(c object) string {
			parts := strings.Split(rsaKey().jwt(nil, c), ".")
			raw, _ := json.Marshal(object{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
			return string(raw)
		}, false, "not a JWT"},
		{"JWE in Auth0's form", func(object) string {
			return encode(object{"alg": "dir", "enc": "A256GCM"}) + "..AAAA.AAAA.AAAA"
		}, false, "encrypted"},
		{"white space around", func(c object) string { return " " + rsaKey().jwt(nil, c) + "\n" }, false, ""},
		{"garbage", func(object) string { return "garbage" }, false, "not a JWT"},
		{"two dots", func(object) string { return ".." }, false, ""},
		{"payload an array", func(object) string { return rsaKey().jwt(nil, []any{1}) }, false, "not a JSON object"},
		{"payload null", func(object) string { return rsaKey().jwt(nil, nil) }, false, "not a JSON object"},
		{"payload and more", func(c object) string {
			raw, _ := json.Marshal(c)
			input := encode(object{"alg": "RS256", "kid": "rsa-1"}) + "." +
				base64.RawURLEncoding.EncodeToString(append(raw, "{}"...))
			return input + "." + base64.RawURLEncoding.EncodeToString(rsaKey().sign("RS256", input))
		}, false, "after"},
		{"header and more", func(c object) string {
			input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"rsa-1"} {}`)) + "." + encode(c)
			return input + "." + base64.RawURLEncoding.EncodeToString(rsaKey().sign("RS256", input))
		}, false, "JSON object"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.issuer.idToken = c.token
			if c.ok {
				s.mustSignIn(t)
				return
			}
			e := s.refused(t, provider.ReasonIDTokenInvalid)
			wantText(t, e.Err.Error(), c.text)
		})
	}
}

// Auth0's old applications sign with the client secret; the operator needs
// to know where to change it.
func TestHintsOfTheKind(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.Hints.SymmetricAlgorithm = "use the switch" })
	s.issuer.idToken = func(c object) string { return hmacJWT([]byte(testSecret), nil, c) }
	if e := s.refused(t, provider.ReasonIDTokenInvalid); e.Hint != "use the switch" {
		t.Errorf("hint %q", e.Hint)
	}
}

func TestAlgorithmsOfTheConnection(t *testing.T) {
	keys := map[string]func() testKey{"RS256": rsaKey, "ES256": ecKey, "EdDSA": edKey}
	for alg, key := range keys {
		t.Run(alg, func(t *testing.T) {
			for _, allowed := range []bool{true, false} {
				s := newSetup(t, func(c *Config) {
					if c.Algorithms = []string{alg}; !allowed {
						c.Algorithms = []string{"PS256"}
					}
				})
				s.issuer.signer, s.issuer.published = key(), []testKey{key()}
				if allowed {
					s.mustSignIn(t)
				} else {
					s.refused(t, provider.ReasonIDTokenInvalid)
				}
			}
		})
	}
	t.Run("PS256 with a key that names no algorithm", func(t *testing.T) {
		s := newSetup(t, nil)
		key := rsaKey()
		key.alg = ""
		s.issuer.published, s.issuer.header = []testKey{key}, object{"alg": "PS256"}
		s.mustSignIn(t)
	})
}

func TestM3_AccessTokenHash(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.claims = func(c object) { c["at_hash"] = leftHalf(s.issuer.access) }
	s.mustSignIn(t)
	s.issuer.claims = func(c object) { c["at_hash"] = leftHalf("another token") }
	wantText(t, s.refused(t, provider.ReasonIDTokenInvalid).Err.Error(), "at_hash")
}

// max_age and prompt=login are words in a URL that the person at the
// browser can strike out. Only auth_time tells.
func TestS30_AuthTime(t *testing.T) {
	seconds := func(n int) *time.Duration { d := time.Duration(n) * time.Second; return &d }
	cases := []struct {
		name     string
		auth0    bool // DefaultMaxAge is set
		prompt   []string
		maxAge   *time.Duration
		authTime any // seconds before the request; nil = absent
		want     provider.Reason
		code     string
	}{
		{"nothing demanded, nothing sent", false, nil, nil, nil, "", ""},
		{"nothing demanded, old", false, nil, nil, 100000, "", ""},
		{"default, absent", true, nil, nil, nil, "", ""},
		{"default, a year old", true, nil, nil, 31536000 + 500, "", ""},
		{"max_age met", true, nil, seconds(300), 200, "", ""},
		{"max_age met within the tolerance", true, nil, seconds(300), 360, "", ""},
		{"max_age not met", true, nil, seconds(300), 361, provider.ReasonReauthentication, codeAccessDenied},
		{"max_age not met, generic", false, nil, seconds(300), 361, provider.ReasonReauthentication, codeAccessDenied},
		{"max_age sent, auth_time absent", false, nil, seconds(300), nil, provider.ReasonReauthentication, codeAccessDenied},
		{"max_age sent, auth_time a string", false, nil, seconds(300), "then", provider.ReasonReauthentication, codeAccessDenied},
		{"max_age=0", false, nil, seconds(0), 61, provider.ReasonReauthentication, codeAccessDenied},
		{"max_age above the default is held to", true, nil, seconds(40000000), 40000100, provider.ReasonReauthentication, codeAccessDenied},
		{"silent, not met", true, []string{"none"}, seconds(300), 361, provider.ReasonReauthentication, codeLoginRequired},
		{"login struck out", true, []string{"login"}, nil, 61, provider.ReasonReauthentication, codeAccessDenied},
		{"login struck out beside max_age", true, []string{"login"}, seconds(300), 61, provider.ReasonReauthentication, codeAccessDenied},
		{"login done", true, []string{"login"}, nil, 0, "", ""},
		{"login at a provider without auth_time", false, []string{"login"}, nil, nil, "", ""},
		{"auth_time ahead of us", true, nil, seconds(300), -481, provider.ReasonClock, codeUnavailable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, func(cfg *Config) {
				if c.auth0 {
					cfg.DefaultMaxAge = year
				}
			})
			started := s.clock.now()
			s.issuer.claims = func(set object) {
				switch v := c.authTime.(type) {
				case nil:
					delete(set, "auth_time")
				case int:
					set["auth_time"] = started.Unix() - int64(v)
				default:
					set["auth_time"] = v
				}
			}
			req := s.request(c.prompt...)
			req.MaxAge = c.maxAge
			request, private := s.begin(t, req)
			code := s.issuer.code(request)
			s.pass(3 * time.Minute) // the user takes his time
			id, err := s.Complete(t.Context(), private, req, callback("code", code))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if e := wantReason(t, id, err, c.want); e.Code != c.code {
				t.Errorf("code %q, want %q", e.Code, c.code)
			}
		})
	}
}
