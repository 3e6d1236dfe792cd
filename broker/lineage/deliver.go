package lineage

import (
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// NoHeader is a reason of lineage's own: a site's tokens may hold the claim,
// but none of the headers that its application gets carries it.
const NoHeader claims.Reason = "no_header"

// A Receipt is what becomes of one declared claim at one client.
type Receipt struct {
	Claim string `json:"claim"`

	// From is the place in the context. Type and DisplayName are those of
	// the schema, empty where the claim reads a part of a value or several.
	From        claims.Path `json:"source_path"`
	Type        claims.Type `json:"type,omitempty"`
	DisplayName string      `json:"display_name,omitempty"`

	// Description is the claim's.
	Description string `json:"description,omitempty"`

	// Tokens has an element for every kind of token.
	Tokens []TokenReceipt `json:"tokens"`

	// Headers of a site that hold the claim, by itself or in a token.
	Headers []string `json:"headers,omitempty"`

	// Scopes that the client may ask for and of which one must be granted.
	// Where the claim is delivered without any, it always is.
	Scopes []string `json:"scopes,omitempty"`

	// Sources are where the value can come from, by connection and in order
	// of precedence. Missing are the connections of the client that never
	// supply it.
	Sources []Source `json:"sources"`
	Missing []string `json:"missing,omitempty"`

	// Reason is why the client never gets the claim, empty if it can, and
	// Cure what to do about it.
	Reason claims.Reason `json:"reason,omitempty"`
	Cure   string        `json:"cure,omitempty"`

	// gate says that a gate has the claim: it knows those of userinfo
	// without a request, and so without the scope openid.
	gate bool
}

// A TokenReceipt says whether one kind of token can carry a claim.
type TokenReceipt struct {
	Token claims.TokenType `json:"token"`
	// Reason is empty if it can.
	Reason claims.Reason `json:"reason,omitempty"`
}

// Delivered reports whether the client can get the claim.
func (r *Receipt) Delivered() bool { return r.Reason == "" }

// carriers are the tokens that can hold the claim.
func (r *Receipt) carriers() (out []claims.TokenType) {
	for _, t := range r.Tokens {
		if t.Reason == "" {
			out = append(out, t.Token)
		}
	}
	return out
}

// deliver computes what becomes of every claim at c, in the order of the
// graph's claims.
func (g *Graph) deliver(c Client) []Receipt {
	if c.Kind == Service {
		return nil
	}
	declared := g.input.Claims
	out := make([]Receipt, len(declared))
	for i, claim := range declared {
		out[i] = g.receipt(c, claim)
	}
	fullest := g.fullest(c)
	permission := claims.Permission{Allowed: c.Scopes, Requested: c.Scopes, Granted: c.Scopes}
	for _, t := range claims.TokenTypes() {
		for i, d := range claims.Explain(fullest, t, declared, permission) {
			if t == claims.Userinfo {
				out[i].gate = d.Reason == ""
			}
			if d.Reason == "" && needsOpenID(t) && !slices.Contains(c.Scopes, oauth.ScopeOpenID) {
				d.Reason = claims.ScopeNotAllowed
			}
			if d.Reason == claims.AbsentUpstream {
				d.Reason = g.blocked(c, d.From)
			}
			out[i].Tokens = append(out[i].Tokens, TokenReceipt{Token: t, Reason: d.Reason})
		}
	}
	g.arrive(c, out)
	return out
}

// needsOpenID reports whether there is no t at all without that scope.
func needsOpenID(t claims.TokenType) bool { return t == claims.IDToken || t == claims.Userinfo }

func (g *Graph) receipt(c Client, claim claims.Claim) Receipt {
	r := Receipt{Claim: claim.Name, From: claim.Place(), Description: claim.Description, Sources: []Source{}}
	for _, f := range g.Context {
		if f.Name.Equal(r.From) {
			r.Type, r.DisplayName = f.Type, f.Description
		}
	}
	for _, s := range claim.Scopes {
		if slices.Contains(c.Scopes, s) {
			r.Scopes = append(r.Scopes, s)
		}
	}
	for _, id := range c.Connections {
		sources := g.fillers[id].sources(r.From)
		r.Sources = append(r.Sources, sources...)
		if len(sources) == 0 {
			r.Missing = append(r.Missing, id)
		}
	}
	return r
}

// fullest is the context of a person of whom everything arrived that the
// connections of c can supply. What the values are is no matter: claims are
// released by place.
func (g *Graph) fullest(c Client) map[string]any {
	context := map[string]any{}
	for _, claim := range g.Claims {
		for _, id := range c.Connections {
			if len(g.fillers[id].sources(claim.From)) > 0 {
				put(context, claim.From.Segments())
			}
		}
	}
	return context
}

// put sets a value at the place of the segments. What is there already
// stays, and an object takes the place of a value that must hold another.
func put(object map[string]any, segments []string) {
	key, rest := segments[0], segments[1:]
	inner, isObject := object[key].(map[string]any)
	switch {
	case len(rest) > 0:
		if !isObject {
			inner = map[string]any{}
			object[key] = inner
		}
		put(inner, rest)
	case !isObject:
		object[key] = true
	}
}

// blocked returns why no connection of c fills the place: the reason of the
// one that comes closest to it.
func (g *Graph) blocked(c Client, place claims.Path) claims.Reason {
	reason := claims.NotMapped
	for _, id := range c.Connections {
		if b := g.fillers[id].blocked(place); b != claims.NotMapped {
			reason = b
		}
	}
	return reason
}

// arrive completes the receipts: into which headers a site's claims go, and
// why a claim does not arrive.
func (g *Graph) arrive(c Client, receipts []Receipt) {
	for i := range receipts {
		r, declared := &receipts[i], g.input.Claims[i]
		if c.Kind == Site {
			r.Headers = g.headers(c, receipts, r)
		}
		switch held := len(r.carriers()) > 0; {
		case c.Kind == Site && len(r.Headers) > 0, c.Kind != Site && held:
		case r.gate && c.Kind == Site, held:
			r.Reason = NoHeader
		default:
			r.Reason = r.foremost(declared)
		}
		r.Cure = g.cure(c, declared, r)
	}
}

// foremost is the reason of the first kind of token that the claim is
// declared for: that of another kind says only that it is another.
func (r *Receipt) foremost(declared claims.Claim) claims.Reason {
	for _, t := range r.Tokens {
		if declared.In(t.Token) {
			return t.Reason
		}
	}
	return claims.ClaimNotDeclared
}

// headers are those headers of a site that hold the claim.
func (g *Graph) headers(c Client, receipts []Receipt, r *Receipt) (names []string) {
	for _, h := range c.Headers {
		for _, placeholder := range h.Placeholders {
			if g.holds(c, receipts, r, placeholder) && !slices.Contains(names, h.Name) {
				names = append(names, h.Name)
			}
		}
	}
	return names
}

// holds reports whether a header's placeholder stands for the claim, or for
// a token with it.
func (g *Graph) holds(c Client, receipts []Receipt, r *Receipt, placeholder string) bool {
	switch placeholder {
	case claims.AccessToken, claims.IDToken:
		return slices.Contains(r.carriers(), claims.TokenType(placeholder))
	case "verified_email":
		return r.gate && r.Claim == "email" && g.vouched(c, receipts)
	}
	name, isClaim := strings.CutPrefix(placeholder, "claim.")
	return r.gate && isClaim && name == r.Claim
}

// vouched reports whether the gate can learn that an address is verified.
func (g *Graph) vouched(c Client, receipts []Receipt) bool {
	flag := func(r Receipt) bool { return r.gate && r.Claim == "email_verified" }
	trusted := func(id string) bool { return g.fillers[id].TrustEmail }
	return slices.ContainsFunc(receipts, flag) || slices.ContainsFunc(c.Connections, trusted)
}
