package oidc

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
)

// Every fault names the setting and what to write instead.
func TestValidate(t *testing.T) {
	good := Config{Issuer: "https://idp.example", ClientID: "id", ClientSecret: "not-a-secret"}
	key := signingKey(t, ecKey())
	cases := []struct {
		name string
		edit func(*Config)
		want string // "" = valid
	}{
		{"good", func(*Config) {}, ""},
		{"issuer with slash", func(c *Config) { c.Issuer = "https://idp.example/" }, ""},
		{"issuer with path", func(c *Config) { c.Issuer = "https://idp.example/realms/acme" }, ""},
		{"issuer on loopback", func(c *Config) { c.Issuer = "http://localhost:9000" }, ""},
		{"no issuer", func(c *Config) { c.Issuer = "" }, "issuer is missing: write issuer https://"},
		{"issuer without scheme", func(c *Config) { c.Issuer = "idp.example" }, `issuer "idp.example" is not a URL`},
		{"issuer opaque", func(c *Config) { c.Issuer = "https:idp.example" }, "is not a URL"},
		{"issuer with control characters", func(c *Config) { c.Issuer = "https://idp.example\n" }, "is not a URL"},
		{"issuer http", func(c *Config) { c.Issuer = "http://idp.example/x" }, "write issuer https://idp.example/x"},
		{"issuer with query", func(c *Config) { c.Issuer = "https://idp.example/?a=b" }, "write issuer https://idp.example/"},
		{"issuer with empty query", func(c *Config) { c.Issuer = "https://idp.example/?" }, "write issuer https://idp.example/"},
		{"issuer with fragment", func(c *Config) { c.Issuer = "https://idp.example/#" }, "write issuer https://idp.example/"},
		{"issuer with user", func(c *Config) { c.Issuer = "https://u:not-a-secret@idp.example/" }, "write issuer https://idp.example/"},
		{"issuer is the document", func(c *Config) {
			c.Issuer = "https://idp.example/x/.well-known/openid-configuration"
		}, "write issuer https://idp.example/x"},
		{"no client id", func(c *Config) { c.ClientID = "" }, "client_id is missing"},
		{"no secret", func(c *Config) { c.ClientSecret = "" }, "client_secret is missing: write client_secret {env."},
		{"public client", func(c *Config) { c.ClientSecret, c.AuthMethod = "", AuthNone }, ""},
		{"public client with a secret", func(c *Config) { c.AuthMethod = AuthNone }, "remove one"},
		{"post", func(c *Config) { c.AuthMethod = AuthPost }, ""},
		{"method unknown", func(c *Config) { c.AuthMethod = "client_secret_jwt" }, "client_secret_basic, client_secret_post, private_key_jwt or none"},
		{"key", func(c *Config) { c.ClientSecret, c.AuthMethod, c.SigningKey = "", AuthPrivateKeyJWT, key }, ""},
		{"key missing", func(c *Config) { c.ClientSecret, c.AuthMethod = "", AuthPrivateKeyJWT }, "private_key_jwt {file."},
		{"key and secret", func(c *Config) { c.AuthMethod, c.SigningKey = AuthPrivateKeyJWT, key }, "client_secret is set, but authentication_method private_key_jwt"},
		{"key with the default method", func(c *Config) { c.SigningKey = key }, "write authentication_method private_key_jwt"},
		{"key of a public client", func(c *Config) { c.ClientSecret, c.AuthMethod, c.SigningKey = "", AuthNone, key }, "remove the key"},
		{"scopes without openid", func(c *Config) { c.Scopes = []string{"email"} }, "write scopes openid email"},
		{"alg none", func(c *Config) { c.Algorithms = []string{"RS256", "none"} }, `"none" is not allowed`},
		{"alg HS256", func(c *Config) { c.Algorithms = []string{"HS256"} }, `"HS256" is not allowed`},
		{"userinfo unknown", func(c *Config) { c.Userinfo = "always" }, "userinfo optional"},
		{"max_age negative", func(c *Config) { c.DefaultMaxAge = -time.Second }, "negative"},
		{"param", func(c *Config) { c.AuthorizeParams = url.Values{"ext-x": {"1"}} }, ""},
		{"param locked", func(c *Config) { c.AuthorizeParams = url.Values{"state": {"x"}} }, "authorize_param state: the broker sets it"},
		{"param with a word", func(c *Config) { c.AuthorizeParams = url.Values{"scope": {"x"}} }, "use the word scopes"},
		{"param twice", func(c *Config) { c.AuthorizeParams = url.Values{"x": {"1", "2"}} }, "exactly one value"},
		{"two faults", func(c *Config) { c.ClientID, c.Issuer = "", "" }, "client_id"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			c.edit(&cfg)
			err := cfg.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && err == nil:
				t.Error("accepted")
			case c.want != "":
				wantText(t, err.Error(), c.want)
				if strings.Contains(err.Error(), "not-a-secret") {
					t.Errorf("the error holds the secret: %v", err)
				}
			}
		})
	}
	cfg := good
	cfg.ClientID, cfg.Issuer = "", ""
	wantText(t, cfg.Validate().Error(), "issuer is missing", "client_id is missing")
}

func TestWarnings(t *testing.T) {
	good := Config{Issuer: "https://idp.example", ClientID: "id", ClientSecret: "not-a-secret"}
	cases := []struct {
		name string
		edit func(*Config)
		want string // "" = none
	}{
		{"none", func(*Config) {}, ""},
		{"plain http", func(c *Config) { c.Issuer = "http://localhost:9000" }, "http://localhost:9000 is plain http"},
		{"organization by id", func(c *Config) { c.Organization = "org_1" }, ""},
		{"organization by name", func(c *Config) { c.Organization = "acme" }, `organization "acme" is a name`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			c.edit(&cfg)
			got := cfg.Warnings()
			if (len(got) == 0) != (c.want == "") || len(got) > 1 {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			wantText(t, strings.Join(got, "\n"), c.want)
		})
	}
}

// Whatever is locked stays ours, for every name that the request sets.
func TestEveryProtocolParameterIsLocked(t *testing.T) {
	s := newSetup(t, func(c *Config) {
		c.DefaultMaxAge, c.SendLoginHint, c.Audience, c.Organization = year, true, "a", "org_1"
	})
	req := s.request("login")
	req.LoginHint = "ada@example.com"
	got, _ := s.begin(t, req)
	for name := range got {
		cfg := s.config
		cfg.AuthorizeParams = url.Values{name: {"x"}}
		if cfg.Validate() == nil {
			t.Errorf("authorize_param %s is accepted", name)
		}
	}
}

func TestNew(t *testing.T) {
	good := Config{Issuer: "https://idp.example", ClientID: "id", ClientSecret: "not-a-secret"}
	client := outbound.New(outbound.Config{})
	if _, err := New(good, Deps{Outbound: client}); err != nil {
		t.Errorf("the smallest configuration: %v", err)
	}
	if _, err := New(good, Deps{}); err == nil {
		t.Error("no outbound client: accepted")
	}
	bad := good
	bad.ClientID = ""
	if _, err := New(bad, Deps{Outbound: client}); err == nil {
		t.Error("invalid configuration: accepted")
	}
	// The guard's word, at load: not at the first sign-in.
	for _, issuer := range []string{"http://localhost:9000", "https://10.0.0.1/"} {
		local := good
		local.Issuer = issuer
		if _, err := New(local, Deps{Outbound: client}); err == nil {
			t.Errorf("issuer %s: accepted", issuer)
		} else {
			wantText(t, err.Error(), issuer, "outbound { allow")
		}
	}
}
