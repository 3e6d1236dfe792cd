package op

import (
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// Metadata serves the discovery document, the same for OpenID Connect
// Discovery (section 3) and RFC 8414. It lists what works and nothing else.
func (s *Server) Metadata(w http.ResponseWriter, _ *http.Request) {
	publicDocument(w)
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                 s.Issuer.String(),
		"authorization_endpoint": s.url(PathAuthorize),
		"token_endpoint":         s.url(PathToken),
		"userinfo_endpoint":      s.url(PathUserinfo),
		"introspection_endpoint": s.url(PathIntrospect),
		"introspection_endpoint_auth_methods_supported": []string{oauth.AuthBasic, oauth.AuthPost},
		"revocation_endpoint":                           s.url(PathRevoke),
		"revocation_endpoint_auth_methods_supported":    []string{oauth.AuthBasic, oauth.AuthPost, oauth.AuthNone},
		"jwks_uri":                                       s.url(PathJWKS),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          s.Grants,
		"subject_types_supported":                        []string{oauth.SubjectPublic, oauth.SubjectPairwise},
		"id_token_signing_alg_values_supported":          []string{token.RS256, token.ES256},
		"token_endpoint_auth_methods_supported":          []string{oauth.AuthBasic, oauth.AuthPost, oauth.AuthNone},
		"code_challenge_methods_supported":               []string{"S256"},
		"prompt_values_supported":                        []string{"none", "login", "consent", "select_account"},
		"scopes_supported":                               s.scopeNames(),
		"claims_supported":                               s.claimNames(),
		"claim_types_supported":                          []string{"normal"},
		"ui_locales_supported":                           ui.Languages(),
		"claims_parameter_supported":                     true,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
		"authorization_response_iss_parameter_supported": true,
	})
}

func (s *Server) scopeNames() (names []string) {
	for _, scope := range s.Scopes {
		names = append(names, scope.Name)
	}
	return names
}

func (s *Server) claimNames() []string {
	names := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "jti", "amr", "acr"}
	for _, c := range s.Claims {
		if c.In(claims.Userinfo) && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// JWKS serves the public keys (RFC 7517).
func (s *Server) JWKS(w http.ResponseWriter, r *http.Request) {
	keys, err := s.Minter.Keys.JWKS(r.Context())
	if err != nil {
		s.Log.Error("publishing keys failed", zap.Error(err))
		writeError(w, &oauth.Error{Code: oauth.ServerError, Status: http.StatusServiceUnavailable})
		return
	}
	publicDocument(w)
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(keys)
}

// publicDocument marks what anybody may read, from any origin.
func publicDocument(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*")
}
