package oidc

import (
	"crypto"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// keyed makes a connection prove itself with k.
func keyed(t *testing.T, k testKey) func(*Config) {
	key := signingKey(t, k)
	return func(c *Config) { c.AuthMethod, c.ClientSecret, c.SigningKey = AuthPrivateKeyJWT, "", key }
}

// opened verifies an assertion and returns its header and claims.
func opened(t *testing.T, raw string, public crypto.PublicKey) (head, set object) {
	t.Helper()
	all := []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.ES384, jose.EdDSA}
	jws, err := jose.ParseSignedCompact(raw, all)
	if err != nil {
		t.Fatalf("assertion: %v", err)
	}
	payload, err := jws.Verify(public)
	if err != nil {
		t.Fatalf("assertion: %v", err)
	}
	if err := json.Unmarshal(payload, &set); err != nil {
		t.Fatal(err)
	}
	protected := jws.Signatures[0].Protected
	head = object{"alg": protected.Algorithm, "kid": protected.KeyID, "typ": protected.ExtraHeaders["typ"]}
	return head, set
}

// S72, M11 and R44: the assertion is by this client, about it, for this
// issuer alone, good for a minute and for one call.
func TestS72_M11_ClientAssertion(t *testing.T) {
	keys := map[string]testKey{
		"RS256": rsaKey(), "ES256": ecKey(), "EdDSA": edKey(),
		"ES384": {"", "ES384", newEC("", elliptic.P384()).private},
	}
	for alg, key := range keys {
		t.Run(alg, func(t *testing.T) {
			s := newSetup(t, keyed(t, key))
			s.mustSignIn(t)
			head, set := opened(t, s.issuer.form.Get("client_assertion"), key.private.Public())
			if diff := cmp.Diff(object{"alg": alg, "kid": s.config.SigningKey.ID(), "typ": "JWT"}, head); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			id, _ := set["jti"].(string)
			if len(id) != 22 {
				t.Errorf("jti %q, want 128 random bits", id)
			}
			now := float64(s.clock.now().Unix())
			want := object{
				"iss": testClient, "sub": testClient, "aud": s.issuer.id, "jti": id, "iat": now, "exp": now + 60,
			}
			if diff := cmp.Diff(want, set); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			form := s.issuer.form
			if got := form.Get("client_assertion_type"); got != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
				t.Errorf("client_assertion_type %q", got)
			}
			// Two methods in one request are an error (RFC 6749, 2.3).
			if form.Has("client_secret") || s.issuer.head.Get("Authorization") != "" || form.Get("client_id") != testClient {
				t.Errorf("form %v, Authorization %q", form, s.issuer.head.Get("Authorization"))
			}
			if len(form.Get("client_assertion")) > 2048 {
				t.Error("Auth0 takes at most 2048 bytes")
			}
			s.mustSignIn(t)
			if _, again := opened(t, s.issuer.form.Get("client_assertion"), key.private.Public()); again["jti"] == id {
				t.Error("two assertions have one jti")
			}
		})
	}
	t.Run("without kid", func(t *testing.T) {
		s := newSetup(t, func(c *Config) { keyed(t, rsaKey())(c); c.OmitKeyID = true })
		s.mustSignIn(t)
		if head, _ := opened(t, s.issuer.form.Get("client_assertion"), rsaKey().private.Public()); head["kid"] != "" {
			t.Errorf("kid %q", head["kid"])
		}
	})
}

// One key signs for everybody at once.
func TestAssertionsInParallel(t *testing.T) {
	s := newSetup(t, keyed(t, ecKey()))
	assertions := make([]string, 16)
	var wg sync.WaitGroup
	for n := range assertions {
		wg.Go(func() {
			var err error
			if assertions[n], err = s.clientAssertion(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[any]bool{}
	for _, raw := range assertions {
		_, set := opened(t, raw, ecKey().private.Public())
		seen[set["jti"]] = true
	}
	if len(seen) != len(assertions) {
		t.Errorf("%d ids for %d assertions", len(seen), len(assertions))
	}
}

// The refusal of a client looks alike whatever is wrong with it. The log
// tells the two likely causes apart: the key, or a clock.
func TestWrongSigningKeyHints(t *testing.T) {
	cases := []struct {
		name  string
		drift time.Duration
		want  string
	}{
		{"the clocks agree", 0, "use the dashboard; it is the ES256 key "},
		{"they nearly do", 9 * time.Second, "use the dashboard"},
		{"ours is ahead", 10 * time.Second, "this host's clock is 10s ahead"},
		{"ours is behind", -90 * time.Second, "this host's clock is 1m30s behind"},
	}
	for _, c := range cases {
		for status, body := range map[int]string{
			http.StatusUnauthorized: `{"error":"access_denied"}`, http.StatusBadRequest: `{"error":"invalid_client"}`,
		} {
			t.Run(c.name, func(t *testing.T) {
				s := newSetup(t, func(cfg *Config) {
					keyed(t, ecKey())(cfg)
					cfg.Hints.WrongKey = "use the dashboard"
				})
				s.clock.add(c.drift)
				s.issuer.serve(pathToken, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
					io.WriteString(w, body)
				})
				e := s.refused(t, provider.ReasonClientRejected)
				wantText(t, e.Hint, c.want)
				if n := s.issuer.count(pathToken); n != 1 {
					t.Errorf("the code was posted %d times", n)
				}
			})
		}
	}
}

// A provider that says it cannot is believed, before anybody is sent there.
func TestProviderWithoutPrivateKeyJWT(t *testing.T) {
	const methods, algorithms = "token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported"
	cases := []struct {
		name string
		edit object
		want string // "" = goes on
	}{
		{"says nothing", nil, ""},
		{"says both", object{methods: []string{"client_secret_basic", "private_key_jwt"}, algorithms: []string{"RS256", "ES256"}}, ""},
		{"another method", object{methods: []string{"client_secret_basic"}}, `authentication_method private_key_jwt, only ["client_secret_basic"]`},
		{"another algorithm", object{algorithms: []string{"RS256"}}, `a signing key for ES256, only for ["RS256"]`},
		{"no list", object{methods: "private_key_jwt"}, "not the list it should be"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, keyed(t, ecKey()))
			s.issuer.metadata = func(doc object) { maps.Copy(doc, c.edit) }
			_, _, err := s.Begin(t.Context(), s.request())
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := wantReason(t, nil, err, provider.ReasonMisconfigured)
			wantText(t, e.Error(), c.want)
		})
	}
	t.Run("other methods do not ask", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.metadata = func(doc object) { doc[methods] = "private_key_jwt" }
		s.mustSignIn(t)
	})
}

// Without randomness there is no jti, and without a jti no call.
func TestAssertionNeedsRandomness(t *testing.T) {
	s := newSetup(t, keyed(t, ecKey()))
	request, private := s.begin(t, s.request())
	s.rand = iotest.ErrReader(errors.New("no entropy"))
	id, err := s.Complete(t.Context(), private, s.request(), callback("code", s.issuer.code(request)))
	wantReason(t, id, err, provider.ReasonMisconfigured)
	if n := s.issuer.count(pathToken); n != 0 {
		t.Errorf("%d calls of the token endpoint, want none", n)
	}
}
