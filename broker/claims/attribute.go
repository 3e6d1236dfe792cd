package claims

import (
	"errors"
	"fmt"
	"slices"
)

// OriginDefault is the Origin of what the broker brings along.
const OriginDefault = "default"

// An Attribute declares one value of an upstream's document. The value
// comes from the attribute's own source only, whatever other documents hold
// under the same name.
type Attribute struct {
	// Name is unique in the connection; mappings read the attribute by it.
	Name string `json:"name"`

	// Source is the document, and Path the place in it.
	Source Source `json:"source"`
	Path   Path   `json:"claim"`

	// Type is what the value must be. The default is "string".
	Type Type `json:"type,omitempty"`

	// DisplayName is what people read where the attribute appears. The
	// default is the name.
	DisplayName string `json:"display_name,omitempty"`

	// Origin is where the attribute is configured, such as "Caddyfile:12",
	// or OriginDefault.
	Origin string `json:"origin,omitempty"`
}

// ValueType returns the type with its default.
func (a Attribute) ValueType() Type {
	if a.Type == "" {
		return String
	}
	return a.Type
}

// Label returns the display name with its default.
func (a Attribute) Label() string {
	if a.DisplayName == "" {
		return a.Name
	}
	return a.DisplayName
}

func (a Attribute) validate() error {
	switch {
	case a.Name == "":
		return errors.New("name is empty; mappings refer to an attribute by its name")
	case a.Path.IsZero():
		return errors.New("claim is empty; give the path of the value in its document")
	}
	if err := a.Source.validate(); err != nil {
		return err
	}
	return a.ValueType().Validate()
}

// Validate checks the attributes an operator declared for one connection:
// each must be complete, and no two may have one name or read one place.
func Validate(custom []Attribute) error {
	type place struct {
		source Source
		path   string
	}
	names := make(map[string]Attribute)
	places := make(map[place]Attribute)
	for _, a := range custom {
		if err := a.validate(); err != nil {
			return a.Misconfigured(err)
		}
		if first, taken := names[a.Name]; taken {
			return a.Misconfigured(fmt.Errorf("already declared%s; give each attribute its own name", at(first.Origin)))
		}
		here := place{a.Source, a.Path.String()}
		if first, taken := places[here]; taken {
			return a.Misconfigured(fmt.Errorf("claim %#q of %s is already attribute %q%s; map that one",
				a.Path, a.Source, first.Name, at(first.Origin)))
		}
		names[a.Name], places[here] = a, a
	}
	return nil
}

// Misconfigured returns err as the mistake of this attribute.
func (a Attribute) Misconfigured(err error) error {
	return Misconfigured(a.Origin, fmt.Sprintf("attribute %q", a.Name), err)
}

// at puts the origin of another declaration into an error message.
func at(origin string) string {
	if origin == "" {
		return ""
	}
	return " (" + origin + ")"
}

// Override returns the attributes in effect: the defaults, each replaced by
// the custom attribute of its name if there is one, then the other custom
// ones. The custom ones must pass [Validate].
func Override(defaults, custom []Attribute) []Attribute {
	out := slices.Clone(defaults)
	for _, c := range custom {
		named := func(a Attribute) bool { return a.Name == c.Name }
		if i := slices.IndexFunc(out, named); i >= 0 {
			out[i] = c
		} else {
			out = append(out, c)
		}
	}
	return out
}

// Extract reads the attributes out of the documents, keyed by name. Values
// are as the document has them and share its memory: the declared type is
// enforced by the mapping, which alone knows whether it may convert.
func Extract(attributes []Attribute, docs Documents) (map[string]any, []Drop) {
	values := make(map[string]any, len(attributes))
	var drops []Drop
	for _, a := range attributes {
		v, reason := a.extract(docs)
		if reason == "" {
			values[a.Name] = v
			continue
		}
		drops = append(drops, Drop{Attribute: a.Name, Reason: reason, Origin: a.Origin})
	}
	return values, drops
}

func (a Attribute) extract(docs Documents) (any, Reason) {
	doc := docs[a.Source]
	if doc == nil {
		switch a.Source {
		case AccessToken:
			return nil, AccessTokenOpaque
		case Userinfo:
			return nil, UserinfoFailed
		default:
			return nil, AbsentUpstream
		}
	}
	v, found := a.Path.find(doc)
	switch {
	case !found:
		return nil, AbsentUpstream
	case v == nil:
		return nil, NullUpstream
	}
	return v, ""
}
