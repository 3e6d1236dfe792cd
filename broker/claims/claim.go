package claims

import (
	"errors"
	"fmt"
	"slices"
)

// A TokenType is something the broker tells claims in: [IDToken],
// [AccessToken], [Userinfo] or [Introspection].
type TokenType string

// Introspection is the answer of RFC 7662 to a resource server.
const Introspection TokenType = "introspection"

// TokenTypes returns every TokenType.
func TokenTypes() []TokenType {
	return []TokenType{IDToken, AccessToken, Userinfo, Introspection}
}

// A Claim says that a value of the authentication context goes into tokens.
type Claim struct {
	// Name is the claim's name in the token, taken as it is: a dot in it
	// has no meaning.
	Name string `json:"name"`

	// Types are the tokens that carry the claim. IDToken implies Userinfo
	// and AccessToken implies Introspection; the implied ones alone keep
	// a claim out of the tokens that clients hold.
	Types []TokenType `json:"types"`

	// From is the place in the context. The default is the key Name.
	From Path `json:"source_path,omitzero"`

	// Scopes of which one must be granted. Without any the claim is
	// always issued.
	Scopes []string `json:"scopes,omitempty"`

	Description string `json:"description,omitempty"`

	// Origin is where the claim is configured, such as "Caddyfile:12";
	// OriginDefault for those of [DefaultClaims].
	Origin string `json:"origin,omitempty"`
}

// In reports whether tokens of type t carry the claim.
func (c Claim) In(t TokenType) bool {
	if slices.Contains(c.Types, t) {
		return true
	}
	switch t {
	case Userinfo:
		return slices.Contains(c.Types, IDToken)
	case Introspection:
		return slices.Contains(c.Types, AccessToken)
	}
	return false
}

// Place returns From with its default.
func (c Claim) Place() Path {
	if c.From.IsZero() {
		return Key(c.Name)
	}
	return c.From
}

// ValidateClaims checks declared claims: each needs a name that is free for
// use and known types, and no two may go by one name into one token.
func ValidateClaims(claims []Claim) error {
	for i, c := range claims {
		if err := c.validate(); err != nil {
			return c.Misconfigured(err)
		}
		for _, other := range claims[:i] {
			if other.Name != c.Name {
				continue
			}
			for _, t := range TokenTypes() {
				if c.In(t) && other.In(t) {
					return c.Misconfigured(fmt.Errorf("declared twice for %s%s; declare it once", t, at(other.Origin)))
				}
			}
		}
	}
	return nil
}

// Misconfigured returns err as the mistake of this claim.
func (c Claim) Misconfigured(err error) error {
	return Misconfigured(c.Origin, fmt.Sprintf("claim %q", c.Name), err)
}

func (c Claim) validate() error {
	switch {
	case c.Name == "":
		return errors.New("name is empty")
	case minted(c.Name, ""):
		return errors.New("the broker sets this claim itself; choose another name")
	case len(c.Types) == 0:
		return fmt.Errorf("no token type; use one or more of %v", TokenTypes())
	}
	for _, t := range c.Types {
		if !slices.Contains(TokenTypes(), t) {
			return fmt.Errorf("unknown token type %q; use one or more of %v", string(t), TokenTypes())
		}
	}
	return nil
}

// DefaultClaims returns the claims of the standard scopes (OpenID Connect
// Core, 5.4), for the ID token and hence userinfo. The access token has
// none: resource servers keep what they get, so each claim in it is a
// decision of the operator. "sub" is not among them, it is every token's
// own.
func DefaultClaims() []Claim {
	var out []Claim
	add := func(scope string, names ...string) {
		for _, name := range names {
			out = append(out, Claim{
				Name: name, Types: []TokenType{IDToken}, From: Key(name), Scopes: []string{scope},
				Origin: OriginDefault,
			})
		}
	}
	add("profile", "name", "given_name", "family_name", "middle_name", "nickname",
		"preferred_username", "profile", "picture", "website", "gender", "birthdate",
		"zoneinfo", "locale", "updated_at")
	add("email", "email", "email_verified")
	add("address", "address")
	add("phone", "phone_number", "phone_number_verified")
	return out
}

// Release returns the claims of the context that a token of type t carries
// for somebody who granted these scopes. The requested names are those the
// client asked for by the claims parameter for this type and the person
// consented to: they need no scope, but must be declared for t.
//
// The result is never nil, and the caller's own: it shares no memory with
// the context.
func Release(context map[string]any, granted []string, t TokenType, claims []Claim, requested []string) map[string]any {
	out := make(map[string]any)
	decide(context, t, claims, Permission{Granted: granted, GrantedClaims: requested}, func(c Claim, v any, reason Reason) {
		if reason == "" {
			out[c.Name] = Clone(v)
		}
	})
	return out
}
