package broker

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// A model is what all connections and clients of a broker share: the names
// of the authentication context, and the scopes and claims by which it
// leaves.
type model struct {
	schema *authn.Schema
	scopes []claims.Scope
	claims []claims.Claim
}

// model completes the operator's own declarations with the defaults.
func (c *Config) model() (*model, error) {
	schema, err := authn.NewSchema(c.Context...)
	if err != nil {
		return nil, err
	}
	m := &model{schema: schema, scopes: claims.DefaultScopes()}
	declared := map[string]bool{}
	for _, s := range c.Scopes {
		if !oauth.ValidScope(s.Name) {
			return nil, s.Misconfigured(errors.New("not a scope name; use printable ASCII without spaces, quotes and backslashes"))
		}
		if declared[s.Name] {
			return nil, s.Misconfigured(errors.New("declared twice; keep one"))
		}
		declared[s.Name] = true
		m.putScope(s)
	}
	if m.claims, err = c.allClaims(schema); err != nil {
		return nil, err
	}
	for _, claim := range m.claims {
		for _, name := range claim.Scopes {
			m.nameScope(name)
		}
	}
	for _, client := range c.Clients {
		for _, name := range client.Scopes {
			m.nameScope(name)
		}
	}
	return m, nil
}

// allClaims returns the operator's claims and those of the defaults that
// they do not replace: one for the same token under the same name does.
func (c *Config) allClaims(schema *authn.Schema) ([]claims.Claim, error) {
	if err := claims.ValidateClaims(c.Claims); err != nil {
		return nil, err
	}
	for _, claim := range c.Claims {
		if err := checkSource(claim, schema); err != nil {
			return nil, claim.Misconfigured(err)
		}
	}
	out := slices.Clone(c.Claims)
	for _, standard := range claims.DefaultClaims() {
		replaced := func(own claims.Claim) bool {
			return own.Name == standard.Name && (own.In(claims.IDToken) || own.In(claims.Userinfo))
		}
		if !slices.ContainsFunc(c.Claims, replaced) {
			out = append(out, standard)
		}
	}
	return out, nil
}

// checkSource makes sure that a claim reads a place of the context, or one
// inside it: another one would be absent for ever, without a word.
func checkSource(c claims.Claim, schema *authn.Schema) error {
	from := c.Place()
	var names []string
	for _, f := range schema.Fields() {
		if from.Within(f.Name) || f.Name.Within(from) {
			return nil
		}
		names = append(names, f.Name.String())
	}
	if top := from.Top(); top == "amr" || top == "acr" {
		return nil
	}
	if near := claims.DidYouMean(from.String(), names); near != "" {
		return fmt.Errorf("from %#q is not in the context schema%s", from, near)
	}
	return fmt.Errorf("from %#q is not in the context schema; declare it by: context %s string", from, from)
}

// unavailable says why a client with these scopes can never have the claim of
// this name at userinfo, or in a header, and what to write; empty if it can.
func (m *model) unavailable(name string, scopes []string) string {
	var known, needed []string
	for _, c := range m.claims {
		switch {
		case !c.In(claims.Userinfo):
		case c.Name != name:
			known = append(known, c.Name)
		case len(c.Scopes) == 0, oauth.Overlap(c.Scopes, scopes):
			return ""
		default:
			needed = append(needed, c.Scopes...)
		}
	}
	if needed != nil {
		return fmt.Sprintf("claim %q comes with scope %s; add it to scopes", name, strings.Join(needed, " or "))
	}
	if near := claims.DidYouMean(name, known); near != "" {
		return fmt.Sprintf("no claim %q is declared for id_token or userinfo%s", name, near)
	}
	return fmt.Sprintf("no claim %q is declared for id_token or userinfo; declare it by: claim %s id_token", name, name)
}

func (m *model) putScope(s claims.Scope) {
	if i := slices.IndexFunc(m.scopes, func(old claims.Scope) bool { return old.Name == s.Name }); i >= 0 {
		m.scopes[i] = s
		return
	}
	m.scopes = append(m.scopes, s)
}

// nameScope declares a scope that only a claim or a client names.
func (m *model) nameScope(name string) {
	if !slices.ContainsFunc(m.scopes, func(s claims.Scope) bool { return s.Name == name }) {
		m.scopes = append(m.scopes, claims.Scope{Name: name})
	}
}

func (m *model) scopesByName() map[string]claims.Scope {
	byName := map[string]claims.Scope{}
	for _, s := range m.scopes {
		byName[s.Name] = s
	}
	return byName
}
