package oauth

import (
	"encoding/base64"
	"strings"
	"testing"
)

// verifier and challenge are the pair of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestS256(t *testing.T) {
	if got := S256(verifier); got != challenge {
		t.Errorf("S256 = %s, want %s", got, challenge)
	}
}

func TestCheckVerifier_Accepts(t *testing.T) {
	for name, v := range map[string]string{
		"the RFC's":     verifier,
		"shortest":      strings.Repeat("a", 43),
		"longest":       strings.Repeat("Z", 128),
		"every special": strings.Repeat("-._~", 11),
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, CheckVerifier(S256(v), v), InvalidGrant, "")
		})
	}
	t.Run("no PKCE at all", func(t *testing.T) {
		checkError(t, CheckVerifier("", ""), InvalidGrant, "")
	})
}

// The attacker has a stolen code and no verifier.
func TestR22_VerifierOmitted(t *testing.T) {
	checkError(t, CheckVerifier(challenge, ""), InvalidGrant, "code_verifier is missing")
}

// The attacker began without a challenge, so that an honest client's
// verifier would be ignored.
func TestR23_VerifierWithoutChallenge(t *testing.T) {
	checkError(t, CheckVerifier("", verifier), InvalidGrant,
		"code_verifier is given, but the authorization request had no code_challenge")
}

// With the method "plain" the challenge is the verifier.
func TestR23_PlainIsNotAccepted(t *testing.T) {
	checkError(t, CheckVerifier(verifier, verifier), InvalidGrant, "code_verifier does not match code_challenge")
}

func TestCheckVerifier_RefusesOthers(t *testing.T) {
	const grammar, mismatch = "code_verifier must be 43 to 128 unreserved characters", "code_verifier does not match code_challenge"
	for name, tc := range map[string]struct{ verifier, want string }{
		"somebody else's":       {strings.Repeat("a", 43), mismatch},
		"last byte differs":     {verifier[:42] + "j", mismatch},
		"letters' case differs": {strings.ToLower(verifier), mismatch},
		"longer by a byte":      {verifier + "A", mismatch},
		"the challenge itself":  {challenge, mismatch},
		"too short":             {verifier[:42], grammar},
		"too long":              {strings.Repeat("a", 129), grammar},
		"line break at the end": {verifier + "\n", grammar},
		"padding":               {verifier + "=", grammar},
		"space":                 {verifier[:42] + " ", grammar},
		"plus":                  {verifier[:42] + "+", grammar},
		"NUL":                   {verifier + "\x00", grammar},
		"not ASCII":             {verifier + "é", grammar},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, CheckVerifier(challenge, tc.verifier), InvalidGrant, tc.want)
		})
	}
	// The grammar decides even where the hash would agree.
	for _, short := range []string{"a", strings.Repeat("a", 42), strings.Repeat("a", 129)} {
		checkError(t, CheckVerifier(S256(short), short), InvalidGrant, grammar)
	}
}

func TestValidChallenge(t *testing.T) {
	if !ValidChallenge(challenge) {
		t.Error("the RFC's challenge is refused")
	}
	raw, _ := base64.RawURLEncoding.DecodeString(challenge)
	for name, s := range map[string]string{
		"empty":            "",
		"31 bytes":         base64.RawURLEncoding.EncodeToString(raw[:31]),
		"33 bytes":         base64.RawURLEncoding.EncodeToString(append(raw, 0)),
		"padded":           challenge + "=",
		"standard base64":  strings.ReplaceAll(challenge, "-", "+"),
		"line break":       challenge + "\n",
		"inner line break": challenge[:20] + "\r" + challenge[20:],
		"spare bits set":   challenge[:42] + "N",
		"a plain verifier": strings.Repeat("~", 43),
	} {
		t.Run(name, func(t *testing.T) {
			if ValidChallenge(s) {
				t.Errorf("%q passes", s)
			}
		})
	}
}
