package op

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// ScopeManagePostAuthn lets an application read and complete the sign-ins
// that visit it.
const ScopeManagePostAuthn = "manage_post_authn"

// PostAuthn tells the application about a login that visits it. The
// application's back end calls it, with an access token of its own (RFC
// 6749, 4.4).
func (s *Server) PostAuthn(w http.ResponseWriter, r *http.Request) {
	app, err := s.applicationClient(w, r)
	if err != nil {
		s.refuseCaller(w, err)
		return
	}
	query := r.URL.Query()
	if oerr := oauth.CheckParams(query); oerr != nil {
		s.refuseCall(w, app, oerr)
		return
	}
	l, _, err := s.visiting(r.Context(), app, r.PathValue("login_id"), query.Get("login_state"))
	if err != nil {
		s.refuseCall(w, app, err)
		return
	}
	view, err := s.loginSession(r, l)
	if err != nil {
		s.refuseCall(w, app, err)
		return
	}
	writeJSON(w, http.StatusOK, view)
}

// applicationClient returns the client that calls. What its token says is
// held against its configuration of today: a right that has been taken away
// must not live on in tokens.
func (s *Server) applicationClient(w http.ResponseWriter, r *http.Request) (*oauth.Client, error) {
	raw, oerr := bearer(w, r)
	if oerr != nil {
		return nil, oerr
	}
	access, err := s.Minter.VerifyAccess(r.Context(), raw, s.Issuer.String())
	if err != nil && !errors.Is(err, token.ErrInvalid) {
		return nil, err
	}
	var client *oauth.Client
	if err == nil {
		client = s.Client(access.ClientID)
	}
	switch {
	case client == nil:
		return nil, &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Description: "the access token is not valid or has expired"}
	case !access.Own(), !client.MayGrant(oauth.GrantClientCredentials):
		// The scope in a user's token would let every user of the client
		// decide about the sign-ins of the others.
		return nil, &oauth.Error{Code: oauth.InsufficientScope, Status: http.StatusForbidden, Description: "the token must be one of the grant client_credentials"}
	case !access.Has(ScopeManagePostAuthn), !slices.Contains(client.Scopes, ScopeManagePostAuthn):
		return nil, &oauth.Error{Code: oauth.InsufficientScope, Status: http.StatusForbidden, Description: "the token lacks the scope " + ScopeManagePostAuthn}
	}
	return client, nil
}

// What an application can be told about a login. One answer, to the byte, is
// for all logins that are none of its business.
var (
	errNoVisit = &oauth.Error{
		Code: "not_found", Status: http.StatusNotFound,
		Description: "no sign-in with this id and login_state is waiting for this application",
	}
	errAnswered = &oauth.Error{
		Code: "already_finished", Status: http.StatusConflict,
		Description: "this sign-in has been completed or aborted before",
	}
	errMisses = &oauth.Error{
		Code: "too_many_requests", Status: http.StatusTooManyRequests,
		Description: "too many calls about this id with another login_state; wait a minute",
	}
)

// noVisit stands in for an unknown login, so that refusing one is the same
// work.
var noVisit = &login{App: &appVisit{}}

// visiting returns the login that waits for the verdict of the application,
// and its connection.
func (s *Server) visiting(ctx context.Context, app *oauth.Client, id, state string) (*login, *Connection, error) {
	key := missKey(app.ID, id)
	if s.misses.exceeded(key, s.Now()) {
		return nil, nil, errMisses
	}
	l, err := s.storedLogin(ctx, id)
	if err != nil && !errors.Is(err, errNoLogin) {
		return nil, nil, err
	}
	if l == nil || l.App == nil {
		l = noVisit
	}
	conn := s.connection(l.Connection)
	if !matches(visitState, state, l.App.State) || l.App.over(s.Now()) || conn == nil ||
		conn.Application == nil || conn.Application.ClientID != app.ID || s.Client(l.Request.ClientID) == nil {
		s.misses.add(key, s.Now())
		return nil, nil, errNoVisit
	}
	if l.App.answered() {
		return nil, nil, errAnswered
	}
	return l, conn, nil
}

// missKey is the caller and the id it asks for, at a fixed length.
func missKey(clientID, id string) string { return store.SecretKey("miss", clientID+" "+id) }

// refuseCaller answers a caller that is not admitted (RFC 6750, 3).
func (s *Server) refuseCaller(w http.ResponseWriter, err error) {
	oerr, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		s.callFailed(w, "", err)
		return
	}
	s.Log.Info("post_authn_refused", zap.Int("status", oerr.HTTPStatus()), zap.String("error", oerr.Code))
	bearerError(w, "post-authn", oerr)
}

// refuseCall answers an application whose call cannot be met.
func (s *Server) refuseCall(w http.ResponseWriter, app *oauth.Client, err error) {
	oerr, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		s.callFailed(w, app.ID, err)
		return
	}
	s.Log.Info("post_authn_refused", zap.String("application", app.ID), zap.Int("status", oerr.HTTPStatus()),
		zap.String("error", oerr.Code), zap.String("problem", oerr.Description))
	if oerr.HTTPStatus() == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(missWindow/time.Second)))
	}
	writeError(w, oerr)
}

// callFailed answers a fault of ours.
func (s *Server) callFailed(w http.ResponseWriter, application string, err error) {
	trace := newTrace()
	s.Log.Error("call of an application failed", zap.String("trace", trace), zap.String("application", application), zap.Error(err))
	writeError(w, &oauth.Error{Code: oauth.ServerError, Status: http.StatusInternalServerError, Description: s.describe(oauth.ServerError, trace)})
}
