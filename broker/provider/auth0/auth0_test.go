package auth0

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

const redirectURI = "https://auth.example.com/oauth2/callback/acme"

func smallest() Config {
	return Config{Domain: "acme.eu.auth0.com", ClientID: "id", ClientSecret: "not-a-secret"}
}

// M27, M2: three words, each of which is missed by name.
func TestM27_Validate(t *testing.T) {
	cases := []struct {
		name string
		edit func(*Config)
		want string // "" = valid
	}{
		{"the smallest", func(*Config) {}, ""},
		{"no domain", func(c *Config) { c.Domain = "" }, "domain is missing"},
		{"no client id", func(c *Config) { c.ClientID = "" }, "client_id is missing"},
		{"no secret", func(c *Config) { c.ClientSecret = "" }, "client_secret is missing"},
		{"third-party application", func(c *Config) { c.ClientID = "tpc_abc" }, "Regular Web Application"},
		{"domain with scheme", func(c *Config) { c.Domain = "https://acme.eu.auth0.com" }, "write domain acme.eu.auth0.com"},
		{"scopes without openid", func(c *Config) { c.Scopes = []string{"email"} }, "write scopes openid email"},
		{"connection as parameter", func(c *Config) { c.AuthorizeParams = url.Values{"connection": {"x"}} }, "use the word connection"},
		{"screen_hint as parameter", func(c *Config) { c.AuthorizeParams = url.Values{"screen_hint": {"signup"}} }, "use the word screen_hint"},
		{"locked parameter", func(c *Config) { c.AuthorizeParams = url.Values{"state": {"x"}} }, "authorize_param state"},
		{"organizations by name", func(c *Config) { c.Organizations = []string{"org_1", "acme"} }, `organizations: "acme" is no id`},
		{"own parameters", func(c *Config) { c.AuthorizeParams = url.Values{"ext-x": {"1"}, "connection_scope": {"a,b"}} }, ""},
		{"userinfo", func(c *Config) { c.Userinfo = oidc.UserinfoOptional }, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := smallest()
			c.edit(&cfg)
			err := cfg.Validate()
			_, newErr := New(cfg, oidc.Deps{Outbound: outbound.New(outbound.Config{})})
			if (err == nil) != (c.want == "") || (newErr == nil) != (c.want == "") {
				t.Fatalf("Validate: %v, New: %v; want %q", err, newErr, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to contain %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "not-a-secret") {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
	err := Config{}.Validate()
	for _, word := range []string{"domain", "client_id", "client_secret"} {
		if !strings.Contains(err.Error(), word+" is missing") {
			t.Errorf("an empty configuration does not miss %s: %v", word, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	cases := []struct {
		name string
		edit func(*Config)
		want string // "" = none
	}{
		{"none", func(*Config) {}, ""},
		{"organization by id", func(c *Config) { c.Organization = "org_123" }, ""},
		{"organization by name", func(c *Config) { c.Organization = "acme" }, "write the id, which begins with org_"},
		{"connection by name", func(c *Config) { c.Connection = "Users" }, ""},
		{"connection by id", func(c *Config) { c.Connection = "con_123" }, "write the connection's name"},
		{"plain http", func(c *Config) { c.Domain, c.AllowHTTP = "localhost:9000", true }, "is plain http"},
		{"unusable", func(c *Config) { c.Domain, c.Organization = "", "acme" }, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := smallest()
			c.edit(&cfg)
			got := strings.Join(cfg.Warnings(), "\n")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A tenant is the least of Auth0 that a sign-in needs.
type tenant struct {
	*httptest.Server
	key     *rsa.PrivateKey
	request url.Values // the authorization request to answer
	form    url.Values // the last token request
	claims  func(map[string]any)
	now     time.Time
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tn := &tenant{key: key, now: time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)}
	tn.Server = httptest.NewServer(tn)
	t.Cleanup(tn.Close)
	return tn
}

func (tn *tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	var doc any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		doc = map[string]any{
			"issuer": tn.URL + "/", "authorization_endpoint": tn.URL + "/authorize", "token_endpoint": tn.URL + "/oauth/token",
			"jwks_uri": tn.URL + "/.well-known/jwks.json", "userinfo_endpoint": tn.URL + "/userinfo",
		}
	case "/.well-known/jwks.json":
		doc = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: tn.key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}}
	case "/oauth/token":
		r.ParseForm()
		tn.form = r.PostForm
		doc = map[string]any{"access_token": "opaque", "token_type": "Bearer", "expires_in": 86400, "id_token": tn.idToken()}
	default:
		http.NotFound(w, r)
		return
	}
	if err := json.NewEncoder(w).Encode(doc); err != nil {
		panic(err)
	}
}

func (tn *tenant) idToken() string {
	set := map[string]any{
		"iss": tn.URL + "/", "sub": "auth0|1", "aud": "id", "nonce": tn.request.Get("nonce"),
		"iat": tn.now.Unix(), "exp": tn.now.Add(10 * time.Hour).Unix(),
		"email": "ada@example.com", "updated_at": "2026-10-31T08:00:00.000Z", "sid": "s",
	}
	if tn.request.Get("max_age") != "" {
		set["auth_time"] = tn.now.Add(-time.Hour).Unix()
	}
	if tn.claims != nil {
		tn.claims(set)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: tn.key, KeyID: "k"}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		panic(err)
	}
	payload, _ := json.Marshal(set)
	jws, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

// connect returns a connection to tn with the three required words, as far
// as edit leaves them.
func (tn *tenant) connect(t *testing.T, edit func(*Config)) *oidc.Provider {
	t.Helper()
	cfg := smallest()
	cfg.Domain, cfg.AllowHTTP = strings.TrimPrefix(tn.URL, "http://"), true
	if edit != nil {
		edit(&cfg)
	}
	p, err := New(cfg, oidc.Deps{
		Outbound: outbound.New(outbound.Config{AllowHTTP: true}),
		Now:      func() time.Time { return tn.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (tn *tenant) signIn(t *testing.T, p *oidc.Provider, prompt ...string) (*provider.Identity, error) {
	t.Helper()
	req := provider.Request{RedirectURI: redirectURI, State: "s", Prompt: prompt, Started: tn.now}
	target, private, err := p.Begin(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	tn.request = u.Query()
	return p.Complete(t.Context(), private, req, httptest.NewRequest(http.MethodGet, redirectURI+"?code=c&state=s", nil))
}

// M2: domain, id and secret suffice; issuer with slash, secret in the form,
// and a max_age that makes Auth0 tell auth_time.
func TestM2_DomainIDAndSecretSuffice(t *testing.T) {
	tn := newTenant(t)
	id, err := tn.signIn(t, tn.connect(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if id.Issuer != tn.URL+"/" || id.Subject != "auth0|1" || id.SessionID != "s" || !id.AuthTime.Equal(tn.now.Add(-time.Hour)) {
		t.Errorf("identity %+v", id)
	}
	if id.Documents[claims.IDToken]["email"] != "ada@example.com" {
		t.Errorf("documents %v", id.Documents)
	}
	got := tn.request
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if got.Get(name) == "" {
			t.Errorf("no %s", name)
		}
		got.Del(name)
	}
	want := url.Values{
		"response_type": {"code"}, "client_id": {"id"}, "redirect_uri": {redirectURI}, "scope": {"openid profile email"},
		"code_challenge_method": {"S256"}, "max_age": {"31536000"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if tn.form.Get("client_id") != "id" || tn.form.Get("client_secret") != "not-a-secret" {
		t.Errorf("token form %v", tn.form)
	}
}

func TestSettingsGoUpstream(t *testing.T) {
	tn := newTenant(t)
	tn.claims = func(set map[string]any) { set["org_id"] = "org_1" }
	p := tn.connect(t, func(c *Config) {
		c.Scopes, c.Audience, c.Organization = []string{"openid", "read:x"}, "https://api.example.com", "org_1"
		c.Connection, c.ScreenHint = "Users", "signup"
		c.AuthorizeParams = url.Values{"ext-theme": {"dark"}}
	})
	if _, err := tn.signIn(t, p); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"scope": "openid read:x", "audience": "https://api.example.com", "organization": "org_1",
		"connection": "Users", "screen_hint": "signup", "ext-theme": "dark",
	} {
		if got := tn.request.Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
}

// The person at a signed-in browser strikes prompt=login and max_age from
// the address; Auth0 then answers from its session of an hour ago.
func TestStruckOutReauthenticationIsRefused(t *testing.T) {
	tn := newTenant(t)
	_, err := tn.signIn(t, tn.connect(t, nil), "login")
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Reason != provider.ReasonReauthentication {
		t.Errorf("got %v, want %s", err, provider.ReasonReauthentication)
	}
	if tn.request.Get("prompt") != "login" || tn.request.Get("max_age") != "0" {
		t.Errorf("request %v", tn.request)
	}
}

// Hints name the switch in Auth0's dashboard.
func TestHints(t *testing.T) {
	tn := newTenant(t)
	tn.claims = func(set map[string]any) { set["iss"] = strings.TrimSuffix(tn.URL, "/") }
	if _, err := tn.signIn(t, tn.connect(t, nil)); err == nil {
		t.Error("issuer without the slash: accepted")
	}
	generic, err := smallest().generic()
	if err != nil {
		t.Fatal(err)
	}
	for _, hint := range []string{
		generic.Hints.NoIDToken, generic.Hints.SymmetricAlgorithm, generic.Hints.OpaqueAccessToken,
		generic.Hints.GrantNotAllowed, generic.Hints.WrongSecret, generic.Hints.WrongKey,
	} {
		if !strings.Contains(hint, "Auth0") {
			t.Errorf("hint %q", hint)
		}
	}
	if diff := cmp.Diff([]string{"RS256", "PS256"}, generic.Algorithms); diff != "" {
		t.Errorf("algorithms: %s", diff)
	}
}
