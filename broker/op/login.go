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
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Lifetimes of a login: before the upstream answered (S24), and in all.
const (
	pendingLifetime = 10 * time.Minute
	loginLifetime   = 30 * time.Minute
)

// A login is one sign-in. The first fields are set at the start and wait,
// sealed, in the browser; their JSON names are short for that reason. The
// others follow when the upstream has answered.
type login struct {
	ID      string                  `json:"i"`
	Trace   string                  `json:"x"`
	Started int64                   `json:"t"` // Unix seconds
	Request *oauth.AuthorizeRequest `json:"q"`

	// Connection is empty until one is chosen. Private is the provider's.
	Connection string `json:"k,omitempty"`
	Private    []byte `json:"p,omitempty"`

	// Unavailable is the connection where the login could not begin: the
	// chooser says so until another choice is made.
	Unavailable string `json:"u,omitempty"`

	// Context is nil until the upstream has answered. It is Finished when
	// the post-authentication application, if the connection has one, is
	// through with it.
	Context  *authn.Context `json:"context,omitempty"`
	SID      string         `json:"sid,omitempty"`
	Finished bool           `json:"finished,omitempty"`

	// Fingerprint is of the connection's settings that the context was made
	// under, which may have changed since.
	Fingerprint string `json:"fingerprint,omitempty"`

	// App is the login's visit at that application.
	App *appVisit `json:"app,omitempty"`

	// Browser is the hash of the cookie value the login is bound to.
	Browser string `json:"browser,omitempty"`

	// Lineage is what the stages did, from the upstream's answer on.
	Lineage authn.Trace `json:"lineage,omitempty"`

	// Decided is set when the user has answered the consent page, or had no
	// need to, and Outcome is where that led. A second answer leads there
	// too.
	Decided bool                  `json:"decided,omitempty"`
	Granted []string              `json:"granted,omitempty"`
	Claims  authn.RequestedClaims `json:"granted_claims,omitzero"`
	Outcome string                `json:"outcome,omitempty"`

	// raw is the record as it is stored, nil before it is.
	raw []byte

	// asked is when the ledger was last asked what the user has granted. A
	// code goes by it: what is withdrawn since does not hold.
	asked time.Time
}

func (s *Server) newLogin(req *oauth.AuthorizeRequest) *login {
	return &login{
		ID:      store.NewSecret()[:22], // 132 bits
		Trace:   newTrace(),
		Started: s.Now().Unix(),
		Request: req,
	}
}

func (l *login) started() time.Time { return time.Unix(l.Started, 0) }

// upstream returns what to ask of the upstream: nothing of the client's
// request but the parameters that may pass.
func (s *Server) upstream(l *login, state string) provider.Request {
	req := provider.Request{
		RedirectURI: s.CallbackURL(l.Connection),
		State:       state,
		MaxAge:      l.Request.MaxAgeDuration(),
		ACRValues:   l.Request.ACRValues,
		UILocales:   l.Request.UILocales,
		LoginHint:   l.Request.LoginHint,
		Started:     l.started(),
	}
	if essential := l.Request.Claims.EssentialACR(); req.ACRValues == "" {
		req.ACRValues = strings.Join(essential, " ")
	}
	if l.Request.HasPrompt("none") {
		req.Prompt = []string{"none"}
	}
	if l.Request.HasPrompt("login") || l.Request.HasPrompt("select_account") {
		req.Prompt = []string{"login"}
	}
	if l.Request.HasPrompt("login") {
		// A user can strip prompt=login from the address; a max_age that
		// is checked against auth_time afterwards cannot be stripped. It is
		// 0 whatever the client's own: with prompt=login&max_age=86400 the
		// authentication of this morning would do.
		zero := time.Duration(0)
		req.MaxAge = &zero
	}
	return req
}

func loginKey(id string) string { return store.SecretKey("login", id) }

// left is what remains of a login's life; at least a second, since a
// login that is over has been refused before.
func (s *Server) left(l *login) time.Duration {
	return max(loginLifetime-s.Now().Sub(l.started()), time.Second)
}

// errNoLogin is returned for a login that is unknown, over, or another
// browser's: these cannot be told apart from outside.
var errNoLogin = errors.New("no such login")

// loadLogin returns the stored login id of the browser with this binding.
func (s *Server) loadLogin(ctx context.Context, id, binding string) (*login, error) {
	l, err := s.storedLogin(ctx, id)
	if err != nil {
		return nil, err
	}
	if binding == "" || subtle.ConstantTimeCompare([]byte(bindingHash(binding)), []byte(l.Browser)) != 1 {
		return nil, errNoLogin
	}
	return l, nil
}

// storedLogin returns the stored login id, whoever asks.
func (s *Server) storedLogin(ctx context.Context, id string) (*login, error) {
	raw, err := s.Store.Get(ctx, loginKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, errNoLogin
	}
	if err != nil {
		return nil, fmt.Errorf("loading login: %w", err)
	}
	l := &login{raw: raw}
	if err := json.Unmarshal(raw, l); err != nil {
		return nil, errors.New("loading login: the record is not readable")
	}
	return l, nil
}

// saveLogin stores the login as it is now. It fails with store.ErrConflict
// if somebody else has written it since it was loaded.
func (s *Server) saveLogin(ctx context.Context, l *login) error {
	raw, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("saving login: %w", err)
	}
	if l.raw == nil {
		if err := s.makeRoom(ctx, l); err != nil {
			return fmt.Errorf("saving login: %w", err)
		}
	}
	if err := s.Store.Swap(ctx, loginKey(l.ID), l.raw, raw, s.left(l)); err != nil {
		return fmt.Errorf("saving login: %w", err)
	}
	l.raw = raw
	return nil
}

// makeRoom counts a login that is about to be stored, and deletes the oldest
// of its session if there are too many (S98).
func (s *Server) makeRoom(ctx context.Context, l *login) error {
	dropped, err := s.Sessions.AddLogin(ctx, l.SID, loginKey(l.ID))
	if err != nil {
		return err
	}
	for _, key := range dropped {
		if err := s.Store.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// advance stores the login and sends the browser on to the address. Of two
// requests that arrive at once, a double click say, the one that loses the
// race goes where the winner has come to.
func (s *Server) advance(w http.ResponseWriter, r *http.Request, l *login, to string) {
	err := s.saveLogin(r.Context(), l)
	if errors.Is(err, store.ErrConflict) {
		winner, lost := s.loadLogin(r.Context(), l.ID, s.binding(r))
		if lost == nil && winner.Finished {
			redirect(w, r, s.reached(winner))
			return
		}
	}
	if err != nil {
		s.toClientInternal(w, r, l, err)
		return
	}
	if l.Decided {
		s.keepTrace(r.Context(), l, OutcomeCode, "")
	}
	redirect(w, r, to)
}

// reached is where a stored login with a finished context has come to: its
// outcome, or the consent page.
func (s *Server) reached(l *login) string {
	if l.Decided {
		return l.Outcome
	}
	return s.url(PathConsent) + "?" + s.addWayBack(url.Values{"login_id": {l.ID}}, l).Encode()
}

func bindingHash(binding string) string {
	sum := sha256.Sum256([]byte(binding))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// loginState is the one-time value of a login's consent form: it is good
// for this login in this browser, and spent when the login is decided. It
// is derived rather than stored, so the page can be shown again.
func loginState(l *login, binding string) string {
	mac := hmac.New(sha256.New, []byte(binding))
	mac.Write([]byte("consent\x00" + l.ID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// fixedScopes are those of the request that the user cannot withhold.
func fixedScopes(l *login, c *oauth.Client) (fixed []string) {
	for _, name := range l.Request.Scopes {
		if name == oauth.ScopeOpenID || slices.Contains(c.RequiredScopes, name) {
			fixed = append(fixed, name)
		}
	}
	return fixed
}
