package op

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// A Connection is one upstream that people can sign in at.
type Connection struct {
	ID   string
	Name string

	// Disabled connections cannot be used at all; Hidden ones are not
	// offered, but a client may ask for them by idp_hint.
	Disabled bool
	Hidden   bool

	Provider provider.Provider
	Pipeline *authn.Pipeline

	// LogoURI is fetched by us and shown from our own origin; empty shows
	// a monogram. Domains are those of e-mail addresses that lead here.
	LogoURI string
	Domains []string

	// SubjectNamespace stands in place of the upstream's issuer where
	// subjects are made, if not empty.
	SubjectNamespace string

	// TrustEmail takes every e-mail address of this upstream for verified.
	TrustEmail bool

	// CacheTTL is how long a finished context answers for the browser it
	// was made in; 0 asks the upstream every time. A context that was made
	// under another Fingerprint of the settings does not answer.
	CacheTTL    time.Duration
	Fingerprint string

	// Script and Application extend the context; nil for none.
	Script      *Script
	Application *Application
}

// A Script is a connection's post-authentication script.
type Script struct {
	Run *script.Script

	// ContinueOnError goes on with the context as it was before a script
	// that fails; otherwise its failure ends the sign-in.
	ContinueOnError bool
}

// An Application is a connection's post-authentication application: the
// browser visits it between sign-in and consent.
type Application struct {
	// URL that the browser is sent to, and ClientID by which the
	// application's back end proves itself.
	URL      string
	ClientID string

	// MaySet are the names of the context that it may set, "amr" and "acr"
	// among them. With none it lets people pass or turns them away.
	MaySet []string

	// TTL is how long it may take; 0 is ten minutes.
	TTL time.Duration

	// Origin is where it is configured, such as "Caddyfile:9".
	Origin string
}

// A Server serves the endpoints. All fields are required but Resume.
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

	// Logos fetches the pictures of connections and clients.
	Logos *http.Client
	logos logos

	// Resume returns the page of a gated site that a sign-in with this
	// state was for. A sign-in that is lost can begin again from there.
	Resume func(ctx context.Context, clientID, state string) (string, bool)

	misses misses
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
	PathAuthorize = "/oauth2/authorize"
	PathToken     = "/oauth2/token"
	PathUserinfo  = "/oauth2/userinfo"
	PathLogin     = "/oauth2/login"
	PathConsent   = "/oauth2/consent"
	PathCallback  = "/oauth2/callback/"
	PathResume    = "/oauth2/resume"
	PathPostAuthn = "/post-authn/"
	PathJWKS      = "/.well-known/jwks.json"
)

// url returns the absolute address of a path below the issuer.
func (s *Server) url(path string) string { return s.Issuer.String() + path }

// path returns the path of an address below the issuer, for forms and
// links on our own pages.
func (s *Server) path(path string) string { return strings.TrimSuffix(s.Issuer.Path, "/") + path }

// CallbackURL is where the upstream sends people back to: one address per
// connection, to be registered there.
func (s *Server) CallbackURL(connection string) string { return s.url(PathCallback + connection) }

// connection returns an enabled connection by id.
func (s *Server) connection(id string) *Connection {
	i := slices.IndexFunc(s.Connections, func(c Connection) bool { return c.ID == id && !c.Disabled })
	if i < 0 {
		return nil
	}
	return &s.Connections[i]
}

// Permits says whether users of the connection may have tokens for the
// client: the one rule that every grant asks, because a connection can be
// disabled, or taken from a client, while sign-ins and sessions live (R30).
func (s *Server) Permits(c *oauth.Client, connection string) bool {
	return s.connection(connection) != nil && c.MayUse(connection)
}

// candidates are the connections to choose from: enabled, not hidden, and
// permitted by the client.
func (s *Server) candidates(c *oauth.Client) (visible []*Connection) {
	for i := range s.Connections {
		if conn := &s.Connections[i]; !conn.Disabled && !conn.Hidden && c.MayUse(conn.ID) {
			visible = append(visible, conn)
		}
	}
	return visible
}

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
