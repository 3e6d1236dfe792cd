package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

func TestNewKeyring(t *testing.T) {
	for name, c := range map[string]struct {
		keys [][]byte
		want string
	}{
		"no key":         {nil, "no sealing key"},
		"short key":      {[][]byte{testKey(1), testKey(2)[1:]}, "sealing key 2 of 2: it has 31 bytes instead of 32"},
		"empty key":      {[][]byte{{}}, "sealing key 1 of 1: it has 0 bytes"},
		"key in hex":     {[][]byte{bytes.Repeat([]byte("a"), 64)}, "it has 64 bytes"},
		"same key twice": {[][]byte{testKey(1), testKey(2), testKey(1)}, "sealing key 3 of 3 is given twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.NewKeyring(c.keys...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("NewKeyring() = %v, want %q", err, c.want)
			}
		})
	}
}

func TestSealOpen(t *testing.T) {
	ring := newRing(t, testKey(1))
	for _, plaintext := range []string{"", "x", strings.Repeat("long", 1000)} {
		sealed := ring.Seal("pending sign-in", []byte(plaintext))
		got, err := ring.Open("pending sign-in", sealed)
		if err != nil || got == nil || string(got) != plaintext {
			t.Errorf("Open(Seal(%q)) = %q, %v", plaintext, got, err)
		}
		id := sha256.Sum256(testKey(1))
		if !bytes.HasPrefix(sealed, id[:4]) {
			t.Errorf("sealed value begins with %x, want the key id %x", sealed[:4], id[:4])
		}
		if n := len(plaintext) + 4 + 12 + 16; len(sealed) != n {
			t.Errorf("sealed value has %d bytes, want %d", len(sealed), n)
		}
	}
}

func TestSealingTwiceDiffers(t *testing.T) {
	// Equal blobs would tell an observer that two visitors hold the same.
	ring := newRing(t, testKey(1))
	if bytes.Equal(ring.Seal("p", []byte("x")), ring.Seal("p", []byte("x"))) {
		t.Error("two seals of one value are equal: the nonce is not random")
	}
}

func TestBlobsOpenForTheirPurposeOnly(t *testing.T) {
	ring := newRing(t, testKey(1), testKey(2))
	sealed := ring.Seal("pending sign-in", []byte("x"))
	for _, purpose := range []string{"", "pending sign-i", "pending sign-in ", "gate state"} {
		if got, err := ring.Open(purpose, sealed); !errors.Is(err, store.ErrSealed) {
			t.Errorf("Open(%q) = %q, %v, want %v", purpose, got, err, store.ErrSealed)
		}
	}
	if got, err := newRing(t, testKey(2)).Open("pending sign-in", sealed); !errors.Is(err, store.ErrSealed) {
		t.Errorf("Open with another key = %q, %v, want %v", got, err, store.ErrSealed)
	}
}

// A visitor who finds a way to write his cookie into a record, or is handed
// a record as a cookie, gains nothing, even if purpose and key are alike.
func TestRecordsAndBlobsHaveDifferentKeys(t *testing.T) {
	inner := store.NewMemory(nil)
	ring := newRing(t, testKey(1))
	s := store.Sealed(inner, ring)
	if err := inner.Put(t.Context(), "session/a", ring.Seal("session/a", []byte("administrator")), 0); err != nil {
		t.Fatal(err)
	}
	wantSealed(t, s, "session/a")
	if err := s.Put(t.Context(), "session/a", []byte("administrator"), 0); err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Open("session/a", raw(t, inner, "session/a")); !errors.Is(err, store.ErrSealed) {
		t.Errorf("Open(a record) = %q, %v, want %v", got, err, store.ErrSealed)
	}
}

// The form of sealed values is that of every database and cookie out there:
// if this test fails, an upgrade would sign everybody out and lose all keys.
func TestSealedFormIsStable(t *testing.T) {
	const (
		blob   = "72cd6e84734d64e7a08691b6ad2a008d72a02d6415908a3a700cd7041adb176142"
		record = "72cd6e8426dca5951add598fd3bc7f905594acc2f944ab910e09941884396057a6"
	)
	ring := newRing(t, testKey(1))
	got, err := ring.Open("purpose", unhex(t, blob))
	if err != nil || string(got) != "x" {
		t.Errorf("blob of an earlier release opens to %q, %v, want x", got, err)
	}
	inner := store.NewMemory(nil)
	if err := inner.Put(t.Context(), "key", unhex(t, record), 0); err != nil {
		t.Fatal(err)
	}
	got, err = store.Sealed(inner, ring).Get(t.Context(), "key")
	if err != nil || string(got) != "x" {
		t.Errorf("record of an earlier release opens to %q, %v, want x", got, err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
