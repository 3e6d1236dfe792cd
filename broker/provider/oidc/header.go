package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Limits of a token. Real ID tokens may carry 100 KB of claims; a header
// has a few hundred bytes, or some KB with a certificate chain.
const (
	maxToken  = 256 << 10
	maxHeader = 8 << 10
	maxKeyID  = 512
)

var (
	// errToken is any token that does not verify, whatever the cause.
	errToken = errors.New("token refused")

	// errSymmetric and errEncrypted are the kinds of it that have a cure
	// in the provider's settings.
	errSymmetric = fmt.Errorf("%w: signed with a shared secret", errToken)
	errEncrypted = fmt.Errorf("%w: encrypted", errToken)
)

// A header is what the checks need of a JOSE header.
type header struct {
	alg, kid, typ string
}

// parseHeader checks the shape of a compact JWS and everything in its
// header, before any library sees the token: size, three parts, one of the
// algorithms, and none of the members that would let a token choose how it
// is verified.
func parseHeader(raw string, algorithms []string) (*header, error) {
	// The size first: all that follows costs time in proportion to it.
	if len(raw) > maxToken {
		return nil, fmt.Errorf("%w: larger than %d bytes", errToken, maxToken)
	}
	dots := strings.Count(raw, ".")
	if dots != 2 && dots != 4 {
		return nil, fmt.Errorf("%w: not a JWT", errToken)
	}
	encoded, _, _ := strings.Cut(raw, ".")
	if len(encoded) > base64.RawURLEncoding.EncodedLen(maxHeader) {
		return nil, fmt.Errorf("%w: header larger than %d bytes", errToken, maxHeader)
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: header is not base64url", errToken)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, fmt.Errorf("%w: header is not a JSON object", errToken)
	}
	if dots == 4 || members["enc"] != nil {
		return nil, errEncrypted
	}
	return checkHeader(members, algorithms)
}

func checkHeader(members map[string]json.RawMessage, algorithms []string) (*header, error) {
	h := new(header)
	for name, target := range map[string]*string{"alg": &h.alg, "kid": &h.kid, "typ": &h.typ} {
		if value, ok := members[name]; ok && json.Unmarshal(value, target) != nil {
			return nil, fmt.Errorf("%w: header member %s is not a string", errToken, name)
		}
	}
	// jwk, jku and x5u would verify an attacker's token with the
	// attacker's key; crit and b64 change what is signed; zip is a bomb.
	for _, name := range []string{"jwk", "jku", "x5u", "crit", "b64", "zip", "p2c"} {
		if _, ok := members[name]; ok {
			return nil, fmt.Errorf("%w: header has the member %s", errToken, name)
		}
	}
	switch {
	case strings.HasPrefix(h.alg, "HS"):
		return nil, fmt.Errorf("%w (alg %.16q)", errSymmetric, h.alg)
	case !slices.Contains(algorithms, h.alg):
		return nil, fmt.Errorf("%w: alg %.16q is not one of %s", errToken, h.alg, strings.Join(algorithms, " "))
	case len(h.kid) > maxKeyID:
		return nil, fmt.Errorf("%w: kid larger than %d bytes", errToken, maxKeyID)
	}
	return h, nil
}

// isType says whether the header's typ is absent or one of types. Media
// types compare without case and without "application/" (RFC 7515, 4.1.9).
// The check keeps one kind of token from passing for another: a logout
// token has issuer, audience and subject of the ID token.
func (h *header) isType(types ...string) bool {
	typ := strings.TrimPrefix(strings.ToLower(h.typ), "application/")
	return typ == "" || slices.Contains(types, typ)
}
