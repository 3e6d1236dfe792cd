package op

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// Introspect is the introspection endpoint (RFC 7662): whether a token is
// good now, and what it stands for. Of everything that is not, and of what is
// none of the caller's business, it says one and the same: not active.
//
// A client learns about its own tokens, and one that has the scope
// introspect_tokens about the access tokens of others. Public clients cannot
// ask, for whoever names one would be answered.
func (s *Server) Introspect(w http.ResponseWriter, r *http.Request) {
	client, form, ok := s.clientRequest(w, r, "introspection")
	if !ok {
		return
	}
	raw := form.Get("token")
	switch {
	case client.Public:
		writeError(w, errClient)
		return
	case raw == "":
		writeError(w, &oauth.Error{Code: oauth.InvalidRequest, Description: "token is missing"})
		return
	}
	about, err := s.introspect(r.Context(), client, raw)
	switch {
	case isRefused(err):
		about = map[string]any{"active": false}
	case err != nil:
		s.tokenError(w, client, err)
		return
	}
	writeJSON(w, http.StatusOK, about)
}

// isRefused says whether err is about the token, and no failure of ours.
func isRefused(err error) bool {
	var oerr *oauth.Error
	return errors.Is(err, token.ErrInvalid) || errors.As(err, &oerr)
}

// introspect describes a live token, by its looks: the hint of the client is
// not needed.
func (s *Server) introspect(ctx context.Context, caller *oauth.Client, raw string) (map[string]any, error) {
	if _, _, ok := splitRefresh(raw); ok {
		return s.introspectRefresh(ctx, caller, raw)
	}
	access, err := s.Minter.VerifyIssued(ctx, raw)
	if err != nil {
		return nil, err
	}
	if access.ClientID != caller.ID && !slices.Contains(caller.Scopes, claims.ScopeIntrospect) {
		return nil, token.ErrInvalid
	}
	return s.introspectAccess(ctx, access)
}

// introspectAccess describes an access token. One that a gate got for its
// site is never active here: nothing is kept of it that would say whether its
// session lives, and it reaches its site through the gate, which knows.
func (s *Server) introspectAccess(ctx context.Context, access *token.Access) (map[string]any, error) {
	out := map[string]any{
		"active": true, "token_type": "Bearer", "iss": access.Issuer, "sub": access.Subject, "client_id": access.ClientID,
		"aud": access.Audience, "exp": access.Expires, "iat": access.Issued, "nbf": access.Issued, "jti": access.ID,
	}
	if access.Scope != "" {
		out["scope"] = access.Scope
	}
	if access.Own() {
		if c := s.Client(access.ClientID); c == nil || !c.MayGrant(oauth.GrantClientCredentials) {
			return nil, token.ErrInvalid
		}
		return out, nil
	}
	g, err := s.behind(ctx, access)
	if err != nil {
		return nil, err
	}
	s.describeUser(out, g.Authorization)
	return out, nil
}

// introspectRefresh describes a refresh token, to its own client alone: a
// service that asks about what it is shown could take it for an access token.
func (s *Server) introspectRefresh(ctx context.Context, caller *oauth.Client, raw string) (map[string]any, error) {
	f, _, _, err := s.family(ctx, raw)
	if err != nil {
		return nil, err
	}
	_, secret, _ := splitRefresh(raw)
	if f.ClientID != caller.ID || f.standing(secret, s.Now(), 0) != currentSecret ||
		!mayRefresh(caller, f.Scopes) || !s.Permits(caller, f.Context.Connection) {
		return nil, token.ErrInvalid
	}
	holds, err := s.Holds(ctx, f.Authorization)
	if err != nil {
		return nil, err
	}
	if !holds {
		return nil, token.ErrInvalid
	}
	out := map[string]any{
		"active": true, "iss": s.Issuer.String(), "sub": f.Subject, "client_id": f.ClientID, "aud": s.Issuer.String(),
		"exp": f.Expires.Unix(), "iat": f.Rotated.Unix(), "nbf": f.Rotated.Unix(), "scope": strings.Join(f.Scopes, " "),
	}
	s.describeUser(out, f.Authorization)
	return out, nil
}

// describeUser adds what is told of the user and the sign-in. What the
// upstream calls the user stays with clients that know users by the same name
// as others do: to a pairwise one it would give away who that is elsewhere.
func (s *Server) describeUser(out map[string]any, a *authn.Authorization) {
	out["idp"] = a.Context.Connection
	out["auth_time"] = a.Context.AuthTime.Truncate(time.Second).Unix()
	if c := s.Client(a.ClientID); c != nil && c.SubjectType != oauth.SubjectPairwise {
		out["idp_sub"] = a.Context.IDPSubject
	}
	if len(a.Context.AMR) > 0 {
		out["amr"] = a.Context.AMR
	}
	if a.Context.ACR != "" {
		out["acr"] = a.Context.ACR
	}
	if name, _ := s.Minter.UserClaims(a)["preferred_username"].(string); name != "" {
		out["username"] = name
	}
	for name, value := range s.Minter.IntrospectionClaims(a) {
		if _, taken := out[name]; !taken {
			out[name] = value
		}
	}
}
