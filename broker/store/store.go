// Package store keeps what must outlive a request: sessions, codes,
// consents and keys.
//
// The contract is a key-value table with expiry, compare-and-swap and an
// exactly-once Take. It is this small so that a backend is one table with
// one statement per method, and so that the conformance kit in storetest
// can prove the whole of it.
//
// One record is one atomic unit: what must change together is one value
// under one key. Two wrappers belong to every backend in use: [Sealed]
// encrypts each value with its key as associated data, and [SecretKey]
// names a record after the hash of the secret that looks it up, so that
// neither the file nor a backup of it can sign anybody in.
package store

import (
	"context"
	"errors"
	"time"
)

// Errors of the contract. Every backend returns exactly these, possibly
// wrapped; anything else is a failure of the backend, and callers deny.
var (
	// ErrNotFound is returned by Get and Take for a key that does not
	// exist, has expired, or was taken by somebody else.
	ErrNotFound = errors.New("not found")

	// ErrConflict is returned by Swap when the stored value is not the
	// expected one any more.
	ErrConflict = errors.New("conflict")
)

// A Store is one backend. All methods are safe for concurrent use, and a
// method that returned nil has made its change durable against the death
// of the process.
//
// Keys are UTF-8 without zero bytes, such as "consent/<subject>/<client>".
// Values are any bytes. A nil value is stored as an empty one, and what a
// store returns without an error is never nil, so that it can be the old
// value of Swap.
type Store interface {
	// Get returns the value of key, or ErrNotFound. It never returns an
	// expired value, whether or not upkeep has removed it.
	Get(ctx context.Context, key string) ([]byte, error)

	// Put stores value under key; the last write wins. A ttl of 0 keeps
	// the value until it is deleted; a negative ttl is an error.
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Swap replaces old by new, atomically: it returns ErrConflict and
	// changes nothing unless the live value of key equals old. A nil old
	// means "create": the key must not exist, or must have expired. The
	// ttl counts from now, as for Put.
	Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error

	// Take returns the value of key and removes it. However many calls
	// race for one key, exactly one gets the value and the rest get
	// ErrNotFound.
	Take(ctx context.Context, key string) ([]byte, error)

	// List returns at most limit live keys that begin with prefix and
	// sort after after, in byte order. An empty after starts at the
	// beginning; a result shorter than limit is the last page.
	List(ctx context.Context, prefix, after string, limit int) ([]string, error)

	// Delete removes key. Deleting what is not there is no error.
	Delete(ctx context.Context, key string) error

	// Watch returns a channel of keys that *other* nodes have changed, so
	// that caches can drop them; an empty key means "anything may have
	// changed". The channel closes when ctx ends. A backend that belongs
	// to one process returns a nil channel: nobody else can change it.
	Watch(ctx context.Context) (<-chan string, error)

	// Close releases the backend. Later calls fail.
	Close() error
}
