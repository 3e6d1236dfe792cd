package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// codeLifetime is how long a code can be redeemed (RFC 6749, 4.1.2, allows
// ten minutes).
const codeLifetime = 60 * time.Second

// A grant is an authorization on its way to the client: first as a code,
// then, once that is redeemed, as the record behind the access token. It is
// one record under the hash of the code, so redeeming it, revoking it and
// noticing that a code comes back are each one atomic step.
type grant struct {
	*authn.Authorization
	RedirectURI string `json:"redirect_uri"`
	Challenge   string `json:"code_challenge,omitempty"`
	Redeemed    bool   `json:"redeemed,omitempty"`

	// Family is the key of the refresh tokens that belong to the access
	// token: begun by the same code, or what it was refreshed with. It ends
	// with them.
	Family string `json:"family,omitempty"`
}

const grantKind = "grant"

// grantID is the id of the authorization that code stands for. It becomes
// the jti of its access token; the code cannot be computed from it.
func grantID(code string) string {
	return strings.TrimPrefix(store.SecretKey(grantKind, code), grantKind+"/")
}

// finish issues a code for all that is asked for, since nothing needs
// consent, and sends the browser to the client with it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client) {
	code := store.NewSecret()
	l.Granted, l.Claims = l.Request.Scopes, s.askedClaims(l, client)
	if err := s.saveGrant(r.Context(), l, code, client); err != nil {
		s.toClientInternal(w, r, l, err)
		return
	}
	l.Decided, l.Outcome = true, s.codeRedirect(l, code)
	if l.raw == nil {
		s.keepTrace(r.Context(), l, OutcomeCode, "")
		redirect(w, r, l.Outcome)
		return
	}
	// A login that has been stored can be asked for again, so it has to say
	// where it led. A loser's code, which nobody gets, ends by itself.
	s.advance(w, r, l, l.Outcome)
}

// codeRedirect is the successful authorization response (RFC 6749, 4.1.2).
func (s *Server) codeRedirect(l *login, code string) string {
	return s.responseURL(l, url.Values{"code": {code}})
}

// saveGrant stores what the code stands for: what the login was granted.
func (s *Server) saveGrant(ctx context.Context, l *login, code string, client *oauth.Client) error {
	subject, err := s.Subjects.For(ctx, client, l.Context.Subject)
	if err != nil {
		return fmt.Errorf("issuing code: %w", err)
	}
	g := grant{
		Authorization: &authn.Authorization{
			ID:       grantID(code),
			ClientID: l.Request.ClientID,
			SID:      l.SID,
			Scopes:   l.Granted,
			Nonce:    l.Request.Nonce,
			Subject:  subject,
			Claims:   l.Claims,
			Context:  l.Context,
			Created:  l.asked,
		},
		RedirectURI: l.Request.RedirectURI,
		Challenge:   l.Request.Challenge,
	}
	raw, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("issuing code: %w", err)
	}
	if err := s.Store.Swap(ctx, store.SecretKey(grantKind, code), nil, raw, codeLifetime); err != nil {
		return fmt.Errorf("issuing code: %w", err)
	}
	s.noteUse(ctx, l.Context.Subject, client.ID)
	return nil
}

// A Redemption is a code with all that has to fit it.
type Redemption struct {
	Client      *oauth.Client
	Code        string
	RedirectURI string
	Verifier    string
}

// errInvalidCode is one answer for all codes that cannot be redeemed, so
// that nobody learns whose code he holds.
var errInvalidCode = &oauth.Error{Code: oauth.InvalidGrant, Description: "the code is unknown, expired, used, or issued to another client or redirect_uri"}

// Redeem spends a code and returns what it stands for. Errors are
// *oauth.Error, or failures of the store.
//
// A code that comes a second time has been stolen, by whoever came first or
// second: what the first got is revoked (RFC 6749, 4.1.2). A code that
// arrives from another client stays unspent, because its owner must not
// suffer from a stranger's try.
func (s *Server) Redeem(ctx context.Context, in Redemption) (*authn.Authorization, error) {
	a, _, err := s.redeem(ctx, in)
	return a, err
}

// redeem is Redeem with the first refresh token, if the code brings one.
//
// The refresh tokens are stored first, while nobody knows them, and their key
// goes into the record of the code as that is spent. So whoever finds the code
// spent finds what it has begun.
func (s *Server) redeem(ctx context.Context, in Redemption) (*authn.Authorization, *refreshToken, error) {
	key := store.SecretKey(grantKind, in.Code)
	g, raw, err := s.grant(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, errInvalidCode
	}
	if err != nil {
		return nil, nil, fmt.Errorf("redeeming code: %w", err)
	}
	if err := s.redeemable(ctx, key, g, in); err != nil {
		return nil, nil, err
	}
	refresh, err := s.beginFamily(ctx, in.Client, g.Authorization)
	if err != nil {
		return nil, nil, fmt.Errorf("redeeming code: %w", err)
	}
	if refresh != nil {
		g.Family = refresh.family
	}
	if err := s.markRedeemed(ctx, key, raw, g); err != nil {
		if refresh != nil {
			err = errors.Join(err, s.endFamily(ctx, refresh.family))
		}
		return nil, nil, err
	}
	return g.Authorization, refresh, nil
}

// grant reads the record under key, or store.ErrNotFound.
func (s *Server) grant(ctx context.Context, key string) (*grant, []byte, error) {
	raw, err := s.Store.Get(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	g := new(grant)
	if err := json.Unmarshal(raw, g); err != nil || g.Authorization == nil || g.Context == nil || g.Subject == "" {
		return nil, nil, errors.New("the grant record is not readable")
	}
	return g, raw, nil
}

// redeemable says whether the code may be redeemed now, by this client.
func (s *Server) redeemable(ctx context.Context, key string, g *grant, in Redemption) error {
	if g.ClientID != in.Client.ID {
		return errInvalidCode
	}
	if g.Redeemed {
		return s.reused(ctx, key)
	}
	if g.RedirectURI != in.RedirectURI {
		return errInvalidCode
	}
	if oerr := oauth.CheckVerifier(g.Challenge, in.Verifier); oerr != nil {
		return oerr
	}
	if !s.Permits(in.Client, g.Context.Connection) {
		return errInvalidCode
	}
	alive, err := s.Sessions.Alive(ctx, g.SID)
	if err == nil && alive {
		alive, err = s.Holds(ctx, g.Authorization)
	}
	if err != nil {
		return fmt.Errorf("redeeming code: %w", err)
	}
	if !alive {
		return errInvalidCode
	}
	return nil
}

func (s *Server) markRedeemed(ctx context.Context, key string, raw []byte, g *grant) error {
	g.Redeemed = true
	spent, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("redeeming code: %w", err)
	}
	err = s.Store.Swap(ctx, key, raw, spent, s.accessLifetime(g.ClientID)+time.Minute)
	if errors.Is(err, store.ErrConflict) {
		return s.reused(ctx, key)
	}
	if err != nil {
		return fmt.Errorf("redeeming code: %w", err)
	}
	return nil
}

// reused revokes what a code has brought before: refresh tokens, and the
// access tokens. If that fails, the caller gets the failure and not
// invalid_grant: an answer would claim that the tokens are dead (R27).
func (s *Server) reused(ctx context.Context, key string) error {
	g, _, err := s.grant(ctx, key) // anew: of two uses at once, the other has begun the refresh tokens
	if errors.Is(err, store.ErrNotFound) {
		return errInvalidCode
	}
	if err == nil && g.Family != "" {
		err = s.endFamily(ctx, g.Family)
	}
	if err == nil {
		err = s.Store.Delete(ctx, key)
	}
	if err != nil {
		return fmt.Errorf("revoking a reused code: %w", err)
	}
	s.logReuse(g)
	return errInvalidCode
}
