package brokertest

import "net/http"

// serveDiscovery answers with the metadata of a tenant. It lists HS256 and
// PS256 beside RS256 as Auth0 does: a relying party that took its allow-list
// from here would accept tokens signed with a client secret.
func (t *Tenant) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	base := t.opts.Issuer
	doc := map[string]any{
		"issuer":                        base,
		"authorization_endpoint":        base + "authorize",
		"token_endpoint":                base + "oauth/token",
		"userinfo_endpoint":             base + "userinfo",
		"jwks_uri":                      base + ".well-known/jwks.json",
		"revocation_endpoint":           base + "oauth/revoke",
		"device_authorization_endpoint": base + "oauth/device/code",
		"registration_endpoint":         base + "oidc/register",
		"mfa_challenge_endpoint":        base + "mfa/challenge",
		"scopes_supported": []string{
			"openid", "profile", "offline_access", "name", "given_name", "family_name", "nickname",
			"email", "email_verified", "picture", "created_at", "identities", "phone", "address",
		},
		"response_types_supported": []string{
			"code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token",
		},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"HS256", "RS256", "PS256"},
		"token_endpoint_auth_methods_supported": []string{
			"client_secret_basic", "client_secret_post", "private_key_jwt", "none",
		},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "RS384", "PS256"},
		"claims_supported": []string{
			"aud", "auth_time", "created_at", "email", "email_verified", "exp", "family_name", "given_name",
			"iat", "identities", "iss", "name", "nickname", "phone_number", "picture", "sub",
		},
		"code_challenge_methods_supported": []string{"S256", "plain"},
		"request_uri_parameter_supported":  false,
		"request_parameter_supported":      false,
	}
	if !t.opts.NoLogoutDiscovery {
		doc["end_session_endpoint"] = base + "oidc/logout"
	}
	if t.opts.PushedRequests {
		doc["pushed_authorization_request_endpoint"] = base + "oauth/par"
	}
	edit(t.faults.get().EditDiscovery, doc)
	w.Header().Set("Cache-Control", "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400")
	writeJSON(w, http.StatusOK, doc)
}
