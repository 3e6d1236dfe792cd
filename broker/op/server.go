package op

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// A Server serves the endpoints. All fields are required but Logos and
// Resume.
type Server struct {
	// Issuer has no trailing slash; it may have a path.
	Issuer      *url.URL
	Connections []Connection // in the order of the chooser

	// Client returns a client by id, nil for an unknown one.
	Client func(id string) *oauth.Client

	// Grants that at least one client may use.
	Grants []string

	Scopes   []claims.Scope
	Claims   []claims.Claim
	Store    store.Store
	Sealer   *session.Sealer
	Sessions *session.Manager
	Ledger   *consent.Ledger
	Minter   *token.Minter
	Schema   *authn.Schema
	Subjects Subjects
	Pages    *ui.Pages
	Cookies  session.Cookies
	Log      *zap.Logger
	Now      func() time.Time

	// RefreshLifetime is how long refresh tokens can be used, from the first
	// of a family on; none without. RefreshGrace is how long a token that was
	// used brings the same successor again; 0 is not at all.
	RefreshLifetime time.Duration
	RefreshGrace    time.Duration

	// Logos fetches the pictures of connections and clients; nil shows none.
	Logos *http.Client
	logos logos

	// PortalURL is the path where users see and withdraw what they gave;
	// empty names none.
	PortalURL string

	// Resume returns the page of a gated site that a sign-in with this
	// state was for. A sign-in that is lost can begin again from there.
	Resume func(ctx context.Context, clientID, state string) (string, bool)

	// OnWithdrawal is called with each subject that has taken a consent back
	// on this node, so that caches ask again; nil does nothing.
	OnWithdrawal func(subject string)

	misses misses
	traces traceCounter
	values values
	health health
}

// Subjects makes the names by which clients know people.
type Subjects interface {
	// Of returns the subject of an upstream's user.
	Of(ctx context.Context, connection, issuer, idpSubject string) (string, error)
	// For returns what c calls the subject.
	For(ctx context.Context, c *oauth.Client, subject string) (string, error)
}

// Paths of the endpoints, below the issuer.
const (
	PathAuthorize  = "/oauth2/authorize"
	PathToken      = "/oauth2/token" //nolint:gosec // G101: an address
	PathUserinfo   = "/oauth2/userinfo"
	PathIntrospect = "/oauth2/introspect"
	PathRevoke     = "/oauth2/revoke"
	PathLogin      = "/oauth2/login"
	PathConsent    = "/oauth2/consent"
	PathCallback   = "/oauth2/callback/"
	PathResume     = "/oauth2/resume"
	PathPostAuthn  = "/post-authn/"
	PathClients    = "/oauth2/clients"
	PathTokens     = "/oauth2/tokens" //nolint:gosec // G101: an address
	PathJWKS       = "/.well-known/jwks.json"
)

// url returns the absolute address of a path below the issuer.
func (s *Server) url(path string) string { return s.Issuer.String() + path }

// path returns the path of an address below the issuer, for forms and
// links on our own pages.
func (s *Server) path(path string) string { return strings.TrimSuffix(s.Issuer.Path, "/") + path }

// CallbackURL is where the upstream sends people back to: one address per
// connection, to be registered there.
func (s *Server) CallbackURL(connection string) string { return s.url(PathCallback + connection) }

// redirect sends the browser on; after a POST with 303, so that the form is
// never posted again elsewhere (RFC 9700, 4.12).
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	status := http.StatusFound
	if r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", to)
	w.WriteHeader(status)
}

// seeOther sends the browser to the application. It must arrive by GET,
// however it came here: in the form_post response mode the provider's answer
// is a POST, which must not be sent on (RFC 9700, 4.12).
func seeOther(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
