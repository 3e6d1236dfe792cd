//go:build unix

package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/sqlite"
)

// Other users of the machine must not read even sealed records: keys say
// who has signed in, and a copy is a thing to try keys on.
func TestS92_Modes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // the worst a system can have
	dir := filepath.Join(t.TempDir(), "auth", "broker")
	path := filepath.Join(dir, "a.db")
	for _, round := range []string{"new", "opened again"} {
		s := open(t, path, nil)
		if err := s.Put(t.Context(), "a", make([]byte, 1000), 0); err != nil {
			t.Fatal(err)
		}
		wantModes(t, round, dir, "a.db", "a.db-shm", "a.db-wal", "a.db.lock")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantModes(t, round+" and closed", dir, "a.db", "a.db.lock")
	}
}

func TestS92_WideModesAreNarrowed(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	path := filepath.Join(dir, "a.db")
	for _, suffix := range []string{"", "-shm", "-wal", ".lock"} {
		if err := os.WriteFile(path+suffix, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, nil)
	defer s.Close()
	if err := s.Put(t.Context(), "a", nil, 0); err != nil {
		t.Fatal(err)
	}
	wantModes(t, "opened", dir, "a.db", "a.db-shm", "a.db-wal", "a.db.lock")
}

// A link to the directory or to the file leads to the same lock.
func TestLinksShareTheLock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "real", "a.db")
	s := open(t, path, nil)
	defer s.Close()
	for link, target := range map[string]string{"dir": filepath.Dir(path), "link.db": path} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{filepath.Join("dir", "a.db"), "link.db"} {
		other, err := sqlite.Open(t.Context(), filepath.Join(dir, name), sqlite.Options{})
		if !errors.Is(err, sqlite.ErrInUse) {
			t.Errorf("Open(%s) = %v, %v, want %v", name, other, err, sqlite.ErrInUse)
		}
	}
}

// wantModes checks dir and that exactly these files are in it.
func wantModes(t *testing.T, when, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(names) {
		t.Errorf("%s: the files are %v, want %v", when, entries, names)
	}
	for i, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if i < len(names) && entry.Name() != names[i] || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %s has mode %04o, want 0600", when, entry.Name(), info.Mode().Perm())
		}
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%s: the directory has mode %04o (%v), want 0700", when, info.Mode().Perm(), err)
	}
}
