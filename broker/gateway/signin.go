package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

const (
	// A sign-in of the gate may take this long from start to return.
	signInLifetime = 30 * time.Minute

	// maxReturn bounds the address that a sign-in returns to.
	maxReturn = 2 << 10
)

// signInState is the gate's state parameter, sealed. It holds the page to
// return to, so that any number of tabs, each with its own page, need one
// small cookie.
type signInState struct {
	Started int64  `json:"t"`
	Binding string `json:"b"` // hash of the browser's binding
	Return  string `json:"r"` // path and query
}

// challenge answers a request without a session: a navigation goes to sign
// in, and comes back to where it wanted; all else is told so in a way that
// programs understand, because a redirect would hand a script the HTML of a
// login page, or lose the body of a form.
func (g *Gate) challenge(w http.ResponseWriter, r *http.Request, s *site, original *url.URL, c cookies) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Cookie")
	if isNavigation(r) {
		g.begin(w, r, s, c, original.RequestURI(), nil)
		return nil
	}
	g.loginRequired(w, s)
	return nil
}

// loginRequired is the answer for everything but navigations.
func (g *Gate) loginRequired(w http.ResponseWriter, s *site) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("WWW-Authenticate", `Bearer realm="`+s.Origin.Host+`"`)
	w.WriteHeader(http.StatusUnauthorized)
	_ = json.NewEncoder(w).Encode(map[string]string{
		"error":     oauth.LoginRequired,
		"login_url": s.origin() + s.login,
	})
}

// isNavigation says whether a person is looking at the answer.
func isNavigation(r *http.Request) bool {
	if r.Method != http.MethodGet || r.Header.Get("Upgrade") != "" || r.Header.Get("X-Requested-With") != "" {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// begin sends the browser to the broker, unless it has been there too often.
// More are further parameters of the request.
// A page that is no page of ours to return to becomes the front page.
func (g *Gate) begin(w http.ResponseWriter, r *http.Request, s *site, c cookies, to string, more url.Values) {
	f, now := readFlow(c.flow).bound(), g.deps.Now()
	if f.loops(now) {
		g.loop(w, r, s, to)
		return
	}
	raw, err := json.Marshal(signInState{Started: now.Unix(), Binding: f.bindingHash(), Return: s.returnTo(to)})
	if err != nil {
		g.unavailable(w, r, err)
		return
	}
	state, err := g.deps.Sealer.Seal(r.Context(), statePurpose(s.Client.ID), raw)
	if err != nil {
		g.unavailable(w, r, err)
		return
	}
	s.setFlow(w, f)
	if c.session != "" {
		s.cookies.Clear(w, s.sessionBase)
	}
	params := url.Values{
		"response_type":         {"code"},
		"client_id":             {s.Client.ID},
		"redirect_uri":          {s.callback},
		"scope":                 {strings.Join(s.Client.Scopes, " ")},
		"state":                 {state},
		"code_challenge":        {oauth.S256(verifier(f.binding, state))},
		"code_challenge_method": {"S256"},
	}
	maps.Copy(params, more)
	redirect(w, g.deps.Broker.AuthorizeURL()+"?"+params.Encode())
}

func statePurpose(clientID string) string { return "gate_state " + clientID }

// verifier is the PKCE verifier of one sign-in, computed from what only this
// browser holds. A code that was issued for another browser's sign-in does
// not fit here: nobody can be signed in as somebody else by a link.
func verifier(binding, state string) string {
	mac := hmac.New(sha256.New, []byte(binding))
	mac.Write([]byte(state))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// openState reads a state parameter of this client.
func openState(ctx context.Context, sealer *session.Sealer, clientID, state string) (*signInState, error) {
	raw, err := sealer.Open(ctx, statePurpose(clientID), state)
	if err != nil {
		return nil, err
	}
	st := new(signInState)
	if json.Unmarshal(raw, st) != nil {
		return nil, store.ErrSealed
	}
	return st, nil
}

// callback is the redirect URI of the site's client.
func (g *Gate) callback(w http.ResponseWriter, r *http.Request, s *site, query url.Values, c cookies) {
	if oauth.CheckParams(query) != nil {
		g.page(w, r, failure{reason: oauth.InvalidRequest})
		return
	}
	st, err := openState(r.Context(), g.deps.Sealer, s.Client.ID, query.Get("state"))
	switch {
	case errors.Is(err, store.ErrSealed):
		g.page(w, r, failure{reason: "stale_sign_in", status: http.StatusBadRequest, retry: s.Home})
		return
	case err != nil:
		g.unavailable(w, r, err)
		return
	}
	target := s.origin() + s.returnTo(st.Return)
	if g.signedIn(r.Context(), s, c) {
		// Reload, back button, or the second of two tabs: what the person
		// wants is the page, and nothing is redeemed twice.
		redirect(w, target)
		return
	}
	switch {
	case c.flow == "":
		g.page(w, r, failure{reason: "cookies_missing", status: http.StatusBadRequest, retry: target})
	case subtle.ConstantTimeCompare([]byte(readFlow(c.flow).bindingHash()), []byte(st.Binding)) != 1,
		g.deps.Now().Sub(time.Unix(st.Started, 0)) > signInLifetime:
		g.page(w, r, failure{reason: "stale_sign_in", status: http.StatusBadRequest, retry: target})
	case query.Get("error") != "":
		reason, trace := reasonOf(query)
		f := failure{reason: reason, code: query.Get("error"), trace: trace, retry: target}
		if f.code == oauth.AccessDenied {
			f.other = s.loginAs(st.Return)
		}
		g.page(w, r, f)
	default:
		g.redeem(w, r, s, query, c, target)
	}
}

// signedIn says whether the browser has a live session at the site.
func (g *Gate) signedIn(ctx context.Context, s *site, c cookies) bool {
	_, err := g.visitor(ctx, s, c.session)
	return err == nil
}

func (g *Gate) redeem(w http.ResponseWriter, r *http.Request, s *site, query url.Values, c cookies, target string) {
	ctx, f := r.Context(), readFlow(c.flow)
	a, err := g.deps.Broker.Redeem(ctx, s.Client, query.Get("code"), s.callback, verifier(f.binding, query.Get("state")))
	if _, ok := errors.AsType[*oauth.Error](err); ok {
		g.page(w, r, failure{reason: "stale_sign_in", status: http.StatusBadRequest, retry: target, err: err})
		return
	}
	if err != nil {
		g.unavailable(w, r, err)
		return
	}
	_, handle, err := g.deps.Sessions.CreateGate(ctx, a)
	if errors.Is(err, session.ErrNoSession) {
		g.page(w, r, failure{reason: "session_ended", status: http.StatusBadRequest, retry: target})
		return
	}
	if err != nil {
		g.unavailable(w, r, err)
		return
	}
	s.cookies.Set(w, s.sessionBase, handle, 0)
	s.setFlow(w, f.complete(g.deps.Now()))
	g.deps.Log.Info("gate session started", zap.String("client", s.Client.ID), zap.String("subject", a.Context.Subject))
	redirect(w, target)
}

// Resume returns the page that a sign-in with this state was to return to,
// for a client among the gate's sites.
func (g *Gate) Resume(ctx context.Context, clientID, state string) (string, bool) {
	for _, s := range g.sites {
		if s.Client.ID != clientID {
			continue
		}
		st, err := openState(ctx, g.deps.Sealer, clientID, state)
		if err != nil {
			return "", false
		}
		return s.origin() + s.returnTo(st.Return), true
	}
	return "", false
}

func redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Cookie")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", to)
	w.WriteHeader(http.StatusFound)
}
