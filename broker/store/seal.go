package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"
)

// Sealed returns a view of inner in which every value is encrypted with
// ring, so that neither the database nor a backup of it holds a token, a
// claim or a name in clear (see [Keyring] for the form).
//
// It hides and binds values. Keys stay readable, and whoever can write to
// the database can still delete a record, change its expiry or put back an
// older value of the same record.
func Sealed(inner Store, ring *Keyring) Store {
	return &sealedStore{Store: inner, ring: ring}
}

// sealedStore takes List, Delete, Watch and Close from the inner store:
// these see no value.
type sealedStore struct {
	Store
	ring *Keyring
}

func (s *sealedStore) Get(ctx context.Context, key string) ([]byte, error) {
	raw, err := s.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.ring.openRecord(key, raw)
}

func (s *sealedStore) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return s.Store.Put(ctx, key, s.ring.sealRecord(key, value), ttl)
}

// Swap compares plaintexts, because each sealing of a value differs. The
// inner swap then expects the very bytes that were compared, so a writer in
// between makes it fail and none is overwritten.
func (s *sealedStore) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if old == nil {
		return s.Store.Swap(ctx, key, nil, s.ring.sealRecord(key, new), ttl)
	}
	raw, err := s.Store.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	if err != nil {
		return err
	}
	current, err := s.ring.openRecord(key, raw)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(current, old) != 1 {
		return ErrConflict
	}
	return s.Store.Swap(ctx, key, raw, s.ring.sealRecord(key, new), ttl)
}

func (s *sealedStore) Take(ctx context.Context, key string) ([]byte, error) {
	raw, err := s.Store.Take(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.ring.openRecord(key, raw)
}
