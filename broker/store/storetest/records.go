package storetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// strangeKeys are keys that SQL, LIKE patterns, paths or encodings could
// take for something else.
var strangeKeys = []string{
	"kind/name/with/slashes", "100%", "under_score", "underXscore", "star*?[a-z]",
	"quote'\"`--;", `back\slash`, " space ", "tab\tand\nline", "2026-01-01T12:00:00Z", "1", "01", "1.0", "NULL",
	"Case", "case", "ключ/鍵/🔑", "e\u0301", "\u00e9", strings.Repeat("long", 500),
}

func testRecords(t *testing.T, open Open) {
	t.Run("what was put is what one gets", func(t *testing.T) {
		p := start(t, open)
		p.wantNone("a")
		p.put("a", "one", "b", "two")
		p.want("a", "one")
		p.put("a", "three")
		p.want("a", "three")
		p.want("b", "two")
	})
	t.Run("values are bytes", func(t *testing.T) {
		p := start(t, open)
		for name, value := range map[string]string{
			"zero bytes": "a\x00b\x00", "no text": "\xff\xfe\x00\xc3\x28", "number": "12", "quotes": `'"`,
			"one mebibyte": strings.Repeat("0123456789abcde\x00", 1<<16),
		} {
			p.put(name, value)
			p.want(name, value)
		}
	})
	t.Run("an empty value is a value", func(t *testing.T) {
		// If it came back as nil, its reader would mean "create" when it
		// hands it to Swap as the old value.
		p := start(t, open)
		for key, value := range map[string][]byte{"nil": nil, "empty": {}} {
			if err := p.Put(p.ctx, key, value, 0); err != nil {
				t.Fatalf("Put(%q) = %v", key, err)
			}
			got, err := p.Get(p.ctx, key)
			if err != nil || got == nil || len(got) != 0 {
				t.Errorf("Get(%q) = %v, %v, want an empty slice that is not nil", key, got, err)
			}
			if err := p.Swap(p.ctx, key, got, nil, 0); err != nil {
				t.Errorf("Swap(%q, empty, nil) = %v", key, err)
			}
			got, err = p.Take(p.ctx, key)
			if err != nil || got == nil || len(got) != 0 {
				t.Errorf("Take(%q) = %v, %v, want an empty slice that is not nil", key, got, err)
			}
		}
	})
	t.Run("keys are only themselves", func(t *testing.T) {
		p := start(t, open)
		for _, key := range strangeKeys {
			p.put(key, "value of "+key)
		}
		for _, key := range strangeKeys {
			p.want(key, "value of "+key)
		}
		for _, key := range strangeKeys {
			if err := p.Delete(p.ctx, key); err != nil {
				t.Errorf("Delete(%q) = %v", key, err)
			}
			p.wantNone(key)
		}
	})
	t.Run("deleting twice is no error", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "one", "b", "two")
		for range 2 {
			if err := p.Delete(p.ctx, "a"); err != nil {
				t.Errorf("Delete() = %v", err)
			}
			p.wantNone("a")
		}
		p.want("b", "two")
	})
	t.Run("slices are not shared", func(t *testing.T) {
		p := start(t, open)
		value := []byte("original")
		if err := p.Put(p.ctx, "a", value, 0); err != nil {
			t.Fatal(err)
		}
		copy(value, "changed!")
		got, err := p.Get(p.ctx, "a")
		if err != nil || !bytes.Equal(got, []byte("original")) {
			t.Fatalf("Get() = %q, %v after its caller changed what it had put", got, err)
		}
		copy(got, "changed!")
		p.want("a", "original")
	})
}

func testSwap(t *testing.T, open Open) {
	swap := func(p *probe, key string, old, new []byte, want error) {
		p.t.Helper()
		p.wantErr("Swap("+key+")", p.Swap(p.ctx, key, old, new, 0), want)
	}
	t.Run("replaces the expected value only", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "one")
		swap(p, "a", []byte("other"), []byte("two"), store.ErrConflict)
		p.want("a", "one")
		swap(p, "a", []byte("one"), []byte("two"), nil)
		p.want("a", "two")
		swap(p, "a", []byte("one"), []byte("three"), store.ErrConflict)
		p.want("a", "two")
	})
	t.Run("nil old creates and never replaces", func(t *testing.T) {
		p := start(t, open)
		swap(p, "a", nil, []byte("one"), nil)
		swap(p, "a", nil, []byte("two"), store.ErrConflict)
		p.want("a", "one")
	})
	t.Run("a value is expected where none is", func(t *testing.T) {
		p := start(t, open)
		swap(p, "a", []byte("one"), []byte("two"), store.ErrConflict)
		swap(p, "a", []byte{}, []byte("two"), store.ErrConflict)
		p.wantNone("a")
	})
	t.Run("an empty old is not nil", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "one", "empty", "")
		swap(p, "a", []byte{}, []byte("two"), store.ErrConflict)
		swap(p, "empty", nil, []byte("two"), store.ErrConflict)
		swap(p, "empty", []byte{}, []byte("two"), nil)
		p.want("a", "one")
		p.want("empty", "two")
	})
	t.Run("values compare as bytes", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "x\x00y")
		for _, old := range []string{"x", "x\x00", "X\x00y", "x\x00y "} {
			swap(p, "a", []byte(old), []byte("two"), store.ErrConflict)
		}
		swap(p, "a", []byte("x\x00y"), []byte("two"), nil)
	})
	t.Run("the same value again", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "one")
		swap(p, "a", []byte("one"), []byte("one"), nil)
		p.want("a", "one")
	})
}

func testTake(t *testing.T, open Open) {
	p := start(t, open)
	p.put("a", "one", "b", "two")
	got, err := p.Take(p.ctx, "a")
	if err != nil || string(got) != "one" {
		t.Errorf("Take() = %q, %v, want the value", got, err)
	}
	got, err = p.Take(p.ctx, "a")
	if !errors.Is(err, store.ErrNotFound) || got != nil {
		t.Errorf("second Take() = %q, %v, want %v", got, err, store.ErrNotFound)
	}
	p.wantNone("a")
	p.want("b", "two")
}
