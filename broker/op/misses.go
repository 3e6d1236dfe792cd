package op

import (
	"maps"
	"sync"
	"time"
)

// Bounds of what misses counts.
const (
	maxMisses  = 10
	missWindow = time.Minute
	maxMissed  = 4096
)

// misses counts calls that missed: that asked for something that is not
// there for them. The count goes by what was asked for, there or not, so the
// answer to one call too many tells nothing, and it stops nobody but those
// who ask for the same thing.
//
// It is a bound on noise, not what keeps secrets from being guessed: they
// are 256 bits long. So each node counts for itself, and forgets.
type misses struct {
	mu     sync.Mutex
	counts map[string]missCount
}

type missCount struct {
	n     int
	until time.Time
}

// exceeded says whether key has been missed too often of late.
func (m *misses) exceeded(key string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.counts[key]
	return c.n >= maxMisses && now.Before(c.until)
}

// add counts a miss.
func (m *misses) add(key string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts = make(map[string]missCount)
	}
	c, known := m.counts[key]
	if !now.Before(c.until) {
		c = missCount{until: now.Add(missWindow)}
	}
	if !known && len(m.counts) >= maxMissed {
		maps.DeleteFunc(m.counts, func(_ string, c missCount) bool { return !now.Before(c.until) })
	}
	if !known && len(m.counts) >= maxMissed {
		clear(m.counts)
	}
	c.n++
	m.counts[key] = c
}
