package brokertest

import (
	"sync"
	"time"
)

// Epoch is where a zero [Clock] starts.
var Epoch = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

// A Clock stands still until a test moves it. The zero value is ready and
// shows [Epoch]; it is safe for concurrent use. Its Now method is what
// options named Now want.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
}

// NewClock returns a clock that shows now.
func NewClock(now time.Time) *Clock {
	return &Clock{offset: now.Sub(Epoch)}
}

// Now returns the time the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Epoch.Add(c.offset)
}

// Advance moves the clock by d, backwards if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Set makes the clock show now.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = now.Sub(Epoch)
}
