package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// errInvalidRefresh is one answer for all refresh tokens that bring nothing,
// so that nobody learns whose token he holds.
var errInvalidRefresh = &oauth.Error{Code: oauth.InvalidGrant, Description: "the refresh token is unknown, expired, used, revoked, or issued to another client"}

// refresh is the refresh token grant (RFC 6749, 6). No upstream is asked and
// no script runs: claims come from the context that the user consented to.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request, client *oauth.Client, form url.Values) {
	asked, oerr := oauth.ParseScope(form.Get("scope"))
	if oerr != nil {
		writeError(w, oerr)
		return
	}
	out, err := s.useRefresh(r.Context(), refreshment{client: client, token: form.Get("refresh_token"), scopes: asked})
	if err != nil {
		s.tokenError(w, client, err)
		return
	}
	s.Log.Info("tokens refreshed", zap.String("client", client.ID), zap.String("subject", out.authorization.Context.Subject), zap.Strings("scopes", out.authorization.Scopes))
	s.writeTokens(w, out)
}

// A refreshment is one use of a refresh token. Without scopes it is for all
// that the token may bring.
type refreshment struct {
	client *oauth.Client
	token  string
	scopes []string
}

// maxRefreshRaces bounds how often a use looks again: each time somebody else
// has used or ended the family, which no single client goes on doing.
const maxRefreshRaces = 8

// useRefresh uses a refresh token. Errors are *oauth.Error, or failures of the
// store, after which the same use can be tried again within the grace.
func (s *Server) useRefresh(ctx context.Context, in refreshment) (*issued, error) {
	for range maxRefreshRaces {
		out, err := s.refreshOnce(ctx, in)
		if !errors.Is(err, store.ErrConflict) {
			return out, err
		}
	}
	return nil, errors.New("refreshing tokens: too many uses at once")
}

// refreshOnce is one look at the family. [store.ErrConflict] means that
// somebody else has changed it meanwhile.
//
// Whatever can fail comes before the step that spends the token, so that a
// client without an answer still has a token that is good. What was taken back
// is looked for on both sides of that step: a withdrawal that was acknowledged
// before it is seen, wherever in here it fell (S115).
func (s *Server) refreshOnce(ctx context.Context, in refreshment) (*issued, error) {
	f, key, raw, err := s.family(ctx, in.token)
	if err != nil {
		return nil, err
	}
	if f.ClientID != in.client.ID {
		return nil, errInvalidRefresh // its owner must not suffer from a stranger's try
	}
	_, secret, _ := splitRefresh(in.token)
	standing := f.standing(secret, s.Now(), s.RefreshGrace)
	if standing == reusedSecret {
		return nil, s.reusedRefresh(ctx, key, f)
	}
	a, err := s.refreshed(f, in)
	if err != nil {
		return nil, err
	}
	if err := s.stillGiven(ctx, key, f); err != nil {
		return nil, err
	}
	out := &issued{authorization: a, refresh: f.next(in.token, key)}
	if out.tokens, err = s.Minter.Mint(ctx, a, in.client, a.ID); err != nil {
		return nil, err
	}
	if err := s.keepRefreshed(ctx, a, key, out.tokens); err != nil {
		return nil, err
	}
	if err := s.rotate(ctx, key, raw, f, out.refresh, standing); err != nil {
		return nil, err
	}
	if err := s.stillGiven(ctx, key, f); err != nil {
		return nil, err
	}
	return out, nil
}

// refreshed is what the use gives: the family's authorization or, if the
// client asks for less, a part of it. What the configuration has taken from
// the client since is left out.
func (s *Server) refreshed(f *family, in refreshment) (*authn.Authorization, error) {
	may := slices.DeleteFunc(slices.Clone(f.Scopes), func(name string) bool { return !slices.Contains(in.client.Scopes, name) })
	if !mayRefresh(in.client, may) || !s.Permits(in.client, f.Context.Connection) {
		return nil, errInvalidRefresh
	}
	if !oauth.Subset(in.scopes, may) {
		return nil, &oauth.Error{Code: oauth.InvalidScope, Description: "a requested scope is not among those of the refresh token"}
	}
	a := *f.Authorization
	a.ID, a.Scopes = store.NewSecret(), may
	if len(in.scopes) > 0 {
		a.Scopes = in.scopes
	}
	return &a, nil
}

// stillGiven makes sure that nothing of the family has been taken back, or
// ends it.
func (s *Server) stillGiven(ctx context.Context, key string, f *family) error {
	holds, err := s.Holds(ctx, f.Authorization)
	if err != nil {
		return fmt.Errorf("refreshing tokens: %w", err)
	}
	if holds {
		return nil
	}
	if err := s.endFamily(ctx, key); err != nil {
		return err
	}
	return errInvalidRefresh
}

// next is the token that follows the one that is used.
func (f *family) next(used, key string) *refreshToken {
	id, secret, _ := splitRefresh(used)
	return &refreshToken{text: id + "." + f.successor(secret), family: key, expires: f.Expires}
}

// keepRefreshed stores what an access token stands for, as a redeemed code
// does for the first one.
func (s *Server) keepRefreshed(ctx context.Context, a *authn.Authorization, family string, t token.Tokens) error {
	raw, err := json.Marshal(grant{Authorization: a, Redeemed: true, Family: family})
	if err == nil {
		err = s.Store.Swap(ctx, grantKind+"/"+a.ID, nil, raw, t.ExpiresIn+time.Minute)
	}
	if err != nil {
		return fmt.Errorf("refreshing tokens: %w", err)
	}
	return nil
}

// rotate spends the token that was used. One that is used again within the
// grace is spent already, and the record is written as it is: that fails, as
// it must, if somebody has ended the family since.
func (s *Server) rotate(ctx context.Context, key string, raw []byte, f *family, next *refreshToken, used standing) error {
	left, rotated := f.Expires.Sub(s.Now()), raw
	if left <= 0 {
		return errInvalidRefresh
	}
	if used == currentSecret {
		_, secret, _ := splitRefresh(next.text)
		f.Previous, f.Current, f.Rotated = f.Current, hashRefresh(secret), s.Now().UTC()
		var err error
		if rotated, err = json.Marshal(f); err != nil {
			return fmt.Errorf("refreshing tokens: %w", err)
		}
	}
	if err := s.Store.Swap(ctx, key, raw, rotated, left); err != nil {
		return fmt.Errorf("refreshing tokens: %w", err)
	}
	return nil
}
