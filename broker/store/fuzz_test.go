package store_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// FuzzF17_Seal hands a browser's blob back changed: it opens unchanged, with
// the same purpose, and in no other way.
func FuzzF17_Seal(f *testing.F) {
	f.Add("pending sign-in", []byte("x"), uint16(0), byte(1))
	f.Add("", []byte{}, uint16(3), byte(0))
	f.Add("state", bytes.Repeat([]byte("long"), 100), uint16(20), byte(0x80))
	ring := newRing(f, testKey(1), testKey(2))
	f.Fuzz(func(t *testing.T, purpose string, plaintext []byte, at uint16, mask byte) {
		sealed := ring.Seal(purpose, plaintext)
		got, err := ring.Open(purpose, sealed)
		if err != nil || !bytes.Equal(got, plaintext) {
			t.Fatalf("Open(Seal(%q)) = %q, %v", plaintext, got, err)
		}
		wantErrSealed := func(purpose string, blob []byte) {
			t.Helper()
			if got, err := ring.Open(purpose, blob); !errors.Is(err, store.ErrSealed) || got != nil {
				t.Errorf("Open(%q, %x) = %q, %v, want %v", purpose, blob, got, err, store.ErrSealed)
			}
		}
		wantErrSealed(purpose+"x", sealed)
		wantErrSealed(purpose, plaintext)
		cut := int(at) % len(sealed)
		wantErrSealed(purpose, sealed[:cut])
		wantErrSealed(purpose, append(bytes.Clone(sealed), mask))
		if mask != 0 {
			sealed[cut] ^= mask
			wantErrSealed(purpose, sealed)
		}
	})
}

// FuzzF16_RecordDecode reads whatever an attacker has written into the
// database: without the key it never becomes a value, and never a panic.
func FuzzF16_RecordDecode(f *testing.F) {
	ring := newRing(f, testKey(1))
	f.Add("session/a", []byte{})
	f.Add("session/a", []byte("x"))
	f.Add("session/a", ring.Seal("session/a", []byte("x")))
	f.Add("session/a", ring.Seal("", nil)[:4])
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		inner := store.NewMemory(nil)
		if err := inner.Put(t.Context(), key, value, 0); err != nil {
			t.Fatal(err)
		}
		wantSealed(t, store.Sealed(inner, ring), key)
	})
}
