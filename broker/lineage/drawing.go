package lineage

import (
	"cmp"
	"fmt"
	"slices"
)

// A drawing is what all pictures of a graph show, in five columns:
//
//	provider -> attribute -> context -> claim -> app
//
// A mapping is no box but the line from its attribute to the context; a
// constant, a script and an application stand with the attributes.
//
// What is there by default and on no way from a provider to an app is left
// out, or a hundred lines that lead nowhere would hide the ten that do. What
// the operator wrote is always drawn, with the name in the context that it
// fills; where it leads nowhere it is dead.
type drawing struct {
	boxes []box // column by column
	lines []line
}

// A column of a drawing.
type column int

// The columns, left to right.
const (
	providers column = iota
	attributes
	contexts
	claimed
	apps
	columns // how many there are
)

// Title is the heading of the column.
func (c column) Title() string {
	return [columns]string{"Providers", "Attributes", "Context", "Claims", "Apps"}[c]
}

// A box is a node. Its texts are as configured; who draws them escapes them.
type box struct {
	node   string
	column column

	name, detail string

	// focus is what to ask for to see the ways through the box, nothing
	// where that cannot be asked.
	focus Focus
	part  string // the connection, for a provider

	owner string // the connection of a box in the column of attributes

	dead bool
}

// id names the box at index i. It is of our own making: no name that
// somebody configured or registered can be the id of another box.
func id(i int) string { return fmt.Sprintf("n%d", i+1) }

// A line leads from one box to another, by their index.
type line struct {
	from, to int
	note     string
	dead     bool
}

// draw makes the drawing of the graph.
func (g *Graph) draw() *drawing {
	on := g.onTheWay()
	d := &drawing{}
	shown := func(node, origin string) bool {
		return on.nodes[node] || !byDefault(origin) || slices.Contains(g.seeds, node)
	}
	for _, c := range g.Connections {
		d.add(on, box{node: c.Node, column: providers, name: c.Name, detail: c.detail(), part: c.ID})
	}
	for _, c := range g.Connections {
		own := len(d.boxes)
		g.drawConnection(d, on, c, shown)
		for i := range d.boxes[own:] {
			d.boxes[own+i].owner = c.ID
		}
	}
	for _, f := range g.Context {
		meant := func(m Mapping) bool { return m.To.Equal(f.Name) && !byDefault(m.Origin) }
		if shown(f.Node, f.Origin) || slices.ContainsFunc(g.Mappings, meant) {
			name := f.Name.String()
			d.add(on, box{node: f.Node, column: contexts, name: name, detail: cmp.Or(f.Description, string(f.Type)), focus: Focus{Attribute: name}})
		}
	}
	for _, c := range g.Claims {
		if shown(c.Node, c.Origin) {
			d.add(on, box{node: c.Node, column: claimed, name: c.Name, detail: join(c.Types, ", ")})
		}
	}
	for _, c := range g.Clients {
		d.add(on, box{node: c.Node, column: apps, name: c.Name, detail: string(c.Kind) + " " + c.ID, focus: Focus{Client: c.ID}})
	}
	g.drawLines(d, on)
	return d
}

func (d *drawing) add(on ways, b box) {
	b.dead = !on.nodes[b.node]
	d.boxes = append(d.boxes, b)
}

func (c Connection) detail() string {
	if c.State == Enabled {
		return c.Kind
	}
	return c.Kind + ", " + string(c.State)
}

// drawConnection adds what fills the context from c.
func (g *Graph) drawConnection(d *drawing, on ways, c Connection, shown func(node, origin string) bool) {
	for _, a := range g.Attributes {
		if a.Connection == c.ID && shown(a.Node, a.Origin) {
			d.add(on, box{
				node: a.Node, column: attributes, name: a.DisplayName, detail: string(a.Source) + " " + a.Path.String(),
				focus: Focus{Attribute: c.ID + "/" + a.Name},
			})
		}
	}
	for _, m := range g.Mappings {
		if m.Connection == c.ID && m.Mode == Static {
			d.add(on, box{node: m.Node, column: attributes, name: constant(m.Static), detail: "constant"})
		}
	}
	for _, e := range g.Extensions {
		if e.Connection == c.ID {
			d.add(on, box{node: e.Node, column: attributes, name: e.title(), detail: e.detail()})
		}
	}
}

func (e Extension) title() string {
	if e.Kind == Application {
		return "Application"
	}
	return "Script"
}

func (e Extension) detail() string {
	if e.Kind == Application {
		return "may set " + list(e.MaySet)
	}
	return "may set any name"
}

// drawLines adds the edges between boxes. A dead one of a default mapping is
// left out like a dead default.
func (g *Graph) drawLines(d *drawing, on ways) {
	boxes, mappings := map[string]int{}, map[string]Mapping{}
	for i, b := range d.boxes {
		boxes[b.node] = i
	}
	for _, m := range g.Mappings {
		if m.Mode == Dynamic {
			mappings[m.Node] = m
		}
	}
	for i, e := range g.Edges {
		if _, isMapping := mappings[e.To]; isMapping {
			continue // the edge that leaves it is the line
		}
		l := line{dead: !on.edges[i], note: e.note()}
		source := e.From
		if m, isMapping := mappings[e.From]; isMapping {
			source, l.note = attributeNode(m.Connection, m.From), m.note()
			if l.dead && byDefault(m.Origin) && !slices.Contains(g.seeds, source) {
				continue
			}
		}
		var known [2]bool
		l.from, known[0] = boxes[source]
		l.to, known[1] = boxes[e.To]
		if known[0] && known[1] {
			d.lines = append(d.lines, l)
		}
	}
}

// note says what is special about a mapping.
func (m Mapping) note() string {
	switch notes := m.cells()[2]; {
	case notes != "":
		return notes
	case byDefault(m.Origin):
		return ""
	default:
		return m.Origin
	}
}

// note says how a claim gets to its client.
func (e Edge) note() string {
	if len(e.Headers) > 0 {
		return "header " + join(e.Headers, ", ")
	}
	if len(e.Scopes) > 0 {
		return "scope " + join(e.Scopes, " or ")
	}
	return ""
}

// in are the boxes of one column, by index.
func (d *drawing) in(c column) (boxes []int) {
	for i, b := range d.boxes {
		if b.column == c {
			boxes = append(boxes, i)
		}
	}
	return boxes
}
