package broker

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// Config is what a broker is. It is pure data but for the providers, which
// the caller has made of their own settings.
type Config struct {
	// Issuer is the broker's address: https, or http on a loopback host.
	// It has no trailing slash and may have a path.
	Issuer string

	// Connections are the upstream providers; at least one.
	Connections []Connection

	// Clients are the registered ones. Gated sites come by NewGate.
	Clients []oauth.Client

	// Session limits; zero fields are the defaults of package session.
	Session session.Limits

	// ConsentLifetime after which users are asked again; 0 is never.
	ConsentLifetime time.Duration

	// AccessLifetime of access and ID tokens; 0 is ten minutes. Those of
	// gated sites live five minutes at most.
	AccessLifetime time.Duration

	// Title stands on every page: the operator's name.
	Title string
}

// A Connection is one upstream.
type Connection struct {
	// ID is part of the users' identity ([a-z0-9_-], at most 64): a
	// connection that is renamed has other users.
	ID string

	// Name and Order place it on the chooser.
	Name  string
	Order int

	// Disabled ones cannot be used; Hidden ones are not offered.
	Disabled, Hidden bool

	Provider provider.Provider

	// Pipeline builds the authentication context. Without Attributes it
	// has the standard ones, with their identity mappings.
	Pipeline authn.Config
}

// A GateConfig is one auth_gate.
type GateConfig struct {
	// Origins that the gate guards, such as https://app.example.com.
	Origins []string

	// Name on the consent page; the host where it is empty.
	Name string

	// Trusted sites do not ask for consent.
	Trusted bool

	// Connections the site's users may come from; empty means all.
	Connections []string

	// Scopes asked for; empty is openid profile email.
	Scopes         []string
	RequiredScopes []string

	// Headers sent to the application; nil is gateway.DefaultHeaders.
	Headers []gateway.Header

	// Public paths.
	Public []string
}

var connectionID = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// parseIssuer checks an issuer (OpenID Connect Discovery, 3; RFC 8414, 2).
func parseIssuer(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return nil, errors.New("issuer is missing; write the broker's own address, such as issuer https://auth.example.com")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("issuer %q: must be an address such as https://auth.example.com", s)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.RawPath != "" || strings.ContainsAny(s, "?#"):
		return nil, fmt.Errorf("issuer %q: must have no query, fragment, user or escapes", s)
	case strings.HasSuffix(s, "/"):
		return nil, fmt.Errorf("issuer %q: must not end in a slash; write %s", s, strings.TrimRight(s, "/"))
	case u.Path != "" && path.Clean(u.Path) != u.Path || strings.ContainsAny(u.Path, "{}"):
		return nil, fmt.Errorf("issuer %q: the path must be plain, without braces, dot segments and double slashes", s)
	case !session.SecureOrigin(u):
		return nil, fmt.Errorf("issuer %q: must be https; http is for loopback hosts only", s)
	case u.Host != strings.ToLower(u.Host):
		return nil, fmt.Errorf("issuer %q: write the host in lower case", s)
	}
	return u, nil
}

func (c *Config) defaults() {
	if c.Session.Idle == 0 {
		c.Session.Idle = session.DefaultIdle
	}
	if c.Session.Lifetime == 0 {
		c.Session.Lifetime = session.DefaultLifetime
	}
}

func (c *Config) validateConnections() error {
	if len(c.Connections) == 0 {
		return errors.New("no provider; add one, such as: provider auth0 DOMAIN CLIENT_ID CLIENT_SECRET")
	}
	seen := map[string]bool{}
	for _, conn := range c.Connections {
		if !connectionID.MatchString(conn.ID) {
			return fmt.Errorf("provider %q: id must be 1 to 64 of a-z, 0-9, _ and -", conn.ID)
		}
		if seen[conn.ID] {
			return fmt.Errorf("provider %s: the id is given twice; give one of them another id", conn.ID)
		}
		seen[conn.ID] = true
	}
	return nil
}

// checkConnections says whether all names are connections.
func (c *Config) checkConnections(names []string) error {
	for _, name := range names {
		known := false
		var ids []string
		for _, conn := range c.Connections {
			known = known || conn.ID == name
			ids = append(ids, conn.ID)
		}
		if !known {
			return fmt.Errorf("provider %q is not configured; use one of %s", name, strings.Join(ids, ", "))
		}
	}
	return nil
}
