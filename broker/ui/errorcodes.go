package ui

// isErrorCode says whether s is an error code of OAuth 2.0 or OpenID
// Connect.
//
// Attacker: whoever can send a browser to our callback or make an upstream
// answer. Move: error=Your_account_is_locked,_call_+1... Harm: our page
// says it. A list of all codes there are leaves no room for a sentence.
func isErrorCode(s string) bool {
	switch s {
	case // RFC 6749, 4.1.2.1 and 5.2
		"invalid_request", "invalid_client", "invalid_grant", "invalid_scope",
		"unauthorized_client", "unsupported_grant_type", "unsupported_response_type",
		"access_denied", "server_error", "temporarily_unavailable",
		// OpenID Connect Core, 3.1.2.6
		"login_required", "interaction_required", "consent_required",
		"account_selection_required", "invalid_request_uri", "invalid_request_object",
		"request_not_supported", "request_uri_not_supported", "registration_not_supported",
		// OpenID Connect, Unmet Authentication Requirements; RFC 9470
		"unmet_authentication_requirements", "insufficient_user_authentication",
		// RFC 6750, RFC 7591, RFC 8628, RFC 8707, RFC 9396, RFC 9449
		"invalid_token", "insufficient_scope",
		"invalid_redirect_uri", "invalid_client_metadata",
		"authorization_pending", "slow_down", "expired_token",
		"invalid_target", "invalid_authorization_details",
		"invalid_dpop_proof", "use_dpop_nonce",
		// ours: what an error page of the logout endpoint is about
		"invalid_id_token_hint", "invalid_post_logout_redirect_uri":
		return true
	}
	return false
}
