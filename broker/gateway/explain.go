package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Lineage is what the gate needs to tell visitors where their data comes
// from.
type Lineage interface {
	// DeclaredClaims are all claims that a client may get, in order.
	DeclaredClaims() []claims.Claim
	// Connection returns what people call the connection of that id.
	Connection(id string) string
	// Attribute returns what the operator calls an attribute of a
	// connection, empty if nothing but its name.
	Attribute(connection, name string) string
}

// An explanation tells of one claim of the visitor.
type explanation struct {
	Name  string `json:"name"`
	Value any    `json:"value"`

	// SourcePath is the place in the authentication context that the claim
	// is read from.
	SourcePath string `json:"source_path"`

	// Origins are where the value there comes from: of an object maybe
	// several.
	Origins []source `json:"origins"`
}

// A source is for the developer of the application, who knows neither our
// configuration nor our terms.
type source struct {
	Kind authn.OriginKind `json:"kind"`
	Text string           `json:"text"`

	// Of what comes from a provider.
	Connection string `json:"connection,omitempty"`
	Document   string `json:"document,omitempty"`
	Claim      string `json:"claim,omitempty"` // path in the document
	Attribute  string `json:"attribute,omitempty"`
}

// explain returns where the visitor's claims come from, whose values are
// those given. It holds no token.
func (g *Gate) explain(a *authn.Authorization, values map[string]any) []explanation {
	declared := g.deps.Broker.DeclaredClaims()
	out := []explanation{{Name: "sub", Value: a.Subject, SourcePath: "sub", Origins: g.sources(a.Context, claims.Key("sub"))}}
	permission := claims.Permission{Granted: a.Scopes, GrantedClaims: a.Claims.Userinfo}
	for _, d := range claims.Explain(a.View(), claims.Userinfo, declared, permission) {
		if d.Reason != "" {
			continue
		}
		out = append(out, explanation{
			Name: d.Claim, Value: values[d.Claim], SourcePath: d.From.String(), Origins: g.sources(a.Context, d.From),
		})
	}
	return out
}

// sources returns where what stands at the place comes from, each told once.
func (g *Gate) sources(c *authn.Context, place claims.Path) (out []source) {
	switch place.Top() {
	case "sub":
		return []source{{Kind: authn.FromBroker, Text: "made by the broker to tell its users apart"}}
	case "scp":
		return []source{{Kind: authn.FromBroker, Text: "the scopes that this site was granted"}}
	case "amr", "acr":
		return []source{{Kind: authn.FromSignIn, Text: "how the visitor signed in"}}
	case "idp_sub":
		connection := g.deps.Broker.Connection(c.Connection)
		return []source{{Kind: authn.FromProvider, Text: fmt.Sprintf("who the visitor is at %s", connection), Connection: connection}}
	}
	for _, o := range c.Origins.At(place) {
		if from := g.source(c.Connection, o); !slices.Contains(out, from) {
			out = append(out, from)
		}
	}
	if out == nil {
		out = []source{{Kind: authn.FromUnknown, Text: "not noted at this sign-in; sign in again to see it"}}
	}
	return out
}

func (g *Gate) source(connection string, o authn.Origin) source {
	from := source{Kind: o.Kind()}
	switch from.Kind {
	case authn.FromScript:
		from.Text = "set by a script of the operator, after the sign-in"
	case authn.FromApplication:
		from.Text = "set by the application that the visitor was sent to after the sign-in"
	case authn.FromOperator:
		from.Text = "set by the operator, the same for everybody"
	default:
		from.Connection = g.deps.Broker.Connection(connection)
		from.Document, from.Claim = o.Read()
		from.Attribute = cmp.Or(g.deps.Broker.Attribute(connection, o.Attribute), o.Attribute)
		from.Text = fmt.Sprintf("%s (claim %s of the %s of %s)", from.Attribute, from.Claim, from.Document, from.Connection)
	}
	return from
}

// withOrigins returns v as it stands in the store. The origins are by far
// the largest part of a session, and hardly ever asked for; so the cache does
// not keep them.
func (g *Gate) withOrigins(ctx context.Context, handle string, v *Visitor) (*Visitor, error) {
	s, err := g.deps.Sessions.GateSession(ctx, handle)
	if err != nil {
		return nil, err
	}
	whole := *v
	whole.authorization = s.Authorization
	return &whole, nil
}
