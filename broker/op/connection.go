package op

import (
	"slices"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
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
	Compiled *script.Script

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
