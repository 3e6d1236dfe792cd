package op

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// outdate ends the context of an earlier sign-in at the connection, now that
// the upstream has answered anew, whatever script and application will say of
// the answer. Otherwise somebody whom they turn away needs only to try again:
// the next request would be answered by what they said the last time, or of
// the last user.
func (s *Server) outdate(ctx context.Context, l *login, conn *Connection, handle string) error {
	l.Fingerprint = conn.Fingerprint
	if conn.CacheTTL <= 0 {
		return nil
	}
	return s.Sessions.DropContext(ctx, handle, conn.ID)
}

// finishContext is for a context that script and application are through
// with. It checks what the client demanded of the sign-in, and keeps the
// context for the connection's next requests.
func (s *Server) finishContext(w http.ResponseWriter, r *http.Request, l *login, conn *Connection, client *oauth.Client) {
	oerr, err := s.unmet(r.Context(), l, l.Context, client)
	switch {
	case err != nil:
		s.toClientInternal(w, r, l, err)
		return
	case oerr != nil:
		s.toClient(w, r, l, oerr, oerr.Code)
		return
	}
	l.Context.Origins = l.Lineage.Origins()
	if conn.CacheTTL > 0 {
		err := s.Sessions.KeepContext(r.Context(), l.SID, conn.ID, l.Fingerprint, l.Context, conn.CacheTTL)
		if err != nil {
			s.toClientInternal(w, r, l, err)
			return
		}
	}
	l.Finished = true
	s.dispatch(w, r, l, client)
}

// recall gives the login the context that this browser has from an earlier
// sign-in through the connection, if there is one that answers the request.
func (s *Server) recall(w http.ResponseWriter, r *http.Request, l *login, conn *Connection, client *oauth.Client) error {
	cached, sid, err := s.cached(r, l, conn, client)
	if err != nil || cached == nil {
		return err
	}
	p, err := s.readPending(r)
	if err != nil {
		return err
	}
	if p.Binding == "" {
		if err := s.writePending(r.Context(), w, p); err != nil {
			return err
		}
	}
	if err := s.Sessions.Touch(r.Context(), sid); err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	l.Context, l.SID, l.Finished, l.Browser = cached.Context, sid, true, bindingHash(p.Binding)
	s.traced(l, authn.Trace{{Stage: authn.StageCache}})
	s.Log.Info("signed in from the context cache", zap.String("trace", l.Trace), zap.String("connection", conn.ID),
		zap.String("client", l.Request.ClientID), zap.String("subject", l.Context.Subject))
	return nil
}

// cached returns the context that answers the login without the upstream,
// and its session; nil if the user has to go there.
func (s *Server) cached(r *http.Request, l *login, conn *Connection, client *oauth.Client) (*session.Cached, string, error) {
	if conn.CacheTTL <= 0 || l.Request.HasPrompt("login") || l.Request.HasPrompt("select_account") {
		return nil, "", nil
	}
	found, sid, err := s.Sessions.Recall(r.Context(), s.Cookies.Get(r, ssoCookie), conn.ID)
	if errors.Is(err, session.ErrNoSession) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if found.Fingerprint != conn.Fingerprint || !s.recent(l, found.Context) || !s.voluntary(l, found.Context) {
		return nil, "", nil
	}
	if oerr, err := s.unmet(r.Context(), l, found.Context, client); err != nil || oerr != nil {
		return nil, "", err
	}
	// A sign-in that was under way while the user had everything revoked may
	// have left its context behind.
	revoked, err := s.revokedSince(r.Context(), found.Context.Subject, found.Expires.Add(-conn.CacheTTL))
	if err != nil || revoked {
		return nil, "", err
	}
	return found, sid, nil
}

// recent says whether the context satisfies the request's max_age. A time
// that the upstream did not assert satisfies none. Nor does any satisfy 0,
// which is prompt=login by another name: an upstream whose clock is ahead of
// ours tells times that would.
func (s *Server) recent(l *login, c *authn.Context) bool {
	limit := l.Request.MaxAgeDuration()
	return limit == nil || *limit > 0 && c.AuthTimeAsserted && s.Now().Sub(c.AuthTime) <= *limit
}

// voluntary says whether the context is of a class that the request prefers.
// Another one is no error after a sign-in, but reason enough for one.
func (s *Server) voluntary(l *login, c *authn.Context) bool {
	wanted := strings.Fields(l.Request.ACRValues)
	return len(wanted) == 0 || slices.Contains(wanted, c.ACR) && l.timely(c.ACRTime)
}

// acrSkew is the tolerance between our clock and the upstream's.
const acrSkew = time.Minute

// timely says whether what holds since then is as recent as the request
// demands, by max_age or prompt=login.
//
// The attacker sits at another's browser and knows the password, but has no
// second factor. A client demands one now; the attacker strikes acr_values
// from the address on the way to the upstream and gives the password alone.
// The answer has a new auth_time and, as after every password, no acr, so it
// inherits that of the owner's sign-in of this morning.
func (l *login) timely(since time.Time) bool {
	limit := l.Request.MaxAgeDuration()
	if l.Request.HasPrompt("login") {
		limit = new(time.Duration)
	}
	return limit == nil || !since.Before(l.started().Add(-*limit-acrSkew))
}

// unmet says which demand of the request the context does not meet: an
// essential acr (OpenID Connect Core, 5.5.1.1), or a certain user (3.1.2.1,
// 5.5.1).
func (s *Server) unmet(ctx context.Context, l *login, c *authn.Context, client *oauth.Client) (*oauth.Error, error) {
	if acr := l.Request.Claims.EssentialACR(); len(acr) > 0 && !(slices.Contains(acr, c.ACR) && l.timely(c.ACRTime)) {
		return &oauth.Error{Code: oauth.UnmetAuthenticationRequirements, Description: "the sign-in was not of an essential acr"}, nil
	}
	if wanted := l.Request.Subject; wanted != "" {
		subject, err := s.Subjects.For(ctx, client, c.Subject)
		if err != nil {
			return nil, err
		}
		if subject != wanted {
			return &oauth.Error{Code: oauth.LoginRequired, Description: "another user than the requested one has signed in"}, nil
		}
	}
	return nil, nil
}
