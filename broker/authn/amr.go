package authn

import (
	"errors"
	"fmt"
	"slices"
)

// AMRValues returns the authentication methods of RFC 8176.
func AMRValues() []string {
	return []string{
		"face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop",
		"pwd", "rba", "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia",
	}
}

// ValidateAMR checks methods an operator set. Without custom they must be
// registered: a misspelled "mfa" would satisfy nobody who asks for it.
func ValidateAMR(methods []string, custom bool) error {
	for _, m := range methods {
		if m == "" {
			return errors.New("amr: empty value")
		}
		if !custom && !slices.Contains(AMRValues(), m) {
			return fmt.Errorf("amr: %q is not a method of RFC 8176; use one of %v, or allow_custom_amr", m, AMRValues())
		}
	}
	return nil
}

// ParseAMR reads an upstream's "amr" as leniently as is safe: a string is
// an array of one, elements that are not strings are left out, and anything
// else counts as absent. Methods is nil or has an element.
//
// Dropped counts what was left out, for a warning in the log; a value of
// the wrong type altogether is one. A null and an empty array are as good
// as absent, so nothing is dropped of them.
func ParseAMR(v any) (methods []string, dropped int) {
	var elements []any
	switch v := v.(type) {
	case nil:
	case []any:
		elements = v
	default:
		elements = []any{v}
	}
	for _, e := range elements {
		if s, ok := e.(string); ok && s != "" {
			methods = append(methods, s)
		} else {
			dropped++
		}
	}
	return methods, dropped
}
