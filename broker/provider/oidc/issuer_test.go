package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

const (
	testClient   = "broker-client"
	testSecret   = "not-a-secret:%/+"
	testRedirect = "https://auth.example.com/oauth2/callback/acme"
	testSubject  = "auth0|5f7c8ec7c33c6c004bbafe82"
)

// discardLog swallows what test servers say about refused handshakes.
var discardLog = log.New(io.Discard, "", 0)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock {
	return &clock{t: time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A testKey signs by itself, so that tests do not depend on the library
// that verifies.
type testKey struct {
	kid, alg string
	private  crypto.Signer
}

func (k testKey) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid, Algorithm: k.alg, Use: "sig"}
}

func (k testKey) named(kid string) testKey { k.kid = kid; return k }

var (
	rsaKey   = sync.OnceValue(func() testKey { return newRSA("rsa-1", 2048) })
	otherRSA = sync.OnceValue(func() testKey { return newRSA("rsa-2", 2048) })
	weakRSA  = sync.OnceValue(func() testKey { return newRSA("rsa-weak", 1024) })
	ecKey    = sync.OnceValue(func() testKey { return newEC("ec-1", elliptic.P256()) })
	otherEC  = sync.OnceValue(func() testKey { return newEC("ec-2", elliptic.P256()) })
	edKey    = sync.OnceValue(func() testKey {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		return testKey{"ed-1", "EdDSA", private}
	})
)

func newRSA(kid string, bits int) testKey {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return testKey{kid, "RS256", private}
}

func newEC(kid string, curve elliptic.Curve) testKey {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return testKey{kid, "ES256", private}
}

// sign returns the JWS signature of input by alg.
func (k testKey) sign(alg, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		var sig []byte
		var err error
		if alg == "PS256" {
			sig, err = rsa.SignPSS(rand.Reader, private, crypto.SHA256, sum[:], nil)
		} else {
			sig, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
		}
		if err != nil {
			panic(err)
		}
		return sig
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
		if err != nil {
			panic(err)
		}
		size := (private.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(private, []byte(input))
	}
	panic("unknown key")
}

// object is any JSON object.
type object = map[string]any

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// jwt signs claims with k under a header of the caller's choice.
func (k testKey) jwt(head object, claims any) string {
	full := object{"alg": k.alg, "typ": "JWT", "kid": k.kid}
	maps.Copy(full, head)
	for name, value := range full {
		if value == nil {
			delete(full, name)
		}
	}
	input := encode(full) + "." + encode(claims)
	alg, _ := full["alg"].(string)
	return input + "." + base64.RawURLEncoding.EncodeToString(k.sign(alg, input))
}

// hmacJWT signs with HS256.
func hmacJWT(secret []byte, head object, claims any) string {
	full := object{"alg": "HS256", "typ": "JWT"}
	maps.Copy(full, head)
	input := encode(full) + "." + encode(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// An issuer is a provider in Auth0's shape whose every answer a test can
// bend.
type issuer struct {
	*httptest.Server
	t     *testing.T
	id    string // with Auth0's trailing slash
	clock *clock // its own, so that it can go wrong

	mu        sync.Mutex
	signer    testKey
	published []testKey
	replace   map[string]http.HandlerFunc // by path
	metadata  func(object)                // edits the discovery document
	claims    func(object)                // edits the ID token's claims
	header    object                      // edits its header
	idToken   func(object) string         // replaces it
	answer    func(object)                // edits the token response
	userinfo  object
	access    string
	codes     map[string]url.Values // authorization requests by code

	calls map[string]int
	form  url.Values  // the last token request
	head  http.Header // its header
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{
		t: t, clock: newClock(), signer: rsaKey(), published: []testKey{rsaKey()},
		replace: map[string]http.HandlerFunc{}, codes: map[string]url.Values{}, calls: map[string]int{},
		userinfo: object{"sub": testSubject, "email": "ada@example.com", "plan": "gold"},
		access:   "opaque-access-token",
	}
	i.Server = httptest.NewServer(i)
	i.id = i.URL + "/"
	t.Cleanup(i.Close)
	return i
}

// ServeHTTP answers Auth0's four paths.
func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A body left unread would hide from handlers that the client is gone.
	if err := r.ParseForm(); err != nil {
		panic(err)
	}
	i.mu.Lock()
	i.calls[r.URL.Path]++
	handler := i.replace[r.URL.Path]
	i.mu.Unlock()
	w.Header().Set("Date", i.clock.now().Format(http.TimeFormat))
	if handler != nil {
		handler(w, r)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch r.URL.Path {
	case pathDiscovery:
		reply(w, i.discovery())
	case pathKeys:
		set := jose.JSONWebKeySet{}
		for _, k := range i.published {
			set.Keys = append(set.Keys, k.jwk())
		}
		reply(w, set)
	case pathToken:
		i.serveToken(w, r)
	case pathUserinfo:
		if r.Header.Get("Authorization") != "Bearer "+i.access {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		reply(w, i.userinfo)
	default:
		http.NotFound(w, r)
	}
}

const (
	pathDiscovery = "/.well-known/openid-configuration"
	pathKeys      = "/.well-known/jwks.json"
	pathToken     = "/oauth/token"
	pathUserinfo  = "/userinfo"
)

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func (i *issuer) discovery() object {
	doc := object{
		"issuer":                 i.id,
		"authorization_endpoint": i.URL + "/authorize",
		"token_endpoint":         i.URL + pathToken,
		"userinfo_endpoint":      i.URL + pathUserinfo,
		"jwks_uri":               i.URL + pathKeys,
		// Auth0's list: the allow-list must not come from here.
		"id_token_signing_alg_values_supported": []string{"HS256", "RS256", "PS256"},
	}
	if i.metadata != nil {
		i.metadata(doc)
	}
	return doc
}

// serveToken redeems a code as RFC 6749 and 7636 want it, and refuses in
// Auth0's dialect.
func (i *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	i.form, i.head = r.PostForm, r.Header
	refuse := func(status int, code, text string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(object{"error": code, "error_description": text})
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = i.form.Get("client_id"), i.form.Get("client_secret")
	}
	request, ok := i.codes[i.form.Get("code")]
	delete(i.codes, i.form.Get("code"))
	challenge := sha256.Sum256([]byte(i.form.Get("code_verifier")))
	switch {
	case id != testClient || secret != testSecret && secret != "":
		refuse(http.StatusUnauthorized, "access_denied", "Unauthorized")
		return
	case !ok || i.form.Get("redirect_uri") != request.Get("redirect_uri"):
		refuse(http.StatusForbidden, "invalid_grant", "Invalid authorization code")
		return
	case base64.RawURLEncoding.EncodeToString(challenge[:]) != request.Get("code_challenge"):
		refuse(http.StatusForbidden, "invalid_grant", "Failed to verify code verifier")
		return
	}
	claims := i.standardClaims(request)
	var token string
	if i.idToken != nil {
		token = i.idToken(claims)
	} else {
		token = i.signer.jwt(i.header, claims)
	}
	doc := object{"access_token": i.access, "token_type": "Bearer", "expires_in": 86400, "id_token": token}
	if i.answer != nil {
		i.answer(doc)
	}
	reply(w, doc)
}

func (i *issuer) standardClaims(request url.Values) object {
	now := i.clock.now().Unix()
	claims := object{
		"iss": i.id, "sub": testSubject, "aud": testClient, "iat": now, "exp": now + 36000,
		"nonce": request.Get("nonce"), "sid": "sid-1", "email": "ada@example.com",
		"updated_at": "2026-10-31T08:00:00.000Z", "https://example.com/groups": []string{"staff"},
	}
	if request.Get("max_age") != "" {
		claims["auth_time"] = now
	}
	if i.claims != nil {
		i.claims(claims)
	}
	return claims
}

// with runs edit while no request is served.
func (i *issuer) with(edit func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	edit()
}

func (i *issuer) count(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls[path]
}

// fail answers path with status and body.
func (i *issuer) fail(path string, status int, body string) {
	i.serve(path, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

func (i *issuer) serve(path string, handler http.HandlerFunc) {
	i.with(func() { i.replace[path] = handler })
}

func (i *issuer) heal(path string) { i.serve(path, nil) }

// A setup is a provider, its issuer and the log.
type setup struct {
	*Provider
	issuer *issuer
	clock  *clock // the provider's
	logs   *observer.ObservedLogs
	config Config
}

// newSetup connects a provider to a fresh issuer. edit changes the
// configuration.
func newSetup(t *testing.T, edit func(*Config)) *setup {
	t.Helper()
	return newTimedSetup(t, 20*time.Second, edit)
}

// shortTimeout is for calls that are never answered.
const shortTimeout = time.Second

// timeout returns the limit for a test case: a short one only where it has
// to be waited for, since the machine may be busy.
func timeout(name string) time.Duration {
	if strings.Contains(name, "silence") {
		return shortTimeout
	}
	return 20 * time.Second
}

func newTimedSetup(t *testing.T, limit time.Duration, edit func(*Config)) *setup {
	t.Helper()
	i := newIssuer(t)
	cfg := Config{Issuer: i.id, ClientID: testClient, ClientSecret: testSecret}
	if edit != nil {
		edit(&cfg)
	}
	core, logs := observer.New(zap.DebugLevel)
	s := &setup{issuer: i, clock: newClock(), logs: logs, config: cfg}
	var err error
	s.Provider, err = New(cfg, Deps{
		Outbound: outbound.New(outbound.Config{AllowHTTP: true, Timeout: limit}),
		Now:      s.clock.now,
		Logger:   zap.New(core),
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return s
}

// pass moves both clocks.
func (s *setup) pass(d time.Duration) {
	s.clock.add(d)
	s.issuer.clock.add(d)
}

func (s *setup) request(prompt ...string) provider.Request {
	return provider.Request{RedirectURI: testRedirect, State: "state-1", Prompt: prompt, Started: s.clock.now()}
}

// begin returns the authorization request and the private state.
func (s *setup) begin(t *testing.T, req provider.Request) (url.Values, []byte) {
	t.Helper()
	target, private, err := s.Begin(t.Context(), req)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.Scheme+"://"+u.Host+u.Path, s.issuer.URL+"/authorize"; got != want {
		t.Fatalf("redirect to %s, want %s", got, want)
	}
	return u.Query(), private
}

// code lets the issuer grant the authorization request.
func (i *issuer) code(request url.Values) string {
	code := "code-not-a-secret-" + rand.Text()
	i.with(func() { i.codes[code] = request })
	return code
}

// callback is the browser's return.
func callback(params ...string) *http.Request {
	query := url.Values{}
	for n := 0; n < len(params); n += 2 {
		query.Add(params[n], params[n+1])
	}
	return httptest.NewRequest(http.MethodGet, testRedirect+"?"+query.Encode(), nil)
}

// signIn runs one whole sign-in.
func (s *setup) signIn(t *testing.T, req provider.Request) (*provider.Identity, error) {
	t.Helper()
	request, private := s.begin(t, req)
	code := s.issuer.code(request)
	return s.Complete(t.Context(), private, req, callback("code", code, "state", req.State))
}

// mustSignIn expects success.
func (s *setup) mustSignIn(t *testing.T) *provider.Identity {
	t.Helper()
	id, err := s.signIn(t, s.request())
	if err != nil {
		t.Fatalf("sign-in: %v", err)
	}
	return id
}

// refused runs a sign-in that must end with reason.
func (s *setup) refused(t *testing.T, want provider.Reason) *provider.Error {
	t.Helper()
	id, err := s.signIn(t, s.request())
	return wantReason(t, id, err, want)
}

func wantReason(t *testing.T, id *provider.Identity, err error, want provider.Reason) *provider.Error {
	t.Helper()
	if id != nil {
		t.Errorf("an identity came back: %+v", id)
	}
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		t.Fatalf("got %v, want a *provider.Error with %s", err, want)
	}
	if e.Reason != want {
		t.Errorf("got %v, want reason %s", e, want)
	}
	if e.Code == "" {
		t.Errorf("%v has no code", e)
	}
	return e
}

// has says whether all parts are in text, and fails otherwise.
func wantText(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("got %q, want it to contain %q", text, part)
		}
	}
}

// leftHalf is at_hash for an algorithm with SHA-256 (OpenID Connect Core,
// 3.1.3.6).
func leftHalf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
