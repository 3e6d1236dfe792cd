package demo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// A fakeBroker answers as one would that does not do what it should: tests
// change the ID token, the access token beside it, and userinfo.
type fakeBroker struct {
	key    *ecdsa.PrivateKey
	claims map[string]any
	access string
	info   string
	verify string // the code_verifier that came
}

const fakeIssuer = "https://auth.example.com"

func (f *fakeBroker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	var body any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		body = map[string]any{
			"issuer": fakeIssuer, "authorization_endpoint": fakeIssuer + "/authorize", "token_endpoint": fakeIssuer + "/token",
			"userinfo_endpoint": fakeIssuer + "/userinfo", "jwks_uri": fakeIssuer + "/jwks", "id_token_signing_alg_values_supported": []string{"ES256"},
		}
	case "/jwks":
		public := jose.JSONWebKey{Key: &f.key.PublicKey, Algorithm: "ES256", Use: "sig", KeyID: "k"}
		body = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}
	case "/token":
		f.verify = r.FormValue("code_verifier")
		body = map[string]any{"access_token": f.access, "token_type": "Bearer", "expires_in": 600, "scope": "openid email", "id_token": f.sign()}
	case "/userinfo":
		body = json.RawMessage(f.info)
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (f *fakeBroker) sign() string {
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: f.key, KeyID: "k"}}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(f.claims)
	if err != nil {
		panic(err)
	}
	jws, err := signer.Sign(raw)
	if err != nil {
		panic(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

func TestM3_DemoVerifiesWhatItGets(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	issuer, err := url.Parse(fakeIssuer)
	if err != nil {
		t.Fatal(err)
	}
	const access = "access-token"
	half := sha256.Sum256([]byte(access))
	for name, tt := range map[string]struct {
		change  func(*fakeBroker)
		refused string
	}{
		"what is right":              {func(*fakeBroker) {}, ""},
		"another nonce":              {func(f *fakeBroker) { f.claims["nonce"] = "another" }, "nonce"},
		"no nonce":                   {func(f *fakeBroker) { delete(f.claims, "nonce") }, "nonce"},
		"another client's":           {func(f *fakeBroker) { f.claims["aud"] = "notes" }, "audience"},
		"another issuer's":           {func(f *fakeBroker) { f.claims["iss"] = "https://evil.example" }, "issued by a different provider"},
		"an old one":                 {func(f *fakeBroker) { f.claims["exp"] = now.Add(-time.Hour).Unix() }, "expired"},
		"another access token":       {func(f *fakeBroker) { f.access = "another-token" }, "access token"},
		"an ID token without hash":   {func(f *fakeBroker) { delete(f.claims, "at_hash") }, "access token"},
		"userinfo that is no object": {func(f *fakeBroker) { f.info = `[]` }, "userinfo"},
		"another person's userinfo":  {func(f *fakeBroker) { f.info = `{"sub":"u2"}` }, "userinfo"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			f := &fakeBroker{key: key, access: access, info: `{"sub":"u1","email":"ada@example.com"}`, claims: map[string]any{
				"iss": fakeIssuer, "aud": ClientID, "sub": "u1", "sid": "s1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
				"nonce": derive("binding", "nonce", "state"), "at_hash": base64.RawURLEncoding.EncodeToString(half[:16]),
			}}
			tt.change(f)
			a := &App{
				Issuer: issuer, Broker: f, Now: func() time.Time { return now },
				Origins: func(context.Context, string) (authn.Origins, error) { return nil, nil },
			}
			v, err := a.redeem(t.Context(), url.Values{"code": {"c"}, "state": {"state"}}, &login{Scopes: []string{"openid", "email", "profile"}}, "binding")
			if f.verify != derive("binding", "verifier", "state") {
				t.Errorf("code_verifier %q", f.verify)
			}
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("got %v, want an error about %s", err, tt.refused)
				}
				if err != nil && strings.Contains(err.Error(), access) {
					t.Errorf("the error holds the token: %v", err)
				}
				return
			}
			if err != nil || v.SID != "s1" || strings.Join(v.Granted, " ") != "openid email" || len(v.Asked) != 3 || !v.AccessExpires.Equal(now.Add(10*time.Minute)) || v.person() != "ada@example.com" {
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
}
