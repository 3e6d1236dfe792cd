package lineage

import (
	"fmt"
	"strings"
)

// mermaidShape is what stands around the label of a column's boxes.
func mermaidShape(c column) (open, end string) {
	switch c {
	case providers:
		return "([", "])"
	case contexts:
		return "(", ")"
	case apps:
		return "[[", "]]"
	default:
		return "[", "]"
	}
}

// Mermaid returns the graph as a Mermaid flowchart, without colours: it looks
// like the document that it is put into. The order is that of the
// configuration. Defaults that lead nowhere are left out; what else leads
// nowhere is dashed.
func (g *Graph) Mermaid() string {
	d := g.draw()
	var out strings.Builder
	out.WriteString("flowchart LR\n")
	for c := range columns {
		boxes := d.in(c)
		if len(boxes) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\tsubgraph %s\n", c.Title())
		for _, i := range boxes {
			open, end := mermaidShape(c)
			fmt.Fprintf(&out, "\t\t%s%s\"%s\"%s%s\n", id(i), open, mermaidLabel(d.boxes[i]), end, mermaidClass(d.boxes[i]))
		}
		out.WriteString("\tend\n")
	}
	for _, l := range d.lines {
		arrow := "-->"
		if l.dead {
			arrow = "-.->"
		}
		if l.note != "" {
			arrow += "|\"" + quote(l.note, mermaidEntity) + "\"|"
		}
		fmt.Fprintf(&out, "\t%s %s %s\n", id(l.from), arrow, id(l.to))
	}
	out.WriteString("\tclassDef dead stroke-dasharray:4 3\n")
	return out.String()
}

// mermaidEntity is how Mermaid writes a character by number.
const mermaidEntity = "#%d;"

func mermaidLabel(b box) string {
	label := quote(b.name, mermaidEntity)
	if b.detail != "" && b.detail != b.name {
		label += "<br/>" + quote(b.detail, mermaidEntity)
	}
	return label
}

func mermaidClass(b box) string {
	if b.dead {
		return ":::dead"
	}
	return ""
}
