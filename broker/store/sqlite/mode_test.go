//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
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

// wantModes checks dir, its parent if we made it, and exactly these files.
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
