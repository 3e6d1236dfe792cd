package lineage

import (
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Who returns who gets an attribute, by the name that it has in a connection
// or in the context. "CONNECTION/NAME" means that of one connection alone.
// The error is ErrUnknown.
func (g *Graph) Who(attribute string) (*AttributeAnswer, error) {
	q := g.find(attribute)
	if len(q.attributes) == 0 && q.field == nil {
		return nil, unknown("attribute", attribute, g.attributeNames())
	}
	answer := &AttributeAnswer{
		Attributes: slices.Clone(q.attributes), Context: []ContextAttribute{}, Receivers: []Receiver{}, Warnings: []Warning{},
	}
	for _, f := range g.Context {
		if q.reaches(f.Name) {
			answer.Context = append(answer.Context, f)
		}
	}
	for _, a := range g.Attributes {
		if !slices.Contains(q.nodes, a.Node) && q.fedBy(g, a) {
			answer.Attributes = append(answer.Attributes, a)
		}
	}
	for i, c := range g.Claims {
		if q.reaches(c.From) {
			q.nodes = append(q.nodes, c.Node)
			answer.Receivers = append(answer.Receivers, g.receivers(i, q)...)
		}
	}
	for _, w := range g.Warnings {
		if slices.Contains(q.nodes, w.Node) {
			answer.Warnings = append(answer.Warnings, w)
		}
	}
	return answer, nil
}

// A question is about attributes of connections and a context attribute that
// share a name.
type question struct {
	attributes []Attribute
	field      *ContextAttribute
	mappings   []Mapping // that read the attributes and can fill their target
	nodes      []string  // what warnings are about
}

func (g *Graph) find(attribute string) *question {
	q := &question{attributes: []Attribute{}}
	for _, a := range g.Attributes {
		if a.Name != attribute && a.Connection+"/"+a.Name != attribute {
			continue
		}
		q.attributes, q.nodes = append(q.attributes, a), append(q.nodes, a.Node)
		for _, m := range g.Mappings {
			if m.Connection != a.Connection || m.From != a.Name {
				continue
			}
			q.nodes = append(q.nodes, m.Node)
			if m.Unreachable == "" {
				q.mappings = append(q.mappings, m)
			}
		}
	}
	for i, f := range g.Context {
		if f.Name.String() == attribute {
			q.field, q.nodes = &g.Context[i], append(q.nodes, f.Node)
		}
	}
	return q
}

// reaches reports whether a place in the context holds what q is about.
func (q *question) reaches(place claims.Path) bool {
	return q.field != nil && related(q.field.Name, place) ||
		slices.ContainsFunc(q.mappings, func(m Mapping) bool { return related(m.To, place) })
}

// fedBy reports whether the attribute fills the context attribute.
func (q *question) fedBy(g *Graph, a Attribute) bool {
	return q.field != nil && slices.ContainsFunc(g.Mappings, func(m Mapping) bool {
		return m.Connection == a.Connection && m.From == a.Name && m.Unreachable == "" && related(m.To, q.field.Name)
	})
}

// supplies reports whether the source brings what q is about. A script may
// bring any name of the context.
func (q *question) supplies(s Source) bool {
	if q.field != nil && (s.Kind == FromScript || related(s.Target, q.field.Name)) {
		return true
	}
	return slices.ContainsFunc(q.mappings, func(m Mapping) bool { return m.Node == s.mapping })
}

// receivers are all clients with respect to the claim at index i.
func (g *Graph) receivers(i int, q *question) (out []Receiver) {
	for _, c := range g.Clients {
		if c.Kind == Service {
			continue
		}
		r := g.receipts[c.ID][i]
		to := Receiver{Client: c.ID, Name: c.Name, Kind: c.Kind, Claim: r.Claim, Reason: r.Reason, Cure: r.Cure}
		for _, s := range r.Sources {
			if q.supplies(s) && !slices.Contains(to.Connections, s.Connection) {
				to.Connections = append(to.Connections, s.Connection)
			}
		}
		switch {
		case r.Delivered() && len(to.Connections) == 0:
			to.Reason, to.Cure = claims.NotMapped, "its users come from other connections"
		case r.Delivered():
			to.Tokens, to.Headers, to.Scopes = r.carriers(), r.Headers, r.Scopes
		}
		out = append(out, to)
	}
	return out
}

func (g *Graph) attributeNames() (names []string) {
	for _, f := range g.Context {
		names = append(names, f.Name.String())
	}
	for _, a := range g.Attributes {
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
	}
	return names
}
