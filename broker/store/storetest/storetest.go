// Package storetest is the conformance kit of the store contract. A backend
// that passes all of it can carry the broker; one that does not, cannot,
// however well it works by hand. Its own test is a few lines:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
//			return mystore.New(t.TempDir(), now)
//		})
//	}
//
// [Run] proves the methods one by one and under contention. [RunDurable]
// kills a process that writes and looks for what it had acknowledged.
// [RunExclusive] is for backends that belong to one process. [Faulty] makes
// any store fail at a chosen call, for the tests of those who use stores.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Open returns a new, empty store that judges expiry by now. The kit closes
// it.
type Open func(t *testing.T, now func() time.Time) store.Store

// Run proves everything of the contract that one process can see.
func Run(t *testing.T, open Open) {
	t.Run("records", func(t *testing.T) { testRecords(t, open) })
	t.Run("swap", func(t *testing.T) { testSwap(t, open) })
	t.Run("take", func(t *testing.T) { testTake(t, open) })
	t.Run("expiry", func(t *testing.T) { testExpiry(t, open) })
	t.Run("list", func(t *testing.T) { testList(t, open) })
	t.Run("contention", func(t *testing.T) { testContention(t, open) })
	t.Run("ending", func(t *testing.T) { testEnding(t, open) })
}

// A Clock is a clock that only moves when told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at noon of the first day of 2026.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
}

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock, back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A probe is a store under test with the test's own verbs.
type probe struct {
	store.Store
	t     *testing.T
	ctx   context.Context
	clock *Clock
}

func start(t *testing.T, open Open) *probe {
	t.Helper()
	clock := NewClock()
	s := open(t, clock.Now)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return &probe{Store: s, t: t, ctx: t.Context(), clock: clock}
}

// put stores values for ever: key, value, key, value …
func (p *probe) put(keysAndValues ...string) {
	p.t.Helper()
	for i := 0; i < len(keysAndValues); i += 2 {
		p.putFor(0, keysAndValues[i], keysAndValues[i+1])
	}
}

func (p *probe) putFor(ttl time.Duration, key, value string) {
	p.t.Helper()
	if err := p.Put(p.ctx, key, []byte(value), ttl); err != nil {
		p.t.Fatalf("Put(%q) = %v", key, err)
	}
}

func (p *probe) want(key, value string) {
	p.t.Helper()
	got, err := p.Get(p.ctx, key)
	if err != nil || string(got) != value {
		p.t.Errorf("Get(%q) = %s, %v, want %s", key, brief(got), err, brief([]byte(value)))
	}
}

func (p *probe) wantNone(key string) {
	p.t.Helper()
	got, err := p.Get(p.ctx, key)
	p.wantErr("Get("+key+")", err, store.ErrNotFound)
	if got != nil {
		p.t.Errorf("Get(%q) = %s with an error", key, brief(got))
	}
}

func (p *probe) wantKeys(prefix, after string, limit int, want ...string) {
	p.t.Helper()
	got, err := p.List(p.ctx, prefix, after, limit)
	if err != nil {
		p.t.Errorf("List(%q, %q, %d) = %v", prefix, after, limit, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		p.t.Errorf("List(%q, %q, %d) (-want +got):\n%s", prefix, after, limit, diff)
	}
}

func (p *probe) wantErr(call string, got, want error) {
	p.t.Helper()
	if !errors.Is(got, want) {
		p.t.Errorf("%s = %v, want %v", call, got, want)
	}
}

// brief shows a value that can be a megabyte long.
func brief(value []byte) string {
	if len(value) > 40 {
		return fmt.Sprintf("%q… (%d bytes)", value[:40], len(value))
	}
	return fmt.Sprintf("%q", value)
}
