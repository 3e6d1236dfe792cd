package op

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// ssoCookie holds the handle of the browser's SSO session.
const ssoCookie = "auth_broker_sso"

// callbackTimeout bounds all that a callback asks of the upstream.
const callbackTimeout = 15 * time.Second

// upstreamState is what our state parameter says, sealed. It names the
// login and the connection the answer must come from, so that one provider
// cannot answer for another (RFC 9700, 4.4). It also holds the way back:
// should the login be lost, its application is not.
type upstreamState struct {
	Login      string `json:"l"`
	Connection string `json:"c"`
	ClientID   string `json:"i,omitempty"`
	State      string `json:"s,omitempty"` // a gated site's
	Started    int64  `json:"t,omitempty"` // Unix seconds
}

func (st *upstreamState) wayBack() wayBack {
	return wayBack{client: st.ClientID, state: st.State, started: time.Unix(st.Started, 0)}
}

const statePurpose = "upstream_state"

// beginUpstream sends the browser to the chosen provider.
func (s *Server) beginUpstream(w http.ResponseWriter, r *http.Request, l *login, conn *Connection) {
	state, err := s.sealState(r.Context(), l)
	if err != nil {
		s.toClientInternal(w, r, l, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), beginTimeout)
	defer cancel()
	to, private, err := conn.Provider.Begin(ctx, s.upstream(l, state))
	if err != nil {
		s.notBegun(w, r, l, conn, err)
		return
	}
	l.Private = private
	if s.keepPending(w, r, l) {
		redirect(w, r, to)
	}
}

func (s *Server) sealState(ctx context.Context, l *login) (string, error) {
	way := s.wayBack(l)
	st := upstreamState{Login: l.ID, Connection: l.Connection, ClientID: way.client, State: way.state, Started: l.Started}
	raw, err := json.Marshal(st)
	if err != nil {
		return "", err
	}
	return s.Sealer.Seal(ctx, statePurpose, raw)
}

// Callback is where the provider sends the browser back to, one address per
// connection.
func (s *Server) Callback(w http.ResponseWriter, r *http.Request) {
	var l *login
	var binding string
	st, refused := s.openState(r)
	if refused == nil {
		l, binding, refused = s.takeLogin(w, r, st)
	}
	if refused != nil {
		if st != nil {
			refused.way = st.wayBack()
		}
		s.page(w, r, *refused)
		return
	}
	conn := s.connection(l.Connection)
	client := s.Client(l.Request.ClientID)
	if client == nil || !s.Permits(client, l.Connection) {
		// Disabled or removed while the user was away (R30).
		s.page(w, r, failure{reason: "unknown_connection", login: l})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callbackTimeout)
	defer cancel()
	id, err := conn.Provider.Complete(ctx, l.Private, s.upstream(l, r.URL.Query().Get("state")), r)
	s.exchanged(r, l.Connection, err)
	if err != nil {
		s.upstreamFailed(w, r, l, err)
		return
	}
	if err := s.signIn(ctx, w, r, l, conn, id); err != nil {
		s.contextFailed(w, r, l, err)
		return
	}
	l.Private, l.Browser = nil, bindingHash(binding)
	s.dispatch(w, r, l, client)
}

// openState reads the state that a callback brings. What does not fit gets
// one answer, here and in takeLogin, so that nobody learns which part of a
// forged state was right.
func (s *Server) openState(r *http.Request) (*upstreamState, *failure) {
	query := r.URL.Query()
	if len(query["state"]) != 1 {
		return nil, stale(errors.New("no state, or several"))
	}
	raw, err := s.Sealer.Open(r.Context(), statePurpose, query.Get("state"))
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return nil, unavailable(err)
	}
	st := new(upstreamState)
	if err != nil || json.Unmarshal(raw, st) != nil {
		return nil, stale(errors.New("the state is not ours"))
	}
	if st.Connection != r.PathValue("connection") {
		return st, stale(errors.New("the state belongs to another connection"))
	}
	return st, nil
}

// takeLogin finds the login that a callback belongs to and takes it out of
// the browser, whose binding it returns: a callback counts once.
func (s *Server) takeLogin(w http.ResponseWriter, r *http.Request, st *upstreamState) (*login, string, *failure) {
	ctx := r.Context()
	p, err := s.readPending(r)
	if err != nil {
		return nil, "", unavailable(err)
	}
	l, err := s.get(ctx, p, st.Login)
	switch {
	case errors.Is(err, errNoLogin):
		return nil, "", s.lostOrSpent(r, st.Login, st.wayBack(), err)
	case err != nil:
		return nil, "", unavailable(err)
	case l.Connection != st.Connection || l.Private == nil:
		return nil, "", stale(errors.New("another connection was chosen since"))
	}
	if err := s.spend(ctx, l.ID); errors.Is(err, errReplayed) {
		replayed := stale(err)
		replayed.reason = "replayed_callback"
		return nil, "", replayed
	} else if err != nil {
		return nil, "", unavailable(err)
	}
	p.remove(l.ID)
	if err := s.writePending(ctx, w, p); err != nil {
		return nil, "", unavailable(err)
	}
	return l, p.Binding, nil
}

// stale is the failure of a callback that belongs to no sign-in under way.
func stale(err error) *failure {
	return &failure{reason: "stale_sign_in", code: oauth.InvalidRequest, status: http.StatusBadRequest, err: err}
}

func unavailable(err error) *failure {
	return &failure{reason: "store_unavailable", err: err}
}

// signIn turns what the upstream said into the login's authentication
// context and records it in the browser's SSO session.
func (s *Server) signIn(ctx context.Context, w http.ResponseWriter, r *http.Request, l *login, conn *Connection, id *provider.Identity) error {
	handle := s.Cookies.Get(r, ssoCookie)
	if err := s.outdate(ctx, l, conn, handle); err != nil {
		return err
	}
	known, err := s.remembered(ctx, handle, conn.ID)
	if err != nil {
		return err
	}
	in, remember := authn.Inherit(known, authn.Input{
		Connection: conn.ID,
		Issuer:     id.Issuer,
		Subject:    id.Subject,
		SID:        id.SessionID,
		AuthTime:   id.AuthTime,
		AMR:        id.AMR,
		ACR:        id.ACR,
		Documents:  id.Documents,
	}, s.Now())
	s.keepDocuments(l, in.Documents)
	c, drops, trace, err := conn.Pipeline.Build(in)
	s.traced(l, trace)
	for _, d := range drops {
		s.dropped(l, conn, d)
	}
	if err != nil {
		return fmt.Errorf("building the authentication context: %w", err)
	}
	s.keepContext(l, authn.StageMapping, c)
	c.TrustEmail = conn.TrustEmail
	if c, err = s.runScript(ctx, l, conn, c); err != nil {
		return err
	}
	issuer := cmp.Or(conn.SubjectNamespace, id.Issuer)
	if c.Subject, err = s.Subjects.Of(ctx, conn.ID, issuer, c.IDPSubject); err != nil {
		return fmt.Errorf("computing the subject: %w", err)
	}
	sso, handle, err := s.Sessions.SignedIn(ctx, handle, conn.ID, session.Login{
		Subject: c.Subject, Upstream: remember, Device: device(r),
	})
	if err != nil {
		return err
	}
	s.Cookies.Set(w, ssoCookie, handle, 0)
	l.Context, l.SID = c, sso.SID
	s.Log.Info("signed in", zap.String("trace", l.Trace), zap.String("connection", conn.ID),
		zap.String("client", l.Request.ClientID), zap.String("subject", c.Subject))
	return nil
}

// contextFailed ends a login that got no authentication context: because the
// operator turns such people away, because a script failed, or by a fault of
// ours.
func (s *Server) contextFailed(w http.ResponseWriter, r *http.Request, l *login, err error) {
	var code, reason, hint string
	switch {
	case errors.Is(err, claims.ErrRequired):
		code, reason = oauth.AccessDenied, "attribute_missing"
		hint = "the provider must send it for this user, or the mapping must not be required; the lines before this one tell what did not arrive"
	case errors.Is(err, errScript):
		code, reason = oauth.ServerError, "script_failed"
		hint = "run it by: caddy auth-broker script test FILE INPUT.json; that shows its message and its console"
	default:
		s.toClientInternal(w, r, l, err)
		return
	}
	s.Log.Warn("sign-in refused", zap.String("trace", l.Trace), zap.String("connection", l.Connection),
		zap.String("client", l.Request.ClientID), zap.String("reason", reason), zap.String("hint", hint), zap.Error(err))
	s.answerClient(w, r, l, &oauth.Error{Code: code, Description: s.describe(reason, l.Trace)}, reason)
}

// dropped logs what did not arrive: where configuration and upstream
// disagree, the operator should hear of it.
func (s *Server) dropped(l *login, conn *Connection, d claims.Drop) {
	level := zap.DebugLevel
	if d.Reason.Warn() {
		level = zap.WarnLevel
	}
	s.Log.Log(level, "attribute dropped", zap.String("trace", l.Trace), zap.String("connection", conn.ID),
		zap.Stringer("drop", d), zap.String("origin", d.Origin))
}

// remembered returns what the browser's session knows of the connection's
// last answer, or nil.
func (s *Server) remembered(ctx context.Context, handle, connection string) (*authn.Remembered, error) {
	sso, err := s.Sessions.SSO(ctx, handle)
	if errors.Is(err, session.ErrNoSession) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	known, ok := sso.Logins[connection]
	if !ok {
		return nil, nil
	}
	return &known.Upstream, nil
}

// upstreamFailed reports a provider's error: to the client as an OAuth
// error, to the log with its reason and the operator's hint.
func (s *Server) upstreamFailed(w http.ResponseWriter, r *http.Request, l *login, err error) {
	var perr *provider.Error
	if !errors.As(err, &perr) {
		s.toClientInternal(w, r, l, err)
		return
	}
	s.logUpstream("sign-in failed upstream", l, perr)
	code := perr.Code
	if slices.Contains([]string{oauth.LoginRequired, oauth.InteractionRequired, oauth.ConsentRequired}, code) && !l.Request.HasPrompt("none") {
		code = oauth.AccessDenied
	}
	s.answerClient(w, r, l, &oauth.Error{Code: code, Description: s.describe(string(perr.Reason), l.Trace)}, string(perr.Reason))
}
