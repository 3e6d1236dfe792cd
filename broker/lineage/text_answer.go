package lineage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Text returns the answer for reading.
func (a *ClientAnswer) Text() string {
	var out strings.Builder
	c := a.Client
	heading(&out, "%s %s (%s): scopes %s; users of %s", c.Kind, c.ID, c.Name, list(c.Scopes), list(c.Connections))
	if c.Kind == Service {
		out.WriteString("No person signs in to it, so it gets nobody's data.\n")
		return out.String()
	}
	var t table
	titles := []string{"CLAIM", "DISPLAY NAME", "ID TOKEN", "ACCESS TOKEN", "USERINFO", "INTROSPECTION"}
	if c.Kind == Site {
		titles = append(titles, "HEADERS")
	}
	t.row(append(titles, "SCOPE", "CONTEXT", "FROM")...)
	for i := range a.Receipts {
		if r := &a.Receipts[i]; r.Delivered() {
			r.rows(&t, c.Kind == Site)
		}
	}
	t.write(&out)
	a.scriptText(&out)
	a.withheldText(&out)
	return out.String()
}

// scriptText names the connections whose script has the last word. That
// holds for every claim of theirs.
func (a *ClientAnswer) scriptText(out *strings.Builder) {
	var scripted []string
	for _, r := range a.Receipts {
		for _, s := range r.Sources {
			if s.Kind == FromScript && !slices.Contains(scripted, s.Connection) {
				scripted = append(scripted, s.Connection)
			}
		}
	}
	for _, connection := range scripted {
		fmt.Fprintf(out, "\nThe script of %s may set or remove any of these.\n", connection)
	}
}

// rows has a line for each source of a claim.
func (r *Receipt) rows(t *table, site bool) {
	left := []string{r.Claim, r.DisplayName}
	for _, token := range r.Tokens {
		left = append(left, token.cell())
	}
	if site {
		left = append(left, list(r.Headers))
	}
	left = append(left, list(r.Scopes), r.From.String())
	for _, s := range shared(r.listed()) {
		t.row(append(left, s)...)
		left = make([]string, len(left))
	}
}

// listed are the sources without the scripts, unless there are no others:
// a script may set every name, which is told once.
func (r *Receipt) listed() []Source {
	others := slices.DeleteFunc(slices.Clone(r.Sources), func(s Source) bool { return s.Kind == FromScript })
	if len(others) == 0 {
		return r.Sources
	}
	return others
}

// cell leaves out the reason that says the least: the claim is meant for
// other tokens.
func (t TokenReceipt) cell() string {
	switch t.Reason {
	case "":
		return "yes"
	case claims.ClaimNotDeclared:
		return "-"
	default:
		return string(t.Reason)
	}
}

// shared tells of the sources, each once for all connections that have it.
func shared(sources []Source) (lines []string) {
	var texts []string
	connections := map[string][]string{}
	for _, s := range sources {
		text := s.String()
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		connections[text] = append(connections[text], s.Connection)
	}
	for _, text := range texts {
		lines = append(lines, strings.Join(connections[text], ", ")+": "+text)
	}
	return lines
}

func (a *ClientAnswer) withheldText(out *strings.Builder) {
	var t table
	t.row("CLAIM", "REASON", "WHAT TO DO")
	for _, r := range a.Receipts {
		if !r.Delivered() {
			t.row(r.Claim, string(r.Reason), r.Cure)
		}
	}
	if len(t.rows) > 1 {
		heading(out, "Not delivered")
		t.write(out)
	}
}

// String tells of the source on one line, without its connection, such as
//
//	attribute teams "Teams", id_token https://example\.com/groups (Caddyfile:12)
func (s Source) String() string {
	switch s.Kind {
	case FromAttribute:
		return fmt.Sprintf("attribute %s %q, %s %s (mapped %s)", s.Attribute, s.DisplayName, s.Document, s.Claim, mappedAt(s.Origin))
	case FromConstant:
		return fmt.Sprintf("static %s (mapped %s)", constant(s.Static), mappedAt(s.Origin))
	case FromBroker:
		return "the broker itself"
	default:
		return fmt.Sprintf("%s, if it sets it", s.Kind)
	}
}

// Text returns the answer for reading.
func (a *AttributeAnswer) Text() string {
	var out strings.Builder
	heading(&out, "Attribute")
	var from table
	from.row("CONNECTION", "ATTRIBUTE", "DISPLAY NAME", "SOURCE", "CLAIM", "TYPE", "DECLARED")
	for _, at := range a.Attributes {
		from.row(at.Connection, at.Name, at.DisplayName, string(at.Source), at.Path.String(), string(at.Type), origin(at.Origin))
	}
	from.write(&out)

	heading(&out, "In the context")
	var context table
	context.row("CONTEXT", "TYPE", "DESCRIPTION", "FILLED BY")
	for _, f := range a.Context {
		context.row(f.Name.String(), string(f.Type), f.Description, list(f.FilledBy))
	}
	context.write(&out)

	heading(&out, "Who gets it")
	var to table
	to.row("CLIENT", "KIND", "NAME", "CLAIM", "TOKENS", "HEADERS", "SCOPE", "USERS OF", "WHY NOT", "WHAT TO DO")
	for _, r := range a.Receivers {
		if r.Reason == "" {
			to.row(r.row()...)
		}
	}
	for _, r := range a.Receivers {
		if r.Reason != "" {
			to.row(r.row()...)
		}
	}
	to.write(&out)
	warningsText(&out, a.Warnings)
	return out.String()
}

func (r Receiver) row() []string {
	return []string{
		r.Client, string(r.Kind), r.Name, r.Claim, list(r.Tokens), list(r.Headers), list(r.Scopes), list(r.Connections),
		string(r.Reason), r.Cure,
	}
}

// mappedAt says where a mapping is configured.
func mappedAt(o string) string {
	switch o {
	case "":
		return "by the configuration"
	case claims.OriginDefault:
		return "by default"
	}
	return "at " + o
}
