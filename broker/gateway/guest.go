package gateway

import (
	"net/http"
	"time"

	"go.uber.org/zap"
)

// patience is how long a request may last before it counts as a stream. It
// is also how long one that is a stream, and has not said so, may go on
// after its session has ended.
const patience = time.Second

// A guest is a request that does not say that it will stay. If it does, it
// is watched like one that says so: neither what the visitor asks for nor
// what the application calls its answer can keep a stream from being cut.
// A long download is one, too.
//
// Handlers get the server's own writer, with all that it can do, and never
// see the guest. So it can be used again, for a request of somebody else.
type guest struct {
	stream
	timer *time.Timer
}

// receive returns a guest who has just come.
func (s *streams) receive(w http.ResponseWriter, in admission) *guest {
	g, _ := s.guests.Get().(*guest)
	if g == nil {
		g = new(guest)
	}
	g.ResponseWriter, g.admission = w, in
	if g.timer == nil {
		g.timer = time.AfterFunc(patience, g.stay)
	} else {
		g.timer.Reset(patience)
	}
	return g
}

// stay makes a stream of the guest. What cannot be watched is cut.
func (g *guest) stay() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isOver {
		return
	}
	if err := g.gate.deps.Cache.streams.add(&g.stream); err != nil {
		g.gate.deps.Log.Warn("long request cut off, it cannot be watched", zap.String("client", g.site.Client.ID),
			zap.String("subject", g.live.session.Authorization.Context.Subject), zap.Error(err))
		g.end()
	}
}

// leave ends what receive began. It says whether the guest was cut.
func (s *streams) leave(g *guest) bool {
	if g.timer.Stop() { // nobody else knows the guest, nor ever will
		g.ResponseWriter, g.admission = nil, admission{}
		s.guests.Put(g)
		return false
	}
	wasCut := g.over()
	if g.watch != nil {
		s.remove(&g.stream)
	}
	return wasCut
}

// passGuest is pass for all that does not say that it stays open.
func (g *Gate) passGuest(w http.ResponseWriter, r *http.Request, in admission, v *Visitor, next Next) (err error) {
	streams := g.deps.Cache.streams
	guest := streams.receive(w, in)
	defer func() {
		if streams.leave(guest) {
			err = nil // how the handler took it is no fault to report
		}
	}()
	return g.pass(w, r, v, next)
}
