package caddymodule

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Scope is what a user grants to an application.
type Scope struct {
	// The name in requests and tokens. Required.
	Name string `json:"name,omitempty"`

	// What people read on the consent page. Default: the name.
	DisplayName string `json:"display_name,omitempty"`

	// A sentence beside it.
	Description string `json:"description,omitempty"`

	// The heading under which the consent page lists the scope. Default:
	// with the user's own data.
	Service string `json:"service,omitempty"`

	// Never ask for consent to this scope.
	ImplicitGrant bool `json:"implicit_grant,omitempty"`

	// Ask every time, and remember nothing.
	Transient bool `json:"transient,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// Claim is a value of the authentication context that goes into tokens.
type Claim struct {
	// The name in the token, as it is: a dot has no meaning. Required.
	Name string `json:"name,omitempty"`

	// The tokens that carry the claim: "id_token", which implies
	// "userinfo"; "access_token", which implies "introspection"; or only
	// "userinfo" or "introspection", for a claim that is in no token
	// itself. At least one is required.
	Types []string `json:"types,omitempty"`

	// The place in the authentication context, a path such as
	// "billing.plan". Default: the name.
	SourcePath string `json:"source_path,omitempty"`

	// The scopes of which one must be granted. Default: none is needed.
	Scopes []string `json:"scopes,omitempty"`

	// What the claim is, for whoever reads the configuration.
	Description string `json:"description,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// allScopes makes the broker's scopes. Errors are *claims.ConfigError.
func (a *App) allScopes() ([]claims.Scope, error) {
	var out []claims.Scope
	for i, s := range a.Scopes {
		scope := claims.Scope(s)
		scope.Origin = cmp.Or(s.Origin, indexed("scopes", i))
		if scope.ImplicitGrant && scope.Transient {
			return nil, scope.Misconfigured(errors.New("implicit_grant never asks the user and transient always does; keep one of the two"))
		}
		out = append(out, scope)
	}
	return out, nil
}

// allClaims makes the broker's claims, and warns of paths that are probably
// meant otherwise. Errors are *claims.ConfigError.
func (a *App) allClaims(r resolver) ([]claims.Claim, error) {
	var out []claims.Claim
	for i, c := range a.Claims {
		made, err := c.claim(indexed("claims", i))
		if err != nil {
			return nil, err
		}
		r.warnPath(made.Origin+": claim "+c.Name+": from", made.From)
		out = append(out, made)
	}
	return out, nil
}

// claim makes the broker's claim. Errors are *claims.ConfigError.
func (c Claim) claim(path string) (claims.Claim, error) {
	out := claims.Claim{Name: c.Name, Scopes: c.Scopes, Description: c.Description, Origin: cmp.Or(c.Origin, path)}
	for _, t := range c.Types {
		out.Types = append(out.Types, claims.TokenType(t))
	}
	if c.SourcePath == "" {
		return out, nil
	}
	var err error
	if out.From, err = claims.ParsePath(c.SourcePath); err != nil {
		return out, out.Misconfigured(fmt.Errorf("from: %w", err))
	}
	return out, nil
}

// warnScopes tells of scopes that are named at place and declared nowhere:
// they work, but people read nothing but their name. Each is told once.
func (a *App) warnScopes(r resolver, place string, names []string) {
	if a.scopes == nil {
		a.scopes = map[string]bool{}
		for _, s := range claims.DefaultScopes() {
			a.scopes[s.Name] = true
		}
		for _, s := range a.Scopes {
			a.scopes[s.Name] = true
		}
	}
	for _, name := range names {
		if !a.scopes[name] {
			r.warn(place, "the scope %s is not declared, so people are asked for it by its bare name; add: scope %s %q", name, name, "What it permits")
			a.scopes[name] = true
		}
	}
}
