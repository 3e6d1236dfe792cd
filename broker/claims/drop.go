package claims

import "fmt"

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
