package oidc

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Back-off after failed loads: doubling, jittered, and bounded, because a
// failure must not be remembered for long. What the other side asks for
// (Retry-After) is granted up to maxRetryAfter.
const (
	minBackoff    = time.Second
	maxBackoff    = 30 * time.Second
	maxRetryAfter = 5 * time.Minute
)

// A cached document is loaded on first use and refreshed on later ones.
// It has no goroutine of its own: a refresh runs while somebody asks.
//
// By the age of what is there, get
//
//	< refreshAfter  returns it
//	< waitAfter     returns it and refreshes behind the caller's back
//	< dropAfter     waits for a refresh, and returns it if that fails
//	else            waits for a load, or fails
//
// However many callers wait, one load runs. After a failure none runs
// until the back-off has passed; callers meanwhile get what is there, or
// the failure.
type cached[T any] struct {
	load func(context.Context) (T, error)
	now  func() time.Time
	rand io.Reader

	// onFailure hears of the first failure after a success, which a
	// caller who was given the old document never sees.
	onFailure func(error)

	refreshAfter time.Duration
	waitAfter    time.Duration // 0: never wait
	dropAfter    time.Duration // 0: never drop

	flight singleflight.Group

	mu       sync.Mutex
	value    T
	loadedAt time.Time // zero: nothing is there
	attempts uint64    // loads ended
	failures int       // since the last success
	err      error     // the last load's
	retryAt  time.Time // no load before
}

// get returns the document.
func (c *cached[T]) get(ctx context.Context) (T, error) {
	c.mu.Lock()
	value, lastErr, seen := c.value, c.err, c.attempts
	age, there := c.now().Sub(c.loadedAt), !c.loadedAt.IsZero()
	resting := c.now().Before(c.retryAt)
	c.mu.Unlock()

	usable := there && (c.dropAfter == 0 || age < c.dropAfter)
	switch {
	case usable && (age < c.refreshAfter || resting):
		return value, nil
	case resting:
		return c.none(lastErr)
	case usable && (c.waitAfter == 0 || age < c.waitAfter):
		c.start(ctx, seen)
		return value, nil
	}
	fresh, err := c.wait(ctx, seen)
	if err != nil && usable {
		return value, nil
	}
	return fresh, err
}

// reload returns a document that was not loaded before the call, at the
// price of a load whatever the age. The caller bounds how often.
func (c *cached[T]) reload(ctx context.Context) (T, error) {
	c.mu.Lock()
	seen := c.attempts
	c.mu.Unlock()
	return c.wait(ctx, seen)
}

// check loads the document whatever its age, to see whether that works. While
// the back-off lasts it loads nothing and returns the failure that began it.
func (c *cached[T]) check(ctx context.Context) error {
	c.mu.Lock()
	lastErr, seen, resting := c.err, c.attempts, c.now().Before(c.retryAt)
	c.mu.Unlock()
	if resting {
		return lastErr
	}
	_, err := c.wait(ctx, seen)
	return err
}

func (c *cached[T]) none(err error) (T, error) {
	var zero T
	return zero, err
}

// start begins a load, or joins the one that runs. The load outlives the
// caller who happened to come first: others wait for it too.
func (c *cached[T]) start(ctx context.Context, seen uint64) <-chan singleflight.Result {
	ctx = context.WithoutCancel(ctx)
	return c.flight.DoChan("", func() (any, error) {
		c.mu.Lock()
		value, err, done := c.value, c.err, c.attempts != seen
		c.mu.Unlock()
		if done { // somebody else's load ended in between
			return value, err
		}
		value, err = c.load(ctx)
		c.record(value, err)
		return value, err
	})
}

func (c *cached[T]) wait(ctx context.Context, seen uint64) (T, error) {
	select {
	case r := <-c.start(ctx, seen):
		if r.Err != nil {
			return c.none(r.Err)
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return c.none(ctx.Err())
	}
}

func (c *cached[T]) record(value T, err error) {
	c.mu.Lock()
	c.attempts++
	c.err = err
	if err == nil {
		c.value, c.loadedAt = value, c.now()
		c.failures, c.retryAt = 0, time.Time{}
		c.mu.Unlock()
		return
	}
	c.failures++
	c.retryAt = c.now().Add(c.backoff(err))
	first := c.failures == 1 && !c.loadedAt.IsZero()
	c.mu.Unlock()
	if first {
		c.onFailure(err)
	}
}

// backoff returns how long to rest after the failures so far, between half
// and all of the doubled span, so that many servers do not return at once.
func (c *cached[T]) backoff(err error) time.Duration {
	span := min(minBackoff<<min(c.failures-1, 10), maxBackoff)
	var random [2]byte
	if _, err := io.ReadFull(c.rand, random[:]); err == nil {
		span -= span / 2 * time.Duration(binary.BigEndian.Uint16(random[:])) / (1 << 16)
	}
	return max(span, min(retryAfter(err), maxRetryAfter))
}
