package broker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
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
			return nil, misconfigured(s, errors.New("not a scope name; use printable ASCII without spaces, quotes and backslashes"))
		}
		if declared[s.Name] {
			return nil, misconfigured(s, errors.New("declared twice; keep one"))
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

func misconfigured(s claims.Scope, err error) error {
	return claims.Misconfigured(s.Origin, fmt.Sprintf("scope %q", s.Name), err)
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
	from := c.From
	if from.IsZero() {
		from = claims.Key(c.Name)
	}
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

// offered are the scopes that do something: those whose endpoints or tokens
// do not exist yet are left out.
func (m *model) offered() []claims.Scope {
	return slices.DeleteFunc(slices.Clone(m.scopes), func(s claims.Scope) bool {
		return slices.Contains([]string{"offline_access", "introspect_tokens", "revoke_tokens", "list_clients_with_access", "revoke_client_access"}, s.Name)
	})
}

// checkMaySet makes sure that what the connection's application may set has
// a place in the context.
func (m *model) checkMaySet(c *Connection) error {
	if c.Application == nil {
		return nil
	}
	if err := m.schema.CheckMaySet(c.Application.MaySet); err != nil {
		return c.misconfiguredApplication(fmt.Errorf("may_set: %w", err))
	}
	return nil
}

// pipeline is the connection's, completed.
func (c *Connection) pipeline(schema *authn.Schema) authn.Config {
	p := c.Pipeline
	if p.Attributes == nil {
		p.Attributes, p.Mappings = claims.Default(false), claims.DefaultMappings(false)
	}
	p.Schema = schema
	return p
}

// fingerprint changes with every setting that shapes the contexts of the
// connection, so that none made under other settings is used again.
func (c *Connection) fingerprint(schema *authn.Schema) string {
	p := c.pipeline(schema)
	p.Schema, p.Attributes, p.Mappings = nil, slices.Clone(p.Attributes), slices.Clone(p.Mappings)
	for i := range p.Attributes {
		p.Attributes[i].Origin = "" // a line that moves changes nothing
	}
	for i := range p.Mappings {
		if p.Mappings[i].Origin != claims.OriginDefault {
			p.Mappings[i].Origin = ""
		}
	}
	print := struct {
		Settings, Namespace string
		Pipeline            authn.Config
		Fields              map[string]claims.Type
		TrustEmail          bool
		TTL                 int64
		Script              string
		Application         op.Application
	}{Settings: c.Settings, Namespace: c.SubjectNamespace, Pipeline: p, Fields: types(schema),
		TrustEmail: c.TrustEmail, TTL: int64(c.ContextCache)}
	if c.Application != nil {
		print.Application = *c.Application
		print.Application.Origin = ""
	}
	if c.Script != nil {
		print.Script = fmt.Sprint(c.Script.Run.Digest(), c.Script.ContinueOnError)
	}
	// All of it is texts, numbers and lists: marshalling cannot fail.
	raw, _ := json.Marshal(print)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func types(schema *authn.Schema) map[string]claims.Type {
	out := map[string]claims.Type{}
	for _, f := range schema.Fields() {
		out[f.Name.String()] = f.Type
	}
	return out
}
