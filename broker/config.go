package broker

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// Config is what a broker is. It is pure data but for what the caller has
// made of settings of its own: providers, compiled scripts, the theme of the
// pages, and the client that fetches logos.
type Config struct {
	// Issuer is the broker's address: https, or http on a loopback host.
	// It has no trailing slash and may have a path.
	Issuer string

	// Connections are the upstream providers; at least one.
	Connections []Connection

	// Clients are the registered ones. Gated sites come by NewGate.
	Clients []oauth.Client

	// Context are the operator's own names of the authentication context,
	// beside the default ones.
	Context []authn.Field

	// Scopes beside the default ones; one of a default's name replaces it.
	Scopes []claims.Scope

	// Claims beside [claims.DefaultClaims].
	Claims []claims.Claim

	// SubjectFormat is SubjectHash, the default, or SubjectLegacy.
	SubjectFormat string

	// CustomApps admits connections with a post-authentication application.
	CustomApps bool

	// Logos fetches the pictures of connections and clients; nil shows
	// none.
	Logos *http.Client

	// Session limits; zero fields are the defaults of package session.
	Session session.Limits

	// ConsentLifetime after which users are asked again; 0 is never.
	ConsentLifetime time.Duration

	// AccessLifetime of access and ID tokens; 0 is ten minutes. Those of
	// gated sites live five minutes at most.
	AccessLifetime time.Duration

	// RefreshLifetime of refresh tokens, from the sign-in on; 0 is 30 days.
	// No use puts it off.
	RefreshLifetime time.Duration

	// RefreshGrace is how long a refresh token that was used brings the same
	// successor again, to a client that got no answer; nil is ten seconds,
	// and 0 not at all.
	RefreshGrace *time.Duration

	// Title stands on every page: the operator's name.
	Title string

	// Demo switches the demo application on: a client with the id demo, at
	// the path /demo/ below the issuer.
	Demo bool

	// Theme is the look of the pages; nil is the built-in one.
	Theme *ui.Theme
}

// Formats of subjects.
const (
	SubjectHash   = "hash"   // see [authn.Subject]
	SubjectLegacy = "legacy" // the upstream's own; with one connection only
)

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

	// Origin is where the gate is configured, such as "Caddyfile:12".
	Origin string
}

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
	if c.RefreshLifetime == 0 {
		c.RefreshLifetime = op.DefaultRefreshLifetime
	}
	if c.RefreshGrace == nil {
		c.RefreshGrace = new(op.DefaultRefreshGrace)
	}
}
