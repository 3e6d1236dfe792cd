package lineage

import (
	"fmt"
	"strings"
)

// DOT returns the graph in the language of Graphviz, with what [Graph.Mermaid]
// shows and in the same order.
func (g *Graph) DOT() string {
	d := g.draw()
	var out strings.Builder
	out.WriteString("digraph lineage {\n\trankdir=LR\n\tranksep=1.2\n")
	out.WriteString("\tnode [shape=box style=rounded fontname=\"Helvetica\" fontsize=11]\n\tedge [fontname=\"Helvetica\" fontsize=9]\n")
	for c := range columns {
		boxes := d.in(c)
		if len(boxes) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\tsubgraph cluster_%s {\n\t\tlabel=\"%s\"\n\t\tcolor=gray\n", strings.ToLower(c.Title()), c.Title())
		for _, i := range boxes {
			fmt.Fprintf(&out, "\t\t%s [label=\"%s\"%s]\n", id(i), dotLabel(d.boxes[i]), dotStyle(d.boxes[i].dead, "rounded,dashed"))
		}
		out.WriteString("\t}\n")
	}
	for _, l := range d.lines {
		fmt.Fprintf(&out, "\t%s -> %s%s\n", id(l.from), id(l.to), dotLine(l))
	}
	out.WriteString("}\n")
	return out.String()
}

// dotEntity is how Graphviz writes a character by number. A label without a
// backslash or a quote cannot end early in any of its lexers.
const dotEntity = "&#%d;"

func dotLabel(b box) string {
	label := quote(b.name, dotEntity)
	if b.detail != "" && b.detail != b.name {
		label += `\n` + quote(b.detail, dotEntity)
	}
	return label
}

// dotLine are the attributes of a line, if it has any.
func dotLine(l line) string {
	label := ""
	if l.note != "" {
		label = `label="` + quote(l.note, dotEntity) + `"`
	}
	if attributes := strings.TrimSpace(label + dotStyle(l.dead, "dashed")); attributes != "" {
		return " [" + attributes + "]"
	}
	return ""
}

func dotStyle(dead bool, style string) string {
	if dead {
		return ` style="` + style + `"`
	}
	return ""
}
