package claims

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// A Mapping moves one attribute, or a constant, to its place in the
// authentication context.
//
// Several mappings may share a target. The first that yields a value wins,
// so the order is the order of precedence.
type Mapping struct {
	// From is the name of an attribute; empty for a static mapping.
	From string `json:"source,omitempty"`

	// To is the place in the context.
	To Path `json:"target"`

	// Type is the type of that place. All mappings of one target agree.
	Type Type `json:"type,omitempty"`

	// Static is the constant for every user of the connection, if not nil.
	Static any `json:"static,omitempty"`

	// Weak allows the conversions of [Convert].
	Weak bool `json:"allow_weak_decoding,omitempty"`

	// Required ends the sign-in if the target is left without a value.
	Required bool `json:"required,omitempty"`

	// Origin is where the mapping is configured, such as "Caddyfile:12",
	// or OriginDefault.
	Origin string `json:"origin,omitempty"`
}

// ErrRequired is returned by [Mapper.Map] when a required target has no
// value. The sign-in must end: somebody decided that this person cannot be
// let in without it.
var ErrRequired = errors.New("required attribute is missing")

// Misconfigured returns err as the mistake of this mapping, the one at
// index i.
func (m Mapping) Misconfigured(i int, err error) error {
	subject := "mapping"
	if m.Origin == "" || m.Origin == OriginDefault {
		subject += " #" + strconv.Itoa(i+1)
	}
	return Misconfigured(m.Origin, subject, err)
}

func (m Mapping) validate() error {
	switch {
	case m.To.IsZero():
		return errors.New("target is empty; name a place in the context")
	case Reserved(m.To.Top()):
		// An upstream that could write "sub" or "amr" through a mapping
		// would choose who signs in, or how strongly.
		return fmt.Errorf("target %q is reserved; the broker fills it itself", m.To)
	case m.From == "" && m.Static == nil:
		return errors.New("source is empty; name an attribute or give a static value")
	case m.From != "" && m.Static != nil:
		return errors.New("source and static value exclude each other")
	}
	return m.Type.Validate()
}

// constant returns the static value, converted to the mapping's type.
func (m Mapping) constant() (any, error) {
	text, err := json.Marshal(m.Static)
	if err != nil {
		return nil, fmt.Errorf("static value: %w", err)
	}
	var v any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("static value: %w", err)
	}
	v, err = Convert(v, m.Type, m.Weak)
	if err != nil {
		return nil, fmt.Errorf("static value: %w", err)
	}
	return v, nil
}
