package auth0_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

const (
	callback = "https://auth.example.com/oauth2/callback/acme"
	api      = "https://api.example.com"
)

// A world is a stand-in tenant, a connection to it and a browser.
type world struct {
	t          *testing.T
	tenant     *brokertest.Server
	browser    *brokertest.Browser
	clock      *brokertest.Clock
	logs       *observer.ObservedLogs
	connection *oidc.Provider
}

// newWorld starts a tenant with options of the test's choice, in which the
// broker is registered as the client says, and connects to it.
func newWorld(t *testing.T, options func(*brokertest.Options, *brokertest.Client), edit func(*auth0.Config)) *world {
	t.Helper()
	w := &world{t: t, clock: new(brokertest.Clock)}
	client := brokertest.Client{ID: "broker", Secret: "not-a-secret", Callbacks: []string{callback}}
	opts := brokertest.Options{Now: w.clock.Now}
	if options != nil {
		options(&opts, &client)
	}
	opts.Clients = []brokertest.Client{client}
	w.tenant = brokertest.StartTLS(t, opts)
	w.browser = brokertest.NewBrowser(t, brokertest.BrowserOptions{RootCAs: w.tenant.CA.Pool()})
	w.browser.StopBefore = "https://auth.example.com/"

	cfg := auth0.Config{Domain: w.tenant.Domain(), ClientID: "broker", ClientSecret: "not-a-secret", AllowLocal: true}
	if edit != nil {
		edit(&cfg)
	}
	core, logs := observer.New(zap.WarnLevel)
	w.logs = logs
	var err error
	w.connection, err = auth0.New(cfg, oidc.Deps{
		Outbound: outbound.New(outbound.Config{
			TrustedRoots: w.tenant.CA.Pool(), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			Timeout: 20 * time.Second,
		}),
		Now: w.clock.Now, Logger: zap.New(core),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// signIn signs a user in, through the tenant's pages if it shows any.
func (w *world) signIn(user string) (*provider.Identity, error) {
	w.t.Helper()
	req := provider.Request{RedirectURI: callback, State: "a-state", Started: w.clock.Now()}
	target, private, err := w.connection.Begin(w.t.Context(), req)
	if err != nil {
		w.t.Fatalf("Begin: %v", err)
	}
	page := w.browser.Get(target)
	if page.Has("tenant-login-form") {
		page = w.browser.SignIn(user)
	}
	if page.Location == nil {
		w.t.Fatalf("want a redirect to the callback, got %v", page)
	}
	return w.connection.Complete(w.t.Context(), private, req, httptest.NewRequest(http.MethodGet, page.Location.String(), nil))
}

func (w *world) mustSignIn(user string) *provider.Identity {
	w.t.Helper()
	id, err := w.signIn(user)
	if err != nil {
		w.t.Fatalf("sign-in: %v", err)
	}
	return id
}

// refused is a sign-in that ends with reason.
func (w *world) refused(user string, reason provider.Reason) *provider.Error {
	w.t.Helper()
	id, err := w.signIn(user)
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || id != nil || e.Reason != reason {
		w.t.Fatalf("got %v, %v; want the reason %s", id, err, reason)
	}
	return e
}
