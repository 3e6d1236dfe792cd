package gateway

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// staysOpen says whether the request asks for what may stay open: another
// protocol on the connection (WebSocket, also over HTTP/2 and HTTP/3, RFC
// 8441 and 9220), an event stream, or a remote call (gRPC, always a POST).
//
// Such a request is watched from its beginning. But these are the visitor's
// own words, and a thief chooses other ones, so nothing rests on them: see
// [guest] for the rest.
func staysOpen(r *http.Request) bool {
	if r.Method == http.MethodConnect || len(r.Header["Upgrade"]) > 0 {
		return true
	}
	if r.Method == http.MethodPost {
		if types := r.Header["Content-Type"]; len(types) > 0 && strings.HasPrefix(strings.ToLower(types[0]), "application/grpc") {
			return true
		}
	}
	for _, accepted := range r.Header["Accept"] {
		if strings.Contains(strings.ToLower(accepted), "text/event-stream") {
			return true
		}
	}
	return false
}

// An admission says how a request was let in.
type admission struct {
	watchKey
	live  *live
	epoch uint64 // of the streams when the session was looked up
}

// A stream is a request that stays open, and the writer of its answer.
type stream struct {
	http.ResponseWriter
	admission
	cancel context.CancelFunc // of the request, or nil
	watch  *watch             // nil before [streams.add]

	mu     sync.Mutex
	conn   net.Conn // taken over from the server, or nil
	isCut  bool
	isOver bool
}

// errCut is what the handler behind the gate gets.
var errCut = errors.New("the session has ended")

// Unwrap lets [http.ResponseController] find the server's own writer.
func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Flush implements [http.Flusher], for who does not use a controller.
func (s *stream) Flush() { _ = http.NewResponseController(s.ResponseWriter).Flush() }

// Hijack implements [http.Hijacker].
func (s *stream) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isCut {
		return nil, nil, errors.Join(errCut, conn.Close())
	}
	s.conn = conn
	return conn, rw, nil
}

// cut ends the stream. Cancelling the request is the polite half:
// reverse_proxy then leaves its upstream, and the visitor with it. It may be
// waiting for a visitor who does not read, though, and other handlers may
// not listen; so nothing passes on the visitor's side from here on.
func (s *stream) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// end is cut for who holds the lock.
func (s *stream) end() {
	if s.isCut || s.isOver {
		return
	}
	s.isCut = true
	if s.cancel != nil {
		s.cancel()
	}
	if s.conn != nil {
		_ = s.conn.Close()
		return
	}
	// The server cancels the request itself when its visitor is gone, which
	// is how it understands the first of these.
	controller, past := http.NewResponseController(s.ResponseWriter), time.Unix(1, 0)
	_ = controller.SetReadDeadline(past)
	_ = controller.SetWriteDeadline(past)
}

// over ends the part of the stream in the gate; the connection is the
// server's again. It says whether the stream was cut.
func (s *stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOver = true
	if s.cancel != nil {
		s.cancel()
	}
	return s.isCut
}

// passStream is pass for what stays open.
func (g *Gate) passStream(w http.ResponseWriter, r *http.Request, in admission, v *Visitor, next Next) (err error) {
	ctx, cancel := context.WithCancel(r.Context())
	st := &stream{ResponseWriter: w, admission: in, cancel: cancel}
	if err := g.deps.Cache.streams.add(st); err != nil {
		cancel()
		g.unavailable(w, r, err)
		return nil
	}
	defer func() {
		g.deps.Cache.streams.remove(st)
		if st.over() {
			err = nil // how the handler took it is no fault to report
		}
	}()
	return g.pass(st, r.WithContext(ctx), v, next)
}
