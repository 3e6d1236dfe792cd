package op

import (
	"context"
	"strconv"
	"testing"
	"time"
)

// Clients register themselves with ever new logos. What is kept of them
// stays bounded.
func TestLogosAreBounded(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	picture := func(context.Context) logo { return logo{data: []byte("x"), media: "image/png"} }
	var c logos
	for i := range 3 * maxLogos {
		now = now.Add(time.Second)
		c.load(t.Context(), strconv.Itoa(i), clock, picture)
	}
	if n := len(c.byKey); n != maxLogos {
		t.Errorf("%d entries, want %d", n, maxLogos)
	}
	if _, ok := c.get(strconv.Itoa(3*maxLogos-1), now); !ok {
		t.Error("the newest is gone")
	}
	if _, ok := c.get("0", now); ok {
		t.Error("the oldest is still there")
	}
	if got := c.load(t.Context(), "new", clock, func(context.Context) logo { return logo{} }); got.data != nil {
		t.Errorf("data %q", got.data)
	}
	if known, ok := c.get("new", now.Add(logoPause-1)); !ok || known.data != nil {
		t.Error("the failure is not known")
	}
	if _, ok := c.get("new", now.Add(logoPause)); ok {
		t.Error("the failure is kept for longer")
	}
}

// Whoever caused the fetch has closed the page; the others still get it.
func TestFetchOutlivesItsFirstRequest(t *testing.T) {
	var c logos
	ctx, cancel := context.WithCancel(t.Context())
	started, finish := make(chan struct{}), make(chan struct{})
	done := make(chan logo, 1)
	go func() {
		done <- c.load(ctx, "key", time.Now, func(ctx context.Context) logo {
			close(started)
			<-finish
			if ctx.Err() != nil {
				return logo{}
			}
			return logo{data: []byte("x")}
		})
	}()
	<-started
	cancel()
	if got := <-done; got.data != nil {
		t.Error("a request that is over got a picture")
	}
	close(finish)
	if got := c.load(t.Context(), "key", time.Now, func(context.Context) logo { return logo{} }); string(got.data) != "x" {
		t.Error("the fetch ended with the request")
	}
}
