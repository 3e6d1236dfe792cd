package broker_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Addresses of the world, all https on loopback.
const (
	issuer      = "https://auth.example.com"
	gatedSite   = "https://app.example.com"
	clientSite  = "https://client.example.com"
	callbackURL = clientSite + "/callback"

	upstreamID     = "upstream-client"
	upstreamSecret = "not-a-secret-upstream"
	clientSecret   = "not-a-secret-client"
)

// A world is a stand-in tenant, a broker, one gated site and one registered
// client, with a clock that tests move.
type world struct {
	*testing.T
	tenant *brokertest.Server
	broker *broker.Broker
	clock  *brokertest.Clock
	store  store.Store
	ca     *brokertest.CA
	logs   *lockedBuffer

	resolve map[string]string
	servers map[string]*httptest.Server

	browsers []*brokertest.Browser

	mu       sync.Mutex
	upstream []*http.Request // what the gated application received
}

// options of a world; the zero value is the ordinary one.
type options struct {
	tenant brokertest.Options
	client func(*oauth.Client)
	gate   func(*broker.GateConfig)
	config func(*world, *broker.Config)
}

func newWorld(t *testing.T, o options) *world {
	t.Helper()
	w := &world{T: t, clock: brokertest.NewClock(time.Now()), ca: brokertest.NewCA(), logs: new(lockedBuffer), resolve: map[string]string{}, servers: map[string]*httptest.Server{}}
	w.store = store.NewMemory(w.clock.Now)
	w.startTenant(o.tenant)
	w.newBroker(o)
	return w
}

func (w *world) startTenant(o brokertest.Options) {
	w.Helper()
	o.CA, o.Now = w.ca, w.clock.Now
	if o.Clients == nil {
		o.Clients = []brokertest.Client{{
			ID: upstreamID, Secret: upstreamSecret,
			Callbacks: []string{issuer + "/oauth2/callback/auth0", issuer + "/oauth2/callback/second"},
		}}
	}
	w.tenant = brokertest.StartTLS(w.T, o)
}

// newBroker builds a broker on the world's store and serves it in place of
// any earlier one, as a reload or a restart would.
func (w *world) newBroker(o options) {
	w.Helper()
	client := oauth.Client{
		ID: "notes", Name: "Notes", Secrets: [][32]byte{oauth.HashSecret(clientSecret)},
		RedirectURIs: []string{callbackURL},
	}
	if o.client != nil {
		o.client(&client)
	}
	config := broker.Config{
		Issuer:      issuer,
		Connections: []broker.Connection{w.connection("auth0", "Acme staff")},
		Clients:     []oauth.Client{client},
	}
	if o.config != nil {
		o.config(w, &config)
	}
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(w.logs), zap.DebugLevel))
	b, err := broker.New(config, broker.Deps{Store: w.store, Log: log, Now: w.clock.Now})
	if err != nil {
		w.Fatal(err)
	}
	gateConfig := broker.GateConfig{Origins: []string{gatedSite}, Name: "Orders"}
	if o.gate != nil {
		o.gate(&gateConfig)
	}
	gate, err := b.NewGate(gateConfig)
	if err != nil {
		w.Fatal(err)
	}
	w.broker = b
	w.serve("auth.example.com", b)
	w.serve("app.example.com", w.gated(gate))
	w.serve("client.example.com", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusOK) }))
}

// connection is one to the world's tenant.
func (w *world) connection(id, name string) broker.Connection {
	w.Helper()
	p, err := auth0.New(auth0.Config{
		Domain: w.tenant.Domain(), ClientID: upstreamID, ClientSecret: upstreamSecret, AllowLocal: true,
	}, oidc.Deps{Outbound: w.outbound(), Now: w.clock.Now})
	if err != nil {
		w.Fatal(err)
	}
	c := broker.Connection{ID: id, Name: name, Provider: p}
	c.Pipeline.Attributes, c.Pipeline.Mappings, c.Pipeline.ISOUpdatedAt = claims.Default(false), claims.DefaultMappings(false), true
	return c
}

func (w *world) outbound() *outbound.Client {
	return outbound.New(outbound.Config{TrustedRoots: w.ca.Pool(), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}

// gated is the gated application behind its gate. It remembers what it got.
func (w *world) gated(g *gateway.Gate) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		original := *r.URL
		err := g.Serve(rw, r, &original, func(rw http.ResponseWriter, r *http.Request, _ *gateway.Visitor) error {
			w.mu.Lock()
			w.upstream = append(w.upstream, r.Clone(r.Context()))
			w.mu.Unlock()
			rw.Header().Set("Content-Type", "text/html")
			_, err := rw.Write([]byte(`<!doctype html><title>Orders</title><h1 id="app">Orders</h1>`))
			return err
		})
		if err != nil {
			w.Errorf("gate: %v", err)
		}
	})
}

// serve serves h as the host, replacing what was there.
func (w *world) serve(host string, h http.Handler) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.Listener = l
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{w.ca.Certificate(host)}, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	w.Cleanup(srv.Close)
	if old := w.servers[host]; old != nil {
		old.Close() // or browsers would go on asking it
		for _, b := range w.browsers {
			b.Disconnect()
		}
	}
	w.servers[host] = srv
	w.resolve[host] = l.Addr().String()
}

func (w *world) newBrowser() *brokertest.Browser {
	b := brokertest.NewBrowser(w.T, brokertest.BrowserOptions{Resolve: w.resolve, RootCAs: w.ca.Pool(), Now: w.clock.Now})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.browsers = append(w.browsers, b)
	return b
}

// received returns the last request that reached the gated application.
func (w *world) received() *http.Request {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.upstream) == 0 {
		w.Fatal("no request reached the application")
	}
	return w.upstream[len(w.upstream)-1]
}

func (w *world) receivedCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.upstream)
}

// enter signs a browser in at the gated site and consents.
func (w *world) enter(b *brokertest.Browser, path, user string) *brokertest.Page {
	w.Helper()
	page := b.Get(gatedSite + path)
	if page.Has("tenant-login-form") {
		page = b.SignIn(user)
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if !page.Has("app") {
		w.Fatalf("signing in did not reach the application: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	return page
}

const testVerifier = "test-verifier-test-verifier-test-verifier-test"

// authorizeURL is a valid authorization request of the client, changed by
// the pairs of name and value; an empty value removes the parameter.
func authorizeURL(changes ...string) string {
	params := url.Values{
		"response_type": {"code"}, "client_id": {"notes"}, "redirect_uri": {callbackURL},
		"scope": {"openid profile email"}, "state": {"client-state"}, "nonce": {"client-nonce"},
		"code_challenge": {oauth.S256(testVerifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		params.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			params.Del(changes[i])
		}
	}
	return issuer + "/oauth2/authorize?" + params.Encode()
}

// authorize runs an authorization request through sign-in and consent, and
// returns the parameters that the client gets.
func (w *world) authorize(b *brokertest.Browser, user string, changes ...string) url.Values {
	w.Helper()
	b.StopBefore = clientSite
	page := b.Get(authorizeURL(changes...))
	if page.Has("tenant-login-form") {
		page = b.SignIn(user)
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	return w.answer(page)
}

// answer returns what the page, a redirect to the client, carries.
func (w *world) answer(page *brokertest.Page) url.Values {
	w.Helper()
	if page.Location == nil || !strings.HasPrefix(page.Location.String(), callbackURL) {
		w.Fatalf("no redirect to the client: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	return page.Location.Query()
}

// post sends a form to a path of the issuer as a client would.
func (w *world) post(path string, form url.Values, header ...string) (int, map[string]any) {
	w.Helper()
	r, err := http.NewRequest(http.MethodPost, issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return w.do(r)
}

func (w *world) do(r *http.Request) (int, map[string]any) {
	w.Helper()
	rec := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w.broker.ServeHTTP(rec, r)
	var body map[string]any
	if raw := rec.Body.Bytes(); len(raw) > 0 {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&body); err != nil {
			w.Fatalf("%s answered %d with no JSON: %s", r.URL.Path, rec.Code, raw)
		}
	}
	return rec.Code, body
}

// exchange redeems a code as the client, with changes as in authorizeURL.
func (w *world) exchange(code string, changes ...string) (int, map[string]any) {
	w.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callbackURL},
		"code_verifier": {testVerifier}, "client_id": {"notes"}, "client_secret": {clientSecret},
	}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	return w.post("/oauth2/token", form)
}

// userinfo asks the userinfo endpoint.
func (w *world) userinfo(accessToken string) (int, map[string]any) {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, issuer+"/oauth2/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+accessToken)
	return w.do(r)
}

// payload decodes a token without verifying it.
func payload(t testing.TB, token any) map[string]any {
	t.Helper()
	parts := strings.Split(token.(string), ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %v", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// lockedBuffer collects log lines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
