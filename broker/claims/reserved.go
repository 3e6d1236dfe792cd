package claims

import "slices"

// Computed returns the names of the context that the broker itself fills:
// the subject, the upstream's name for it, and the granted scopes.
func Computed() []string { return []string{"sub", "idp_sub", "scp"} }

// Reserved reports whether no mapping may write a key of this name at the
// top of the context: the computed ones and those that give a token its
// meaning.
func Reserved(name string) bool {
	return slices.Contains(Computed(), name) || protocol(name)
}

// protocol reports whether name is a claim by which a token is understood
// rather than one about the user.
func protocol(name string) bool {
	switch name {
	case "iss", "aud", "exp", "nbf", "iat", "jti", "nonce", "azp", "at_hash",
		"sid", "auth_time", "client_id", "scope", "cnf", "act", "may_act",
		"idp", "amr", "acr":
		return true
	}
	return false
}

// minted reports whether the broker alone writes the claim of this name
// into t. A declared claim that could replace "exp", or "active" in an
// introspection answer, would let data of the upstream decide whether a
// token counts.
func minted(name string, t TokenType) bool {
	if name == "sub" || protocol(name) {
		return true
	}
	if t == Introspection {
		switch name {
		case "active", "token_type", "username":
			return true
		}
	}
	return false
}
