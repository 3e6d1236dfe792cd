package op

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// Userinfo is the userinfo endpoint (OpenID Connect Core, 5.3). The access
// token comes in the Authorization header, or in a form body (RFC 6750, 2).
func (s *Server) Userinfo(w http.ResponseWriter, r *http.Request) {
	raw, oerr := bearer(w, r)
	if oerr != nil {
		bearerError(w, "userinfo", oerr)
		return
	}
	a, err := s.authorizationOf(r.Context(), raw)
	if errors.Is(err, token.ErrInvalid) {
		bearerError(w, "userinfo", &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Description: "the access token is not valid, has expired, or was revoked"})
		return
	}
	if err != nil {
		s.Log.Error("userinfo failed", zap.Error(err))
		bearerError(w, "userinfo", &oauth.Error{Code: oauth.ServerError, Status: http.StatusInternalServerError})
		return
	}
	if !slices.Contains(a.Scopes, oauth.ScopeOpenID) {
		bearerError(w, "userinfo", &oauth.Error{Code: oauth.InsufficientScope, Status: http.StatusForbidden, Description: "the token lacks the scope openid"})
		return
	}
	body := s.Minter.UserClaims(a)
	body["sub"] = a.Subject
	writeJSON(w, http.StatusOK, body)
}

// authorizationOf returns the authorization behind a live access token of
// ours, or token.ErrInvalid. A revoked token verifies, but nothing is
// behind it any more.
func (s *Server) authorizationOf(ctx context.Context, raw string) (*authn.Authorization, error) {
	access, err := s.Minter.VerifyAccess(ctx, raw, s.Issuer.String())
	if err != nil {
		return nil, err
	}
	g, err := s.behind(ctx, access)
	if err != nil {
		return nil, err
	}
	return g.Authorization, nil
}

// behind returns the record of what a verified access token stands for, or
// token.ErrInvalid if it stands for nothing any more.
func (s *Server) behind(ctx context.Context, access *token.Access) (*grant, error) {
	g, _, err := s.grant(ctx, grantKind+"/"+access.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, token.ErrInvalid
	}
	if err != nil {
		return nil, err
	}
	client := s.Client(g.ClientID)
	if !g.Redeemed || g.ClientID != access.ClientID || g.Subject != access.Subject ||
		client == nil || !s.Permits(client, g.Context.Connection) {
		return nil, token.ErrInvalid
	}
	holds, err := s.Holds(ctx, g.Authorization)
	if err == nil && holds && g.Family != "" {
		holds, err = s.familyLives(ctx, g.Family)
	}
	if err != nil {
		return nil, err
	}
	if !holds {
		return nil, token.ErrInvalid
	}
	return g, nil
}

// bearer returns the access token of the request, sent in exactly one way.
func bearer(w http.ResponseWriter, r *http.Request) (string, *oauth.Error) {
	var found []string
	for _, h := range r.Header.Values("Authorization") {
		scheme, value, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", &oauth.Error{Status: http.StatusUnauthorized}
		}
		found = append(found, strings.TrimSpace(value))
	}
	if r.Method == http.MethodPost && isForm(r) {
		form, oerr := readForm(w, r)
		if oerr != nil {
			return "", oerr
		}
		found = append(found, form["access_token"]...)
	}
	switch len(found) {
	case 0:
		return "", &oauth.Error{Status: http.StatusUnauthorized}
	case 1:
		return found[0], nil
	}
	return "", &oauth.Error{Code: oauth.InvalidRequest, Description: "the access token is given more than once"}
}

// bearerError answers as RFC 6750, 3: a request without any token learns
// only that it needs one.
func bearerError(w http.ResponseWriter, realm string, oerr *oauth.Error) {
	challenge := `Bearer realm="` + realm + `"`
	if oerr.Code != "" {
		challenge += `, error="` + oerr.Code + `"`
	}
	if oerr.Description != "" {
		challenge += `, error_description="` + oerr.Description + `"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	if oerr.Code == "" {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(oerr.HTTPStatus())
		return
	}
	writeError(w, oerr)
}
