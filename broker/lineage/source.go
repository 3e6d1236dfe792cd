package lineage

import (
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Source is one way in which a connection can fill a place in the context.
type Source struct {
	Connection string     `json:"connection"`
	Kind       SourceKind `json:"kind"`

	// Target is the name in the context that is filled: the place itself,
	// or one inside or around it. It is empty for a script, which may fill
	// any.
	Target claims.Path `json:"target,omitzero"`

	// Attribute is read from Claim in Document, is of Type, and is shown to
	// people as DisplayName. All are empty unless Kind is FromAttribute.
	Attribute   string        `json:"attribute,omitempty"`
	DisplayName string        `json:"display_name,omitempty"`
	Document    claims.Source `json:"source,omitempty"`
	Claim       claims.Path   `json:"claim,omitzero"`
	Type        claims.Type   `json:"type,omitempty"`

	// Static is the constant, if Kind is FromConstant.
	Static any `json:"static,omitempty"`

	// Origin is where the mapping is configured, AttributeOrigin where the
	// attribute is.
	Origin          string `json:"origin,omitempty"`
	AttributeOrigin string `json:"attribute_origin,omitempty"`

	mapping string // its node
}

// A SourceKind says what fills a place.
type SourceKind string

// Kinds of sources. Those of extensions may fill a place and need not.
const (
	FromAttribute   SourceKind = "attribute"
	FromConstant    SourceKind = "static"
	FromScript      SourceKind = "script"
	FromApplication SourceKind = "post_authn_app"
	FromBroker      SourceKind = "computed"
)

// A filler knows what one connection fills the context with.
type filler struct {
	ConnectionInput
	mappings   []Mapping
	attributes map[string]claims.Attribute
	schema     []authn.Field
}

func newFiller(c ConnectionInput, schema []authn.Field) *filler {
	f := &filler{ConnectionInput: c, attributes: map[string]claims.Attribute{}, schema: schema}
	for _, a := range c.Attributes {
		f.attributes[a.Name] = a
	}
	typed := slices.Clone(c.Mappings)
	for i := range typed {
		for _, field := range schema {
			if field.Name.Equal(typed[i].To) {
				typed[i].Type = field.Type
			}
		}
	}
	reasons := unreachable(c.Attributes, typed)
	for i, m := range typed {
		node := Mapping{
			Node: mappingNode(c.ID, m, position(typed, i)), Connection: c.ID, Mode: Dynamic,
			Mapping: m, Unreachable: reasons[i],
		}
		if m.From == "" {
			node.Mode = Static
		}
		f.mappings = append(f.mappings, node)
	}
	return f
}

// sources returns all that can fill a place, in order of precedence: the
// application has the last word, and the script the one before.
func (f *filler) sources(place claims.Path) (out []Source) {
	if computed(place, f.schema) {
		return []Source{{Connection: f.ID, Kind: FromBroker, Target: claims.Key(place.Top())}}
	}
	if f.Application && slices.Contains(f.MaySet, place.Top()) {
		out = append(out, Source{Connection: f.ID, Kind: FromApplication, Target: claims.Key(place.Top())})
	}
	if f.Script {
		out = append(out, Source{Connection: f.ID, Kind: FromScript})
	}
	for _, m := range f.mappings {
		if m.Unreachable == "" && related(place, m.To) {
			out = append(out, f.source(m))
		}
	}
	return out
}

func (f *filler) source(m Mapping) Source {
	s := Source{Connection: f.ID, Kind: FromConstant, Target: m.To, Static: m.Static, Origin: m.Origin, mapping: m.Node}
	if a, ok := f.attributes[m.From]; ok && m.Mode == Dynamic {
		s.Kind = FromAttribute
		s.Attribute, s.DisplayName, s.Document, s.Claim, s.Type = a.Name, a.Label(), a.Source, a.Path, a.ValueType()
		s.AttributeOrigin = a.Origin
	}
	return s
}

// blocked returns why none of the mappings to a place can fill it:
// not_mapped if there is none.
func (f *filler) blocked(place claims.Path) claims.Reason {
	for _, m := range f.mappings {
		if m.Unreachable != "" && related(place, m.To) {
			return m.Unreachable
		}
	}
	return claims.NotMapped
}

// computed reports whether the broker itself fills the place.
func computed(place claims.Path, schema []authn.Field) bool {
	for _, f := range slices.Concat(schema, methods()) {
		if f.Computed && place.Within(f.Name) {
			return true
		}
	}
	return false
}
