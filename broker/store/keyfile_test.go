package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

func TestLoadOrCreateKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "sealing.key")
	key, err := store.LoadOrCreateKey(path)
	if err != nil || len(key) != store.KeySize {
		t.Fatalf("LoadOrCreateKey() = %d bytes, %v", len(key), err)
	}
	if bytes.Equal(key, make([]byte, store.KeySize)) {
		t.Error("the key is all zero")
	}
	again, err := store.LoadOrCreateKey(path)
	if err != nil || !bytes.Equal(again, key) {
		t.Errorf("the second call returns another key (%v)", err)
	}
	other, err := store.LoadOrCreateKey(filepath.Join(t.TempDir(), "sealing.key"))
	if err != nil || bytes.Equal(other, key) {
		t.Errorf("another file has the same key (%v)", err)
	}
	wantOnly(t, filepath.Dir(path), "sealing.key")
	if runtime.GOOS == "windows" {
		return // which has no modes
	}
	wantMode(t, path, 0o600)
	wantMode(t, filepath.Dir(path), 0o700)
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %04o, want %04o", filepath.Base(path), got, want)
	}
}

// wantOnly checks that no half-written key lies about.
func wantOnly(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != name {
			t.Errorf("%s is left behind", entry.Name())
		}
	}
}

// Two nodes, or two instances during a reload, must not end up with a key
// each: one would seal what the other cannot open.
func TestLoadOrCreateKeyRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sealing.key")
	var mu sync.Mutex
	keys := make(map[string]int)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			key, err := store.LoadOrCreateKey(path)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			keys[string(key)]++
		})
	}
	wg.Wait()
	if len(keys) != 1 {
		t.Errorf("32 racing calls returned %d different keys", len(keys))
	}
	wantOnly(t, filepath.Dir(path), "sealing.key")
}

func TestLoadOrCreateKeyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		want    string
	}{
		"an empty file":        {nil, 0o600, "it is not 32 bytes long; restore it"},
		"a short file":         {testKey(1)[1:], 0o600, "it is not 32 bytes long; restore it"},
		"a long file":          {append(testKey(1), '\n'), 0o600, "it is not 32 bytes long; restore it"},
		"readable by group":    {testKey(1), 0o640, "its mode 0640 lets other users at it; set 0600"},
		"readable by everyone": {testKey(1), 0o604, "its mode 0604 lets other users at it; set 0600"},
		"writable by group":    {testKey(1), 0o620, "its mode 0620 lets other users at it; set 0600"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sealing.key")
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			key, err := store.LoadOrCreateKey(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("LoadOrCreateKey() = %v, %v, want the path and %q", key, err, c.want)
			}
			left, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(left, c.content) {
				t.Errorf("the file was changed to %q (%v)", left, err)
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		if _, err := store.LoadOrCreateKey(t.TempDir()); err == nil {
			t.Error("LoadOrCreateKey(directory) = nil")
		}
	})
	t.Run("a place where none can be made", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.LoadOrCreateKey(filepath.Join(file, "sealing.key")); err == nil {
			t.Error("LoadOrCreateKey(below a file) = nil")
		}
	})
}
