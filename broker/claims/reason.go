package claims

// Reasons of the stages around attributes and mappings: what was never
// declared, what a script or an application did, and what stands between
// the context and one client's tokens.
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
