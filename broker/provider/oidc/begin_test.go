package oidc

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// M4, M5, M7, M30, M32: exactly these parameters go up, from a request that
// carries everything a client could have asked for.
func TestM7_AuthorizationRequest(t *testing.T) {
	s := newSetup(t, nil)
	got, private := s.begin(t, s.request())

	var key seed
	copy(key[:], private)
	challenge := sha256.Sum256([]byte(key.verifier()))
	want := url.Values{
		"response_type":         {"code"},
		"client_id":             {testClient},
		"redirect_uri":          {testRedirect},
		"scope":                 {"openid profile email"},
		"state":                 {"state-1"},
		"nonce":                 {key.nonce()},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestM4_OnlyTheCodeFlow(t *testing.T) {
	s := newSetup(t, nil)
	got, _ := s.begin(t, s.request("login"))
	if got.Get("response_type") != "code" || got.Has("response_mode") {
		t.Errorf("got %v", got)
	}
	for _, name := range []string{"response_type", "response_mode"} {
		cfg := s.config
		cfg.AuthorizeParams = url.Values{name: {"token"}}
		if err := cfg.Validate(); err == nil {
			t.Errorf("authorize_param %s is accepted", name)
		}
	}
}

func TestM5_Scopes(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.Scopes = []string{"openid", "groups"} })
	if got, _ := s.begin(t, s.request()); got.Get("scope") != "openid groups" {
		t.Errorf("scope %q", got.Get("scope"))
	}
	cfg := s.config
	cfg.Scopes = []string{"profile", "email"}
	if err := cfg.Validate(); err == nil {
		t.Error("scopes without openid are accepted")
	} else {
		wantText(t, err.Error(), "write scopes openid profile email")
	}
}

func TestM30_RedirectURIIsTheBrokersAndTheSameTwice(t *testing.T) {
	s := newSetup(t, nil)
	got, _ := s.begin(t, s.request())
	s.mustSignIn(t)
	if got.Get("redirect_uri") != testRedirect || s.issuer.form.Get("redirect_uri") != testRedirect {
		t.Errorf("sent %q, then %q; want %q", got.Get("redirect_uri"), s.issuer.form.Get("redirect_uri"), testRedirect)
	}
}

func TestM32_ClientIDIsTheConfiguredOne(t *testing.T) {
	s := newSetup(t, nil)
	got, _ := s.begin(t, s.request())
	s.mustSignIn(t)
	user, _, _ := (&http.Request{Header: s.issuer.head}).BasicAuth()
	if got.Get("client_id") != testClient || user != testClient {
		t.Errorf("sent %q, then %q; want %q", got.Get("client_id"), user, testClient)
	}
}

// Two sign-ins share neither nonce nor verifier; from the values in the URL
// neither the seed nor the verifier can be told.
func TestS25_S26_NonceAndVerifierAreFresh(t *testing.T) {
	s := newSetup(t, nil)
	first, private1 := s.begin(t, s.request())
	second, private2 := s.begin(t, s.request())
	for _, name := range []string{"nonce", "code_challenge"} {
		if first.Get(name) == second.Get(name) {
			t.Errorf("%s is the same twice", name)
		}
		if raw, err := base64.RawURLEncoding.DecodeString(first.Get(name)); err != nil || len(raw) != 32 {
			t.Errorf("%s %q is not 32 bytes in base64url", name, first.Get(name))
		}
	}
	if bytes.Equal(private1, private2) {
		t.Error("the private state is the same twice")
	}
	var key seed
	copy(key[:], private1)
	if key.nonce() == key.verifier() || strings.Contains(first.Encode(), key.verifier()) {
		t.Error("the verifier is in the URL")
	}
}

func TestBeginFailsWithoutRandomness(t *testing.T) {
	s := newSetup(t, nil)
	s.Provider.rand = strings.NewReader("short")
	if target, _, err := s.Begin(t.Context(), s.request()); err == nil {
		t.Errorf("got %q", target)
	}
}

// Which of the client's parameters pass, and what the
// connection adds.
func TestParametersThatPass(t *testing.T) {
	minute := time.Minute + 900*time.Millisecond
	full := func(req *provider.Request) {
		req.MaxAge, req.ACRValues, req.UILocales, req.LoginHint = &minute, "mfa", "de en", "ada@example.com"
	}
	cases := []struct {
		name   string
		config func(*Config)
		edit   func(*provider.Request)
		want   url.Values
	}{
		{"none asked", nil, nil, url.Values{}},
		{"all asked", nil, full, url.Values{"max_age": {"60"}, "acr_values": {"mfa"}, "ui_locales": {"de en"}}},
		{"login hint switched on", func(c *Config) { c.SendLoginHint = true }, full, url.Values{
			"max_age": {"60"}, "acr_values": {"mfa"}, "ui_locales": {"de en"}, "login_hint": {"ada@example.com"},
		}},
		{"default max_age", func(c *Config) { c.DefaultMaxAge = year }, nil, url.Values{"max_age": {"31536000"}}},
		{"the client's max_age first", func(c *Config) { c.DefaultMaxAge = year }, full, url.Values{
			"max_age": {"60"}, "acr_values": {"mfa"}, "ui_locales": {"de en"},
		}},
		{"prompt none", nil, func(r *provider.Request) { r.Prompt = []string{"none"} }, url.Values{"prompt": {"none"}}},
		{"prompt login", nil, func(r *provider.Request) { r.Prompt = []string{"login"} }, url.Values{"prompt": {"login"}}},
		{
			"prompt login, provider that tells auth_time", func(c *Config) { c.DefaultMaxAge = year },
			func(r *provider.Request) { r.Prompt = []string{"login"} },
			url.Values{"prompt": {"login"}, "max_age": {"0"}},
		},
		{
			"the connection's own", func(c *Config) {
				c.Audience, c.Organization = "https://api.example.com", "org_1"
				c.AuthorizeParams = url.Values{"connection": {"Users"}, "acr_values": {"default"}, "ui_locales": {"fr"}}
			}, nil,
			url.Values{
				"audience": {"https://api.example.com"}, "organization": {"org_1"},
				"connection": {"Users"}, "acr_values": {"default"}, "ui_locales": {"fr"},
			},
		},
		{
			"the client's before the connection's", func(c *Config) {
				c.AuthorizeParams = url.Values{"acr_values": {"default"}}
			}, full,
			url.Values{"max_age": {"60"}, "acr_values": {"mfa"}, "ui_locales": {"de en"}},
		},
	}
	locked := []string{
		"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, c.config)
			req := s.request()
			if c.edit != nil {
				c.edit(&req)
			}
			got, _ := s.begin(t, req)
			for _, name := range locked {
				got.Del(name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBeginRefusesCallersMistakes(t *testing.T) {
	s := newSetup(t, nil)
	for name, edit := range map[string]func(*provider.Request){
		"no state":              func(r *provider.Request) { r.State = "" },
		"no redirect URI":       func(r *provider.Request) { r.RedirectURI = "" },
		"prompt consent":        func(r *provider.Request) { r.Prompt = []string{"consent"} },
		"prompt select_account": func(r *provider.Request) { r.Prompt = []string{"login", "select_account"} },
	} {
		req := s.request()
		edit(&req)
		if target, _, err := s.Begin(t.Context(), req); err == nil {
			t.Errorf("%s: got %q", name, target)
		}
	}
}

// An authorization endpoint may have a query of its own.
func TestAuthorizationEndpointWithQuery(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.metadata = func(doc object) { doc["authorization_endpoint"] = s.issuer.URL + "/authorize?realm=a%20b" }
	got, _ := s.begin(t, s.request())
	if got.Get("realm") != "a b" || got.Get("client_id") != testClient {
		t.Errorf("got %v", got)
	}
}
