package op

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// maxLogos are kept in memory; the one that ends first goes first.
	maxLogos = 64

	// logoLifetime of a picture, and how long one that could not be had is
	// not asked for again.
	logoLifetime = time.Hour
	logoPause    = time.Minute
)

// A logo is a picture; without data, the knowledge that there is none.
type logo struct {
	data  []byte
	media string
	until time.Time
}

// logos keeps the pictures of connections and clients. However many people
// ask for one at once, it is fetched once.
type logos struct {
	flight singleflight.Group

	mu    sync.Mutex
	byKey map[string]logo
}

// get returns what is known of a picture.
func (c *logos) get(key string, now time.Time) (logo, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.byKey[key]
	return found, ok && now.Before(found.until)
}

// load returns the picture, from memory or by fetch. The fetch goes on when
// the browser that caused it has gone: others may wait for it.
func (c *logos) load(ctx context.Context, key string, now func() time.Time, fetch func(context.Context) logo) logo {
	if found, ok := c.get(key, now()); ok {
		return found
	}
	result := c.flight.DoChan(key, func() (any, error) {
		if found, ok := c.get(key, now()); ok {
			return found, nil
		}
		found := fetch(context.WithoutCancel(ctx))
		c.put(key, found, now())
		return found, nil
	})
	select {
	case r := <-result:
		return r.Val.(logo)
	case <-ctx.Done():
		return logo{}
	}
}

func (c *logos) put(key string, l logo, now time.Time) {
	l.until = now.Add(logoLifetime)
	if l.data == nil {
		l.until = now.Add(logoPause)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]logo{}
	}
	if _, known := c.byKey[key]; !known && len(c.byKey) >= maxLogos {
		c.evict()
	}
	c.byKey[key] = l
}

func (c *logos) evict() {
	var first string
	for key, l := range c.byKey {
		if first == "" || l.until.Before(c.byKey[first].until) {
			first = key
		}
	}
	delete(c.byKey, first)
}
