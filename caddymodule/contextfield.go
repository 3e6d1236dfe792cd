package caddymodule

import (
	"cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// ContextField is a name of the authentication context: of what the broker
// knows about a user, whichever provider told it.
type ContextField struct {
	// The place in the context, a path such as "tenant" or
	// "billing.plan". A dot leads into an object, "\." is a dot in a name.
	// Required.
	Name string `json:"name,omitempty"`

	// The JSON type of the values there: "string", "number", "bool",
	// "object", "string_array", "number_array", "bool_array",
	// "object_array" or "any". Required.
	Type string `json:"type,omitempty"`

	// What people read beside the value.
	Description string `json:"description,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// field makes the broker's field. Errors are *claims.ConfigError.
func (f ContextField) field(path string) (authn.Field, error) {
	origin := cmp.Or(f.Origin, path)
	name, err := claims.ParsePath(f.Name)
	if err != nil {
		return authn.Field{}, claims.Misconfigured(origin, "context", err)
	}
	return authn.Field{Name: name, Type: claims.Type(f.Type), Description: f.Description, Origin: origin}, nil
}

// fields makes the broker's fields. Errors are *claims.ConfigError.
func (a *App) fields() ([]authn.Field, error) {
	var out []authn.Field
	for i, f := range a.Context {
		made, err := f.field(indexed("context", i))
		if err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	return out, nil
}

// schema returns the default names together with those of a.
func (a *App) schema() (*authn.Schema, error) {
	own, err := a.fields()
	if err != nil {
		return nil, err
	}
	return authn.NewSchema(own...)
}
