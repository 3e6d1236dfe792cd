package caddymodule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Attribute is one value of what a provider says about a user.
type Attribute struct {
	// The name by which mappings read it, unique in the provider. One of a
	// default attribute's name replaces that. Required.
	Name string `json:"name,omitempty"`

	// The document that has the value, and no other is looked at:
	// "id_token", "access_token", "userinfo", or of a SAML provider
	// "assertion". Required.
	Source string `json:"source,omitempty"`

	// The path of the value there: a dot leads into an object, "\." is a
	// dot in a name, as in "https://example\.com/groups". JSON writes the
	// backslash twice. Required.
	Claim string `json:"claim,omitempty"`

	// The JSON type that the value must have: "string" (the default),
	// "number", "bool", "object", "string_array", "number_array",
	// "bool_array", "object_array" or "any".
	Type string `json:"type,omitempty"`

	// What people read where the attribute appears. Default: the name.
	DisplayName string `json:"display_name,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// attribute makes the broker's attribute. Errors are *claims.ConfigError.
func (a Attribute) attribute(path string) (claims.Attribute, error) {
	out := claims.Attribute{
		Name: a.Name, Source: claims.Source(a.Source), Type: claims.Type(a.Type),
		DisplayName: a.DisplayName, Origin: cmp.Or(a.Origin, path),
	}
	var err error
	if out.Path, err = claims.ParsePath(a.Claim); err != nil {
		return out, out.Misconfigured(err)
	}
	return out, nil
}

// ownAttributes makes the attributes that p declares. Errors are
// *claims.ConfigError.
func (p *Provider) ownAttributes(path string) ([]claims.Attribute, error) {
	var out []claims.Attribute
	for i, a := range p.Attributes {
		made, err := a.attribute(fmt.Sprintf("%s.attributes[%d]", path, i))
		if err != nil {
			return nil, err
		}
		if err := checkSource(a.Source); err != nil {
			return nil, made.Misconfigured(err)
		}
		out = append(out, made)
	}
	return out, claims.Validate(out)
}

// checkSource says which documents an OpenID Connect provider hands over.
func checkSource(source string) error {
	switch source {
	case claims.IDToken, claims.AccessToken, claims.Userinfo:
		return nil
	case string(claims.Assertion):
		return errors.New("source assertion is of provider saml only; use one of: id_token, access_token, userinfo")
	}
	return fmt.Errorf("source %q is unknown; use one of: id_token, access_token, userinfo", source)
}

// checkAttributes refuses attributes that can have no value, and warns of
// those that will hardly have one or that nobody reads.
func (p *Provider) checkAttributes(r resolver, path string, own []claims.Attribute, mappings []claims.Mapping) error {
	for _, a := range own {
		place := fmt.Sprintf("%s: attribute %q", a.Origin, a.Name)
		switch {
		case a.Source == claims.Userinfo && p.GetUserInfo == "":
			return fmt.Errorf("%s: its source is userinfo, which provider %s (%s) does not ask; add the line userinfo there, or read the value from id_token",
				place, p.id(), cmp.Or(p.Origin, path))
		case a.Source == claims.AccessToken && p.Audience == "":
			r.warn(place, "its source is access_token, which cannot be read without an audience; add to provider %s the line audience and the API that the token is for", p.id())
		}
		r.warnPath(place, a.Path)
		reads := func(m claims.Mapping) bool { return m.From == a.Name }
		if !slices.ContainsFunc(mappings, reads) {
			r.warn(place, "nothing maps it, so nobody gets it; add: map %s <context attribute>", a.Name)
		}
	}
	return nil
}

// pipeline returns what is made of the provider's answers. Attributes of
// the provider's own replace default ones of the same name; its mappings
// come before the default ones.
func (p *Provider) pipeline(b *builder, path string) (authn.Config, error) {
	userinfo := p.GetUserInfo != ""
	c := authn.Config{
		StaticAMR: p.StaticAMR, AllowCustomAMR: p.AllowCustomAMR, ISOUpdatedAt: p.Kind == kindAuth0,
	}
	own, err := p.ownAttributes(path)
	if err != nil {
		return c, err
	}
	c.Attributes = claims.Override(claims.Default(userinfo), own)
	if c.Mappings, err = p.allMappings(b.schema, path, c.Attributes); err != nil {
		return c, err
	}
	if err := authn.ValidateAMR(c.StaticAMR, c.AllowCustomAMR); err != nil {
		return c, fmt.Errorf("%sprovider %s: %w", at(p.Origin, path), p.id(), err)
	}
	return c, p.checkAttributes(b.resolver, path, own, c.Mappings)
}
