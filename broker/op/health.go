package op

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

const (
	// beginTimeout is how long anything of ours waits for a provider that
	// does not answer, before a sign-in there has begun. Who has chosen it
	// gets a page that says so within five seconds (S126, S127).
	beginTimeout = 4 * time.Second

	// knownFor is how long the last contact with a provider says anything
	// about it. A mark that nobody has renewed for so long goes.
	knownFor = 30 * time.Second

	// recheckAfter is the age of a failure from which on somebody who looks
	// at the chooser makes us ask again, so that a mark goes soon after the
	// provider is back.
	recheckAfter = 5 * time.Second
)

// health is what the latest contacts with the providers have shown, by
// connection. The zero value knows nothing.
//
// It makes the marks on the chooser and decides nothing else: who knows
// better than we do can choose a marked connection.
type health struct {
	mu   sync.Mutex
	seen map[string]*contact
}

// A contact is what is known of one provider.
type contact struct {
	// down is what the last check found, or the last sign-in that could not
	// begin, at the time of learned; zero is never.
	down    bool
	learned time.Time

	// unredeemed is when the provider last left a code unanswered. Metadata
	// that can be read does not disprove it, only another sign-in does.
	unredeemed time.Time

	checking bool
}

// of returns the contact of a connection. The caller holds the lock.
func (h *health) of(connection string) *contact {
	c := h.seen[connection]
	if c == nil {
		c = new(contact)
		if h.seen == nil {
			h.seen = make(map[string]*contact)
		}
		h.seen[connection] = c
	}
	return c
}

// down says whether the connection is to be marked.
func (h *health) down(connection string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(connection)
	return c.down && now.Sub(c.learned) < knownFor || now.Sub(c.unredeemed) < knownFor
}

// due says whether the connection should be checked now, and then counts as
// being checked: there is one check at a time, however many people look.
func (h *health) due(connection string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(connection)
	age := knownFor
	if c.down {
		age = recheckAfter
	}
	if c.checking || now.Sub(c.learned) < age {
		return false
	}
	c.checking = true
	return true
}

// learn notes what a contact showed, and says whether that is news.
func (h *health) learn(connection string, down bool, now time.Time) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(connection)
	news = c.down != down
	c.down, c.learned = down, now
	return news
}

// checked ends a check.
func (h *health) checked(connection string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of(connection).checking = false
}

// redeemed notes whether the provider answered for a code.
func (h *health) redeemed(connection string, answered bool, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(connection)
	if c.unredeemed = now; answered {
		c.unredeemed = time.Time{}
	}
}

// lookAt asks those providers of which nothing recent is known whether they
// answer. Nobody waits for that: who sees the page next sees what came out.
func (s *Server) lookAt(ctx context.Context, choices []*Connection) {
	for _, conn := range choices {
		checker, ok := conn.Provider.(provider.Checker)
		if ok && s.health.due(conn.ID, s.Now()) {
			go s.check(context.WithoutCancel(ctx), conn.ID, checker)
		}
	}
}

func (s *Server) check(ctx context.Context, connection string, checker provider.Checker) {
	defer s.health.checked(connection)
	ctx, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	s.learned(connection, checker.Check(ctx))
}

// learned notes the outcome of a contact and tells the operator when it is
// not what it was. A provider that asks for fewer requests has answered.
func (s *Server) learned(connection string, err error) {
	perr, _ := errors.AsType[*provider.Error](err)
	down := err != nil && (perr == nil || perr.Reason != provider.ReasonRateLimited)
	switch {
	case !s.health.learn(connection, down, s.Now()):
	case down:
		s.Log.Warn("provider does not answer", zap.String("connection", connection), zap.Error(err))
	default:
		s.Log.Info("provider answers again", zap.String("connection", connection))
	}
}

// exchanged notes what a callback tells about the provider. One whose visitor
// has left tells nothing: the attacker closes his browser in the middle of
// his own callback, and everybody would see his provider marked.
func (s *Server) exchanged(r *http.Request, connection string, err error) {
	perr, _ := errors.AsType[*provider.Error](err)
	switch {
	case err == nil:
		s.health.redeemed(connection, true, s.Now())
		s.learned(connection, nil)
	case r.Context().Err() == nil && perr != nil && perr.Reason == provider.ReasonUnreachable:
		s.health.redeemed(connection, false, s.Now())
	}
}
