package broker

import (
	"cmp"
	"context"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/portal"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// inProcess is the broker as its gates and its portal see it: the endpoints of
// op, without HTTP.
type inProcess struct{ b *Broker }

func (p inProcess) AuthorizeURL() string { return p.b.config.Issuer + op.PathAuthorize }

func (p inProcess) Redeem(ctx context.Context, c *oauth.Client, code, redirectURI, verifier string) (*authn.Authorization, error) {
	return p.b.server.Redeem(ctx, op.Redemption{Client: c, Code: code, RedirectURI: redirectURI, Verifier: verifier})
}

func (p inProcess) Mint(ctx context.Context, c *oauth.Client, a *authn.Authorization) (token.Tokens, error) {
	if !p.b.server.Permits(c, a.Context.Connection) {
		return token.Tokens{}, session.ErrNoSession
	}
	holds, err := p.b.server.Holds(ctx, a)
	if err != nil {
		return token.Tokens{}, err
	}
	if !holds {
		return token.Tokens{}, session.ErrNoSession
	}
	return p.b.minter.Mint(ctx, a, c, "")
}

func (p inProcess) DeclaredClaims() []claims.Claim { return p.b.model.claims }

func (p inProcess) UserClaims(a *authn.Authorization) map[string]any {
	return p.b.minter.UserClaims(a)
}

func (p inProcess) Apps(ctx context.Context, subject string) ([]ui.PortalApp, error) {
	return p.b.server.AppsOf(ctx, subject, portal.ClientID)
}

// Withdraw is for users. What the administrator allows is not theirs to take
// back, and a form can name any client.
func (p inProcess) Withdraw(ctx context.Context, subject, client string, scopes ...string) error {
	if c := p.b.client(client); c != nil && c.Consent == oauth.ConsentTrusted {
		return nil
	}
	return p.b.server.Withdraw(ctx, subject, client, scopes...)
}

func (p inProcess) Sessions(ctx context.Context, subject string) ([]session.UserSession, error) {
	return p.b.sessions.OfUser(ctx, subject)
}

func (p inProcess) EndSession(ctx context.Context, subject, sid string) error {
	return p.b.EndSession(ctx, subject, sid)
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

var (
	_ gateway.Broker = inProcess{}
	_ portal.Broker  = inProcess{}
)
