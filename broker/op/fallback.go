package op

import (
	"errors"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// notBegun is for a provider at which the sign-in could not begin. Where the
// person can choose another one, the chooser says so; else the client hears
// of it.
//
// It does not matter who had chosen: the person, a hint, an e-mail address
// or the choice of last time. None of them meant a provider that is down.
func (s *Server) notBegun(w http.ResponseWriter, r *http.Request, l *login, conn *Connection, err error) {
	perr, ok := errors.AsType[*provider.Error](err)
	if !ok || perr.Code != oauth.TemporarilyUnavailable {
		s.upstreamFailed(w, r, l, err)
		return
	}
	if r.Context().Err() == nil {
		s.learned(conn.ID, err)
	}
	if l.Request.HasPrompt("none") || !s.hasOther(l, conn) {
		s.upstreamFailed(w, r, l, err)
		return
	}
	s.logUpstream("provider unavailable, offering others", l, perr)
	s.forgetFailed(w, r, l)
	l.Unavailable, l.Connection, l.Private = conn.ID, "", nil
	if s.keepPending(w, r, l) {
		redirect(w, r, s.chooserAddress(l))
	}
}

// hasOther says whether the login's client offers another connection.
func (s *Server) hasOther(l *login, conn *Connection) bool {
	client := s.Client(l.Request.ClientID)
	return client != nil && slices.ContainsFunc(s.candidates(client), func(c *Connection) bool { return c.ID != conn.ID })
}

// unavailableName is the name of the provider that the login could not begin
// at, empty if there is none.
func (s *Server) unavailableName(l *login) string {
	if conn := s.connection(l.Unavailable); conn != nil {
		return conn.Name
	}
	return ""
}

// logUpstream tells the operator of a provider's error, with its reason and
// what to do.
func (s *Server) logUpstream(event string, l *login, e *provider.Error) {
	s.Log.Warn(event,
		zap.String("trace", l.Trace),
		zap.String("connection", l.Connection),
		zap.String("client", l.Request.ClientID),
		zap.String("reason", string(e.Reason)),
		zap.String("hint", e.Hint),
		zap.String("detail", printable(e.Detail, 200)),
		zap.NamedError("cause", e.Err))
}
