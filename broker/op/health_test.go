package op

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// A checkedProvider takes as long as it is told to answer a check.
type checkedProvider struct {
	provider.Provider
	takes  time.Duration
	checks atomic.Int64

	mu  sync.Mutex
	err error
}

func (p *checkedProvider) Check(ctx context.Context) error {
	p.checks.Add(1)
	select {
	case <-time.After(p.takes):
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.err
	case <-ctx.Done():
		return &provider.Error{Reason: provider.ReasonUnreachable, Err: ctx.Err()}
	}
}

func (p *checkedProvider) set(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// looking returns a server with one connection to p, and the call of somebody
// who looks at its chooser: it says whether the connection is marked.
func looking(p provider.Provider) (*Server, func() bool) {
	s := &Server{Log: zap.NewNop(), Now: time.Now}
	conn := &Connection{ID: "acme", Provider: p}
	return s, func() bool {
		marked := s.health.down(conn.ID, s.Now())
		s.lookAt(context.Background(), []*Connection{conn})
		return marked
	}
}

func TestS127_LookingAtTheChooserNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &checkedProvider{takes: time.Hour}
		_, look := looking(p)
		start := time.Now()
		for range 100 {
			if look() {
				t.Fatal("marked before anything is known")
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("waited %v", took)
		}
		time.Sleep(beginTimeout)
		synctest.Wait()
		if !look() {
			t.Error("not marked when the check has timed out")
		}
		if n := p.checks.Load(); n != 1 {
			t.Errorf("%d checks at once", n)
		}
	})
}

// A provider is asked when somebody looks and what is known is old: a failure
// sooner than a success.
func TestHealthIsRenewedByLooking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &checkedProvider{}
		_, look := looking(p)
		after := func(wait time.Duration, marked bool, checks int64) {
			t.Helper()
			time.Sleep(wait)
			if got := look(); got != marked {
				t.Errorf("marked %v, want %v", got, marked)
			}
			synctest.Wait()
			if n := p.checks.Load(); n != checks {
				t.Errorf("%d checks, want %d", n, checks)
			}
		}
		after(0, false, 1)
		after(knownFor-time.Second, false, 1)
		p.set(&provider.Error{Reason: provider.ReasonUnreachable})
		after(time.Second, false, 2)
		after(0, true, 2)
		after(recheckAfter-time.Second, true, 2)
		p.set(nil)
		after(time.Second, true, 3)
		after(0, false, 3)
		p.set(&provider.Error{Reason: provider.ReasonRateLimited})
		after(knownFor, false, 4)
		after(0, false, 4) // it has answered
	})
}

func TestUnansweredCodeMarksForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, look := looking(&checkedProvider{})
		unreachable := &provider.Error{Reason: provider.ReasonUnreachable}
		visit := func(ctx context.Context, err error) {
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			s.exchanged(r, "acme", err)
		}
		want := func(what string, marked bool) {
			t.Helper()
			got := look()
			synctest.Wait()
			if got != marked {
				t.Errorf("%s: marked %v", what, got)
			}
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		visit(gone, unreachable)
		want("the visitor left", false)
		visit(t.Context(), errors.New("ours"))
		visit(t.Context(), &provider.Error{Reason: provider.ReasonDenied})
		want("a refusal", false)

		visit(t.Context(), unreachable)
		want("no answer", true)
		time.Sleep(knownFor - time.Second)
		want("its metadata can be read", true)
		time.Sleep(time.Second)
		want("long ago", false)
		visit(t.Context(), unreachable)
		visit(t.Context(), nil)
		want("a sign-in since", false)
	})
}
