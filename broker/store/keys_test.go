package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// failing fails at the List call of that number, from 0.
type failing struct {
	store.Store
	at, calls int
}

var errList = errors.New("no list")

func (s *failing) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	s.calls++
	if s.calls > s.at {
		return nil, errList
	}
	return s.Store.List(ctx, prefix, after, limit)
}

func filled(t *testing.T, n int) (s store.Store, want []string) {
	t.Helper()
	s = store.NewMemory(time.Now)
	for i := range n {
		want = append(want, fmt.Sprintf("k/%04d", i))
	}
	for _, key := range append([]string{"j/x", "k", "l/x"}, want...) {
		if err := s.Put(t.Context(), key, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	return s, want
}

func TestKeys(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 250} {
		s, want := filled(t, n)
		var got []string
		for key, err := range store.Keys(t.Context(), s, "k/") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, key)
			if err := s.Delete(t.Context(), key); err != nil { // in the middle of it
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d keys: got %d: %v", n, len(got), got)
		}
	}
}

func TestKeysStop(t *testing.T) {
	s, _ := filled(t, 250)
	t.Run("where the reader does", func(t *testing.T) {
		n, counted := 0, &failing{Store: s, at: 9}
		for range store.Keys(t.Context(), counted, "k/") {
			if n++; n == 100 {
				break
			}
		}
		if n != 100 || counted.calls != 1 {
			t.Errorf("%d keys in %d calls", n, counted.calls)
		}
	})
	t.Run("at an error", func(t *testing.T) {
		var keys, errs int
		for key, err := range store.Keys(t.Context(), &failing{Store: s, at: 2}, "k/") {
			switch {
			case err == nil:
				keys++
			case errors.Is(err, errList) && key == "":
				errs++
			default:
				t.Fatalf("%q, %v", key, err)
			}
		}
		if keys != 200 || errs != 1 {
			t.Errorf("%d keys, %d errors", keys, errs)
		}
	})
}
