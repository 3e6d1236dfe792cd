package store_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// testKey returns a key of one repeated byte: not secret, but valid.
func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, store.KeySize) }

func newRing(t testing.TB, keys ...[]byte) *store.Keyring {
	t.Helper()
	ring, err := store.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, now func() time.Time) store.Store {
		return store.NewMemory(now)
	})
}

func TestSealedMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		return store.Sealed(store.NewMemory(now), newRing(t, testKey(1)))
	})
}
