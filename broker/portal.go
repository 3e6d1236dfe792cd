package broker

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/demo"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/portal"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// The portal's gate keeps its sessions apart from those of a site that may
// share the issuer's origin.
const (
	portalReserved = portal.Path + "/auth/"
	portalCookie   = "auth_broker_portal"
)

var errPortalID = errors.New("client " + portal.ClientID + ": the id belongs to the user portal, which every broker has; give the client another one")

// addPortal makes the portal: a trusted client, with a gate of its own in
// front of it.
func (b *Broker) addPortal() error {
	base := b.issuer.Path + portal.Path
	site := gateway.Site{
		Origin:   &url.URL{Scheme: b.issuer.Scheme, Host: b.issuer.Host},
		Reserved: b.issuer.Path + portalReserved,
		Cookie:   portalCookie,
		Home:     base,
	}
	site.Client = &oauth.Client{
		ID: portal.ClientID, Name: "Portal", URI: b.config.Issuer + portal.Path, RedirectURIs: []string{site.CallbackURL()},
		Scopes: []string{oauth.ScopeOpenID}, Consent: oauth.ConsentTrusted, IDTokenAlg: token.ES256,
		AccessLifetime: gateLifetime, IDLifetime: gateLifetime, Gate: true,
	}
	if err := b.addClient(site.Client); err != nil {
		return err
	}
	gate, err := gateway.New(
		gateway.Config{Sites: []gateway.Site{site}, Headers: []gateway.Header{}, Fingerprint: b.fingerprint(), Origins: true},
		gateway.Deps{
			Broker: inProcess{b}, Sessions: b.sessions, Sealer: b.sealer, Cache: b.deps.Cache,
			Pages: b.pages, Log: b.deps.Log, Now: b.deps.Now,
		},
	)
	if err != nil {
		return err
	}
	b.gates = append(b.gates, gate)
	b.portal = portalHandler{gate: gate, portal: &portal.Portal{
		Base: base, SignOut: site.Reserved + "logout", Broker: inProcess{b}, Fields: b.model.schema.Fields(),
		Sealer: b.sealer, Pages: b.pages, Log: b.deps.Log, Now: b.deps.Now,
	}}
	if b.config.Demo {
		b.portal.portal.Demo = b.issuer.Path + demo.PathLogin
	}
	return nil
}

// portalRoutes are the addresses of the portal and of its gate.
func (b *Broker) portalRoutes(mux *http.ServeMux) {
	mux.Handle(b.issuer.Path+portal.Path, b.portal)
	mux.Handle(b.issuer.Path+portal.Path+"/", b.portal)
}

// oursOfPortal says whether the path, below the issuer, is one of the
// portal's.
func oursOfPortal(path string) bool { return strings.HasPrefix(path+"/", portal.Path+"/") }

// portalHandler is the portal behind its gate.
type portalHandler struct {
	gate   *gateway.Gate
	portal *portal.Portal
}

func (h portalHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The portal has answered whatever went wrong there.
	_ = h.gate.Serve(w, r, r.URL, func(w http.ResponseWriter, r *http.Request, v *gateway.Visitor) error {
		h.portal.Serve(w, r, v.Authorization())
		return nil
	})
}

func (p inProcess) Apps(ctx context.Context, subject string) ([]ui.PortalApp, error) {
	apps, err := p.b.server.AppsOf(ctx, subject, portal.ClientID)
	if err != nil {
		return nil, err
	}
	out := make([]ui.PortalApp, 0, len(apps))
	for _, app := range apps {
		v := ui.PortalApp{ID: app.ID, Client: app.Client, Gone: !app.Known, Trusted: app.Trusted, Used: app.Used}
		for _, g := range app.Grants {
			v.Grants = append(v.Grants, portalGrant(g))
		}
		out = append(out, v)
	}
	return out, nil
}

func portalGrant(g op.AppGrant) ui.PortalGrant {
	return ui.PortalGrant{
		Scope: g.Scope, Name: cmp.Or(g.Scope, g.Claim), DisplayName: g.DisplayName, Description: g.Description,
		Given: g.GivenAt, Expires: g.ExpiresAt,
	}
}

func (p inProcess) Withdraw(ctx context.Context, subject, client string, scopes ...string) error {
	return p.b.server.Withdraw(ctx, subject, client, scopes...)
}

func (p inProcess) Sessions(ctx context.Context, subject string) ([]session.UserSession, error) {
	return p.b.sessions.OfUser(ctx, subject)
}

func (p inProcess) EndSession(ctx context.Context, subject, sid string) error {
	return p.b.sessions.EndOfUser(ctx, subject, sid)
}

func (p inProcess) EndAll(ctx context.Context, subject string) error {
	return p.b.server.RevokeUser(ctx, subject)
}

// Connection returns the name of a connection, which may be gone from the
// configuration.
func (p inProcess) Connection(id string) string {
	if c := p.b.config.connection(id); c != nil {
		return cmp.Or(c.Name, c.ID)
	}
	return id
}

func (p inProcess) Client(id string) string {
	if c := p.b.client(id); c != nil {
		return c.DisplayName()
	}
	return id
}

// Attribute returns what the operator calls the attribute. The names of the
// default ones say no more than the schema, where an operator may have said
// more.
func (p inProcess) Attribute(connection, name string) string {
	c := p.b.config.connection(connection)
	if c == nil {
		return ""
	}
	for _, a := range c.pipeline(p.b.model.schema).Attributes {
		if a.Name == name && a.Origin != claims.OriginDefault {
			return a.DisplayName
		}
	}
	return ""
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

var _ portal.Broker = inProcess{}
