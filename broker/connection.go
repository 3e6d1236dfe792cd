package broker

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
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

var connectionID = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// validateConnections checks each connection, and that they go together.
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

// checkMaySet makes sure that what the connection's application may set has
// a place in the context.
func (c *Connection) checkMaySet(schema *authn.Schema) error {
	if c.Application == nil {
		return nil
	}
	if err := schema.CheckMaySet(c.Application.MaySet); err != nil {
		return c.misconfiguredApplication(fmt.Errorf("may_set: %w", err))
	}
	return nil
}

// checkConnections says whether all names are connections.
func (c *Config) checkConnections(names []string) error {
	for _, name := range names {
		known := false
		ids := make([]string, 0, len(c.Connections))
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

// connections returns the connections in the order of the chooser.
func (b *Broker) connections() ([]op.Connection, error) {
	inOrder := slices.Clone(b.config.Connections)
	slices.SortStableFunc(inOrder, func(x, y Connection) int {
		return cmp.Or(cmp.Compare(x.Order, y.Order), strings.Compare(cmp.Or(x.Name, x.ID), cmp.Or(y.Name, y.ID)))
	})
	var out []op.Connection
	for _, c := range inOrder {
		pipeline, err := authn.NewPipeline(c.pipeline(b.model.schema))
		if err != nil {
			return nil, c.misconfigured(err)
		}
		if err := c.checkMaySet(b.model.schema); err != nil {
			return nil, c.misconfigured(err)
		}
		out = append(out, op.Connection{
			ID: c.ID, Name: cmp.Or(c.Name, c.ID), LogoURI: c.LogoURI, Disabled: c.Disabled, Hidden: c.Hidden,
			Domains: c.Domains, Provider: c.Provider, Pipeline: pipeline,
			SubjectNamespace: c.SubjectNamespace, TrustEmail: c.TrustEmail,
			CacheTTL: c.ContextCache, Fingerprint: c.fingerprint(b.model.schema, cmp.Or(b.config.SubjectFormat, SubjectHash)),
			Script: c.Script, Application: c.Application,
		})
	}
	return out, nil
}

// pipeline is the connection's, completed.
func (c *Connection) pipeline(schema *authn.Schema) authn.Config {
	p := c.Pipeline
	if p.Attributes == nil {
		p.Attributes, p.Mappings = claims.Default(false), claims.DefaultMappings(false)
	}
	p.Schema = schema
	return p
}

// connection returns the connection of that id, nil if there is none.
func (c *Config) connection(id string) *Connection {
	for i := range c.Connections {
		if c.Connections[i].ID == id {
			return &c.Connections[i]
		}
	}
	return nil
}
