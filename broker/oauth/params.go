package oauth

import (
	"fmt"
	"net/url"
)

// A parameter longer than this is refused before anything looks at it. The
// longest that conformance suites send is a state of 1,000 characters; an
// id_token_hint with many claims is the longest in the field.
const maxParam = 8 << 10

// CheckParams refuses a request in which any parameter comes twice (RFC
// 6749, 3.1 and 3.2), is absurdly long, or holds a NUL. Two layers that
// pick different copies of one parameter are how checks are bypassed, so
// this holds for parameters we do not know, too.
func CheckParams(v url.Values) *Error {
	for name, values := range v {
		if len(values) > 1 {
			return newError(InvalidRequest, fmt.Sprintf("parameter %s is given more than once", printable(name)))
		}
		if len(values[0]) > maxParam {
			return newError(InvalidRequest, fmt.Sprintf("parameter %s is longer than %d bytes", printable(name), maxParam))
		}
		for i := range len(values[0]) {
			if values[0][i] == 0 {
				return newError(InvalidRequest, fmt.Sprintf("parameter %s holds a NUL byte", printable(name)))
			}
		}
	}
	return nil
}

// printable returns name if it looks like a parameter name, else a stand-in:
// descriptions are limited to a safe character set and must not echo input.
func printable(name string) string {
	if name == "" || len(name) > 40 {
		return "(unnamed)"
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return "(unnamed)"
		}
	}
	return name
}
