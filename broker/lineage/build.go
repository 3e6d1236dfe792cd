package lineage

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// New computes the graph of in.
func New(in Input) *Graph {
	g := &Graph{
		Connections: []Connection{}, Attributes: []Attribute{}, Extensions: []Extension{}, Mappings: []Mapping{},
		Context: []ContextAttribute{}, Claims: []Claim{}, Scopes: []claims.Scope{}, Clients: []Client{},
		Edges: []Edge{}, Warnings: []Warning{},
		input: in, fillers: map[string]*filler{}, receipts: map[string][]Receipt{},
	}
	for _, c := range in.Connections {
		g.addConnection(c)
	}
	g.addContext()
	for _, c := range in.Claims {
		g.addClaim(c)
	}
	for _, c := range in.Clients {
		g.addClient(c)
	}
	g.addScopes()
	g.warn()
	return g
}

// Connection returns the part of the graph that one connection feeds: its
// own nodes, and the clients that its users may use.
func (g *Graph) Connection(id string) (*Graph, error) {
	in := g.input
	in.Connections = nil
	ids := make([]string, 0, len(g.input.Connections))
	for _, c := range g.input.Connections {
		ids = append(ids, c.ID)
		if c.ID == id {
			in.Connections = []ConnectionInput{c}
		}
	}
	if in.Connections == nil {
		return nil, unknown("connection", id, ids)
	}
	in.Clients = slices.DeleteFunc(slices.Clone(in.Clients), func(c ClientInput) bool {
		return len(c.Connections) > 0 && !slices.Contains(c.Connections, id)
	})
	part := New(in)
	// What this connection alone leaves open, another one may fill.
	part.Warnings = slices.DeleteFunc(slices.Clone(g.Warnings), func(w Warning) bool { return w.Connection != id })
	return part, nil
}

func (g *Graph) edge(from, to string) { g.Edges = append(g.Edges, Edge{From: from, To: to}) }

func (g *Graph) addConnection(c ConnectionInput) {
	node := "connection/" + c.ID
	g.Connections = append(g.Connections, Connection{
		Node: node, ID: c.ID, Name: cmp.Or(c.Name, c.ID), Kind: c.Kind, State: cmp.Or(c.State, Enabled), Origin: c.Origin,
	})
	for _, a := range c.Attributes {
		a.Type, a.DisplayName = a.ValueType(), a.Label()
		reads := func(m claims.Mapping) bool { return m.From == a.Name }
		g.Attributes = append(g.Attributes, Attribute{
			Node: attributeNode(c.ID, a.Name), Connection: c.ID, Attribute: a, Mapped: slices.ContainsFunc(c.Mappings, reads),
		})
		g.edge(node, attributeNode(c.ID, a.Name))
	}
	f := newFiller(c, g.input.Fields)
	g.fillers[c.ID] = f
	for _, m := range f.mappings {
		g.Mappings = append(g.Mappings, m)
		from := node
		if m.Mode == Dynamic {
			from = attributeNode(c.ID, m.From)
		}
		g.edge(from, m.Node)
		g.edge(m.Node, contextNode(m.To))
	}
	g.addExtensions(c, node)
}

func attributeNode(connection, name string) string { return "attribute/" + connection + "/" + name }
func contextNode(name claims.Path) string          { return "context/" + name.String() }
func extensionNode(connection string, k ExtensionKind) string {
	return string(k) + "/" + connection
}

func (g *Graph) addExtensions(c ConnectionInput, connection string) {
	if c.Script {
		node := extensionNode(c.ID, Script)
		g.Extensions = append(g.Extensions, Extension{Node: node, Connection: c.ID, Kind: Script})
		g.edge(connection, node)
		for _, f := range g.input.Fields {
			if g.scriptAlone(c.ID, f) {
				g.edge(node, contextNode(f.Name))
			}
		}
	}
	if c.Application {
		node := extensionNode(c.ID, Application)
		g.Extensions = append(g.Extensions, Extension{Node: node, Connection: c.ID, Kind: Application, MaySet: c.MaySet})
		g.edge(connection, node)
		for _, f := range g.input.Fields {
			if !f.Computed && slices.Contains(c.MaySet, f.Name.Top()) {
				g.edge(node, contextNode(f.Name))
			}
		}
	}
}

// scriptAlone tells whether an edge leads from the connection's script to
// the field. A script may set every name, and as many edges would hide the
// others: drawn are those to names that a claim reads and that nothing else
// of the connection fills.
func (g *Graph) scriptAlone(connection string, f authn.Field) bool {
	if f.Computed {
		return false
	}
	for _, s := range g.fillers[connection].sources(f.Name) {
		if s.Kind != FromScript {
			return false
		}
	}
	return slices.ContainsFunc(g.input.Claims, func(c claims.Claim) bool { return related(c.Place(), f.Name) })
}

// addContext adds the schema, with amr and acr where a claim reads them:
// these are in the context without being in its schema.
func (g *Graph) addContext() {
	add := func(f authn.Field) {
		g.Context = append(g.Context, ContextAttribute{Node: contextNode(f.Name), Field: f, FilledBy: g.filledBy(f)})
	}
	for _, f := range g.input.Fields {
		add(f)
	}
	for _, f := range methods() {
		if slices.ContainsFunc(g.input.Claims, func(c claims.Claim) bool { return related(c.Place(), f.Name) }) {
			add(f)
		}
	}
}

// methods are what the context says of how somebody signed in.
func methods() []authn.Field {
	return []authn.Field{
		{Name: claims.Key("amr"), Type: claims.StringArray, Description: "Authentication methods", Computed: true, Origin: claims.OriginDefault},
		{Name: claims.Key("acr"), Type: claims.String, Description: "Authentication context class", Computed: true, Origin: claims.OriginDefault},
	}
}

func (g *Graph) filledBy(f authn.Field) (ids []string) {
	for _, c := range g.input.Connections {
		if !f.Computed && c.State != Disabled && len(g.fillers[c.ID].sources(f.Name)) > 0 {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func (g *Graph) addClaim(c claims.Claim) {
	c.From = c.Place()
	node := claimNode(c)
	g.Claims = append(g.Claims, Claim{Node: node, Claim: c})
	for _, f := range g.Context {
		if related(c.From, f.Name) {
			g.edge(f.Node, node)
		}
	}
}

// claimNode names a claim together with its tokens: two may share a name if
// they share no token.
func claimNode(c claims.Claim) string {
	return "claim/" + c.Name + "/" + join(c.Types, "+")
}

// related tells whether one place is the other, or inside it.
func related(a, b claims.Path) bool { return a.Within(b) || b.Within(a) }

func (g *Graph) addClient(in ClientInput) {
	c := Client{
		Node: "client/" + in.ID, ID: in.ID, Name: cmp.Or(in.Name, in.ID), Kind: in.Kind, Consent: in.Consent,
		Scopes: in.Scopes, Headers: in.Headers,
	}
	if c.Kind != Service {
		for _, conn := range g.Connections {
			if conn.State != Disabled && (len(in.Connections) == 0 || slices.Contains(in.Connections, conn.ID)) {
				c.Connections = append(c.Connections, conn.ID)
			}
		}
	}
	g.Clients = append(g.Clients, c)
	receipts := g.deliver(c)
	g.receipts[c.ID] = receipts
	for i, r := range receipts {
		if r.Delivered() {
			g.Edges = append(g.Edges, Edge{
				From: g.Claims[i].Node, To: c.Node, Tokens: r.carriers(), Scopes: r.Scopes, Headers: r.Headers,
			})
		}
	}
}

// addScopes adds those that a claim or a client names.
func (g *Graph) addScopes() {
	var named []string
	for _, c := range g.Claims {
		named = append(named, c.Scopes...)
	}
	for _, c := range g.Clients {
		named = append(named, c.Scopes...)
	}
	for _, s := range g.input.Scopes {
		if slices.Contains(named, s.Name) {
			s.DisplayName = s.Label()
			g.Scopes = append(g.Scopes, s)
		}
	}
}

func mappingNode(connection string, m claims.Mapping, position int) string {
	return fmt.Sprintf("mapping/%s/%s/%d", connection, m.To, position+1)
}
