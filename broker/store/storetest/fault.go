package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// ErrFault is what a [FaultyStore] fails with.
var ErrFault = errors.New("injected store fault")

// A FaultyStore is a store of which one call fails. A test of something
// that uses a store runs it with the fault at call 1, 2, 3 … until one run
// does not reach the fault any more; then every place has failed once.
type FaultyStore struct {
	inner store.Store
	at    int64
	late  bool
	calls atomic.Int64
}

// Faulty returns a view of inner whose n-th call, counted from 1 over all
// methods but Close, returns [ErrFault] and does nothing: the store is down.
func Faulty(inner store.Store, n int) *FaultyStore {
	return &FaultyStore{inner: inner, at: int64(n)}
}

// FaultyAfter is like [Faulty], but the n-th call does its work first: the
// connection broke before the answer came. A caller must take neither for
// success, and must be able to try again after both.
func FaultyAfter(inner store.Store, n int) *FaultyStore {
	return &FaultyStore{inner: inner, at: int64(n), late: true}
}

// Fired says whether the fault has been reached.
func (f *FaultyStore) Fired() bool { return f.calls.Load() >= f.at }

// call runs do unless this is the call to fail.
func (f *FaultyStore) call(do func() error) error {
	if f.calls.Add(1) != f.at {
		return do()
	}
	if f.late {
		do() // its outcome is what the caller does not get to know
	}
	return ErrFault
}

// result is call for methods with a result.
func result[T any](f *FaultyStore, do func() (T, error)) (value T, err error) {
	err = f.call(func() (err error) {
		value, err = do()
		return err
	})
	if err != nil {
		value = *new(T)
	}
	return value, err
}

// Get implements [store.Store].
func (f *FaultyStore) Get(ctx context.Context, key string) ([]byte, error) {
	return result(f, func() ([]byte, error) { return f.inner.Get(ctx, key) })
}

// Put implements [store.Store].
func (f *FaultyStore) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return f.call(func() error { return f.inner.Put(ctx, key, value, ttl) })
}

// Swap implements [store.Store].
func (f *FaultyStore) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	return f.call(func() error { return f.inner.Swap(ctx, key, old, new, ttl) })
}

// Take implements [store.Store].
func (f *FaultyStore) Take(ctx context.Context, key string) ([]byte, error) {
	return result(f, func() ([]byte, error) { return f.inner.Take(ctx, key) })
}

// List implements [store.Store].
func (f *FaultyStore) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	return result(f, func() ([]string, error) { return f.inner.List(ctx, prefix, after, limit) })
}

// Delete implements [store.Store].
func (f *FaultyStore) Delete(ctx context.Context, key string) error {
	return f.call(func() error { return f.inner.Delete(ctx, key) })
}

// Watch implements [store.Store].
func (f *FaultyStore) Watch(ctx context.Context) (<-chan string, error) {
	return result(f, func() (<-chan string, error) { return f.inner.Watch(ctx) })
}

// Close closes the inner store.
func (f *FaultyStore) Close() error { return f.inner.Close() }

var _ store.Store = (*FaultyStore)(nil)
