package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// Bounds of the values window.
const (
	// MaxValuesWindow is how long a window may be open, and is by default.
	MaxValuesWindow = 15 * time.Minute

	valuesKept = 20       // sign-ins, the last ones
	maxValues  = 64 << 10 // bytes of each
)

// ErrValuesWindow is returned for a window of a length that none may have.
var ErrValuesWindow = fmt.Errorf("a window is open for more than nothing and at most %s", MaxValuesWindow)

// values is where the values of sign-ins are kept while an administrator has
// a window open. It is closed unless somebody opens it.
//
// Values are what the broker otherwise keeps to itself: who somebody is. They
// stay in the memory of this process, never in the store and never in the
// log. They go when the window closes, by request, when its time is over, or
// because another configuration takes over: whoever loaded that has not asked
// for it. So no value outlives the 15 minutes that the log has a line about.
type values struct {
	mu   sync.Mutex
	open *valuesWindow // nil while closed
}

// A valuesWindow is one opening.
type valuesWindow struct {
	until  time.Time
	cancel func()
	kept   []*SignInValues // the oldest first
}

// SignInValues are what one sign-in had, stage by stage.
type SignInValues struct {
	LoginID string `json:"login_id"`

	// Stages that this process took part in while the window was open.
	Stages []StageValues `json:"stages"`

	// Cut are stages that were too large to be kept.
	Cut []authn.Stage `json:"cut,omitempty"`

	size int
}

// StageValues are the values after one stage: for StageUpstream the documents
// of the upstream by source, for StageTokens the claims by kind of token, for
// all others the authentication context. What could unlock something is left
// out, see redacted.
type StageValues struct {
	Stage  authn.Stage     `json:"stage"`
	Values json.RawMessage `json:"values"`
}

// StageTokens is what each kind of token carries.
const StageTokens authn.Stage = "tokens"

// A ValuesWindow says whether values are kept now, and until when.
type ValuesWindow struct {
	Open  bool      `json:"open"`
	Until time.Time `json:"until,omitzero"`
}

// Why a window closed, as the log has it.
const (
	closedByRequest = "requested"
	closedByTime    = "time_over"
	closedByUnload  = "configuration_unloaded"
	closedByAnother = "opened_again"
)

// OpenValues opens the window on this node for the given time, but not beyond
// the end of ctx. One that is open already is closed first, with what it has
// kept: or values would live as long as somebody goes on opening.
func (s *Server) OpenValues(ctx context.Context, life time.Duration) (ValuesWindow, error) {
	if life <= 0 || life > MaxValuesWindow {
		return ValuesWindow{}, ErrValuesWindow
	}
	v := &s.values
	v.mu.Lock()
	defer v.mu.Unlock()
	s.endWindow(closedByAnother)
	timed, cancel := context.WithTimeout(ctx, life)
	w := &valuesWindow{until: s.Now().Add(life).UTC()}
	disarm := context.AfterFunc(timed, func() { s.windowOver(w, timed) })
	w.cancel = func() { disarm(); cancel() }
	v.open = w
	s.Log.Warn("debug_window_opened", zap.Duration("remaining", life), zap.Time("until", w.until))
	return ValuesWindow{Open: true, Until: w.until}, nil
}

// windowOver closes w because its time is over or its configuration gone.
func (s *Server) windowOver(w *valuesWindow, ctx context.Context) {
	s.values.mu.Lock()
	defer s.values.mu.Unlock()
	if s.values.open != w {
		return
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		s.endWindow(closedByTime)
		return
	}
	s.endWindow(closedByUnload)
}

// CloseValues closes the window at once, and forgets what was kept.
func (s *Server) CloseValues() {
	s.values.mu.Lock()
	defer s.values.mu.Unlock()
	if s.liveWindow() != nil {
		s.endWindow(closedByRequest)
	}
}

// ValuesState says whether the window is open.
func (s *Server) ValuesState() ValuesWindow {
	s.values.mu.Lock()
	defer s.values.mu.Unlock()
	if w := s.liveWindow(); w != nil {
		return ValuesWindow{Open: true, Until: w.until}
	}
	return ValuesWindow{}
}

// valuesOf returns what is kept of a sign-in, nil if nothing is: the window is
// closed, or was when the person signed in.
func (s *Server) valuesOf(loginID string) *SignInValues {
	s.values.mu.Lock()
	defer s.values.mu.Unlock()
	w := s.liveWindow()
	if w == nil {
		return nil
	}
	i := w.find(loginID)
	if i < 0 {
		return nil
	}
	out := *w.kept[i]
	out.Stages, out.Cut = slices.Clone(out.Stages), slices.Clone(out.Cut)
	return &out
}

// liveWindow returns the window, or nil if there is none. Whether it is over is
// asked here, too, and not left to a timer: machines sleep. The lock is held.
func (s *Server) liveWindow() *valuesWindow {
	if w := s.values.open; w != nil && !s.Now().Before(w.until) {
		s.endWindow(closedByTime)
	}
	return s.values.open
}

// endWindow forgets the window, if there is one. The lock is held.
func (s *Server) endWindow(why string) {
	w := s.values.open
	if w == nil {
		return
	}
	s.values.open = nil
	w.cancel()
	s.Log.Info("debug_window_closed", zap.String("reason", why),
		zap.Duration("remaining", max(w.until.Sub(s.Now()), 0)), zap.Int("sign_ins", len(w.kept)))
}

func (w *valuesWindow) find(loginID string) int {
	return slices.IndexFunc(w.kept, func(v *SignInValues) bool { return v.LoginID == loginID })
}
