package caddymodule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Mapping moves an attribute, or a constant, into the authentication
// context. Of several with one target the first that has a value counts.
type Mapping struct {
	// The name of an attribute. Required in the mode "dynamic".
	Source string `json:"source,omitempty"`

	// The path of the place in the context. Required.
	Target string `json:"target,omitempty"`

	// The type of that place. It need not be repeated here.
	Type string `json:"type,omitempty"`

	// "dynamic" (the default) moves an attribute; "static" sets the same
	// value for every user of the provider.
	Mode string `json:"mode,omitempty"`

	// The value in the mode "static", of the type of the place. A text, or
	// a list of texts, is read as that type.
	Static json.RawMessage `json:"static,omitempty"`

	// Convert between types where that is possible, such as a number into
	// a text.
	AllowWeakDecoding bool `json:"allow_weak_decoding,omitempty"`

	// Do not let users in for whom the place stays empty.
	Required bool `json:"required,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// Modes of mappings.
const (
	modeDynamic = "dynamic"
	modeStatic  = "static"
)

// mapping makes the broker's mapping. Errors are *claims.ConfigError.
func (m Mapping) mapping(schema *authn.Schema, path string) (claims.Mapping, error) {
	out := claims.Mapping{
		From: m.Source, Type: claims.Type(m.Type), Weak: m.AllowWeakDecoding, Required: m.Required,
		Origin: cmp.Or(m.Origin, path),
	}
	fail := func(err error) (claims.Mapping, error) {
		return out, claims.Misconfigured(out.Origin, "mapping", err)
	}
	static, err := either(m.Mode, modeDynamic, modeStatic)
	switch {
	case err != nil:
		return fail(fmt.Errorf("mode %w", err))
	case static && m.Static == nil:
		return fail(errors.New(`mode "static" needs the value: static`))
	case !static && m.Static != nil:
		return fail(errors.New(`a static value needs: "mode": "static"`))
	}
	if out.To, err = claims.ParsePath(m.Target); err != nil {
		return fail(fmt.Errorf("target: %w", err))
	}
	t, err := schema.Target(out.To)
	if err != nil {
		return fail(fmt.Errorf("%w%s", err, targetHint(schema, out.To)))
	}
	if static {
		if out.Static, err = m.constant(t); err != nil {
			return fail(fmt.Errorf("the static value of %q: %w", out.To, err))
		}
	}
	return out, nil
}

// targetHint says what to write in place of a target that cannot be one,
// unless the core has named those that come near.
func targetHint(schema *authn.Schema, to claims.Path) string {
	if claims.Reserved(to.Top()) {
		return "; choose another name"
	}
	var names, inside []string
	outer := ""
	for _, f := range schema.Fields() {
		names = append(names, f.Name.String())
		switch {
		case f.Name.Within(to):
			inside = append(inside, f.Name.String())
		case to.Within(f.Name):
			outer = f.Name.String()
		}
	}
	switch {
	case len(claims.Nearest(to.String(), names)) > 0:
		return ""
	case inside != nil:
		return "; use one of the names inside it: " + strings.Join(inside, ", ")
	case outer != "":
		return fmt.Sprintf("; map to %q as a whole", outer)
	}
	return fmt.Sprintf("; declare it by: context %s string", to)
}

// constant returns the static value as the type of its place wants it.
func (m Mapping) constant(t claims.Type) (any, error) {
	value, err := decode(m.Static)
	if err != nil {
		return nil, err
	}
	return constant(value, t)
}

// allMappings returns the provider's own mappings, then the default ones
// that are not left out.
func (p *Provider) allMappings(schema *authn.Schema, path string, attributes []claims.Attribute) ([]claims.Mapping, error) {
	var out []claims.Mapping
	for i, m := range p.Mappings {
		made, err := m.mapping(schema, fmt.Sprintf("%s.mappings[%d]", path, i))
		if err != nil {
			return nil, err
		}
		if err := p.checkMapped(made, path, attributes); err != nil {
			return nil, claims.Misconfigured(made.Origin, "mapping", err)
		}
		out = append(out, made)
	}
	for _, target := range p.Unmap {
		if err := checkUnmap(target); err != nil {
			return nil, fmt.Errorf("%sprovider %s: %w", at(p.Origin, path), p.id(), err)
		}
	}
	for _, m := range claims.DefaultMappings(p.GetUserInfo != "") {
		if !slices.Contains(p.Unmap, m.To.String()) {
			out = append(out, m)
		}
	}
	return out, nil
}

// checkMapped makes sure that there is an attribute to map.
func (p *Provider) checkMapped(m claims.Mapping, path string, attributes []claims.Attribute) error {
	names := make([]string, 0, len(attributes))
	for _, a := range attributes {
		names = append(names, a.Name)
	}
	if m.Static != nil || m.From == "" || slices.Contains(names, m.From) {
		return nil
	}
	if slices.ContainsFunc(claims.Default(true), func(a claims.Attribute) bool { return a.Name == m.From }) {
		return fmt.Errorf("source %q is read from userinfo, which provider %s (%s) does not ask; add the line userinfo there",
			m.From, p.id(), cmp.Or(p.Origin, path))
	}
	return fmt.Errorf("source %q is not a declared attribute%s", m.From,
		cmp.Or(claims.DidYouMean(m.From, names), "; declare it by: attribute "+m.From+" id_token <claim path>"))
}

// checkUnmap makes sure that there is a default mapping to leave out.
func checkUnmap(target string) error {
	defaults := claims.DefaultMappings(false)
	targets := make([]string, 0, len(defaults))
	for _, m := range defaults {
		targets = append(targets, m.To.String())
	}
	if !slices.Contains(targets, target) {
		return fmt.Errorf("unmap: %q has no default mapping; use one of: %s", target, strings.Join(targets, ", "))
	}
	return nil
}
