package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// crowd is how many goroutines race.
const crowd = 64

// race runs do in a crowd that starts at once.
func race(do func(i int)) {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range crowd {
		wg.Go(func() {
			<-gate
			do(i)
		})
	}
	close(gate)
	wg.Wait()
}

func testContention(t *testing.T, open Open) {
	t.Run("S114 one of a crowd takes a record", func(t *testing.T) {
		// Two winners would be two tokens for one authorization code.
		p := start(t, open)
		for round := range 5 {
			key := fmt.Sprintf("code/%d", round)
			p.put(key, "the grant")
			var won atomic.Int32
			race(func(int) {
				switch value, err := p.Take(p.ctx, key); {
				case err == nil && string(value) == "the grant":
					won.Add(1)
				case !errors.Is(err, store.ErrNotFound):
					t.Errorf("Take() = %s, %v", brief(value), err)
				}
			})
			if n := won.Load(); n != 1 {
				t.Errorf("%d of %d callers took the record, want 1", n, crowd)
			}
		}
	})
	t.Run("S114 one of a crowd creates a record", func(t *testing.T) {
		p := start(t, open)
		var won atomic.Int32
		var winner atomic.Int64
		race(func(i int) {
			err := p.Swap(p.ctx, "key", nil, []byte(strconv.Itoa(i)), 0)
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(int64(i))
			case !errors.Is(err, store.ErrConflict):
				t.Errorf("Swap(nil) = %v", err)
			}
		})
		if n := won.Load(); n != 1 {
			t.Errorf("%d of %d callers created the record, want 1", n, crowd)
		}
		p.want("key", strconv.FormatInt(winner.Load(), 10))
	})
	t.Run("S114 no update is lost", func(t *testing.T) {
		p := start(t, open)
		p.put("counter", "0")
		race(func(int) {
			if err := increment(p.ctx, p.Store, "counter"); err != nil {
				t.Error(err)
			}
		})
		p.want("counter", strconv.Itoa(crowd))
	})
	t.Run("a crowd that does everything at once", func(t *testing.T) {
		// Found here: a busy database, a deadlock, torn values.
		p := start(t, open)
		race(func(i int) {
			own, shared := fmt.Sprintf("own/%d", i), fmt.Sprintf("shared/%d", i%4)
			value := fmt.Sprintf("value of %d", i)
			_, err := p.List(p.ctx, "own/", "", 10)
			err = errors.Join(err,
				p.Put(p.ctx, own, []byte(value), 0),
				p.Put(p.ctx, shared, []byte(value), 0),
				p.Delete(p.ctx, fmt.Sprintf("none/%d", i)))
			got, takeErr := p.Take(p.ctx, own)
			if err := errors.Join(err, takeErr); err != nil || string(got) != value {
				t.Errorf("Take(%q) = %q, %v, want %q", own, got, err, value)
			}
		})
		p.wantKeys("own/", "", 10)
		p.wantKeys("", "", 10, "shared/0", "shared/1", "shared/2", "shared/3")
	})
}

// increment adds 1 to the number in a record, as careful as the broker is.
func increment(ctx context.Context, s store.Store, key string) error {
	for {
		old, err := s.Get(ctx, key)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(old))
		if err != nil {
			return err
		}
		err = s.Swap(ctx, key, old, []byte(strconv.Itoa(n+1)), 0)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
