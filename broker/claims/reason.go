package claims

// A Reason is a stable word for why a value did not arrive. Lineage shows
// it, and operators search for it.
type Reason string

// Reasons of attributes and mappings.
const (
	// AbsentUpstream: the document has nothing at the attribute's path.
	AbsentUpstream Reason = "absent_upstream"
	// NullUpstream: it has an explicit null there.
	NullUpstream Reason = "null_upstream"
	// AccessTokenOpaque: the access token is not ours to read. At Auth0
	// the connection's audience makes it a JWT.
	AccessTokenOpaque Reason = "access_token_opaque"
	// UserinfoFailed: there is no userinfo answer, and the connection can
	// do without.
	UserinfoFailed Reason = "userinfo_failed"
	// TypeMismatch: the value has not the declared type and could not, or
	// must not, be converted.
	TypeMismatch Reason = "type_mismatch"
	// NotMapped: the attribute was received, and no mapping reads it.
	NotMapped Reason = "not_mapped"
	// Shadowed: an earlier mapping already filled the target.
	Shadowed Reason = "shadowed"
	// UnverifiedPair: a verified flag does not come from the document
	// that supplied the value it would vouch for.
	UnverifiedPair Reason = "unverified_pair"
)

// Reasons of the stages around these: what was never declared, what a script
// or an application did, and what stands between the context and one
// client's tokens.
const (
	// NotDeclared: no attribute reads the claim; or a script or an
	// application named what the context schema does not have.
	NotDeclared Reason = "not_declared"
	// ReservedName: the broker alone fills the name.
	ReservedName Reason = "reserved"
	// ScriptReplaced: the script set another value.
	ScriptReplaced Reason = "script_replaced"
	// ScriptRemoved: the script took the value away.
	ScriptRemoved Reason = "script_removed"
	// AppReplaced: the post-authentication application set another value.
	AppReplaced Reason = "app_replaced"

	// ClaimNotDeclared: no claim carries the value in this kind of token.
	ClaimNotDeclared Reason = "claim_not_declared"
	// ScopeNotRequested: the client may ask for a scope of the claim and
	// did not.
	ScopeNotRequested Reason = "scope_not_requested"
	// ScopeNotAllowed: the client may ask for none of its scopes.
	ScopeNotAllowed Reason = "scope_not_allowed"
	// ConsentWithheld: the client asked, and the person did not grant it.
	ConsentWithheld Reason = "consent_withheld"
	// Opaque: the claim is told by userinfo or introspection only.
	Opaque Reason = "opaque"
)

// Reasons returns every Reason, in the order of the sign-in.
func Reasons() []Reason {
	return []Reason{
		AbsentUpstream, NullUpstream, AccessTokenOpaque, UserinfoFailed, TypeMismatch,
		NotDeclared, NotMapped, Shadowed, ReservedName,
		ScriptReplaced, ScriptRemoved, AppReplaced, UnverifiedPair,
		ClaimNotDeclared, ScopeNotRequested, ScopeNotAllowed, ConsentWithheld, Opaque,
	}
}

// Warn reports whether the operator should hear of it: the configuration
// and the upstream disagree, where all else is everyday.
func (r Reason) Warn() bool {
	switch r {
	case AccessTokenOpaque, UserinfoFailed, TypeMismatch, UnverifiedPair:
		return true
	default:
		return false
	}
}
