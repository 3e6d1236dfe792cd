package op

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// clientCredentials is the grant of that name (RFC 6749, 4.4): a client gets
// a token for itself. Nobody has signed in, so there is neither an ID token
// nor, as the client can always ask again, a refresh token.
func (s *Server) clientCredentials(w http.ResponseWriter, r *http.Request, client *oauth.Client, form url.Values) {
	scopes, oerr := s.clientScopes(client, form.Get("scope"))
	if oerr != nil {
		writeError(w, oerr)
		return
	}
	t, err := s.Minter.MintClient(r.Context(), client, scopes)
	if err != nil {
		s.tokenError(w, client, err)
		return
	}
	s.Log.Info("client token issued", zap.String("client", client.ID), zap.Strings("scopes", scopes))
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": t.AccessToken,
		"token_type":   "Bearer",
		"expires_in":   int64(t.ExpiresIn / time.Second),
		"scope":        strings.Join(scopes, " "),
	})
}

// clientScopes returns the scopes that the client asks for, or all it may
// have without a user where it names none (RFC 6749, 3.3).
func (s *Server) clientScopes(client *oauth.Client, asked string) ([]string, *oauth.Error) {
	scopes, oerr := oauth.ParseScope(asked)
	if oerr != nil {
		return nil, oerr
	}
	if len(scopes) == 0 {
		scopes = slices.DeleteFunc(slices.Clone(client.Scopes), s.personal)
	}
	switch {
	case len(scopes) == 0:
		return nil, &oauth.Error{Code: oauth.InvalidScope, Description: "this client has no scope that makes sense without a user"}
	case !oauth.Subset(scopes, client.Scopes):
		return nil, &oauth.Error{Code: oauth.InvalidScope, Description: "a requested scope is not among those configured for this client"}
	case slices.ContainsFunc(scopes, s.personal):
		return nil, &oauth.Error{Code: oauth.InvalidScope, Description: "a requested scope is about a user, and this grant has none"}
	}
	return scopes, nil
}

// personal says whether a scope is about a user: it makes a request one of
// OpenID Connect, gives access in the user's absence or to the user's own
// affairs, or carries claims.
func (s *Server) personal(scope string) bool {
	switch scope {
	case oauth.ScopeOpenID, claims.ScopeOfflineAccess, claims.ScopeRevokeTokens, claims.ScopeListClients, claims.ScopeWithdraw:
		return true
	}
	return slices.ContainsFunc(s.Claims, func(c claims.Claim) bool { return slices.Contains(c.Scopes, scope) })
}
