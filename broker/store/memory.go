package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// errClosed is what a memory store answers after Close.
var errClosed = errors.New("store is closed")

// NewMemory returns a store that lives in this process and dies with it:
// for tests only, because every restart would sign everybody out and a
// second node would redeem a code again. A nil now means [time.Now].
func NewMemory(now func() time.Time) Store {
	if now == nil {
		now = time.Now
	}
	return &memory{now: now, records: make(map[string]record)}
}

type memory struct {
	now func() time.Time

	mu      sync.Mutex
	records map[string]record // nil once closed
}

type record struct {
	value  []byte
	expiry time.Time // zero: never
}

func (r record) live(now time.Time) bool {
	return r.expiry.IsZero() || now.Before(r.expiry)
}

// lock guards one call: it fails without holding the mutex when the call
// must not run. The caller unlocks.
func (m *memory) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.records == nil {
		m.mu.Unlock()
		return errClosed
	}
	return nil
}

// find returns the live record of key. The caller holds the mutex.
func (m *memory) find(key string) (record, bool) {
	r, ok := m.records[key]
	return r, ok && r.live(m.now())
}

// set stores a copy of value. The caller holds the mutex.
func (m *memory) set(key string, value []byte, ttl time.Duration) error {
	expiry, err := Expiry(m.now(), ttl)
	if err != nil {
		return err
	}
	m.records[key] = record{value: copyOf(value), expiry: expiry}
	return nil
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	r, ok := m.find(key)
	if !ok {
		return nil, ErrNotFound
	}
	return copyOf(r.value), nil
}

func (m *memory) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	return m.set(key, value, ttl)
}

func (m *memory) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	r, exists := m.find(key)
	if exists != (old != nil) || exists && !bytes.Equal(r.value, old) {
		return ErrConflict
	}
	return m.set(key, new, ttl)
}

func (m *memory) Take(ctx context.Context, key string) ([]byte, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	r, ok := m.find(key)
	if !ok {
		return nil, ErrNotFound
	}
	delete(m.records, key)
	return r.value, nil
}

func (m *memory) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var keys []string
	now := m.now()
	for key, r := range m.records {
		if strings.HasPrefix(key, prefix) && key > after && r.live(now) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys[:min(len(keys), max(limit, 0))], nil
}

func (m *memory) Delete(ctx context.Context, key string) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.records, key)
	return nil
}

// Watch returns nil: no other node can reach this memory.
func (m *memory) Watch(context.Context) (<-chan string, error) { return nil, nil }

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = nil
	return nil
}

// copyOf returns a copy that is not nil, because a nil value read from a
// store and passed on as the old value of Swap would mean "create".
func copyOf(value []byte) []byte { return append([]byte{}, value...) }
