package brokertest_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func decode(t *testing.T, segment string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The reference flow: discovery, browser, code, PKCE, ID token verified
// against the key set, userinfo. Nothing of ours on the other side.
func TestCodeFlow(t *testing.T) {
	for name, tenant := range map[string]*brokertest.Server{
		"over http":                   brokertest.Start(t, brokertest.Options{}),
		"over https":                  brokertest.StartTLS(t, brokertest.Options{}),
		"over https, under some name": brokertest.StartTLS(t, brokertest.Options{Host: "tenant.example.com"}),
	} {
		t.Run(name, func(t *testing.T) {
			tenant.Register(application())
			p := newParty(t, tenant, application())
			opts := brokertest.BrowserOptions{Resolve: map[string]string{"tenant.example.com": tenant.Addr()}}
			if tenant.CA != nil {
				opts.RootCAs = tenant.CA.Pool()
			}
			b := brokertest.NewBrowser(t, opts)
			b.StopBefore = callback

			provider, err := oidc.NewProvider(p.context(), tenant.Issuer())
			if err != nil {
				t.Fatalf("discovery: %v", err)
			}
			p.config.Endpoint = provider.Endpoint()
			p.config.Endpoint.AuthStyle = oauth2.AuthStyleInParams

			page := b.Get(p.authorizeURL())
			if !page.Has("tenant-login-form") {
				t.Fatalf("want the login page, got %v", page)
			}
			page = b.Click("tenant-login") // Ada is filled in
			if got := page.Location.Query().Get("state"); got != "a-state" {
				t.Errorf("state at the callback: got %q", got)
			}
			token, err := p.redeem(page)
			if err != nil {
				t.Fatalf("code exchange: %v", err)
			}
			raw, _ := token.Extra("id_token").(string)
			idToken, err := provider.Verifier(&oidc.Config{ClientID: "gateway"}).Verify(p.context(), raw)
			if err != nil {
				t.Fatalf("ID token: %v", err)
			}
			if idToken.Subject != "auth0|ada" || idToken.Nonce != "a-nonce" || idToken.Issuer != tenant.Issuer() {
				t.Errorf("ID token: got sub %q, nonce %q, iss %q", idToken.Subject, idToken.Nonce, idToken.Issuer)
			}
			info, err := provider.UserInfo(p.context(), oauth2.StaticTokenSource(token))
			if err != nil {
				t.Fatalf("userinfo: %v", err)
			}
			if info.Subject != "auth0|ada" || info.Email != "ada@example.com" || !info.EmailVerified {
				t.Errorf("userinfo: got %q, %q, verified %v", info.Subject, info.Email, info.EmailVerified)
			}
		})
	}
}

func TestIssuerHasTrailingSlash(t *testing.T) {
	tenant, p, _ := start(t, brokertest.Options{})
	if !strings.HasSuffix(tenant.Issuer(), "/") || tenant.Domain() != strings.Trim(strings.TrimPrefix(tenant.Issuer(), "http:"), "/") {
		t.Errorf("got issuer %q, domain %q", tenant.Issuer(), tenant.Domain())
	}
	if _, err := oidc.NewProvider(p.context(), strings.TrimSuffix(tenant.Issuer(), "/")); err == nil {
		t.Error("discovery without the slash: want an issuer mismatch")
	}
}

func TestDiscovery(t *testing.T) {
	tenant, _, _ := start(t, brokertest.Options{PushedRequests: true})
	_, doc := get(t, tenant, ".well-known/openid-configuration", "")
	for field, want := range map[string]any{
		"issuer":                                tenant.Issuer(),
		"end_session_endpoint":                  tenant.Issuer() + "oidc/logout",
		"pushed_authorization_request_endpoint": tenant.Issuer() + "oauth/par",
		"jwks_uri":                              tenant.Issuer() + ".well-known/jwks.json",
		"id_token_signing_alg_values_supported": []any{"HS256", "RS256", "PS256"},
		"request_uri_parameter_supported":       false,
	} {
		if diff := cmp.Diff(want, doc[field]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
	old, _, _ := start(t, brokertest.Options{NoLogoutDiscovery: true})
	_, doc = get(t, old, ".well-known/openid-configuration", "")
	for _, field := range []string{"end_session_endpoint", "pushed_authorization_request_endpoint"} {
		if doc[field] != nil {
			t.Errorf("%s: want it absent, got %v", field, doc[field])
		}
	}
}

func TestKeyRotation(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	ids := func() []string {
		_, set := get(t, tenant, ".well-known/jwks.json", "")
		var out []string
		for _, key := range set["keys"].([]any) {
			if k := key.(map[string]any); k["d"] != nil || k["use"] != "sig" || k["alg"] != "RS256" {
				t.Fatalf("key set holds a private or unlabelled key")
			}
			out = append(out, key.(map[string]any)["kid"].(string))
		}
		return out
	}
	kid := func(token *oauth2.Token) any { return header(t, token.Extra("id_token").(string))["kid"] }

	before := ids()
	if len(before) != 2 {
		t.Fatalf("want the current and the next key, got %d", len(before))
	}
	if got := kid(p.signIn(b, "ada")); got != before[0] {
		t.Errorf("signed with %v, want the current key", got)
	}
	tenant.Rotate()
	after := ids()
	if len(after) != 3 || after[0] != before[1] || after[2] != before[0] {
		t.Errorf("after rotation: got %v, was %v", after, before)
	}
	if got := kid(p.silent(b)); got != before[1] {
		t.Errorf("signed with %v, want what was the next key", got)
	}
	tenant.RevokeKey()
	if got := ids(); len(got) != 2 || got[0] != before[1] {
		t.Errorf("after revocation: got %v", got)
	}
	for range 4 {
		tenant.Rotate()
	}
	if got := kid(p.silent(b)); got != ids()[0] {
		t.Errorf("signed with %v, want the current key", got)
	}
}

func TestFreshKeysAreOwnKeys(t *testing.T) {
	shared, _, _ := start(t, brokertest.Options{})
	fresh, _, _ := start(t, brokertest.Options{FreshKeys: true})
	_, a := get(t, shared, ".well-known/jwks.json", "")
	_, b := get(t, fresh, ".well-known/jwks.json", "")
	if cmp.Equal(a, b) {
		t.Error("FreshKeys: same keys as another tenant")
	}
}

func TestCountersAndLastRequests(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	if tenant.LastAuthorize() != nil || tenant.LastToken() != nil || tenant.Requests("/authorize") != 0 {
		t.Error("a new tenant has seen requests")
	}
	p.signIn(b, "ada", "ui_locales", "de")
	if got := tenant.Requests("/authorize"); got != 1 {
		t.Errorf("/authorize: got %d requests, want 1", got)
	}
	if got := tenant.LastAuthorize().Get("ui_locales"); got != "de" {
		t.Errorf("last authorization request: got ui_locales %q", got)
	}
	want := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"gateway"}, "redirect_uri": {callback},
		"code": {"present"}, "client_secret": {"present"}, "code_verifier": {"present"},
	}
	if diff := cmp.Diff(want, tenant.LastToken()); diff != "" {
		t.Errorf("last token request (-want +got):\n%s", diff)
	}
}

// A log is pasted into bug reports: no code, token, password, state or
// secret may be in it, whatever the outcome was.
func TestLogHoldsNoCredential(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	tenant, p, b := start(t, brokertest.Options{Logger: zap.New(core)})
	b.Get(p.authorizeURL("scope", "openid offline_access"))
	b.Submit("tenant-login-form", map[string]string{"username": "grace@example.com", "password": "wrong"})
	page := b.SignIn("grace")
	code := p.code(page)
	token, err := p.redeem(page)
	if err != nil {
		t.Fatal(err)
	}
	p.config.ClientSecret = "another-secret"
	if _, err := p.redeem(page); err == nil {
		t.Fatal("wrong secret: want an error")
	}
	post(t, tenant, "oauth/revoke", url.Values{"token": {token.RefreshToken}})
	b.Get(tenant.Issuer() + "authorize?client_id=unknown&state=a-state")
	if logs.Len() < 3 {
		t.Fatalf("got %d log lines, want several", logs.Len())
	}
	var text strings.Builder
	for _, entry := range logs.All() {
		text.WriteString(entry.Message)
		for _, v := range entry.ContextMap() {
			text.WriteString(" ")
			text.WriteString(v.(string))
		}
	}
	for name, secret := range map[string]string{
		"code": code, "access token": token.AccessToken, "refresh token": token.RefreshToken, "state": "a-state",
		"ID token": token.Extra("id_token").(string), "password": brokertest.Password, "secret": "another-secret",
	} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

func TestUnusableOptionsPanic(t *testing.T) {
	for name, opts := range map[string]brokertest.Options{
		"no issuer":            {},
		"no slash":             {Issuer: "https://tenant.example.com"},
		"no scheme":            {Issuer: "tenant.example.com/"},
		"client without id":    {Issuer: "https://a.example/", Clients: []brokertest.Client{{}}},
		"client no secret":     {Issuer: "https://a.example/", Clients: []brokertest.Client{{ID: "a"}}},
		"assertion, no keys":   {Issuer: "https://a.example/", Clients: []brokertest.Client{{ID: "a", AuthMethod: "private_key_jwt"}}},
		"unknown method":       {Issuer: "https://a.example/", Clients: []brokertest.Client{{ID: "a", AuthMethod: "magic"}}},
		"unknown algorithm":    {Issuer: "https://a.example/", Clients: []brokertest.Client{{ID: "a", Secret: "s", SigningAlg: "none"}}},
		"unknown organization": {Issuer: "https://a.example/", Clients: []brokertest.Client{{ID: "a", Secret: "s", OrganizationUsage: "maybe"}}},
		"odd user name":        {Issuer: "https://a.example/", Users: []brokertest.User{{Name: "A B", Subject: "s"}}},
		"user without subject": {Issuer: "https://a.example/", Users: []brokertest.User{{Name: "a"}}},
		"two users":            {Issuer: "https://a.example/", Users: []brokertest.User{{Name: "a", Subject: "s"}, {Name: "a", Subject: "t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("want a panic")
				}
			}()
			brokertest.NewTenant(opts)
		})
	}
}

func TestListen(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "example.com:0", "nonsense"} {
		if s, err := brokertest.Listen(addr, brokertest.Options{}); err == nil {
			t.Errorf("listening on %q: want an error", addr)
			_ = s.Close()
		}
	}
	if _, err := brokertest.Listen("127.0.0.1:0", brokertest.Options{Issuer: "nonsense"}); err == nil {
		t.Error("bad options: want an error")
	}
	s, err := brokertest.Listen("localhost:0", brokertest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.Issuer(), "http://localhost:") {
		t.Errorf("got issuer %q", s.Issuer())
	}
	if resp, _ := get(t, s, ".well-known/jwks.json", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("got status %d", resp.StatusCode)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
