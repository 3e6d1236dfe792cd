package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// streams are the requests that stay open (WebSockets, event streams, remote
// calls), by the session that opened them. Whoever signs out, or takes a
// consent back, ends the requests to come; this ends those that are under
// way, so that a thief who has opened a socket is not left with it (S9).
//
// It belongs to the cache, whose Drop tells of sessions that may have ended,
// here or on another node, but not into it: an entry of the cache can be
// dropped at any time, a stream must not be lost sight of. What was dropped
// is looked up anew, by the gate that opened the stream or the one that has
// taken its place: only those are cut that have really ended, so that a
// consent withdrawn from one site leaves the streams of others open.
//
// An open stream is a use of its session, as the polling is that it spares.
type streams struct {
	// epoch counts drops. It changes under mu, after the cache has forgotten
	// the sessions.
	epoch atomic.Uint64

	guests sync.Pool // of *guest

	mu      sync.Mutex
	watches map[watchKey]*watch
	onDuty  []*Gate // see [Cache.Adopt]

	open, max int
	openBySID map[string]int
	maxOfEach int
}

const (
	// maxStreams bounds what one process watches. A stream costs its
	// connections more than it does here; this is for those who open
	// requests by the thousand within one connection.
	maxStreams = 100_000

	// maxStreamsOfEach bounds those of one SSO session, at all sites: nobody
	// is to use up what is there for everybody.
	maxStreamsOfEach = 500

	// checkTimeout bounds the look at one session. A store that has no
	// answer by then counts as if the session had ended.
	checkTimeout = 700 * time.Millisecond

	// checksAtOnce bounds the lookups of one drop.
	checksAtOnce = 16
)

// Both refuse a stream that would have to be watched beyond the bounds.
var (
	errTooManyStreams       = errors.New("too many streams are open")
	errTooManyStreamsOfEach = errors.New("too many streams of one session are open")
)

// watchKey is a session as one gate sees it.
type watchKey struct {
	gate   *Gate
	site   *site
	handle string
}

// A watch is over one session that has streams open.
type watch struct {
	watchKey
	session *session.Gate // as it was when the first was opened
	streams map[*stream]struct{}
	timer   *time.Timer // the next look without a drop
}

func newStreams(limit, limitOfEach int) *streams {
	return &streams{watches: map[watchKey]*watch{}, openBySID: map[string]int{}, max: limit, maxOfEach: limitOfEach}
}

// add watches st. Its session is looked up again if sessions were dropped
// since, for the one to tell us of this drop has gone by, or if the gate that
// let it in is off duty.
func (s *streams) add(st *stream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sid := st.live.session.SID
	switch {
	case s.open >= s.max:
		return errTooManyStreams
	case s.openBySID[sid] >= s.maxOfEach:
		return errTooManyStreamsOfEach
	}
	w := s.watches[st.watchKey]
	if w == nil {
		w = &watch{watchKey: st.watchKey, session: st.live.session, streams: map[*stream]struct{}{}}
		w.timer = time.AfterFunc(st.gate.nextLook(st.live), func() { _ = s.look(w) }) // it has acted on its error
		s.watches[st.watchKey] = w
	}
	st.watch = w
	w.streams[st] = struct{}{}
	s.open++
	s.openBySID[sid]++
	if st.epoch != s.epoch.Load() || !s.decides(st.gate) {
		go s.lookAt([]*watch{w})
	}
	return nil
}

// remove forgets a stream that has come to its end.
func (s *streams) remove(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, sid := st.watch, st.live.session.SID
	delete(w.streams, st)
	s.open--
	if s.openBySID[sid]--; s.openBySID[sid] == 0 {
		delete(s.openBySID, sid)
	}
	if len(w.streams) == 0 {
		w.timer.Stop()
		s.forget(w)
	}
}

// forget ends a watch; who opens a stream from now on gets a new one.
func (s *streams) forget(w *watch) {
	if s.watches[w.watchKey] == w {
		delete(s.watches, w.watchKey)
	}
}

// dropped looks at the sessions of streams that a drop affects, without
// making the one who drops wait.
func (s *streams) dropped(affected func(*session.Gate) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookIf(func(w *watch) bool { return affected(w.session) })
}

// lookIf begins a new epoch, and looks at the sessions of some watches.
func (s *streams) lookIf(concerned func(*watch) bool) {
	s.epoch.Add(1)
	var list []*watch
	for _, w := range s.watches {
		if concerned(w) {
			list = append(list, w)
		}
	}
	if len(list) > 0 {
		go s.lookAt(list)
	}
}

// lookAt looks at some sessions, a few at a time. When the store does not
// answer, those that wait for their turn have waited long enough.
func (s *streams) lookAt(list []*watch) {
	var hangs atomic.Bool
	slots := make(chan struct{}, checksAtOnce)
	for _, w := range list {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			if hangs.Load() {
				s.cut(w, context.DeadlineExceeded)
				return
			}
			if errors.Is(s.look(w), context.DeadlineExceeded) {
				hangs.Store(true)
			}
		}()
	}
}

// look cuts the streams of a session that does not hold any more, or plans
// the next look.
func (s *streams) look(w *watch) error {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	gate, site := s.judge(w.watchKey)
	if gate == nil {
		s.cut(w, session.ErrNoSession)
		return session.ErrNoSession
	}
	l, _, err := gate.lookUp(ctx, site, w.handle)
	if err != nil {
		s.cut(w, err)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(w.streams) > 0 {
		w.timer.Reset(gate.nextLook(l))
	}
	return nil
}

// cut ends the streams of a session. What failed is no excuse: an error of
// ours must not keep open what somebody has ended.
func (s *streams) cut(w *watch, why error) {
	s.mu.Lock()
	s.forget(w)
	ended := make([]*stream, 0, len(w.streams))
	for st := range w.streams {
		ended = append(ended, st)
	}
	s.mu.Unlock()
	if len(ended) == 0 {
		return
	}
	for _, st := range ended {
		go st.cut() // each may have to wait for its visitor's connection
	}
	log := w.gate.deps.Log.With(zap.String("client", w.site.Client.ID), zap.String("subject", w.session.Authorization.Context.Subject), zap.Int("streams", len(ended)))
	if errors.Is(why, session.ErrNoSession) {
		log.Info("open streams closed, their session has ended")
		return
	}
	log.Warn("open streams closed, their session cannot be looked up", zap.Error(why))
}

// nextLook returns how long the session may be left alone: until the end of
// its life, but not so long that the store takes it for idle.
func (g *Gate) nextLook(l *live) time.Duration {
	limits := g.deps.Sessions.Limits
	left := limits.Lifetime - g.deps.Now().Sub(l.session.Created)
	return max(min(left, limits.Idle/2), time.Millisecond)
}
