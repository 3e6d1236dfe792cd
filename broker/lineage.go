package broker

import (
	"cmp"
	"maps"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/portal"
)

// Lineage returns where the data of every client comes from, by what is
// configured now: gates that are made later are not in it.
func (b *Broker) Lineage() *lineage.Graph {
	in := lineage.Input{Fields: b.model.schema.Fields(), Claims: b.model.claims, Scopes: b.model.scopes}
	for i := range b.config.Connections {
		in.Connections = append(in.Connections, b.config.Connections[i].lineage(b.model.schema))
	}
	in.Clients = b.lineageClients()
	return lineage.New(in)
}

// Schema returns the names and types of the authentication context.
func (b *Broker) Schema() *authn.Schema { return b.model.schema }

// A ConnectionInfo is a connection as operators list it. It holds nothing
// that would have to be kept secret.
type ConnectionInfo struct {
	ID    string        `json:"id"`
	Name  string        `json:"name"`
	Kind  string        `json:"kind,omitempty"`
	State lineage.State `json:"state"`

	// RedirectURL is the address to register at the upstream.
	RedirectURL string `json:"redirect_url"`

	// Attributes and Mappings are how many are in effect, default ones and
	// the operator's own.
	Attributes int `json:"attributes"`
	Mappings   int `json:"mappings"`

	// Script and Application tell what extends the context.
	Script      bool `json:"script,omitempty"`
	Application bool `json:"post_authn_app,omitempty"`

	Origin string `json:"origin,omitempty"`
}

// Connections returns the connections in the order of their configuration.
func (b *Broker) Connections() []ConnectionInfo {
	out := make([]ConnectionInfo, 0, len(b.config.Connections))
	for i := range b.config.Connections {
		c := &b.config.Connections[i]
		p := c.pipeline(b.model.schema)
		out = append(out, ConnectionInfo{
			ID: c.ID, Name: cmp.Or(c.Name, c.ID), Kind: c.Kind, State: c.state(), RedirectURL: b.server.CallbackURL(c.ID),
			Attributes: len(p.Attributes), Mappings: len(p.Mappings),
			Script: c.Script != nil, Application: c.Application != nil, Origin: c.Origin,
		})
	}
	return out
}

func (c *Connection) state() lineage.State {
	switch {
	case c.Disabled:
		return lineage.Disabled
	case c.Hidden:
		return lineage.Hidden
	}
	return lineage.Enabled
}

func (c *Connection) lineage(schema *authn.Schema) lineage.ConnectionInput {
	p := c.pipeline(schema)
	in := lineage.ConnectionInput{
		ID: c.ID, Name: c.Name, Kind: c.Kind, State: c.state(), Origin: c.Origin,
		Attributes: p.Attributes, Mappings: p.Mappings, TrustEmail: c.TrustEmail,
		Script: c.Script != nil, Application: c.Application != nil,
	}
	if c.Application != nil {
		in.MaySet = c.Application.MaySet
	}
	return in
}

// lineageClients are the registered clients and then the sites, each by id.
func (b *Broker) lineageClients() (out []lineage.ClientInput) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	headers := b.siteHeaders()
	for _, id := range slices.Sorted(maps.Keys(b.clients)) {
		c := b.clients[id]
		if id == portal.ClientID {
			continue // part of the broker: what it shows goes nowhere
		}
		out = append(out, lineage.ClientInput{
			ID: c.ID, Name: c.DisplayName(), Kind: clientKind(c), Consent: c.Consent,
			Scopes: c.Scopes, Connections: c.Connections, Headers: headers[c.ID],
		})
	}
	slices.SortStableFunc(out, func(x, y lineage.ClientInput) int { return cmp.Compare(rank(x.Kind), rank(y.Kind)) })
	return out
}

func clientKind(c *oauth.Client) lineage.ClientKind {
	switch {
	case c.Gate:
		return lineage.Site
	case c.MayGrant(oauth.GrantAuthorizationCode):
		return lineage.Registered
	}
	return lineage.Service
}

func rank(k lineage.ClientKind) int {
	return slices.Index([]lineage.ClientKind{lineage.Registered, lineage.Service, lineage.Site}, k)
}

// siteHeaders returns the headers of each site, by client. Several gates may
// guard one site, and its application gets the headers of all.
func (b *Broker) siteHeaders() map[string][]lineage.Header {
	out := map[string][]lineage.Header{}
	for _, g := range b.gates {
		for _, id := range g.ClientIDs() {
			for _, h := range g.Headers() {
				header := lineage.Header{Name: h.Name, Placeholders: h.Placeholders()}
				same := func(other lineage.Header) bool {
					return other.Name == header.Name && slices.Equal(other.Placeholders, header.Placeholders)
				}
				if !slices.ContainsFunc(out[id], same) {
					out[id] = append(out[id], header)
				}
			}
		}
	}
	return out
}
