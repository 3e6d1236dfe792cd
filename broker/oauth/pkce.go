package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// S256 returns the code challenge of verifier (RFC 7636, 4.2).
func S256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ValidChallenge says whether s can be the S256 challenge of any verifier.
// The length is asked for because decoders skip line breaks.
func ValidChallenge(s string) bool {
	if len(s) != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		return false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(raw) == sha256.Size
}

// CheckVerifier compares the verifier of a token request with the challenge
// of the authorization request.
//
// An absent verifier is an error when there was a challenge, and a verifier
// without a challenge is one too: accepting either would let an attacker who
// injects a code drop the protection (RFC 9700, 2.1.1 and 4.8.2).
func CheckVerifier(challenge, verifier string) *Error {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return newError(InvalidGrant, "code_verifier is given, but the authorization request had no code_challenge")
	case verifier == "":
		return newError(InvalidGrant, "code_verifier is missing")
	case !validVerifier(verifier):
		return newError(InvalidGrant, "code_verifier must be 43 to 128 unreserved characters")
	case subtle.ConstantTimeCompare([]byte(S256(verifier)), []byte(challenge)) != 1:
		return newError(InvalidGrant, "code_verifier does not match code_challenge")
	}
	return nil
}

// validVerifier is the grammar of RFC 7636, 4.1.
func validVerifier(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
			c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}
