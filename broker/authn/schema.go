package authn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Field is one name of the context schema.
type Field struct {
	// Name is the place in the context, such as groups or
	// address.country.
	Name claims.Path `json:"name"`

	// Type of the values there.
	Type claims.Type `json:"type"`

	// Description is what people read beside the value.
	Description string `json:"description,omitempty"`

	// Computed fields are the broker's: no mapping or script fills them.
	Computed bool `json:"computed,omitempty"`

	// Origin is where the field is configured, such as "Caddyfile:12";
	// claims.OriginDefault for the default ones.
	Origin string `json:"origin,omitempty"`
}

// A Schema is the names and types of the authentication context.
type Schema struct {
	fields []Field
	index  map[string]int
}

// NewSchema returns the default names together with the operator's own. To
// name a default again is allowed with its own type, for a better
// description.
func NewSchema(own ...Field) (*Schema, error) {
	s := &Schema{index: make(map[string]int)}
	for _, f := range defaultFields() {
		s.put(f)
	}
	seen := make(map[string]bool, len(own))
	for _, f := range own {
		if err := s.check(f, seen); err != nil {
			return nil, claims.Misconfigured(f.Origin, fmt.Sprintf("context %q", f.Name), err)
		}
		seen[f.Name.String()] = true
		f.Computed = false
		s.put(f)
	}
	var paths []claims.Path
	for _, f := range s.fields {
		paths = append(paths, f.Name)
	}
	if outer, inner, found := claims.Overlap(paths); found {
		return nil, fmt.Errorf("context %q: %q lies inside it; a name holds a value or other names, not both", outer, inner)
	}
	return s, nil
}

// defaultFields is the schema of a broker nobody configured.
func defaultFields() []Field {
	var out []Field
	for _, a := range claims.Default(false) {
		out = append(out, Field{Name: a.Path, Type: a.Type, Description: a.DisplayName, Origin: claims.OriginDefault})
	}
	return append(out,
		Field{Name: claims.Key("groups"), Type: claims.StringArray, Description: "Groups of the user", Origin: claims.OriginDefault},
		Field{Name: claims.Key("sub"), Type: claims.String, Description: "Subject", Computed: true, Origin: claims.OriginDefault},
		Field{Name: claims.Key("idp_sub"), Type: claims.String, Description: "IDP subject", Computed: true, Origin: claims.OriginDefault},
		Field{Name: claims.Key("scp"), Type: claims.StringArray, Description: "List of scopes", Computed: true, Origin: claims.OriginDefault},
	)
}

func (s *Schema) check(f Field, seen map[string]bool) error {
	switch {
	case f.Name.IsZero():
		return errors.New("name is empty; write one such as tenant or billing.plan")
	case claims.Reserved(f.Name.Top()):
		return errors.New("the name is reserved; the broker fills it itself")
	case seen[f.Name.String()]:
		return errors.New("declared twice; keep one")
	}
	if err := f.Type.Validate(); err != nil {
		return err
	}
	if t, known := s.Type(f.Name); known && t != f.Type {
		return fmt.Errorf("type %s differs from the default's; it has type %s", f.Type, t)
	}
	return nil
}

func (s *Schema) put(f Field) {
	name := f.Name.String()
	if i, known := s.index[name]; known {
		s.fields[i] = f
		return
	}
	s.index[name] = len(s.fields)
	s.fields = append(s.fields, f)
}

// Fields returns the schema: the defaults, then the operator's own in their
// order. Callers must not change it.
func (s *Schema) Fields() []Field { return s.fields }

// Type returns the type of the name, and whether the schema has it.
func (s *Schema) Type(name claims.Path) (claims.Type, bool) {
	i, known := s.index[name.String()]
	if !known {
		return "", false
	}
	return s.fields[i].Type, true
}

// Target returns the type of a name that a mapping may fill, or an error
// that says what is wrong with it and which names come near.
func (s *Schema) Target(name claims.Path) (claims.Type, error) {
	if claims.Reserved(name.Top()) {
		return "", fmt.Errorf("target %q is reserved; the broker fills it itself", name)
	}
	t, known := s.Type(name)
	if !known {
		return "", fmt.Errorf("target %q is not in the context schema%s", name, claims.DidYouMean(name.String(), s.targets()))
	}
	return t, nil
}

// CheckMaySet makes sure that an application's may_set names places in the
// context, at its top, or amr or acr.
func (s *Schema) CheckMaySet(names []string) error {
	var known []string
	for _, f := range s.fields {
		if !f.Computed {
			known = append(known, f.Name.Top())
		}
	}
	known = append(known, "amr", "acr")
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%q is not in the context schema%s", name, claims.DidYouMean(name, known))
		}
	}
	return nil
}

func (s *Schema) targets() []string {
	var names []string
	for _, f := range s.fields {
		if !f.Computed {
			names = append(names, f.Name.String())
		}
	}
	return names
}
