package claims

import (
	"fmt"
	"slices"
)

// Names that the documents of an upstream share with the tokens of the
// broker. They are untyped because each is both a [Source] and a
// [TokenType].
const (
	IDToken     = "id_token"
	AccessToken = "access_token"
	Userinfo    = "userinfo"
)

// Assertion is the [Source] of a SAML upstream.
const Assertion Source = "assertion"

// A Source names one of the raw documents an upstream hands over: IDToken,
// AccessToken and Userinfo of an OpenID Connect upstream, Assertion of a
// SAML one.
type Source string

// Sources returns every Source, in the order of the sign-in.
func Sources() []Source {
	return []Source{IDToken, AccessToken, Userinfo, Assertion}
}

func (s Source) validate() error {
	if !slices.Contains(Sources(), s) {
		return fmt.Errorf("unknown source %q; use one of %v", string(s), Sources())
	}
	return nil
}

// Documents are the verified documents of one sign-in by source, decoded
// with [json.Decoder.UseNumber] so that integers stay exact. A source that
// is not there is absent from the map; an access token that only its
// issuer can read is absent in the same way.
//
// Documents live until the authentication context is built. They are never
// stored, logged or forwarded.
type Documents map[Source]map[string]any
