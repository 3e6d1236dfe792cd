package op

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Limits of refresh tokens, where the operator sets none.
const (
	DefaultRefreshLifetime = 30 * 24 * time.Hour
	DefaultRefreshGrace    = 10 * time.Second
)

// A family is what one consent to offline_access brought: a chain of refresh
// tokens of which the last one is good, each use making the next. It is one
// record, so of all who use a token at once, one makes the next token, and
// ending the record ends them all.
//
// A token is "<family>.<secret>", two secrets of the store. The record is
// named after the hash of the first and knows the hashes of the last two
// second ones. No token can be read from it: the next secret is computed from
// the one that is used, by the family's key. That is also how whoever repeats
// a use within the grace gets the same successor again.
type family struct {
	*authn.Authorization
	Key      string    `json:"key"`
	Current  string    `json:"current"`
	Previous string    `json:"previous,omitempty"`
	Rotated  time.Time `json:"rotated"`
	Expires  time.Time `json:"expires"`
}

// A refreshToken is one on its way to the client. The nil one is none.
type refreshToken struct {
	text    string
	family  string // key of the record
	expires time.Time
}

const (
	familyKind = "refresh"

	// secretLength is that of the texts of store.NewSecret.
	secretLength = 43
)

// splitRefresh takes a refresh token apart. What is not shaped like one never
// reaches the store.
func splitRefresh(text string) (id, secret string, ok bool) {
	id, secret, ok = strings.Cut(text, ".")
	return id, secret, ok && len(id) == secretLength && len(secret) == secretLength
}

func hashRefresh(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// mayRefresh says whether the client gets refresh tokens for these scopes:
// only what the user let it have while away counts, and only as long as the
// configuration agrees.
func mayRefresh(client *oauth.Client, scopes []string) bool {
	return !client.Gate && client.MayGrant(oauth.GrantRefreshToken) &&
		slices.Contains(scopes, claims.ScopeOfflineAccess) && slices.Contains(client.Scopes, claims.ScopeOfflineAccess)
}

// beginFamily stores a family for a, and returns its first token; none, where
// a does not give one.
func (s *Server) beginFamily(ctx context.Context, client *oauth.Client, a *authn.Authorization) (*refreshToken, error) {
	if !mayRefresh(client, a.Scopes) {
		return nil, nil
	}
	own := *a
	own.Nonce = "" // of the first ID token alone (OpenID Connect Core, 12.2)
	id, secret, now := store.NewSecret(), store.NewSecret(), s.Now().UTC()
	f := family{
		Authorization: &own, Key: store.NewSecret(), Current: hashRefresh(secret),
		Rotated: now, Expires: now.Add(s.RefreshLifetime),
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("beginning refresh tokens: %w", err)
	}
	key := store.SecretKey(familyKind, id)
	if err := s.Store.Swap(ctx, key, nil, raw, s.RefreshLifetime); err != nil {
		return nil, fmt.Errorf("beginning refresh tokens: %w", err)
	}
	return &refreshToken{text: id + "." + secret, family: key, expires: f.Expires}, nil
}

// family returns the family of a token, whatever its secret is worth, with
// its key and its record; errInvalidRefresh if there is none.
func (s *Server) family(ctx context.Context, text string) (f *family, key string, raw []byte, err error) {
	id, _, ok := splitRefresh(text)
	if !ok {
		return nil, "", nil, errInvalidRefresh
	}
	key = store.SecretKey(familyKind, id)
	raw, err = s.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, "", nil, errInvalidRefresh
	}
	if err != nil {
		return nil, "", nil, fmt.Errorf("reading refresh token: %w", err)
	}
	f = new(family)
	if err := json.Unmarshal(raw, f); err != nil || f.Authorization == nil || f.Context == nil || f.Subject == "" || f.Key == "" {
		return nil, "", nil, errors.New("reading refresh token: the record is not readable")
	}
	if !s.Now().Before(f.Expires) {
		return nil, "", nil, errInvalidRefresh
	}
	return f, key, raw, nil
}

// familyLives says whether the family under this key has not ended.
func (s *Server) familyLives(ctx context.Context, key string) (bool, error) {
	_, err := s.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// endFamily ends the family with all that came of it: its access tokens are
// refused at our endpoints once it is gone.
func (s *Server) endFamily(ctx context.Context, key string) error {
	if err := s.Store.Delete(ctx, key); err != nil {
		return fmt.Errorf("ending refresh tokens: %w", err)
	}
	return nil
}

// standing is what a secret is to its family.
type standing int

const (
	reusedSecret   standing = iota // spent, or never issued
	currentSecret                  // the last one
	previousSecret                 // the one before, within the grace
)

// standing of a secret. Both hashes are compared whatever the first brings.
func (f *family) standing(secret string, now time.Time, grace time.Duration) standing {
	hash := []byte(hashRefresh(secret))
	current := subtle.ConstantTimeCompare(hash, []byte(f.Current)) == 1
	previous := subtle.ConstantTimeCompare(hash, []byte(f.Previous)) == 1
	switch {
	case current:
		return currentSecret
	case previous && now.Sub(f.Rotated) < grace:
		return previousSecret
	}
	return reusedSecret
}

// successor is the secret that follows the given one.
func (f *family) successor(secret string) string {
	mac := hmac.New(sha256.New, []byte(f.Key))
	mac.Write([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// reusedRefresh ends a family of which a token came that is spent.
//
// The attacker has stolen a token and uses it before or after its owner does.
// Nobody can tell which of the two this is, so both lose, and the owner signs
// in again (RFC 9700, 4.14.2). A token that was never issued counts alike:
// only who has seen one of the family can name the family. If ending it fails,
// the caller gets the failure, for an answer would claim it dead.
func (s *Server) reusedRefresh(ctx context.Context, key string, f *family) error {
	if err := s.endFamily(ctx, key); err != nil {
		return err
	}
	s.Log.Warn("refresh_token_reused", zap.String("client", f.ClientID), zap.String("subject", f.Context.Subject))
	return errInvalidRefresh
}
