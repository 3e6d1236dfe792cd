package broker

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
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

	// Title stands on every page: the operator's name.
	Title string
}

// Formats of subjects.
const (
	SubjectHash   = "hash"   // see [authn.Subject]
	SubjectLegacy = "legacy" // the upstream's own; with one connection only
)

// A Connection is one upstream.
type Connection struct {
	// ID is part of the users' identity ([a-z0-9_-], at most 64): a
	// connection that is renamed has other users.
	ID string

	// Kind of provider, such as "auth0", for people.
	Kind string

	// Name and Order place it on the chooser.
	Name  string
	Order int

	// LogoURI is an https address; the picture is shown from our own
	// origin.
	LogoURI string

	// Disabled ones cannot be used; Hidden ones are not offered.
	Disabled, Hidden bool

	// Domains of e-mail addresses whose owners sign in here. No two
	// connections may share one.
	Domains []string

	Provider provider.Provider

	// Settings tells what else the provider is made of, as a hash: where
	// it changes, contexts kept from before do not answer any more.
	Settings string

	// Pipeline builds the authentication context. Without Attributes it
	// has the standard ones, with their identity mappings. Its Schema is
	// the broker's.
	Pipeline authn.Config

	// SubjectNamespace pins the issuer in the users' subjects, for a tenant
	// that moves to another address. Empty is the upstream's issuer.
	SubjectNamespace string

	// TrustEmail takes the upstream's e-mail addresses for verified.
	TrustEmail bool

	// ContextCache is how long a sign-in answers the same browser's further
	// requests; 0 asks the upstream every time.
	ContextCache time.Duration

	// Script and Application extend the context; nil for none.
	Script      *op.Script
	Application *op.Application

	// Origin is where the connection is configured, such as "Caddyfile:4".
	Origin string
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
	if c.SubjectFormat == SubjectLegacy && len(c.Connections) > 1 {
		return errors.New("subject_format legacy is for a single provider, because two could name two people alike; remove it, or all providers but one")
	}
	ids, domains := map[string]bool{}, map[string]string{}
	for _, conn := range c.Connections {
		for _, err := range []error{conn.validateID(ids), conn.validateDomains(domains), c.validateApplication(conn)} {
			if err != nil {
				return conn.misconfigured(err)
			}
		}
	}
	return nil
}

func (c *Connection) misconfigured(err error) error {
	return claims.Misconfigured(c.Origin, "provider "+c.ID, err)
}

// validateID checks the id, and that no earlier connection has it.
func (c *Connection) validateID(taken map[string]bool) error {
	switch {
	case !connectionID.MatchString(c.ID):
		return errors.New("id must be 1 to 64 of a-z, 0-9, _ and -")
	case taken[c.ID]:
		return errors.New("the id is given twice; give one of them another id")
	}
	taken[c.ID] = true
	return nil
}

// validateDomains makes sure that an e-mail address leads to one connection.
func (c *Connection) validateDomains(owner map[string]string) error {
	for _, domain := range c.Domains {
		if domain == "" || domain != strings.ToLower(domain) || strings.ContainsAny(domain, "@/:* ") {
			return fmt.Errorf("domains: %q is not a domain in lower case, such as partner.example", domain)
		}
		if first, taken := owner[domain]; taken {
			return fmt.Errorf("domains: %s belongs to provider %s already; a domain leads to one provider", domain, first)
		}
		owner[domain] = c.ID
	}
	return nil
}

// validateApplication checks the post-authentication application of a
// connection: its address, and the client that speaks for it.
func (c *Config) validateApplication(conn Connection) error {
	app := conn.Application
	if app == nil {
		return nil
	}
	if !c.CustomApps {
		return conn.misconfiguredApplication(errors.New("is switched off; write feature custom_apps to use it"))
	}
	u, err := url.Parse(app.URL)
	if err != nil || u.Host == "" || u.Fragment != "" || !session.SecureOrigin(u) {
		return conn.misconfiguredApplication(fmt.Errorf("url %q: must be an https address without fragment; http is for loopback hosts only", app.URL))
	}
	i := slices.IndexFunc(c.Clients, func(client oauth.Client) bool { return client.ID == app.ClientID })
	switch {
	case i < 0:
		err = fmt.Errorf("client %q is not configured; add: client %s { secret {env.NAME}; grants client_credentials; scopes %s }", app.ClientID, app.ClientID, op.ScopeManagePostAuthn)
	case !c.Clients[i].MayGrant(oauth.GrantClientCredentials):
		err = fmt.Errorf("client %s needs the line: grants client_credentials", app.ClientID)
	case !slices.Contains(c.Clients[i].Scopes, op.ScopeManagePostAuthn):
		err = fmt.Errorf("client %s needs the line: scopes %s", app.ClientID, op.ScopeManagePostAuthn)
	}
	return conn.misconfiguredApplication(err)
}

func (c *Connection) misconfiguredApplication(err error) error {
	return claims.Misconfigured(c.Application.Origin, "provider "+c.ID+": post_authn_app", err)
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
