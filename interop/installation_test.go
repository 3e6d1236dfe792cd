package interop_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

const (
	upstreamSecret = "not-a-secret-upstream"
	clientSecret   = "not-a-secret-client"
)

// installation is a Caddy with the issuer's site, a gated site and the
// application behind it, in front of a tenant.
type installation struct {
	*caddy

	tenant *brokertest.Server // nil if another upstream takes its place
	issuer string
	site   string // the gated site's origin
	config string // the Caddyfile

	mu       sync.Mutex
	received []http.Header
}

// setup says how an installation differs from the ordinary one.
type setup struct {
	// provider and clients are lines of the global option. The default
	// provider is the stand-in tenant, the default client is "notes".
	provider, clients string

	// gate are lines of the gate beside its name.
	gate string

	// secret is that of the broker at the tenant, as Caddy knows it.
	secret string

	// addresses that the test has had to know beforehand.
	issuer, site string
}

// install starts a Caddy in front of the stand-in tenant.
func install(t *testing.T, s setup) *installation {
	t.Helper()
	in := &installation{issuer: s.issuer, site: s.site}
	if in.issuer == "" {
		in.issuer = "http://" + freeAddr(t)
	}
	if in.site == "" {
		in.site = "http://" + freeAddr(t)
	}
	if s.provider == "" {
		in.tenant = brokertest.Start(t, brokertest.Options{Clients: []brokertest.Client{{
			ID: "broker", Secret: upstreamSecret, Callbacks: []string{in.issuer + "/oauth2/callback/auth0"},
		}}})
		s.provider = "provider auth0 " + in.tenant.Domain() + " broker {env.UPSTREAM_SECRET}"
	}
	if s.clients == "" {
		s.clients = notesClient
	}
	if s.secret == "" {
		s.secret = upstreamSecret
	}
	app := httptest.NewServer(http.HandlerFunc(in.serveApp))
	t.Cleanup(app.Close)
	in.config = fmt.Sprintf(`{
	auth_broker {
		issuer %s
		%s
		%s
		outbound {
			allow_http
		}
	}
}
%[1]s {
	auth_broker
}
%[4]s {
	auth_gate {
		name Orders
		%[6]s
	}
	reverse_proxy %[5]s
}
`, in.issuer, s.provider, s.clients, in.site, strings.TrimPrefix(app.URL, "http://"), s.gate)
	in.caddy = startCaddy(t, strings.TrimPrefix(in.site, "http://"), in.config,
		"UPSTREAM_SECRET="+s.secret, "CLIENT_SECRET="+clientSecret)
	return in
}

const notesClient = `client notes {
			name Notes
			secret {env.CLIENT_SECRET}
			redirect_uris ` + callback + `
		}`

// serveApp is the application behind the gate. It remembers what it got.
func (in *installation) serveApp(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	in.received = append(in.received, r.Header.Clone())
	in.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><title>Orders</title><h1 id="app">Orders</h1>`)
}

// last returns the headers of the last request that reached the application.
func (in *installation) last(t *testing.T) http.Header {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.received) == 0 {
		t.Fatal("no request reached the application")
	}
	return in.received[len(in.received)-1]
}

// enter opens a page of the gated site, signing in as ada and consenting
// where that is asked for.
func (in *installation) enter(t *testing.T, b *brokertest.Browser, path string) {
	t.Helper()
	page := b.Get(in.site + path)
	if page.Has("tenant-login-form") {
		page = b.SignIn("ada")
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if page.Status != http.StatusOK || !page.Has("app") || page.URL.String() != in.site+path {
		t.Fatalf("signing in led to %s, want the application:\n%s", page, page.Body)
	}
}

// mustBeIn demands that the gate lets the browser through at once, as Ada.
func (in *installation) mustBeIn(t *testing.T, b *brokertest.Browser) {
	t.Helper()
	before := len(b.History())
	page := b.Get(in.site + "/again")
	if hops := len(b.History()) - before; hops != 1 || !page.Has("app") {
		t.Fatalf("the gate session is gone: %d requests led to %s", hops, page)
	}
	if got := in.last(t).Get("Remote-Name"); got != "Ada Example" {
		t.Errorf("Remote-Name = %q, want Ada Example", got)
	}
}
