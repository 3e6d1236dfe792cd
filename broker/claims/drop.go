package claims

import "fmt"

// A Reason is a stable word for why a value did not arrive. Lineage shows
// it, and operators search for it.
type Reason string

// Reasons of attributes and mappings. See [Reasons] for those of the other
// stages.
const (
	// AbsentUpstream: the document has nothing at the attribute's path.
	AbsentUpstream Reason = "absent_upstream"
	// NullUpstream: it has an explicit null there.
	NullUpstream Reason = "null_upstream"
	// AccessTokenOpaque: the access token is not ours to read. At Auth0
	// the connection's audience makes it a JWT.
	AccessTokenOpaque Reason = "access_token_opaque"
	// UserinfoFailed: there is no userinfo answer, and the connection can
	// do without.
	UserinfoFailed Reason = "userinfo_failed"
	// TypeMismatch: the value has not the declared type and could not, or
	// must not, be converted.
	TypeMismatch Reason = "type_mismatch"
	// NotMapped: the attribute was received, and no mapping reads it.
	NotMapped Reason = "not_mapped"
	// Shadowed: an earlier mapping already filled the target.
	Shadowed Reason = "shadowed"
	// UnverifiedPair: a verified flag does not come from the document
	// that supplied the value it would vouch for.
	UnverifiedPair Reason = "unverified_pair"
)

// Warn reports whether the operator should hear of it: the configuration
// and the upstream disagree, where all else is everyday.
func (r Reason) Warn() bool {
	switch r {
	case AccessTokenOpaque, UserinfoFailed, TypeMismatch, UnverifiedPair:
		return true
	}
	return false
}

// A Drop records one value that did not arrive. It names attributes and
// types, which come from the configuration, and never the value.
type Drop struct {
	// Attribute is empty for a static mapping.
	Attribute string `json:"attribute,omitempty"`
	// Target is zero when the value was lost before any mapping.
	Target Path   `json:"target,omitzero"`
	Reason Reason `json:"reason"`
	// Got and Want are the types of a mismatch.
	Got  string `json:"got,omitempty"`
	Want Type   `json:"want,omitempty"`
	// Origin is where the mapping or attribute is configured.
	Origin string `json:"origin,omitempty"`
}

// String returns the drop on one line, for logs.
func (d Drop) String() string {
	s := fmt.Sprintf("attribute %q", d.Attribute)
	if d.Attribute == "" {
		s = "static value"
	}
	if !d.Target.IsZero() {
		s += fmt.Sprintf(" for %q", d.Target)
	}
	s += ": " + string(d.Reason)
	if d.Want != "" {
		s += fmt.Sprintf(" (got %s, want %s)", d.Got, d.Want)
	}
	return s
}
