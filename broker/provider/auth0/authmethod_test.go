package auth0_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// newKey is a private key as an operator makes it.
func newKey(t *testing.T, private crypto.Signer) *oidc.SigningKey {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := oidc.ParseSigningKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSA(t *testing.T) *oidc.SigningKey {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return newKey(t, private)
}

// credential is a key as it stands in the tenant after somebody has
// uploaded the PEM text: for RS256, under an id of the tenant's making.
func credential(t *testing.T, key *oidc.SigningKey) *jose.JSONWebKeySet {
	t.Helper()
	raw, err := key.PublicJWK()
	if err != nil {
		t.Fatal(err)
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(raw, &jwk); err != nil {
		t.Fatal(err)
	}
	jwk.KeyID = "made-up-by-the-tenant"
	return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk}}
}

// S72: the tenant checks issuer, subject, audience, life and jti of the
// assertion by Auth0's rules. A key that it does not have is named in the
// log as the likely fault, and where to mend it.
func TestS72_PrivateKeyJWT(t *testing.T) {
	key := newRSA(t)
	registered := func(_ *brokertest.Options, c *brokertest.Client) {
		c.AuthMethod, c.Secret, c.Keys = oidc.AuthPrivateKeyJWT, "", credential(t, key)
	}
	with := func(key *oidc.SigningKey) func(*auth0.Config) {
		return func(c *auth0.Config) {
			c.AuthMethod, c.ClientSecret, c.SigningKey = oidc.AuthPrivateKeyJWT, "", key
		}
	}
	w := newWorld(t, registered, with(key))
	for range 2 { // each with an assertion of its own
		if id := w.mustSignIn("ada"); id.Subject != "auth0|ada" {
			t.Errorf("subject %q", id.Subject)
		}
	}
	if form := w.tenant.LastToken(); form.Get("client_assertion") == "" || form.Has("client_secret") || form.Has("authorization") {
		t.Errorf("token request %v", form)
	}
	e := newWorld(t, registered, with(newRSA(t))).refused("ada", provider.ReasonClientRejected)
	if !strings.Contains(e.Hint, "Applications > Credentials") || !strings.Contains(e.Hint, "RS256 key ") {
		t.Errorf("hint %q", e.Hint)
	}
	e = newWorld(t, registered, nil).refused("ada", provider.ReasonClientRejected)
	if !strings.Contains(e.Hint, "client_secret") {
		t.Errorf("hint for a secret where a key is due: %q", e.Hint)
	}
	t.Run("a clock that is wrong", func(t *testing.T) {
		w := newWorld(t, registered, with(key))
		w.tenant.SetFaults(brokertest.Faults{ClockOffset: 2 * time.Minute})
		if e := w.refused("ada", provider.ReasonClientRejected); e.Hint != "this host's clock is 2m0s behind the provider's" {
			t.Errorf("hint %q", e.Hint)
		}
	})
}

func TestAuthMethods(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := auth0.Config{Domain: "acme.eu.auth0.com", ClientID: "id"}
	rsaKey, ecKey := newRSA(t), newKey(t, private)
	cases := []struct {
		name, method, secret string
		key                  *oidc.SigningKey
		want                 string // "" = valid
	}{
		{"secret", "", "not-a-secret", nil, ""},
		{"secret by post", "client_secret_post", "not-a-secret", nil, ""},
		{"key", "private_key_jwt", "", rsaKey, ""},
		{"secret by basic", "client_secret_basic", "not-a-secret", nil, "write client_secret_post or private_key_jwt"},
		{"nothing", "none", "", nil, "write client_secret_post or private_key_jwt"},
		{"no key", "private_key_jwt", "", nil, "authentication_method private_key_jwt lacks its key"},
		{"key and secret", "private_key_jwt", "not-a-secret", rsaKey, "client_secret is set, but authentication_method private_key_jwt"},
		{"key without the method", "", "not-a-secret", rsaKey, "write authentication_method private_key_jwt, or remove the key"},
		{"EC key", "private_key_jwt", "", ecKey, "Auth0 takes RSA keys, and this one is for ES256"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			cfg.AuthMethod, cfg.ClientSecret, cfg.SigningKey = c.method, c.secret, c.key
			err := cfg.Validate()
			if (err == nil) != (c.want == "") {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("got %q, want it to contain %q and nothing else", err, c.want)
			}
		})
	}
}
