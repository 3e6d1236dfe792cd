package brokertest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

const (
	callback  = "https://app.example.com/callback"
	signedOut = "https://app.example.com/signed-out?from=tenant"
	audience  = "https://api.example.com"
)

// application is the client that most tests register.
func application() brokertest.Client {
	return brokertest.Client{
		ID: "gateway", Secret: "not-a-secret", Name: "Gateway",
		Callbacks: []string{callback}, LogoutURLs: []string{signedOut},
	}
}

// A party is a bare relying party: x/oauth2 and go-oidc, nothing of ours.
type party struct {
	t        *testing.T
	tenant   *brokertest.Server
	client   *http.Client
	config   oauth2.Config
	verifier string
}

func newParty(t *testing.T, tenant *brokertest.Server, c brokertest.Client) *party {
	t.Helper()
	return &party{t: t, tenant: tenant, client: tenant.Client(), verifier: oauth2.GenerateVerifier(), config: oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: c.Callbacks[0],
		Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{
			AuthURL: tenant.Issuer() + "authorize", TokenURL: tenant.Issuer() + "oauth/token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}}
}

// start starts a tenant with application registered, and its relying party
// and a browser beside it.
func start(t *testing.T, opts brokertest.Options) (*brokertest.Server, *party, *brokertest.Browser) {
	t.Helper()
	if opts.Clients == nil {
		opts.Clients = []brokertest.Client{application()}
	}
	tenant := brokertest.Start(t, opts)
	return tenant, newParty(t, tenant, opts.Clients[0]), newBrowser(t)
}

// newBrowser stops where the application would take over: nobody serves
// app.example.com.
func newBrowser(t *testing.T) *brokertest.Browser {
	t.Helper()
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	b.StopBefore = "https://app.example.com/"
	return b
}

// authorizeURL is an authorization request; params come in pairs, and an
// empty value removes the parameter.
func (p *party) authorizeURL(params ...string) string {
	u, err := url.Parse(p.config.AuthCodeURL("a-state", oidc.Nonce("a-nonce"), oauth2.S256ChallengeOption(p.verifier)))
	if err != nil {
		p.t.Fatal(err)
	}
	query := u.Query()
	for i := 0; i < len(params); i += 2 {
		query.Set(params[i], params[i+1])
		if params[i+1] == "" {
			query.Del(params[i])
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// code reads the code that the browser would bring to the callback.
func (p *party) code(page *brokertest.Page) string {
	p.t.Helper()
	if page.Location == nil || page.Location.Query().Get("code") == "" {
		p.t.Fatalf("want a redirect with a code, got %v", page)
	}
	return page.Location.Query().Get("code")
}

// redeem exchanges the code of a page that points to the callback.
func (p *party) redeem(page *brokertest.Page) (*oauth2.Token, error) {
	p.t.Helper()
	return p.config.Exchange(p.context(), p.code(page), oauth2.VerifierOption(p.verifier))
}

func (p *party) context() context.Context { return oidc.ClientContext(p.t.Context(), p.client) }

// signIn runs the whole flow for a user and returns the tokens.
func (p *party) signIn(b *brokertest.Browser, user string, params ...string) *oauth2.Token {
	p.t.Helper()
	b.Get(p.authorizeURL(params...))
	token, err := p.redeem(b.SignIn(user))
	if err != nil {
		p.t.Fatalf("redeeming the code: %v", err)
	}
	return token
}

// silent is a second authorization request in a browser that is signed in.
func (p *party) silent(b *brokertest.Browser, params ...string) *oauth2.Token {
	p.t.Helper()
	token, err := p.redeem(b.Get(p.authorizeURL(params...)))
	if err != nil {
		p.t.Fatalf("redeeming the code: %v", err)
	}
	return token
}

// idClaims are the claims of a token response's ID token, not verified.
func idClaims(t *testing.T, token *oauth2.Token) map[string]any {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	return claims(t, raw)
}

// claims decodes the payload of a compact token.
func claims(t *testing.T, raw string) map[string]any {
	t.Helper()
	return part(t, raw, 1)
}

func header(t *testing.T, raw string) map[string]any {
	t.Helper()
	return part(t, raw, 0)
}

func part(t *testing.T, raw string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) < 3 {
		t.Fatalf("not a token: %d parts", len(parts))
	}
	var out map[string]any
	if err := json.Unmarshal(decode(t, parts[i]), &out); err != nil {
		t.Fatalf("part %d of the token: %v", i, err)
	}
	return out
}

// get requests a path of the tenant and decodes the JSON answer.
func get(t *testing.T, tenant *brokertest.Server, path, bearer string) (*http.Response, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tenant.Issuer()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return send(t, tenant, req)
}

// post sends a form to a path of the tenant and decodes the JSON answer.
func post(t *testing.T, tenant *brokertest.Server, path string, form url.Values) (*http.Response, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tenant.Issuer()+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, tenant, req)
}

func send(t *testing.T, tenant *brokertest.Server, req *http.Request) (*http.Response, map[string]any) {
	t.Helper()
	resp, err := tenant.Client().Do(req)
	if err != nil {
		t.Fatalf("requesting %s: %v", req.URL.Path, err)
	}
	defer resp.Body.Close()
	var body map[string]any
	// Plain-text answers leave the map nil.
	_ = json.NewDecoder(resp.Body).Decode(&body)
	return resp, body
}

// request is a GET of a path of the tenant.
func (p *party) request(path string) *http.Request {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.tenant.Issuer()+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return req
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return string(b)
}
