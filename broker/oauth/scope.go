package oauth

import (
	"slices"
	"strings"
)

// ScopeOpenID makes an authorization request one of OpenID Connect: without
// it there is no ID token.
const ScopeOpenID = "openid"

// ParseScope splits a scope parameter (RFC 6749, 3.3) into its distinct
// names, in the order of their first appearance. It refuses characters
// outside scope-token.
func ParseScope(s string) ([]string, *Error) {
	var names []string
	for name := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' }) {
		if !ValidScope(name) {
			return nil, newError(InvalidScope, "a scope holds a character that scopes cannot have")
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// ValidScope says whether name is a scope-token of RFC 6749, 3.3.
func ValidScope(name string) bool {
	if name == "" {
		return false
	}
	for _, c := range []byte(name) {
		if c != 0x21 && (c < 0x23 || c > 0x5b) && (c < 0x5d || c > 0x7e) {
			return false
		}
	}
	return true
}

// Subset says whether every name of sub is in set.
func Subset(sub, set []string) bool {
	for _, name := range sub {
		if !slices.Contains(set, name) {
			return false
		}
	}
	return true
}

// Overlap says whether a and b have a name in common.
func Overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}
