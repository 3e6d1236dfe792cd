package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// readContext reads a name of the authentication context. Syntax:
//
//	context <name> <type> [<description>]
func (a *App) readContext(d *caddyfile.Dispenser) error {
	f := ContextField{Origin: originOf(d)}
	args := d.RemainingArgs()
	if len(args) < 2 || len(args) > 3 {
		return d.Errf(`context takes a name, a type and at most a description, such as: context tenant string "Tenant"`)
	}
	f.Name, f.Type = args[0], args[1]
	if len(args) == 3 {
		f.Description = args[2]
	}
	a.Context = append(a.Context, f)
	_, err := a.schema()
	return misread(d, err)
}

// readScope reads a scope. Syntax:
//
//	scope <name> [<display name> [<description>]] {
//		service <name>
//		implicit_grant
//		transient
//	}
func (a *App) readScope(d *caddyfile.Dispenser) error {
	s := Scope{Origin: originOf(d)}
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 3 {
		return d.Errf(`scope takes a name and at most a display name and a description, such as: scope teams "Your teams" "The teams you belong to"`)
	}
	if s.Name = args[0]; !oauth.ValidScope(s.Name) {
		return d.Errf("scope: %q is not a scope name; use printable ASCII without spaces, quotes and backslashes", s.Name)
	}
	if len(args) > 1 {
		s.DisplayName = args[1]
	}
	if len(args) > 2 {
		s.Description = args[2]
	}
	for _, other := range a.Scopes {
		if other.Name == s.Name {
			return d.Errf("scope %s: is declared at %s already; keep one", s.Name, other.Origin)
		}
	}
	if err := readBlock(d, "scope "+s.Name, s.words(), map[string]bool{}); err != nil {
		return err
	}
	a.Scopes = append(a.Scopes, s)
	_, err := a.allScopes()
	return misread(d, err)
}

func (s *Scope) words() []word {
	return []word{
		{name: "service", read: text(&s.Service)},
		{name: "implicit_grant", read: toggle(&s.ImplicitGrant)},
		{name: "transient", read: toggle(&s.Transient)},
	}
}

// readClaim reads a claim. Syntax:
//
//	claim <name> <id_token|access_token|userinfo|introspection>... {
//		from <path>
//		scopes <scope>...
//		description <text>
//	}
func (a *App) readClaim(d *caddyfile.Dispenser) error {
	c := Claim{Origin: originOf(d)}
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Errf("claim takes a name and one or more of %v, such as: claim groups id_token access_token", claims.TokenTypes())
	}
	c.Name, c.Types = args[0], args[1:]
	if err := readBlock(d, "claim "+c.Name, c.words(), map[string]bool{}); err != nil {
		return err
	}
	a.Claims = append(a.Claims, c)
	var made []claims.Claim
	for i, c := range a.Claims {
		one, err := c.claim(indexed("claims", i))
		if err != nil {
			return misread(d, err)
		}
		made = append(made, one)
	}
	return misread(d, claims.ValidateClaims(made))
}

func (c *Claim) words() []word {
	return []word{
		{name: "from", read: claimPath(&c.SourcePath)},
		{name: "scopes", read: list(&c.Scopes)},
		{name: "description", read: text(&c.Description)},
	}
}
