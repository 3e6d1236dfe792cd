package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// revokedLifetime is longer than anything lives that was issued before a
// revocation.
const revokedLifetime = 400 * 24 * time.Hour

func revokedKey(subject string) string { return "revoked/" + url.QueryEscape(subject) }

// revokeTimeout bounds how long a revocation may take.
const revokeTimeout = 15 * time.Second

// RevokeUser ends all that subject's sign-ins have brought so far, at every
// client: sessions, codes, and tokens at our own endpoints. Consents stay.
// A JWT that somebody verifies alone ends at its expiry.
//
// It does all it can, also when a part fails and when the caller has gone. The
// note, by which everything issued before is refused, comes last: a token that
// asked for the revocation is good for another try until all is done.
func (s *Server) RevokeUser(ctx context.Context, subject string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	err := s.Sessions.EndUser(ctx, subject)
	if err == nil {
		err = s.noteRevoked(ctx, subject)
	}
	if err := errors.Join(err, s.tellWithdrawal(ctx, subject)); err != nil {
		return fmt.Errorf("revoking tokens: %w", err)
	}
	s.Log.Info("tokens_revoked", zap.String("subject", subject))
	return nil
}

func (s *Server) noteRevoked(ctx context.Context, subject string) error {
	at, err := json.Marshal(s.Now().UTC())
	if err != nil {
		return err
	}
	return s.Store.Put(ctx, revokedKey(subject), at, revokedLifetime)
}

// revokedSince says whether the user's tokens were revoked after the given
// time.
func (s *Server) revokedSince(ctx context.Context, subject string, given time.Time) (bool, error) {
	raw, err := s.Store.Get(ctx, revokedKey(subject))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a revocation: %w", err)
	}
	var at time.Time
	if err := json.Unmarshal(raw, &at); err != nil {
		return false, errors.New("looking for a revocation: the record is not readable")
	}
	return !given.After(at), nil
}

// RevokeTokens ends all tokens and sessions of the token's user. The token,
// which ends too, needs the scope revoke_tokens.
func (s *Server) RevokeTokens(w http.ResponseWriter, r *http.Request) {
	a, ok := s.selfService(w, r, claims.ScopeRevokeTokens)
	if !ok {
		return
	}
	if err := s.RevokeUser(r.Context(), a.Context.Subject); err != nil {
		s.callFailed(w, a.ClientID, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}
