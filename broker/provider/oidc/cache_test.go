package oidc

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// testCache counts its loads, each of which takes a second and returns
// their number, or err.
type testCache struct {
	*cached[int]
	loads  atomic.Int64
	warned atomic.Int64
	mu     sync.Mutex
	err    error
}

func newTestCache() *testCache {
	c := &testCache{}
	c.cached = &cached[int]{
		now:       time.Now, // the bubble's
		rand:      rand.Reader,
		onFailure: func(error) { c.warned.Add(1) },
		load: func(ctx context.Context) (int, error) {
			n := c.loads.Add(1)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return 0, ctx.Err()
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			return int(n), c.err
		},
		refreshAfter: 5 * time.Minute, waitAfter: 10 * time.Minute, dropAfter: 24 * time.Hour,
	}
	return c
}

func (c *testCache) setErr(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// check gets once and compares value, error and how long it took.
func (c *testCache) check(t *testing.T, what string, want int, wantErr bool, took time.Duration) {
	t.Helper()
	start := time.Now()
	got, err := c.get(t.Context())
	if got != want || (err != nil) != wantErr || time.Since(start) != took {
		t.Errorf("%s: got %d, %v after %v; want %d, error %v after %v",
			what, got, err, time.Since(start), want, wantErr, took)
	}
	synctest.Wait()
}

func TestCacheByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestCache()
		c.check(t, "first use loads", 1, false, time.Second)
		time.Sleep(4 * time.Minute)
		c.check(t, "fresh", 1, false, 0)
		time.Sleep(2 * time.Minute)
		c.check(t, "ageing: the old one at once", 1, false, 0)
		time.Sleep(time.Second)
		synctest.Wait()
		c.check(t, "refreshed behind the back", 2, false, 0)
		time.Sleep(11 * time.Minute)
		c.check(t, "old: waits for a new one", 3, false, time.Second)

		c.setErr(errors.New("down"))
		time.Sleep(11 * time.Minute)
		c.check(t, "old, and the load fails", 3, false, time.Second)
		c.check(t, "resting: the old one at once", 3, false, 0)
		time.Sleep(24 * time.Hour)
		c.check(t, "too old to use", 0, true, time.Second)
		c.check(t, "resting: the failure at once", 0, true, 0)
		if n := c.warned.Load(); n != 1 {
			t.Errorf("warned %d times of one outage, want once", n)
		}
		c.setErr(nil)
		time.Sleep(maxBackoff)
		c.check(t, "heals alone", int(c.loads.Load())+1, false, time.Second)
	})
}

// A failure at the start is not kept: every rest ends, and grows no longer
// than maxBackoff.
func TestCacheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestCache()
		c.setErr(errors.New("down"))
		limit := minBackoff
		for range 10 {
			c.get(t.Context())
			c.mu.Lock()
			c.cached.mu.Lock()
			rest := time.Until(c.retryAt)
			c.cached.mu.Unlock()
			c.mu.Unlock()
			if rest < limit/2 || rest > limit {
				t.Errorf("rests %v, want between %v and %v", rest, limit/2, limit)
			}
			limit = min(2*limit, maxBackoff)
			time.Sleep(rest)
		}
		if n := c.loads.Load(); n != 10 {
			t.Errorf("%d loads, want 10", n)
		}
		if c.warned.Load() != 0 {
			t.Error("a failure that callers saw was logged, too")
		}
	})
}

func TestCacheGrantsRetryAfterWithinReason(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{2 * time.Minute: 2 * time.Minute, time.Hour: maxRetryAfter} {
		c := newTestCache()
		c.failures = 1
		if got := c.backoff(&statusError{status: 429, retryAfter: asked}); got != want {
			t.Errorf("asked for %v: rests %v, want %v", asked, got, want)
		}
	}
	c := newTestCache()
	c.failures, c.cached.rand = 1, bytes.NewReader(nil)
	if got := c.backoff(errors.New("x")); got != minBackoff {
		t.Errorf("without randomness: rests %v, want %v", got, minBackoff)
	}
}

// A hundred visitors arrive while nothing is there.
func TestCacheLoadsOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestCache()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if v, err := c.get(t.Context()); v != 1 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
			})
		}
		wg.Wait()
		if n := c.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}

// The visitor who came first leaves; the load is everybody's and goes on.
func TestCacheLoadOutlivesItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestCache()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := c.get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the caller's deadline", err)
		}
		c.check(t, "second caller", 1, false, time.Second/2)
		if n := c.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}

// A check asks whatever there is, but no more often than the back-off allows.
func TestCacheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestCache()
		check := func(what string, wantErr bool, loads int64, took time.Duration) {
			t.Helper()
			start := time.Now()
			if err := c.cached.check(t.Context()); (err != nil) != wantErr || time.Since(start) != took || c.loads.Load() != loads {
				t.Errorf("%s: %v after %v and %d loads; want error %v after %v and %d loads",
					what, err, time.Since(start), c.loads.Load(), wantErr, took, loads)
			}
		}
		check("nothing is there", false, 1, time.Second)
		check("a fresh document", false, 2, time.Second)
		c.setErr(errors.New("down"))
		check("the other side fails", true, 3, time.Second)
		check("at once again", true, 3, 0)
		c.check(t, "sign-ins go on", 2, false, 0)
		c.setErr(nil)
		time.Sleep(minBackoff)
		check("it is back", false, 4, time.Second)
	})
}
