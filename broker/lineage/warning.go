package lineage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Warning is something the operator wrote that leads nowhere. What is
// there by default never makes one: to leave it unused is no mistake.
type Warning struct {
	Code WarningCode `json:"code"`

	// Node is what the warning is about, Connection whose it is if it is
	// one's, Origin where it is configured.
	Node       string `json:"node"`
	Connection string `json:"connection,omitempty"`
	Origin     string `json:"origin,omitempty"`

	// Reason says why, where there are several.
	Reason claims.Reason `json:"reason,omitempty"`

	// Message says what is the matter and what to write.
	Message string `json:"message"`
}

// String returns origin and message.
func (w Warning) String() string {
	if w.Origin == "" {
		return w.Message
	}
	return w.Origin + ": " + w.Message
}

// A WarningCode is a stable word for a Warning.
type WarningCode string

// Warnings.
const (
	// AttributeNotMapped: a declared attribute that no mapping reads.
	AttributeNotMapped WarningCode = "attribute_not_mapped"
	// MappingUnreachable: a mapping that can never fill its target.
	MappingUnreachable WarningCode = "mapping_unreachable"
	// ContextNotFilled: a name of the context that no connection fills.
	ContextNotFilled WarningCode = "context_not_filled"
	// ClaimNotDelivered: a claim that no client or site can get.
	ClaimNotDelivered WarningCode = "claim_not_delivered"
)

func (g *Graph) warn() {
	for _, a := range g.Attributes {
		if !a.Mapped && a.Origin != claims.OriginDefault {
			g.warning(Warning{
				Code: AttributeNotMapped, Node: a.Node, Connection: a.Connection, Origin: a.Origin,
				Message: fmt.Sprintf("provider %s: attribute %q: nothing maps it, so nobody gets it; add: map %s <context attribute>", a.Connection, a.Name, a.Name),
			})
		}
	}
	for _, m := range g.Mappings {
		if m.Unreachable != "" && m.Origin != claims.OriginDefault {
			g.warning(Warning{
				Code: MappingUnreachable, Node: m.Node, Connection: m.Connection, Origin: m.Origin, Reason: m.Unreachable,
				Message: fmt.Sprintf("provider %s: mapping %s: %s", m.Connection, m.title(), g.obstacle(m)),
			})
		}
	}
	for _, f := range g.Context {
		if w, found := g.unfilled(f); found {
			g.warning(w)
		}
	}
	for i, c := range g.Claims {
		if c.Origin != claims.OriginDefault && g.supplied(c) && !g.received(i) {
			g.warning(Warning{Code: ClaimNotDelivered, Node: c.Node, Origin: c.Origin, Message: g.undelivered(c)})
		}
	}
}

func (g *Graph) warning(w Warning) { g.Warnings = append(g.Warnings, w) }

// title names a mapping as its line does.
func (m Mapping) title() string {
	if m.Mode == Static {
		return fmt.Sprintf("of a static value to %q", m.To)
	}
	return fmt.Sprintf("of %q to %q", m.From, m.To)
}

// obstacle says why a mapping is unreachable, and what to do.
func (g *Graph) obstacle(m Mapping) string {
	switch m.Unreachable {
	case claims.Shadowed:
		for _, earlier := range g.Mappings {
			if earlier.Connection == m.Connection && earlier.To.Equal(m.To) {
				return fmt.Sprintf("an earlier one%s always fills the target first; remove one of them, or change their order", at(earlier.Origin))
			}
		}
	case claims.UnverifiedPair:
		return "no mapping takes the value that the flag speaks about from the same document; map both from one document"
	case claims.TypeMismatch:
		return fmt.Sprintf("the attribute's type never fits the target's, %s; declare it as %s, or write weak to convert", m.Type, m.Type)
	default:
	}
	return "it can never fill its target; remove it"
}

func at(origin string) string {
	if origin == "" {
		return ""
	}
	return " (" + origin + ")"
}

// unfilled returns the warning about a name that nobody fills, if it matters:
// the operator declared it, or a claim of theirs reads it.
func (g *Graph) unfilled(f ContextAttribute) (Warning, bool) {
	if f.Computed || len(f.FilledBy) > 0 {
		return Warning{}, false
	}
	w := Warning{
		Code: ContextNotFilled, Node: f.Node, Origin: f.Origin,
		Message: fmt.Sprintf("context attribute %q is filled by no provider; add to one: map <attribute> %s", f.Name, f.Name),
	}
	for _, c := range g.Claims {
		// A claim that also reads other names has something to say.
		if c.Origin != claims.OriginDefault && c.From.Within(f.Name) {
			w.Origin = c.Origin
			w.Message = fmt.Sprintf("claim %q reads context attribute %q, which no provider fills; add to one: map <attribute> %s", c.Name, f.Name, f.Name)
			return w, true
		}
	}
	return w, f.Origin != claims.OriginDefault
}

// supplied reports whether some connection has a value for the claim.
func (g *Graph) supplied(c Claim) bool {
	return slices.ContainsFunc(g.Connections, func(conn Connection) bool {
		return conn.State != Disabled && len(g.fillers[conn.ID].sources(c.From)) > 0
	})
}

func (g *Graph) received(i int) bool {
	return slices.ContainsFunc(g.Clients, func(c Client) bool {
		receipts := g.receipts[c.ID]
		return receipts != nil && receipts[i].Delivered()
	})
}

func (g *Graph) undelivered(c Claim) string {
	for _, client := range g.Clients {
		for _, s := range c.Scopes {
			if slices.Contains(client.Scopes, s) {
				return fmt.Sprintf("claim %q reaches no client or site, though %s may ask for %s; ask lineage for that client", c.Name, client.ID, s)
			}
		}
	}
	if len(c.Scopes) == 0 {
		return fmt.Sprintf("claim %q reaches no client or site; ask lineage for one of them", c.Name)
	}
	return fmt.Sprintf("claim %q: no client or site may ask for %s; add it to the scopes of one", c.Name, strings.Join(c.Scopes, " or "))
}
