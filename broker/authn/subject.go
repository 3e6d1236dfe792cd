package authn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// SubjectKeySize is the least size of the key of [Subject], in bytes.
const SubjectKeySize = sha256.Size

// ErrSubject is returned by [Subject] and [Pipeline.Build] for a person who
// is not fully named, or not in a way that tells them from all others.
var ErrSubject = errors.New("incomplete upstream identity")

// Subject returns the name by which clients know a person:
//
//	hex(HMAC-SHA-256(key, connection || 0x00 || issuer || 0x00 || idpSubject))
//
// It is stable as long as the four stay, and says nothing about the person
// to anybody without the key.
func Subject(key []byte, connection, issuer, idpSubject string) (string, error) {
	if err := checkIdentity(connection, issuer, idpSubject); err != nil {
		return "", err
	}
	return keyed(key, connection, issuer, idpSubject)
}

// keyed hashes the parts, joined by NUL, under key.
func keyed(key []byte, parts ...string) (string, error) {
	if len(key) < SubjectKeySize {
		// With a short or missing key the names could be computed by
		// trying candidates, which is what the key is there to prevent.
		return "", fmt.Errorf("subject key has %d bytes, needs %d", len(key), SubjectKeySize)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(parts, "\x00"))) // never fails
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// PairwiseSubject returns the name by which the clients of one sector know a
// person, and nobody else does (OpenID Connect Core, 8.1):
//
//	hex(HMAC-SHA-256(key, "pairwise" || 0x00 || 0x00 || sector || 0x00 || subject))
//
// An issuer is never empty, so these texts never meet those that [Subject]
// hashes with the same key.
func PairwiseSubject(key []byte, sector, subject string) (string, error) {
	if sector == "" || subject == "" || strings.Contains(sector, "\x00") {
		return "", fmt.Errorf("%w: no sector or subject", ErrSubject)
	}
	return keyed(key, "pairwise", "", sector, subject)
}

// LegacySubject returns the upstream's own name for a person, for brokers
// that take over users who are known by it. With more than one connection
// two people could have the same one.
func LegacySubject(idpSubject string) (string, error) {
	if idpSubject == "" {
		return "", fmt.Errorf("%w: subject is empty", ErrSubject)
	}
	return idpSubject, nil
}

// checkIdentity makes sure that the three parts, joined by NUL, can be taken
// apart again. The first two must not contain the separator: otherwise an
// upstream whose issuer or subjects an attacker can choose could be given
// ones that join to the text of another upstream's user, and the attacker
// would sign in as them. The subject comes last and may hold anything.
func checkIdentity(connection, issuer, idpSubject string) error {
	for _, part := range []struct{ name, value string }{
		{"connection", connection}, {"issuer", issuer},
	} {
		if part.value == "" || strings.Contains(part.value, "\x00") {
			return fmt.Errorf("%w: %s is empty or contains NUL", ErrSubject, part.name)
		}
	}
	if idpSubject == "" {
		return fmt.Errorf("%w: subject is empty", ErrSubject)
	}
	return nil
}
