package lineage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// cure says what the operator writes to have the claim delivered to c. It
// is empty for one that is delivered.
func (g *Graph) cure(c Client, declared claims.Claim, r *Receipt) string {
	switch r.Reason {
	case claims.ScopeNotAllowed:
		return scopeCure(c, declared)
	case claims.NotMapped:
		return g.mappingCure(c, r.From)
	case claims.UnverifiedPair:
		return fmt.Sprintf("map the flag %s from the document that its value comes from", r.From)
	case claims.TypeMismatch:
		return fmt.Sprintf("declare the attribute with the type of context attribute %s, or add weak to its map line", r.From)
	case claims.Shadowed:
		return fmt.Sprintf("another claim goes by the name %s; keep one of them", r.Claim)
	case NoHeader:
		return headerCure(r)
	default:
		return ""
	}
}

// headerCure tells how a site's application gets what its gate or its tokens
// have.
func headerCure(r *Receipt) string {
	switch {
	case r.gate:
		return fmt.Sprintf("add: header <name> {claim.%s}", r.Claim)
	case slices.Contains(r.carriers(), claims.AccessToken):
		return "add: header Authorization \"Bearer {access_token}\""
	}
	return fmt.Sprintf("declare the claim for userinfo, too, and add: header <name> {claim.%s}", r.Claim)
}

func scopeCure(c Client, declared claims.Claim) string {
	missing := declared.Scopes
	if len(missing) == 0 || slices.ContainsFunc(missing, func(s string) bool { return slices.Contains(c.Scopes, s) }) {
		missing = []string{oauth.ScopeOpenID}
	}
	return fmt.Sprintf("add %s to the scopes of %s", strings.Join(missing, " or "), c.ID)
}

// mappingCure names the connections that would have to supply a place.
func (g *Graph) mappingCure(c Client, place claims.Path) string {
	if len(c.Connections) == 0 {
		return fmt.Sprintf("enable a connection that users of %s may come from", c.ID)
	}
	var elsewhere []string
	for _, conn := range g.Connections {
		if conn.State != Disabled && len(g.fillers[conn.ID].sources(place)) > 0 {
			elsewhere = append(elsewhere, conn.ID)
		}
	}
	if len(elsewhere) > 0 {
		return fmt.Sprintf("only %s supplies it, where users of %s may not come from", strings.Join(elsewhere, ", "), c.ID)
	}
	return fmt.Sprintf("in provider %s add: map <attribute> %s", strings.Join(c.Connections, ", "), place)
}
