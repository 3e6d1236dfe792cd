package store_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

func TestPrefixEnd(t *testing.T) {
	for _, c := range []struct {
		prefix, end string
		ok          bool
	}{
		{"", "", false},
		{"a", "b", true},
		{"consent/", "consent0", true},
		{"a%", "a&", true},
		{"\u007f", "\u0080", true},
		{"é", "ê", true},
		{"\ud7ff", "\ue000", true},
		{"a\U0010ffff", "b", true},
		{"a\U0010ffff\U0010ffff", "b", true},
		{"\U0010ffff", "", false},
	} {
		end, ok := store.PrefixEnd(c.prefix)
		if end != c.end || ok != c.ok {
			t.Errorf("PrefixEnd(%q) = %q, %t, want %q, %t", c.prefix, end, ok, c.end, c.ok)
		}
	}
}

func FuzzPrefixEnd(f *testing.F) {
	f.Add("consent/", "consent/ada")
	f.Add("a\U0010ffff", "a\U0010ffff")
	f.Add("\ud7ff", "\ue000")
	f.Fuzz(func(t *testing.T, prefix, key string) {
		if !utf8.ValidString(prefix) || !utf8.ValidString(key) {
			return // no keys
		}
		end, ok := store.PrefixEnd(prefix)
		if !utf8.ValidString(end) {
			t.Fatalf("PrefixEnd(%q) = %q, which is not UTF-8", prefix, end)
		}
		inRange := prefix <= key && (!ok || key < end)
		if inRange != strings.HasPrefix(key, prefix) {
			t.Errorf("key %q, prefix %q: in the range up to %q: %t", key, prefix, end, inRange)
		}
	})
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if got, err := store.Expiry(now, time.Minute); err != nil || !got.Equal(now.Add(time.Minute)) {
		t.Errorf("Expiry(1m) = %v, %v", got, err)
	}
	if got, err := store.Expiry(now, 0); err != nil || !got.IsZero() {
		t.Errorf("Expiry(0) = %v, %v, want the zero time", got, err)
	}
	if got, err := store.Expiry(now, -1); err == nil {
		t.Errorf("Expiry(-1) = %v, want an error", got)
	}
}
