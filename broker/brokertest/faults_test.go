package brokertest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// Every defect must be in the token, or a test that expects a refusal
// proves nothing. What go-oidc says of it is what it can see: nonce, azp,
// sub and iat are left to its callers.
func TestDefectsAreInTheToken(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	provider, err := oidc.NewProvider(p.context(), tenant.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: "gateway", SupportedSigningAlgs: []string{"RS256"}})

	unseen := map[brokertest.Defect]func(map[string]any) bool{
		brokertest.WrongNonce:   func(c map[string]any) bool { return c["nonce"] == "another-nonce" },
		brokertest.NoNonce:      func(c map[string]any) bool { return c["nonce"] == nil },
		brokertest.NoSubject:    func(c map[string]any) bool { _, ok := c["sub"]; return !ok },
		brokertest.EmptySubject: func(c map[string]any) bool { return c["sub"] == "" },
		brokertest.IssuedAhead:  func(c map[string]any) bool { return c["iat"].(float64) > float64(time.Now().Unix()+7000) },
		brokertest.NoIssuedAt:   func(c map[string]any) bool { return c["iat"] == nil },
		brokertest.ForeignParty: func(c map[string]any) bool { return len(c["aud"].([]any)) == 2 && c["azp"] == "another-application" },
	}
	for _, defect := range brokertest.Defects() {
		t.Run(string(defect), func(t *testing.T) {
			tenant.SetFaults(brokertest.Faults{IDToken: defect})
			raw, _ := p.silent(b).Extra("id_token").(string)
			token, err := verifier.Verify(p.context(), raw)
			visible, isUnseen := unseen[defect]
			switch {
			case isUnseen && err != nil:
				t.Errorf("go-oidc refused it: %v", err)
			case isUnseen && !visible(claims(t, raw)):
				t.Errorf("the claims are right: %v", claims(t, raw))
			case !isUnseen && err == nil:
				t.Errorf("go-oidc accepted the token of %s", token.Subject)
			}
		})
	}
	t.Run("healed", func(t *testing.T) {
		tenant.Heal()
		if _, err := verifier.Verify(p.context(), p.silent(b).Extra("id_token").(string)); err != nil {
			t.Error(err)
		}
	})
	t.Run(string(brokertest.NoKeyID), func(t *testing.T) {
		tenant.SetFaults(brokertest.Faults{IDToken: brokertest.NoKeyID})
		raw := p.silent(b).Extra("id_token").(string)
		if _, ok := header(t, raw)["kid"]; ok {
			t.Errorf("got header %v", header(t, raw))
		}
		if _, err := verifier.Verify(p.context(), raw); err != nil {
			t.Errorf("the signature is right: %v", err)
		}
	})
}

// The forgeries must be good ones: each would verify if its guard were
// missing.
func TestForgeriesWouldFoolACarelessVerifier(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	forge := func(d brokertest.Defect) string {
		tenant.SetFaults(brokertest.Faults{IDToken: d})
		raw, _ := p.silent(b).Extra("id_token").(string)
		return raw
	}
	raw := forge(brokertest.EmbeddedKey)
	sig, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sig.Verify(sig.Signatures[0].Header.JSONWebKey); err != nil {
		t.Errorf("the key in the token does not verify it: %v", err)
	}
	if got := header(t, forge(brokertest.AlgNone))["alg"]; got != "none" {
		t.Errorf("got alg %v", got)
	}
	raw = forge(brokertest.HMACSecret)
	if sig, err = jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.HS256}); err != nil {
		t.Errorf("HS256: %v", err)
	}
	if h := header(t, forge(brokertest.KeyURLs)); h["jku"] == nil || h["x5u"] == nil {
		t.Errorf("got header %v", h)
	}
	_, set := get(t, tenant, ".well-known/jwks.json", "")
	known, _ := json.Marshal(set)
	if kid := header(t, forge(brokertest.BadSignature))["kid"].(string); !strings.Contains(string(known), kid) {
		t.Error("bad signature: the kid is not in the key set")
	}
	if kid := header(t, forge(brokertest.UnknownKey))["kid"].(string); strings.Contains(string(known), kid) {
		t.Error("unknown key: the kid is in the key set")
	}
	if got := claims(t, forge(brokertest.TamperedPayload))["sub"]; got != "auth0|someone-else" {
		t.Errorf("tampered: got sub %v", got)
	}
	if a, b := forge(brokertest.UnknownKey), forge(brokertest.UnknownKey); header(t, a)["kid"] == header(t, b)["kid"] {
		t.Error("unknown key: a flood needs a new kid each time")
	}
}

func TestDefectsOfAccessTokens(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{APIs: []brokertest.API{{Identifier: audience}}})
	p.signIn(b, "ada")
	tenant.SetFaults(brokertest.Faults{
		AccessToken:     brokertest.WrongAudience,
		EditAccessToken: func(c map[string]any) { c["azp"] = "edited" },
	})
	got := claims(t, p.silent(b, "audience", audience).AccessToken)
	if got["aud"] != "another-application" || got["azp"] != "edited" {
		t.Errorf("got %v", got)
	}
}

func TestEdits(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	token := p.signIn(b, "ada")
	tenant.SetFaults(brokertest.Faults{
		NoIDToken:         true,
		EditDiscovery:     func(d map[string]any) { d["issuer"] = "https://evil.example/" },
		EditUserinfo:      func(c map[string]any) { c["sub"] = "auth0|someone-else" },
		EditTokenResponse: func(r map[string]any) { r["expires_in"], r["token_type"] = "86400", "bearer" },
		EditCallback:      func(v url.Values) { v.Del("state") },
	})
	if _, got := get(t, tenant, ".well-known/openid-configuration", ""); got["issuer"] != "https://evil.example/" {
		t.Errorf("discovery: got issuer %v", got["issuer"])
	}
	if _, got := get(t, tenant, "userinfo", token.AccessToken); got["sub"] != "auth0|someone-else" {
		t.Errorf("userinfo: got sub %v", got["sub"])
	}
	page := b.Get(p.authorizeURL())
	if page.Location.Query().Has("state") {
		t.Error("callback: the state is still there")
	}
	_, got := post(t, tenant, "oauth/token", p.tokenForm(p.code(page)))
	if got["id_token"] != nil || got["expires_in"] != "86400" || got["token_type"] != "bearer" {
		t.Errorf("token response: got %v, %v, ID token %v", got["expires_in"], got["token_type"], got["id_token"] != nil)
	}
	tenant.SetFaults(brokertest.Faults{EditIDToken: func(c map[string]any) { c["https://example.com/big"] = strings.Repeat("x", 120_000) }})
	if got := len(p.silent(b).Extra("id_token").(string)); got < 160_000 {
		t.Errorf("a large ID token has %d bytes", got)
	}
}

func TestClockOffset(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now})
	tenant.SetFaults(brokertest.Faults{ClockOffset: -10 * time.Minute})
	want := clock.Now().Add(-10 * time.Minute)
	if got := idClaims(t, p.signIn(b, "ada"))["iat"]; got != float64(want.Unix()) {
		t.Errorf("got iat %v, want %d", got, want.Unix())
	}
	resp, _ := get(t, tenant, ".well-known/jwks.json", "")
	if got := resp.Header.Get("Date"); got != want.Format(http.TimeFormat) {
		t.Errorf("got Date %q, want the tenant's wrong clock", got)
	}
}

func TestFailures(t *testing.T) {
	tenant, _, _ := start(t, brokertest.Options{})
	const path = "/.well-known/jwks.json"
	fail := func(f brokertest.Failure) {
		tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{path: f}})
	}
	fetch := func() (int, http.Header, string, error) {
		resp, err := tenant.Client().Get(tenant.Issuer() + path[1:])
		if err != nil {
			return 0, nil, "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header, string(body), err
	}
	t.Run("status", func(t *testing.T) {
		fail(brokertest.Failure{Status: 503})
		if status, _, body, err := fetch(); status != 503 || body != "" || err != nil {
			t.Errorf("got %d %q, %v", status, body, err)
		}
		if _, got := get(t, tenant, ".well-known/openid-configuration", ""); got["issuer"] == nil {
			t.Error("another endpoint is ill as well")
		}
	})
	t.Run("rate limited", func(t *testing.T) {
		fail(brokertest.Failure{Status: 429, Header: http.Header{"Retry-After": {"7"}}})
		status, header, body, _ := fetch()
		if status != 429 || header.Get("X-RateLimit-Reset") == "" || header.Get("Retry-After") != "7" ||
			!strings.Contains(body, "too_many_requests") {
			t.Errorf("got %d %v %q", status, header, body)
		}
	})
	t.Run("another body", func(t *testing.T) {
		fail(brokertest.Failure{Body: "<html>", ContentType: "text/html"})
		if status, header, body, _ := fetch(); status != 200 || header.Get("Content-Type") != "text/html" || body != "<html>" {
			t.Errorf("got %d %v %q", status, header, body)
		}
	})
	t.Run("a few times", func(t *testing.T) {
		fail(brokertest.Failure{Status: 500, Times: 2})
		for i, want := range []int{500, 500, 200} {
			if status, _, _, _ := fetch(); status != want {
				t.Errorf("request %d: got %d, want %d", i+1, status, want)
			}
		}
	})
	t.Run("cut in the middle", func(t *testing.T) {
		fail(brokertest.Failure{Cut: true})
		status, _, body, err := fetch()
		if status != 200 || err == nil || len(body) == 0 || !strings.HasPrefix(body, `{"keys"`) {
			t.Errorf("got %d, %d bytes, error %v; want half an answer and an error", status, len(body), err)
		}
	})
	t.Run("late", func(t *testing.T) {
		fail(brokertest.Failure{Delay: 20 * time.Millisecond})
		begun := time.Now()
		if status, _, _, _ := fetch(); status != 200 || time.Since(begun) < 20*time.Millisecond {
			t.Errorf("got %d after %v", status, time.Since(begun))
		}
	})
	t.Run("down", func(t *testing.T) {
		tenant.SetFaults(brokertest.Faults{Down: true})
		if _, _, _, err := fetch(); err == nil {
			t.Error("want an error")
		}
	})
	t.Run("healed", func(t *testing.T) {
		tenant.Heal()
		if status, _, _, err := fetch(); status != 200 || err != nil {
			t.Errorf("got %d, %v", status, err)
		}
	})
	if got := tenant.Requests(path); got < 8 {
		t.Errorf("counted %d requests, want the failed ones as well", got)
	}
}

// An endpoint that hangs must let go when the client gives up, and when the
// server closes; otherwise no test of a time-out would ever end.
func TestHang(t *testing.T) {
	tenant, p, _ := start(t, brokertest.Options{})
	tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Hang: true}}})
	client := tenant.Client()
	client.Timeout = 20 * time.Millisecond
	if _, err := client.PostForm(tenant.Issuer()+"oauth/token", p.tokenForm("x")); err == nil {
		t.Error("want a time-out")
	}
	ended := make(chan error, 1)
	go func() {
		_, err := tenant.Client().PostForm(tenant.Issuer()+"oauth/token", p.tokenForm("x"))
		ended <- err
	}()
	for tenant.Requests("/oauth/token") < 2 {
		runtime.Gosched() // the second request is on its way
	}
	if err := tenant.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("want an error")
	}
}

// A cut answer is one whose request was served: the code is spent.
func TestCutTokenAnswerSpendsTheCode(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	form := p.tokenForm(p.code(b.Get(p.authorizeURL())))
	tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Cut: true, Times: 1}}})
	if resp, err := tenant.Client().PostForm(tenant.Issuer()+"oauth/token", form); err == nil {
		if _, err = io.ReadAll(resp.Body); err == nil {
			t.Error("want a cut answer")
		}
		_ = resp.Body.Close()
	}
	if resp, _ := post(t, tenant, "oauth/token", form); resp.StatusCode != http.StatusForbidden {
		t.Errorf("the code again: got status %d, want 403", resp.StatusCode)
	}
}

func TestDefectsAreDistinct(t *testing.T) {
	seen := make(map[brokertest.Defect]bool)
	for _, d := range brokertest.Defects() {
		if seen[d] || d == "" {
			t.Errorf("%q is twice in the list", d)
		}
		seen[d] = true
	}
	if len(seen) != 26 {
		t.Errorf("got %d defects, want 26", len(seen))
	}
}

// The server hears of a client leaving only once it has read the request.
func TestHangEndsWhenTheClientLeaves(t *testing.T) {
	tenant := brokertest.NewTenant(brokertest.Options{Issuer: "https://tenant.example.com/"})
	tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Hang: true, Status: 503}}})
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		tenant.ServeHTTP(w, r)
	}))
	defer server.Close()
	client := server.Client()
	client.Timeout = 20 * time.Millisecond
	if _, err := client.PostForm(server.URL+"/oauth/token", url.Values{"code": {"x"}}); err == nil {
		t.Error("want a time-out")
	}
	<-ended
}
