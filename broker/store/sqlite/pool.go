package sqlite

import (
	"context"
	"errors"
)

// errClosed is what every method returns after Close.
var errClosed = errors.New("store is closed")

// A pool lends out connections. It is a channel so that waiting for one
// ends with the caller's context.
type pool[C any] chan C

// get takes a connection, which the caller must put back.
func (p pool[C]) get(ctx context.Context) (c C, err error) {
	if err := ctx.Err(); err != nil {
		return c, err
	}
	select {
	case c, open := <-p:
		if !open {
			return c, errClosed
		}
		return c, nil
	case <-ctx.Done():
		return c, ctx.Err()
	}
}

func (p pool[C]) put(c C) { p <- c }

// retire waits until all connections are back and lends none any more.
func (p pool[C]) retire() {
	for range cap(p) {
		<-p
	}
	close(p)
}
