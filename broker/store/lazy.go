package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Lazy returns a store that opens itself when it is first used, so that
// loading a configuration touches no disk and no network. A failure to open
// is returned by the call that met it and not remembered: the next one tries
// again.
func Lazy(open func(ctx context.Context) (Store, error)) *LazyStore {
	return &LazyStore{open: open}
}

// A LazyStore is the store of [Lazy].
type LazyStore struct {
	open func(ctx context.Context) (Store, error)

	mu     sync.Mutex
	inner  Store
	closed bool
}

// Open opens the store now, unless it is open.
func (l *LazyStore) Open(ctx context.Context) error {
	_, err := l.get(ctx)
	return err
}

func (l *LazyStore) get(ctx context.Context) (Store, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, errClosed
	case l.inner != nil:
		return l.inner, nil
	}
	inner, err := l.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	l.inner = inner
	return inner, nil
}

// Get is [Store.Get].
func (l *LazyStore) Get(ctx context.Context, key string) ([]byte, error) {
	s, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, key)
}

// Put is [Store.Put].
func (l *LazyStore) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s, err := l.get(ctx)
	if err != nil {
		return err
	}
	return s.Put(ctx, key, value, ttl)
}

// Swap is [Store.Swap].
func (l *LazyStore) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	s, err := l.get(ctx)
	if err != nil {
		return err
	}
	return s.Swap(ctx, key, old, new, ttl)
}

// Take is [Store.Take].
func (l *LazyStore) Take(ctx context.Context, key string) ([]byte, error) {
	s, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return s.Take(ctx, key)
}

// List is [Store.List].
func (l *LazyStore) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	s, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return s.List(ctx, prefix, after, limit)
}

// Delete is [Store.Delete].
func (l *LazyStore) Delete(ctx context.Context, key string) error {
	s, err := l.get(ctx)
	if err != nil {
		return err
	}
	return s.Delete(ctx, key)
}

// Watch is [Store.Watch].
func (l *LazyStore) Watch(ctx context.Context) (<-chan string, error) {
	s, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return s.Watch(ctx)
}

// Close closes the store if it was opened; it cannot be used again.
func (l *LazyStore) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.inner == nil {
		return nil
	}
	inner := l.inner
	l.inner = nil
	return inner.Close()
}

var _ Store = (*LazyStore)(nil)
