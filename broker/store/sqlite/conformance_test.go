package sqlite_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/sqlite"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func open(t testing.TB, path string, now func() time.Time) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t testing.TB, s store.Store) store.Store {
	t.Helper()
	ring, err := store.NewKeyring(bytes.Repeat([]byte{1}, store.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return store.Sealed(s, ring)
}

func openDir(ctx context.Context, dir string) (store.Store, error) {
	s, err := sqlite.Open(ctx, filepath.Join(dir, "auth_broker.db"), sqlite.Options{})
	if err != nil {
		return nil, err // not s: a nil *Store is no nil Store
	}
	return s, nil
}

// openSealedDir opens a store as the broker does: the key makes itself
// beside the database.
func openSealedDir(ctx context.Context, dir string) (store.Store, error) {
	s, err := openDir(ctx, dir)
	if err != nil {
		return nil, err
	}
	key, err := store.LoadOrCreateKey(filepath.Join(dir, "auth_broker.key"))
	if err != nil {
		return nil, err
	}
	ring, err := store.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	return store.Sealed(s, ring), nil
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		return open(t, filepath.Join(t.TempDir(), "a.db"), now)
	})
}

func TestSealedConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		return seal(t, open(t, filepath.Join(t.TempDir(), "a.db"), now))
	})
}

func TestS119_Durable(t *testing.T) { storetest.RunDurable(t, openDir) }

func TestS119_SealedDurable(t *testing.T) { storetest.RunDurable(t, openSealedDir) }

func TestExclusive(t *testing.T) { storetest.RunExclusive(t, openDir, sqlite.ErrInUse) }
