package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/sqlite"
)

// contents returns all bytes of the database and the files beside it.
func contents(t *testing.T, dir string) []byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

// A thief has the disk: the file, its log, or a backup of both. He finds
// neither values nor the secrets that look records up.
func TestS89_NoCanaryOnDisk(t *testing.T) {
	const canary, secret = "canary-of-a-value", "canary-of-a-secret"
	write := func(t *testing.T, s store.Store) {
		t.Helper()
		ctx := t.Context()
		key := store.SecretKey("code", secret)
		err := errors.Join(
			s.Put(ctx, key, []byte(canary), time.Hour),
			s.Swap(ctx, "created", nil, []byte(canary), 0),
			s.Put(ctx, "swapped", []byte("old"), 0),
			s.Swap(ctx, "swapped", []byte("old"), []byte(canary), 0),
			s.Put(ctx, "deleted", []byte(canary), 0),
			s.Delete(ctx, "deleted"))
		_, takeErr := s.Take(ctx, key)
		if err := errors.Join(err, takeErr); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sealed", func(t *testing.T) {
		dir := t.TempDir()
		inner := open(t, filepath.Join(dir, "a.db"), nil)
		s := seal(t, inner)
		write(t, s)
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"in the log", func() error { return nil }},
			{"after upkeep", func() error { return inner.Upkeep(t.Context()) }},
			{"after closing", s.Close},
		} {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if all := contents(t, dir); bytes.Contains(all, []byte("canary")) {
				t.Errorf("%s: a canary is on disk", step.name)
			}
		}
	})
	t.Run("the same without sealing shows it", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, filepath.Join(dir, "a.db"), nil)
		defer s.Close()
		write(t, s)
		if all := contents(t, dir); !bytes.Contains(all, []byte(canary)) || bytes.Contains(all, []byte(secret)) {
			t.Error("this test would not find a canary, or a secret is in a key")
		}
	})
}

func TestOpenPaths(t *testing.T) {
	// Each of these means something in a URI or to SQLite.
	for _, name := range []string{"a b", "a?mode=memory", "a#b", "a%41", "a&vfs=none", "a+b", "ü", "file:a", ":memory:"} {
		t.Run(name, func(t *testing.T) {
			if os.PathSeparator == '\\' && strings.ContainsAny(name, "?:") {
				return // no names there
			}
			path := filepath.Join(t.TempDir(), name, name)
			s := open(t, path, nil)
			if err := s.Put(t.Context(), "a", []byte("one"), 0); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Size() == 0 {
				t.Errorf("nothing is in the file of that name: %v", err)
			}
			s = open(t, path, nil)
			defer s.Close()
			if got, err := s.Get(t.Context(), "a"); string(got) != "one" {
				t.Errorf("Get() = %q, %v after opening again", got, err)
			}
		})
	}
	t.Run("relative", func(t *testing.T) {
		t.Chdir(t.TempDir())
		s := open(t, "a.db", nil)
		defer s.Close()
		if _, err := os.Stat("a.db-wal"); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenErrors(t *testing.T) {
	refused := func(t *testing.T, path, want string) {
		t.Helper()
		for range 2 { // the first refusal must not leave the lock behind
			_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "opening "+path) {
				t.Errorf("Open() = %v, want the path and %q", err, want)
			}
		}
	}
	t.Run("not a database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a.db")
		content := []byte(strings.Repeat("this is no database\n", 300))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, path, "file is not a database")
		if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, content) {
			t.Errorf("the file was changed (%v)", err)
		}
	})
	t.Run("a directory", func(t *testing.T) {
		refused(t, t.TempDir(), "is a directory")
	})
	t.Run("below a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, filepath.Join(path, "a.db"), "not a directory")
	})
}

func TestErrInUseTellsTheCure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth_broker.db")
	s := open(t, path, nil)
	defer s.Close()
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	want := "opening " + path + ": another process holds it, or another store of this one; " +
		`one embedded database serves one process; stop the other, or give this one a path of its own`
	if err == nil || err.Error() != want {
		t.Errorf("Open() = %v\nwant %s", err, want)
	}
}

func TestOneOfManyOpens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	var won atomic.Pointer[sqlite.Store]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			switch {
			case err == nil:
				if !won.CompareAndSwap(nil, s) {
					t.Error("two stores have the file")
				}
			case !errors.Is(err, sqlite.ErrInUse):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := won.Load(); s == nil {
		t.Error("nobody has got the file")
	} else if err := s.Close(); err != nil {
		t.Error(err)
	}
}
