package op

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// Revoke is the revocation endpoint (RFC 7009): a client gives back a token
// that it does not need any more. A refresh token, also a spent one, ends with
// its family and all access tokens of that; an access token ends alone.
//
// A token that is unknown or has ended is answered as one that ends now: what
// the client wants is the case. A failure of the store is none of these.
func (s *Server) Revoke(w http.ResponseWriter, r *http.Request) {
	client, form, ok := s.clientRequest(w, r, "revocation")
	if !ok {
		return
	}
	raw := form.Get("token")
	if raw == "" {
		writeError(w, &oauth.Error{Code: oauth.InvalidRequest, Description: "token is missing"})
		return
	}
	revoke := s.revokeAccess
	if _, _, ok := splitRefresh(raw); ok {
		revoke = s.revokeRefresh
	}
	if err := revoke(r.Context(), client, raw); err != nil {
		s.tokenError(w, client, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// errNotYours refuses to revoke the token of another client (RFC 7009, 2.1).
var errNotYours = &oauth.Error{Code: oauth.UnauthorizedClient, Description: "the token was issued to another client"}

// errNotRevocable is for access tokens that nothing is kept of (RFC 7009,
// 2.2.1).
var errNotRevocable = &oauth.Error{Code: oauth.UnsupportedTokenType, Description: "a token that a client has for itself cannot be revoked; it ends within minutes"}

func (s *Server) revokeRefresh(ctx context.Context, client *oauth.Client, raw string) error {
	f, key, _, err := s.family(ctx, raw)
	if errors.Is(err, errInvalidRefresh) {
		return nil
	}
	if err != nil {
		return err
	}
	if f.ClientID != client.ID {
		return errNotYours
	}
	if err := s.endFamily(ctx, key); err != nil {
		return err
	}
	s.Log.Info("refresh_token_revoked", zap.String("client", client.ID), zap.String("subject", f.Context.Subject))
	return nil
}

func (s *Server) revokeAccess(ctx context.Context, client *oauth.Client, raw string) error {
	access, err := s.Minter.VerifyIssued(ctx, raw)
	if errors.Is(err, token.ErrInvalid) {
		return nil
	}
	if err != nil {
		return err
	}
	if access.ClientID != client.ID {
		return errNotYours
	}
	if access.Own() {
		return errNotRevocable
	}
	if err := s.Store.Delete(ctx, grantKind+"/"+access.ID); err != nil {
		return fmt.Errorf("revoking access token: %w", err)
	}
	s.Log.Info("access_token_revoked", zap.String("client", client.ID))
	return nil
}
