package claims

import "slices"

// A Permission is what stands between the context and one client's tokens.
type Permission struct {
	// Scopes that the client's configuration allows, that it requested,
	// and that were granted.
	Allowed   []string
	Requested []string
	Granted   []string

	// Names that the client asked for by the claims parameter for this
	// type of token, and those of them that the person consented to.
	RequestedClaims []string
	GrantedClaims   []string
}

// A Delivery is what became of one declared claim in one kind of token. It
// never holds the value.
type Delivery struct {
	Claim string `json:"claim"`
	// From is the place in the context.
	From Path `json:"source_path"`
	// Reason is empty where the token carries the claim.
	Reason Reason `json:"reason,omitempty"`
	// Type and Size of a delivered value, see [Measure].
	Type string `json:"type,omitempty"`
	Size int    `json:"size,omitempty"`
}

// Explain tells of every declared claim, in order, why a token of type t
// carries it or not. It is what [Release] decides, in words:
//
//	claim_not_declared   declared for other kinds of token
//	opaque               declared for userinfo or introspection alone
//	reserved             the broker writes the name itself
//	scope_not_allowed    the client may ask for none of the claim's scopes
//	scope_not_requested  it may, and did not
//	consent_withheld     it did, and the person did not grant it
//	shadowed             an earlier claim goes by that name
//	absent_upstream      the context has no value; an earlier stage of the
//	                     sign-in knows why
func Explain(context map[string]any, t TokenType, declared []Claim, p Permission) []Delivery {
	out := make([]Delivery, 0, len(declared))
	decide(context, t, declared, p, func(c Claim, v any, reason Reason) {
		d := Delivery{Claim: c.Name, From: c.Place(), Reason: reason}
		if reason == "" {
			d.Type, d.Size = Measure(v)
		}
		out = append(out, d)
	})
	return out
}

// decide is the one decision about what a token holds: Release carries it
// out and Explain tells it, so lineage cannot say anything but what happens.
func decide(context map[string]any, t TokenType, declared []Claim, p Permission, visit func(c Claim, v any, reason Reason)) {
	taken := make(map[string]bool)
	for _, c := range declared {
		reason := c.withheld(t, p)
		if reason == "" && taken[c.Name] {
			reason = Shadowed
		}
		if reason != "" {
			visit(c, nil, reason)
			continue
		}
		v, present := c.Place().Lookup(context)
		if !present {
			visit(c, nil, AbsentUpstream)
			continue
		}
		taken[c.Name] = true
		visit(c, v, "")
	}
}

// withheld returns why tokens of type t do not carry the claim whatever the
// context holds, or nothing if they may.
func (c Claim) withheld(t TokenType, p Permission) Reason {
	switch {
	case c.opaque() && (t == IDToken || t == AccessToken):
		return Opaque
	case !c.In(t):
		return ClaimNotDeclared
	case minted(c.Name, t):
		return ReservedName
	case len(c.Scopes) == 0 || slices.Contains(p.GrantedClaims, c.Name) || overlap(c.Scopes, p.Granted):
		return ""
	case slices.Contains(p.RequestedClaims, c.Name):
		return ConsentWithheld
	}
	// Of several scopes the one that came farthest tells what is missing.
	reason := ScopeNotAllowed
	for _, s := range c.Scopes {
		switch {
		case !slices.Contains(p.Allowed, s):
		case slices.Contains(p.Requested, s):
			return ConsentWithheld
		default:
			reason = ScopeNotRequested
		}
	}
	return reason
}

// opaque reports whether the claim is in no token that a client holds.
func (c Claim) opaque() bool { return !c.In(IDToken) && !c.In(AccessToken) }

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
