package lineage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Text returns the graph for reading: a table for each stage, connection by
// connection.
func (g *Graph) Text() string {
	var out strings.Builder
	g.connectionsText(&out)
	for _, c := range g.Connections {
		g.connectionText(&out, c)
	}
	g.claimsText(&out)
	g.clientsText(&out)
	warningsText(&out, g.Warnings)
	return out.String()
}

func heading(out *strings.Builder, format string, args ...any) {
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	out.WriteString(printable(fmt.Sprintf(format, args...)))
	out.WriteString("\n\n")
}

func (g *Graph) connectionsText(out *strings.Builder) {
	heading(out, "Connections")
	var t table
	t.row("CONNECTION", "KIND", "STATE", "NAME", "CONFIGURED")
	for _, c := range g.Connections {
		t.row(c.ID, c.Kind, string(c.State), c.Name, c.Origin)
	}
	t.write(out)
}

// connectionText has a line for each mapping and for each attribute that
// has none.
func (g *Graph) connectionText(out *strings.Builder, c Connection) {
	heading(out, "Attributes and mappings of %s", c.ID)
	var t table
	t.row("ATTRIBUTE", "DISPLAY NAME", "SOURCE", "CLAIM", "TYPE", "CONTEXT", "MAPPED BY", "NOTE")
	for _, a := range g.Attributes {
		if a.Connection != c.ID {
			continue
		}
		left := []string{a.Name, a.DisplayName, string(a.Source), a.Path.String(), string(a.Type)}
		for _, m := range g.Mappings {
			if m.Connection == c.ID && m.From == a.Name {
				t.row(append(slices.Clone(left), m.cells()...)...)
			}
		}
		if !a.Mapped {
			t.row(append(left, "-", "-", string(claims.NotMapped))...)
		}
	}
	for _, m := range g.Mappings {
		if m.Connection == c.ID && m.Mode == Static {
			t.row(append([]string{"-", "-", "static", constant(m.Static), string(m.Type)}, m.cells()...)...)
		}
	}
	for _, e := range g.Extensions {
		if e.Connection == c.ID {
			t.row(e.cells()...)
		}
	}
	t.write(out)
}

// cells are the columns about a mapping.
func (m Mapping) cells() []string {
	var notes []string
	for note, holds := range map[string]bool{"weak": m.Weak, "required": m.Required, "unreachable: " + string(m.Unreachable): m.Unreachable != ""} {
		if holds {
			notes = append(notes, note)
		}
	}
	slices.Sort(notes)
	return []string{m.To.String(), origin(m.Origin), strings.Join(notes, ", ")}
}

func (e Extension) cells() []string {
	fills := "any"
	if e.Kind == Application {
		fills = list(e.MaySet)
	}
	return []string{"-", "-", string(e.Kind), "-", "-", fills, "-", ""}
}

func (g *Graph) claimsText(out *strings.Builder) {
	heading(out, "Claims")
	var t table
	t.row("CLAIM", "CONTEXT", "TOKENS", "SCOPES", "CONFIGURED")
	for _, c := range g.Claims {
		t.row(c.Name, c.From.String(), list(c.Types), list(c.Scopes), origin(c.Origin))
	}
	t.write(out)
}

func (g *Graph) clientsText(out *strings.Builder) {
	heading(out, "Clients and sites")
	var t table
	t.row("CLIENT", "KIND", "NAME", "CONNECTIONS", "SCOPES", "GETS")
	for _, c := range g.Clients {
		t.row(c.ID, string(c.Kind), c.Name, list(c.Connections), list(c.Scopes), list(g.gets(c)))
	}
	t.write(out)
}

// gets are the claims that a client can get.
func (g *Graph) gets(c Client) (names []string) {
	for _, e := range g.Edges {
		if e.To != c.Node {
			continue
		}
		for _, claim := range g.Claims {
			if claim.Node == e.From && !slices.Contains(names, claim.Name) {
				names = append(names, claim.Name)
			}
		}
	}
	return names
}

func warningsText(out *strings.Builder, warnings []Warning) {
	if len(warnings) == 0 {
		return
	}
	heading(out, "Warnings")
	for _, w := range warnings {
		out.WriteString(printable(w.String()))
		out.WriteByte('\n')
	}
}

// list joins names for a cell.
func list[T ~string](names []T) string {
	if len(names) == 0 {
		return "-"
	}
	return join(names, " ")
}

func join[T ~string](names []T, separator string) string {
	var out strings.Builder
	for i, name := range names {
		if i > 0 {
			out.WriteString(separator)
		}
		out.WriteString(string(name))
	}
	return out.String()
}

// origin is where something is configured. JSON written by hand has no
// lines.
func origin(s string) string {
	if s == "" {
		return "configured"
	}
	return s
}

// constant is a static value as JSON.
func constant(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
