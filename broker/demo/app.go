package demo

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/zap"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// ClientID is the application's id at the broker.
const ClientID = "demo"

// Paths of the application, below the issuer.
const (
	PathFront    = "/demo/"
	PathLogin    = "/demo/login"
	PathCallback = "/demo/callback"
	PathRefresh  = "/demo/refresh"
	PathLogout   = "/demo/logout"
)

// An App is the application. All fields are required.
type App struct {
	// Issuer of the broker, below which the application lives, and Broker,
	// which answers at its addresses.
	Issuer *url.URL
	Broker http.Handler

	// EverywhereURL is where people sign out of the broker: a path.
	EverywhereURL string

	// Scopes and Claims of the broker: what can be asked for, and where in
	// the authentication context each claim comes from.
	Scopes []claims.Scope
	Claims []claims.Claim

	// Origins tells where the values come from that are behind an access
	// token of ours.
	Origins func(ctx context.Context, accessToken string) (authn.Origins, error)

	Sessions *session.Manager
	Sealer   *session.Sealer
	Cookies  session.Cookies
	Pages    *ui.Pages
	Log      *zap.Logger
	Now      func() time.Time
}

// Client returns what the application is to the broker.
func (a *App) Client() *oauth.Client {
	offered := a.offered()
	scopes := make([]string, 0, len(offered))
	for _, s := range offered {
		scopes = append(scopes, s.Name)
	}
	return &oauth.Client{
		ID: ClientID, Name: "Demo", URI: a.url(PathFront), Public: true,
		RedirectURIs: []string{a.url(PathCallback)}, Scopes: scopes,
	}
}

// offered are the scopes that the application can ask for: those about the
// person, and the one for refresh tokens. The ones that open the broker's
// interfaces are of no use to it.
func (a *App) offered() (scopes []claims.Scope) {
	for _, s := range a.Scopes {
		if s.Service != claims.ServiceOAuth2 {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

func (a *App) url(path string) string  { return a.Issuer.String() + path }
func (a *App) path(path string) string { return a.Issuer.Path + path }

// online returns a context in which the libraries reach the broker.
func (a *App) online(ctx context.Context) context.Context {
	client := &http.Client{Transport: handlerTransport{issuer: a.Issuer, broker: a.Broker}, Timeout: 10 * time.Second}
	return oidc.ClientContext(ctx, client)
}

// discover returns the broker as the libraries know it. It is asked for each
// sign-in and each look at a token: the way is short, and so the keys are
// always the ones that hold now.
func (a *App) discover(ctx context.Context) (*oidc.Provider, error) {
	return oidc.NewProvider(ctx, a.Issuer.String())
}

func (a *App) config(p *oidc.Provider, scopes []string) *oauth2.Config {
	return &oauth2.Config{ClientID: ClientID, Endpoint: p.Endpoint(), RedirectURL: a.url(PathCallback), Scopes: scopes}
}

// A failure is shown as a page.
type failure struct {
	reason, code string
	status       int
	trace        string
	err          error // for the log
}

// page shows what went wrong, and the way back to the front page.
func (a *App) page(w http.ResponseWriter, r *http.Request, f failure) {
	if f.trace == "" {
		f.trace = rand.Text()
	}
	a.Log.Warn("request refused", zap.String("trace", f.trace), zap.String("reason", f.reason),
		zap.String("client", ClientID), zap.String("path", r.URL.Path), zap.Error(f.err))
	a.Pages.Error(w, r, ui.Error{
		Reason: f.reason, Code: f.code, Status: f.status, RetryURL: a.path(PathFront), Trace: f.trace, Time: a.Now(),
	})
}

// redirect sends the browser on, after a POST as after a GET.
func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Cookie")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
