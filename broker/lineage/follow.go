package lineage

import (
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Focus is what a drawing is about: one attribute, by a name that [Graph.Who]
// takes, or one client, by its id. The zero Focus is about everything.
type Focus struct{ Attribute, Client string }

// Through returns the part of the graph on the ways through what f names:
// where it comes from, and who gets it. The error is ErrUnknown. Unlike Who
// and What it works on a decoded graph, too, and its answer can only be
// drawn.
func (g *Graph) Through(f Focus) (*Graph, error) {
	seeds, err := g.named(f)
	if err != nil || seeds == nil {
		return g, err
	}
	on := g.follow(seeds)
	part := *g
	part.seeds = seeds
	part.Connections = keep(g.Connections, func(n Connection) bool { return on.nodes[n.Node] })
	part.Attributes = keep(g.Attributes, func(n Attribute) bool { return on.nodes[n.Node] })
	part.Extensions = keep(g.Extensions, func(n Extension) bool { return on.nodes[n.Node] })
	part.Mappings = keep(g.Mappings, func(n Mapping) bool { return on.nodes[n.Node] })
	part.Context = keep(g.Context, func(n ContextAttribute) bool { return on.nodes[n.Node] })
	part.Claims = keep(g.Claims, func(n Claim) bool { return on.nodes[n.Node] })
	part.Clients = keep(g.Clients, func(n Client) bool { return on.nodes[n.Node] })
	part.Warnings = keep(g.Warnings, func(w Warning) bool { return on.nodes[w.Node] })
	part.Edges = nil
	for i, e := range g.Edges {
		if on.edges[i] {
			part.Edges = append(part.Edges, e)
		}
	}
	return &part, nil
}

func keep[T any](all []T, test func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(n T) bool { return !test(n) })
}

// named returns the nodes that a focus means, nil for all of them.
func (g *Graph) named(f Focus) ([]string, error) {
	switch {
	case f.Client != "":
		var ids []string
		for _, c := range g.Clients {
			if c.ID == f.Client {
				return []string{c.Node}, nil
			}
			ids = append(ids, c.ID)
		}
		return nil, unknown("client", f.Client, ids)
	case f.Attribute != "":
		q := g.find(f.Attribute)
		var nodes []string
		for _, a := range q.attributes {
			nodes = append(nodes, a.Node)
		}
		if q.field != nil {
			nodes = append(nodes, q.field.Node)
		}
		if nodes == nil {
			return nil, unknown("attribute", f.Attribute, g.attributeNames())
		}
		return nodes, nil
	}
	return nil, nil
}

// ways are the nodes, and the edges by index, that data takes through some
// nodes.
type ways struct {
	nodes map[string]bool
	edges []bool
}

// follow finds the ways through the seeds, in both directions. It looks at
// one connection after the other: an edge from a claim to a client stands
// for all connections, and the users of one may not come to every client.
func (g *Graph) follow(seeds []string) ways {
	on := ways{nodes: map[string]bool{}, edges: make([]bool, len(g.Edges))}
	for _, s := range seeds {
		on.nodes[s] = true
	}
	for _, c := range g.Connections {
		passes := g.passes(c)
		alive := g.walk(g.origins(c), passes, false)
		starts := slices.DeleteFunc(slices.Clone(seeds), func(s string) bool { return !alive[s] })
		before, after := g.walk(starts, passes, true), g.walk(starts, passes, false)
		for i, e := range g.Edges {
			if passes[i] && alive[e.From] && (before[e.To] || after[e.From]) {
				on.edges[i], on.nodes[e.From], on.nodes[e.To] = true, true, true
			}
		}
	}
	return on
}

// origins are where data of users of c comes from: c, and the broker itself.
func (g *Graph) origins(c Connection) []string {
	out := []string{c.Node}
	for _, f := range g.Context {
		if f.Computed {
			out = append(out, f.Node)
		}
	}
	return out
}

// passes tells of each edge whether data of users of c may take it.
func (g *Graph) passes(c Connection) []bool {
	closed := map[string]bool{}
	for _, other := range g.Connections {
		closed[other.Node] = other.Node != c.Node
	}
	for _, m := range g.Mappings {
		closed[m.Node] = m.Unreachable != ""
	}
	for _, client := range g.Clients {
		closed[client.Node] = !slices.Contains(client.Connections, c.ID)
	}
	out := make([]bool, len(g.Edges))
	for i, e := range g.Edges {
		out[i] = !closed[e.From] && !closed[e.To]
	}
	return out
}

// walk returns what can be reached from the starts, them included, along the
// edges that pass, or against them.
func (g *Graph) walk(starts []string, passes []bool, back bool) map[string]bool {
	next := map[string][]string{}
	for i, e := range g.Edges {
		switch {
		case !passes[i]:
		case back:
			next[e.To] = append(next[e.To], e.From)
		default:
			next[e.From] = append(next[e.From], e.To)
		}
	}
	seen := map[string]bool{}
	for open := slices.Clone(starts); len(open) > 0; {
		node := open[len(open)-1]
		open = open[:len(open)-1]
		if !seen[node] {
			seen[node] = true
			open = append(open, next[node]...)
		}
	}
	return seen
}

// onTheWay are the ways from some connection to some client. A script counts
// as on one: it may set every name, of which only some have an edge.
func (g *Graph) onTheWay() ways {
	clients := make([]string, 0, len(g.Clients))
	for _, c := range g.Clients {
		clients = append(clients, c.Node)
	}
	on := g.follow(clients)
	for _, e := range g.Extensions {
		if e.Kind == Script {
			on.nodes[e.Node] = true
		}
	}
	for i, e := range g.Edges {
		on.edges[i] = on.edges[i] || on.nodes[e.From] && slices.ContainsFunc(g.Extensions, func(x Extension) bool { return x.Kind == Script && x.Node == e.To })
	}
	return on
}

// byDefault reports whether nobody wrote it.
func byDefault(origin string) bool { return origin == claims.OriginDefault }
