package claims

// A VerifiedPair is a value of the context and the flag that vouches for it.
type VerifiedPair struct{ Value, Flag string }

// VerifiedPairs returns every VerifiedPair. A flag without its value, or
// with another value than the one it was said of, must not be anywhere.
func VerifiedPairs() []VerifiedPair {
	return []VerifiedPair{
		{Value: "email", Flag: "email_verified"},
		{Value: "phone_number", Flag: "phone_number_verified"},
	}
}

// vouchedFor returns the name of the value that a verified flag at p speaks
// about: "email" for email_verified.
func vouchedFor(p Path) (string, bool) {
	for _, pair := range VerifiedPairs() {
		if p.Equal(Key(pair.Flag)) {
			return pair.Value, true
		}
	}
	return "", false
}

// rank sorts the flags behind everything else.
func rank(p Path) int {
	if _, flag := vouchedFor(p); flag {
		return 1
	}
	return 0
}

// vouches reports whether s may fill its target. It may, unless the target
// is a verified flag whose value came from elsewhere.
//
// The attacker edits the one document they control: an address in a
// userinfo answer or in a self-service profile claim. Were it joined with
// the "verified" of the ID token, which speaks of the other address, the
// broker would vouch for a mailbox that nobody has shown to own, and an
// application that matches accounts by address would hand over another
// person's (Keycloak CVE-2026-14781).
//
// So value and flag must come from one document. Further, the default
// mapping of the claim email_verified vouches for that document's email
// claim only: where the operator has the address come from another claim of
// the same document, the flag must be mapped on purpose too. A constant
// vouches for a constant only.
func (r *run) vouches(s *source) bool {
	value, flag := vouchedFor(s.To)
	if !flag {
		return true
	}
	supplier := r.supplied[value]
	switch {
	case supplier == nil:
		return false
	case s.attribute == nil || supplier.attribute == nil:
		return s.attribute == nil && supplier.attribute == nil
	case s.attribute.Source != supplier.attribute.Source:
		return false
	case s.Origin == OriginDefault && s.attribute.Path.Equal(s.To):
		return supplier.attribute.Path.Equal(Key(value))
	}
	return true
}
