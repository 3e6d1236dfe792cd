package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// OpenDir opens the store that lives in dir. The same dir gives the same
// records in every process, another dir gives others.
type OpenDir func(ctx context.Context, dir string) (store.Store, error)

// RunDurable proves S119: what a process was told is stored is there after
// the process was killed, without any repair. It starts the test binary
// again as that process, so it must be called directly from a test, not in a
// loop over several opens.
func RunDurable(t *testing.T, open OpenDir) {
	if part, dir, ok := playing(); ok {
		if part == "writer" {
			writeUntilKilled(open, dir)
		}
		return
	}
	dir := t.TempDir()
	last := 0
	for _, acknowledgements := range []int{1, 50, 500} {
		writer := spawn(t, "writer", dir)
		for range acknowledgements {
			last = writer.number()
		}
		writer.kill()
		for { // what it still said while it died counts too
			words, ok := writer.hear()
			if !ok {
				break
			}
			last = number(t, words)
		}
		writer.cmd.Wait()
		verify(t, open, dir, last)
	}
}

// writeUntilKilled writes round after round and acknowledges each.
func writeUntilKilled(open OpenDir, dir string) {
	ctx := context.Background()
	s, err := open(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
	first := 1
	if counter, err := s.Get(ctx, "counter"); err == nil {
		fmt.Sscan(string(counter), &first)
		first++
	}
	for i := first; ; i++ {
		err := writeRound(ctx, s, i)
		if err == nil {
			err = tell("%d", i)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "writer:", err)
			os.Exit(1)
		}
	}
}

// writeRound leaves put/i and swap/i, nothing under take/i, and i in the
// record "counter".
func writeRound(ctx context.Context, s store.Store, i int) error {
	err := errors.Join(
		s.Delete(ctx, name("swap", i)), // from a round that was cut off
		s.Put(ctx, name("put", i), payload(i), 0),
		s.Put(ctx, name("take", i), payload(i), 0),
		s.Swap(ctx, name("swap", i), nil, payload(i+1), 0),
		s.Swap(ctx, name("swap", i), payload(i+1), payload(i), 0))
	_, takeErr := s.Take(ctx, name("take", i))
	return errors.Join(err, takeErr, s.Put(ctx, "counter", fmt.Append(nil, i), 0))
}

// verify opens the store that a killed writer left after it had
// acknowledged round last.
func verify(t *testing.T, open OpenDir, dir string, last int) {
	t.Helper()
	ctx := t.Context()
	s, err := open(ctx, dir)
	if err != nil {
		t.Fatalf("opening after the kill: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}()
	for i := 1; i <= last; i++ {
		for _, kind := range []string{"put", "swap"} {
			got, err := s.Get(ctx, name(kind, i))
			if err != nil || string(got) != string(payload(i)) {
				t.Fatalf("round %d of %d: Get(%q) = %s, %v, but it was acknowledged", i, last, name(kind, i), brief(got), err)
			}
		}
		if _, err := s.Get(ctx, name("take", i)); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("round %d of %d: what was taken is there again (%v)", i, last, err)
		}
	}
	var counter int
	got, err := s.Get(ctx, "counter")
	if fmt.Sscan(string(got), &counter); err != nil || counter < last || counter > last+1 {
		t.Errorf("counter = %q, %v after round %d", got, err, last)
	}
	// A round that was cut off is there in whole records or not at all.
	for _, kind := range []string{"put", "take", "swap"} {
		got, err := s.Get(ctx, name(kind, last+1))
		whole := string(got) == string(payload(last+1)) || kind == "swap" && string(got) == string(payload(last+2))
		if !errors.Is(err, store.ErrNotFound) && (err != nil || !whole) {
			t.Errorf("Get(%q) = %s, %v, want all or nothing", name(kind, last+1), brief(got), err)
		}
	}
}

func name(kind string, i int) string { return fmt.Sprintf("%s/%06d", kind, i) }

// payload is long enough to lie on more than one page of a database.
func payload(i int) []byte { return []byte(strings.Repeat(fmt.Sprintf("%06d;", i), 300)) }

// number waits for a number from the child.
func (c *child) number() int {
	c.t.Helper()
	words, ok := c.hear()
	if !ok {
		c.t.Fatal("the other process ended by itself")
	}
	return number(c.t, words)
}

func number(t *testing.T, words string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(words, &n); err != nil {
		t.Fatalf("the other process says %q: %v", words, err)
	}
	return n
}

// RunExclusive proves that a store of one process lets no second one in,
// and lets the next one in when the first has closed it or died. A refusal
// wraps inUse. It starts the test binary again, as [RunDurable] does.
func RunExclusive(t *testing.T, open OpenDir, inUse error) {
	if part, dir, ok := playing(); ok {
		if part == "holder" {
			hold(open, dir, inUse)
		}
		return
	}
	dir := t.TempDir()

	mine, err := open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := open(t.Context(), dir); !errors.Is(err, inUse) {
		t.Errorf("second open in this process = %v, %v, want %q", other, err, inUse)
	}
	if words, _ := spawn(t, "holder", dir).hear(); !strings.Contains(words, inUse.Error()) {
		t.Errorf("a second process says %q, want %q", words, inUse)
	}
	if err := mine.Put(t.Context(), "a", nil, 0); err != nil {
		t.Errorf("Put() = %v after others were refused", err)
	}
	if err := mine.Close(); err != nil {
		t.Fatal(err)
	}

	holder := spawn(t, "holder", dir)
	if words, _ := holder.hear(); words != "open" {
		t.Fatalf("a process that comes after Close says %q", words)
	}
	if other, err := open(t.Context(), dir); !errors.Is(err, inUse) {
		t.Errorf("open beside another process = %v, %v, want %q", other, err, inUse)
	}
	holder.kill()
	holder.cmd.Wait()
	mine, err = open(t.Context(), dir)
	if err != nil {
		t.Fatalf("open after the other process was killed = %v", err)
	}
	if err := mine.Close(); err != nil {
		t.Error(err)
	}
}

// hold opens the store, says how that went, and keeps it until it is killed
// or its parent is gone.
func hold(open OpenDir, dir string, inUse error) {
	s, err := open(context.Background(), dir)
	if err != nil {
		tell("%v (in use: %v)", err, errors.Is(err, inUse))
		return
	}
	defer s.Close()
	tell("open")
	io.Copy(io.Discard, os.Stdin)
}
