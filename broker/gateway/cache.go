package gateway

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// A Cache holds live gate sessions, ready for use, by the hash of their
// handle. It is what makes a request cheap, and it may outlive the gates
// that fill it: entries know which configuration made them.
//
// The cache is bounded: a full shard drops an arbitrary entry, which the
// next request of that session reads again from the store.
type Cache struct {
	shards  [shardCount]shard
	max     int           // per shard
	drops   atomic.Uint64 // calls of Drop
	streams *streams
}

const (
	shardCount = 64

	// DefaultCacheSize is the number of sessions a Cache holds.
	DefaultCacheSize = 100_000
)

type shard struct {
	mu      sync.RWMutex
	entries map[cacheKey]*live
}

type cacheKey [sha256.Size]byte

// keyOf hashes a handle. Handles have one length; the buffer keeps it off
// the heap.
func keyOf(handle string) cacheKey {
	var buf [128]byte
	return sha256.Sum256(buf[:copy(buf[:], handle)])
}

// NewCache returns a cache for size sessions.
func NewCache(size int) *Cache {
	c := &Cache{max: max(size/shardCount, 1), streams: newStreams(maxStreams, maxStreamsOfEach)}
	for i := range c.shards {
		c.shards[i].entries = map[cacheKey]*live{}
	}
	return c
}

func (c *Cache) shard(k *cacheKey) *shard { return &c.shards[k[0]%shardCount] }

func (c *Cache) get(k *cacheKey) *live {
	s := c.shard(k)
	s.mu.RLock()
	l := s.entries[*k]
	s.mu.RUnlock()
	return l
}

// add returns the entry for k: l, or one that a concurrent request added.
//
// A session that was read before a Drop is returned but not kept: it may be
// one of those that ended, and nothing would ever drop it again. Whoever
// stole a cookie could send it once more than the owner's logout can count.
func (c *Cache) add(k *cacheKey, l *live) *live {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.entries[*k]; other != nil {
		return other
	}
	if l.drops != c.drops.Load() {
		return l
	}
	if len(s.entries) >= c.max {
		for victim := range s.entries {
			delete(s.entries, victim)
			break
		}
	}
	s.entries[*k] = l
	return l
}

func (c *Cache) remove(k *cacheKey) {
	s := c.shard(k)
	s.mu.Lock()
	delete(s.entries, *k)
	s.mu.Unlock()
}

// Drop forgets every session below the SSO session sid; an empty sid
// forgets all. Open streams of those that have ended are cut.
func (c *Cache) Drop(sid string) {
	c.drop(func(g *session.Gate) bool { return sid == "" || g.SID == sid })
}

// DropUser is Drop for every session of the subject, at all sites.
func (c *Cache) DropUser(subject string) {
	c.drop(func(g *session.Gate) bool { return g.Authorization.Context.Subject == subject })
}

func (c *Cache) drop(affected func(*session.Gate) bool) {
	// First the count, then the entries: an add that has not seen the new
	// count is in its shard before we are.
	c.drops.Add(1)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for k, l := range s.entries {
			if affected(l.session) {
				delete(s.entries, k)
			}
		}
		s.mu.Unlock()
	}
	c.streams.dropped(affected)
}

// live is one cached session.
type live struct {
	session *session.Gate
	drops   uint64 // of the cache, before the session was read

	used  atomic.Int64 // last request, Unix nanoseconds
	saved atomic.Int64 // the use that the store knows of

	ready   atomic.Pointer[Visitor]
	minting atomic.Bool
}

func newLive(g *session.Gate) *live {
	l := &live{session: g}
	l.used.Store(g.Used.UnixNano())
	l.saved.Store(g.Used.UnixNano())
	return l
}

// over says whether the session has reached a limit at now.
func (l *live) over(now time.Time, limits session.Limits) bool {
	return now.Sub(l.session.Created) >= limits.Lifetime ||
		now.UnixNano()-l.used.Load() >= int64(limits.Idle)
}
