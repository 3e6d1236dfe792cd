package brokertest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// A Tenant is a stand-in Auth0 tenant. It is an [http.Handler] and safe for
// concurrent use; see the package comment for its model.
type Tenant struct {
	opts    Options
	keys    *keyRing
	limits  *limiter
	faults  faultBox
	handler http.Handler

	mu        sync.Mutex
	clients   map[string]Client
	users     []User
	requests  map[string]int
	authorize url.Values
	token     url.Values

	// All of these are short-lived and keyed by an unguessable value.
	pushed       map[string]pushedRequest
	transactions map[string]transaction
	sessions     map[string]session
	codes        map[string]code
	access       map[string]accessToken
	refresh      map[string]*refreshToken
	assertions   map[string]time.Time // jti of client assertions
	consents     map[string]bool
}

// NewTenant returns a tenant that answers as opts.Issuer. It panics if opts
// cannot be used: a test or a demo has no better answer to its own mistake.
func NewTenant(opts Options) *Tenant {
	opts, err := opts.complete()
	if err != nil {
		panic(err)
	}
	t := &Tenant{
		opts:         opts,
		keys:         newKeyRing(opts.FreshKeys),
		limits:       newLimiter(),
		clients:      make(map[string]Client),
		users:        slices.Clone(opts.Users),
		requests:     make(map[string]int),
		pushed:       make(map[string]pushedRequest),
		transactions: make(map[string]transaction),
		sessions:     make(map[string]session),
		codes:        make(map[string]code),
		access:       make(map[string]accessToken),
		refresh:      make(map[string]*refreshToken),
		assertions:   make(map[string]time.Time),
		consents:     make(map[string]bool),
	}
	for _, c := range opts.Clients {
		t.clients[c.ID] = c
	}
	t.handler = t.routes()
	return t
}

// routes is the whole HTTP surface.
func (t *Tenant) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", t.serveDiscovery)
	mux.HandleFunc("GET /.well-known/jwks.json", t.limited(keysLimit, t.serveKeys))

	mux.HandleFunc("GET /authorize", t.serveAuthorize)
	mux.HandleFunc("POST /authorize", t.serveAuthorize)
	mux.HandleFunc("POST /oauth/par", t.servePushed)
	mux.HandleFunc("POST /oauth/token", t.limited(tokenLimit, t.serveToken))
	mux.HandleFunc("POST /oauth/revoke", t.serveRevoke)
	mux.HandleFunc("GET /userinfo", t.serveUserinfo)
	mux.HandleFunc("POST /userinfo", t.serveUserinfo)
	mux.HandleFunc("GET /oidc/logout", t.serveLogout)
	mux.HandleFunc("POST /oidc/logout", t.serveLogout)
	mux.HandleFunc("GET /v2/logout", t.serveOldLogout)

	// Pages post to themselves, and only from themselves: a page of
	// another site must not be able to sign anybody in or out.
	same := http.NewCrossOriginProtection()
	page := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, same.Handler(h)) }
	page("GET /u/login", t.step(t.showLogin))
	page("POST /u/login", t.step(t.submitLogin))
	page("GET /u/mfa-challenge", t.step(t.showFactor))
	page("POST /u/mfa-challenge", t.step(t.submitFactor))
	page("GET /u/confirm", t.step(t.showConfirm))
	page("POST /u/confirm", t.step(t.submitConfirm))
	page("GET /u/consent", t.step(t.showConsent))
	page("POST /u/consent", t.step(t.submitConsent))
	page("POST /u/logout", t.submitLogout)
	mux.HandleFunc("GET /tenant.css", serveStyle)
	return mux
}

// ServeHTTP counts the request, lets the faults have their way and answers.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	t.requests[r.URL.Path]++
	t.mu.Unlock()
	w.Header().Set("Date", t.now().UTC().Format(http.TimeFormat))
	t.faults.serve(w, r, t.now, t.handler)
}

// now is the tenant's clock, wrong by as much as the faults say.
func (t *Tenant) now() time.Time { return t.opts.Now().Add(t.faults.get().ClockOffset) }

// Issuer returns the tenant's issuer, with its trailing slash.
func (t *Tenant) Issuer() string { return t.opts.Issuer }

// Domain returns what Auth0 calls the domain: the issuer's host, with a
// port unless it is the default one.
func (t *Tenant) Domain() string {
	_, host, _ := strings.Cut(t.opts.Issuer, "://")
	return strings.TrimSuffix(host, "/")
}

// Register adds an application, or replaces the one with the same ID. It
// panics if c cannot be used.
func (t *Tenant) Register(c Client) {
	if err := c.validate(); err != nil {
		panic(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients[c.ID] = c
}

// PutUser adds a user, or replaces the one with the same name: the next
// token tells the new claims, and a user now blocked is refused even with a
// live SSO session. It panics if u cannot be used.
func (t *Tenant) PutUser(u User) {
	if err := u.validate(); err != nil {
		panic(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := t.userIndex(u.Name); i >= 0 {
		t.users[i] = u
		return
	}
	t.users = append(t.users, u)
}

// DeleteUser removes the user; sessions and refresh tokens die with it.
func (t *Tenant) DeleteUser(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users = slices.DeleteFunc(t.users, func(u User) bool { return u.Name == name })
}

// User returns the user with that name.
func (t *Tenant) User(name string) (User, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := t.userIndex(name); i >= 0 {
		return t.users[i], true
	}
	return User{}, false
}

func (t *Tenant) userIndex(name string) int {
	return slices.IndexFunc(t.users, func(u User) bool { return u.Name == name })
}

func (t *Tenant) client(id string) (Client, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.clients[id]
	return c, ok
}

// Requests returns how many requests the path has had, answered or not.
func (t *Tenant) Requests(path string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests[path]
}

// LastAuthorize returns the parameters of the last authorization request,
// those that were pushed if it had been; nil before the first.
func (t *Tenant) LastAuthorize() url.Values {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.authorize)
}

// LastToken returns the parameters of the last token request, nil before
// the first. Credentials are replaced by "present", so that a failing test
// can print the rest.
func (t *Tenant) LastToken() url.Values {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.token)
}

// log tells what became of a request: never with a credential.
func (t *Tenant) log(event string, fields ...zap.Field) {
	t.opts.Logger.Info("stand-in tenant: "+event, fields...)
}

// writeJSON answers with a JSON document that no cache may keep, unless the
// caller has said otherwise.
func writeJSON(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
	}
	w.WriteHeader(status)
	// The client is gone if this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

var _ http.Handler = (*Tenant)(nil)
