package op

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// visitLifetime is how long a post-authentication application may take if
// its configuration does not say.
const visitLifetime = 10 * time.Minute

// appVisit is a login's visit at the post-authentication application.
//
// Two secrets guard it, each kept as its hash. The login_state proves to us
// that the application speaks about a browser that we have sent to it. The
// resume code proves that the application is through with that browser: it
// goes to the application in answer to its verdict, and comes back with the
// browser.
type appVisit struct {
	State  string `json:"state"`
	Resume string `json:"resume,omitempty"` // empty until there is a verdict

	// Ends is when the visit is over, in Unix seconds: the application's
	// time first, then the browser's to come back.
	Ends int64 `json:"ends"`

	// Abort is the verdict against the sign-in; a context that is completed
	// is the login's own. Its status is that of an error page.
	Abort *oauth.Error `json:"abort,omitempty"`
}

// Kinds of a visit's secrets.
const (
	visitState  = "post_authn_state"
	visitResume = "post_authn_resume"
)

// matches says whether given is the secret whose hash is kept.
func matches(kind, given, kept string) bool {
	return subtle.ConstantTimeCompare([]byte(store.SecretKey(kind, given)), []byte(kept)) == 1
}

// visitEnds is the end of a visit that begins now, or whose verdict is given
// now. It may lie after the login's own, when the store forgets both.
func (s *Server) visitEnds(app *Application) int64 {
	life := app.TTL
	if life <= 0 {
		life = visitLifetime
	}
	return s.Now().Add(life).Unix()
}

// over says whether the visit's time has run out.
func (v *appVisit) over(now time.Time) bool { return now.Unix() >= v.Ends }

// answered says whether the application has given its verdict.
func (v *appVisit) answered() bool { return v.Resume != "" }

// beginApplication sends the browser to the connection's application.
func (s *Server) beginApplication(w http.ResponseWriter, r *http.Request, l *login, conn *Connection) {
	if l.Request.HasPrompt("none") {
		s.toClient(w, r, l, &oauth.Error{Code: oauth.InteractionRequired, Description: "the user has to visit an application first"}, oauth.InteractionRequired)
		return
	}
	state := store.NewSecret()
	l.App = &appVisit{State: store.SecretKey(visitState, state), Ends: s.visitEnds(conn.Application)}
	if err := s.saveLogin(r.Context(), l); err != nil {
		s.toClientInternal(w, r, l, err)
		return
	}
	s.Log.Info("post_authn_started", s.visitFields(l, conn.Application.ClientID)...)
	seeOther(w, oauth.RedirectWith(conn.Application.URL, url.Values{"login_id": {l.ID}, "login_state": {state}}))
}

// visitFields are the log's of everything about a visit.
func (s *Server) visitFields(l *login, application string, more ...zap.Field) []zap.Field {
	return append([]zap.Field{
		zap.String("trace", l.Trace), zap.String("connection", l.Connection), zap.String("client", l.Request.ClientID),
		zap.String("application", application),
	}, more...)
}

// PostAuthnResume is where the application sends the browser back to. It
// goes on in the browser that began the sign-in and in no other, or somebody
// would be signed in as the attacker whose address he was made to open
// (session fixation, R47).
//
// The address counts once. When it is opened again, by the back button say,
// it leads where the sign-in has come to since, as the consent page does.
func (s *Server) PostAuthnResume(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if oerr := oauth.CheckParams(query); oerr != nil {
		s.page(w, r, failure{reason: oauth.InvalidRequest, err: oerr})
		return
	}
	way := wayBackOf(query)
	p, err := s.readPending(r)
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", way: way, err: err})
		return
	}
	l, err := s.resumable(r.Context(), query, p.Binding)
	switch {
	case errors.Is(err, errNoLogin):
		s.page(w, r, *s.lost(r, way, err))
	case err != nil:
		s.page(w, r, failure{reason: "store_unavailable", way: way, err: err})
	case l.App.Abort != nil:
		s.resumeAborted(w, r, l)
	case l.Finished:
		redirect(w, r, s.reached(l))
	default:
		s.resumeCompleted(w, r, l)
	}
}

// resumable returns the login that the query and the browser fit, or
// errNoLogin whichever of the two does not.
func (s *Server) resumable(ctx context.Context, query url.Values, binding string) (*login, error) {
	l, err := s.loadLogin(ctx, query.Get("login_id"), binding)
	if err != nil {
		return nil, err
	}
	if l.App == nil || !matches(visitResume, query.Get("resume"), l.App.Resume) || !l.Finished && l.App.over(s.Now()) {
		return nil, errNoLogin
	}
	return l, nil
}

// resumeCompleted goes on with the login. That stores it, and of several
// requests that arrive at once one gets to do so; see advance.
func (s *Server) resumeCompleted(w http.ResponseWriter, r *http.Request, l *login) {
	conn, client := s.connection(l.Connection), s.Client(l.Request.ClientID)
	if conn == nil || client == nil || !s.Permits(client, l.Connection) {
		// Disabled or removed while the user was away (R30).
		s.page(w, r, failure{reason: "unknown_connection", login: l})
		return
	}
	s.finishContext(w, r, l, conn, client)
}

// resumeAborted tells the client, and forgets all that the sign-in has
// brought. The browser's SSO session stays: without a context it answers no
// request.
func (s *Server) resumeAborted(w http.ResponseWriter, r *http.Request, l *login) {
	if err := s.Store.Delete(r.Context(), loginKey(l.ID)); err != nil {
		s.page(w, r, failure{reason: "store_unavailable", login: l, err: err})
		return
	}
	abort := l.App.Abort
	client := s.Client(l.Request.ClientID)
	if client == nil || !client.MatchRedirectURI(l.Request.RedirectURI) {
		// The client has been removed meanwhile, or its address has.
		s.page(w, r, failure{reason: oauth.AccessDenied, code: abort.Code, status: abort.Status, login: l})
		return
	}
	s.toClient(w, r, l, abort, "post_authn_aborted")
}
