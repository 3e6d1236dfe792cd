package op

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Explain says in one line whether the client's tokens carry the claim since
// this sign-in, and where one does not, why and what to look at.
func (r *TraceRecord) Explain(claim string) string {
	if r.Outcome != OutcomeCode {
		return fmt.Sprintf("%s is in no token of %s: the sign-in ended with %s", claim, r.Client, r.ended(claim))
	}
	has, missing, from := r.outcome(claim)
	switch {
	case missing == nil && has == nil:
		return fmt.Sprintf("%s is in no token of %s: %s: declare it by: claim %s id_token%s",
			claim, r.Client, claims.ClaimNotDeclared, claim, claims.DidYouMean(claim, r.declared()))
	case !lacks(missing, from):
		d := delivery(r.Deliveries[claims.IDToken], claim)
		return fmt.Sprintf("%s is in the %s of %s: %s, %d bytes%s", claim, enumerate(has), r.Client, d.Type, d.Size, r.replaced(d.From))
	}
	line := fmt.Sprintf("%s is not in the %s of %s: %s: %s", claim, tokenName(from), r.Client, missing.Reason, r.detail(missing.Reason, missing.From))
	if has != nil {
		line += "; it is in the " + enumerate(has)
	}
	return line
}

// outcome returns the tokens that carry the claim, and of those which do not
// the one whose reason tells most.
func (r *TraceRecord) outcome(claim string) (has []string, missing *claims.Delivery, from claims.TokenType) {
	for _, typ := range claims.TokenTypes() {
		d := delivery(r.Deliveries[typ], claim)
		switch {
		case d == nil:
		case d.Reason == "":
			has = append(has, tokenName(typ))
		case missing == nil || elsewhere(missing.Reason) && !elsewhere(d.Reason):
			missing, from = d, typ
		}
	}
	return has, missing, from
}

// lacks reports whether the claim is one to miss: not merely declared for
// other tokens than the one that lacks it.
func lacks(missing *claims.Delivery, from claims.TokenType) bool {
	return missing != nil && (from == claims.IDToken || !elsewhere(missing.Reason))
}

// ended says how a sign-in without a code ended, and what is known of the
// place by the claim's name.
func (r *TraceRecord) ended(claim string) string {
	how := r.Outcome
	if r.Reason != r.Outcome {
		how += " (" + r.Reason + ")"
	}
	place := claims.Key(claim)
	if cause, found := r.Entries.Cause(place); found && cause.Reason != "" {
		how += fmt.Sprintf(": %s: %s", cause.Reason, r.detail(cause.Reason, place))
	}
	return how
}

// delivery returns what became of the claim in one kind of token: of several
// declarations the one that is for it.
func delivery(list []claims.Delivery, claim string) (best *claims.Delivery) {
	for i := range list {
		d := &list[i]
		if d.Claim == claim && (best == nil || d.Reason == "" || elsewhere(best.Reason) && !elsewhere(d.Reason)) {
			best = d
		}
	}
	return best
}

// declared are the names of all claims, which every kind of token tells of.
func (r *TraceRecord) declared() (names []string) {
	for _, d := range r.Deliveries[claims.IDToken] {
		names = append(names, d.Claim)
	}
	return names
}

// elsewhere reports whether the reason is that the claim is for other tokens.
func elsewhere(reason claims.Reason) bool {
	return reason == claims.ClaimNotDeclared || reason == claims.Opaque
}

func tokenName(t claims.TokenType) string {
	switch t {
	case claims.IDToken:
		return "ID token"
	case claims.AccessToken:
		return "access token"
	default:
		return string(t)
	}
}

func enumerate(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// detail says what is behind a reason: names of the configuration, types, and
// where it is configured.
func (r *TraceRecord) detail(reason claims.Reason, place claims.Path) string {
	list := func(scopes []string) string { return cmp.Or(strings.Join(scopes, " "), "nothing") }
	switch reason {
	case claims.ClaimNotDeclared:
		return "it is declared for other tokens"
	case claims.Opaque:
		return "it is declared for userinfo or introspection alone"
	case claims.ScopeNotAllowed:
		return "the client may ask for " + list(r.Allowed)
	case claims.ScopeNotRequested:
		return "the client asked for " + list(r.Requested.Scopes)
	case claims.ConsentWithheld:
		return fmt.Sprintf("the client asked for %s, and the person granted %s",
			list(r.Requested.names()), list(r.Granted.names()))
	case claims.Shadowed:
		return "an earlier declaration goes by that name"
	case claims.ReservedName:
		return "the broker fills the name itself"
	case claims.NotMapped:
		return fmt.Sprintf("nothing is mapped to %s in the authentication context", place)
	default: // lost before claims were looked at
	}
	cause, found := r.Entries.Cause(place)
	switch {
	case !found:
		return "the authentication context was made by an earlier sign-in, which can tell more"
	case cause.Reason == "":
		return fmt.Sprintf("%s arrived without it", cause.Name)
	case cause.Stage == authn.StageScript:
		return "the post-authentication script did that"
	case cause.Stage == authn.StageApplication:
		return "the post-authentication application did that"
	case cause.From == "":
		return fmt.Sprintf("nothing tells %s", cause.Name)
	}
	return r.attribute(cause)
}

// attribute says why a mapping had no value of its attribute.
func (r *TraceRecord) attribute(mapping authn.Entry) string {
	i := slices.IndexFunc(r.Entries, func(e authn.Entry) bool {
		return e.Stage == authn.StageAttribute && e.Name == mapping.From
	})
	if i < 0 {
		return fmt.Sprintf("attribute %q", mapping.From)
	}
	a := r.Entries[i]
	text := fmt.Sprintf("attribute %q", a.Name)
	if a.Origin != "" {
		text += " (" + a.Origin + ")"
	}
	switch mapping.Reason {
	case claims.TypeMismatch:
		return fmt.Sprintf("%s got %s, want %s", text, mapping.Type, mapping.Want)
	case claims.NullUpstream:
		return fmt.Sprintf("%s found null at %s", text, a.From)
	case claims.AccessTokenOpaque:
		return text + " reads the access token, which is not a JWT that the broker can verify"
	case claims.UserinfoFailed:
		return text + " reads userinfo, which did not answer"
	case claims.UnverifiedPair:
		return text + " is not from the document that told the value which it vouches for"
	default: // absent_upstream and its like
	}
	return fmt.Sprintf("%s found nothing at %s", text, a.From)
}

// replaced says of a delivered claim that it is not what was mapped.
func (r *TraceRecord) replaced(place claims.Path) string {
	e, found := r.Entries.Replaced(place)
	if !found {
		return ""
	}
	return fmt.Sprintf("; %s: the post-authentication %s set another value than was there", e.Reason, e.Stage)
}

// names are those of scopes and claims.
func (i TraceItems) names() []string {
	out := slices.Concat(i.Scopes, i.Claims.IDToken, i.Claims.Userinfo)
	var seen []string
	for _, name := range out {
		if !slices.Contains(seen, name) {
			seen = append(seen, name)
		}
	}
	return seen
}
