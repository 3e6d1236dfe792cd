package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// A disk is SQLite's file layer with faults that can be switched on.
type disk struct {
	vfs.VFS
	writeWAL, writeDB, syncWAL, syncDB atomic.Bool // these fail
	syncs                              atomic.Int64
}

func (d *disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	if err != nil {
		return nil, flags, err
	}
	f := &faultyFile{File: file, disk: d, write: &d.writeDB, sync: &d.syncDB}
	if flags&vfs.OPEN_WAL != 0 {
		f.write, f.sync = &d.writeWAL, &d.syncWAL
	}
	return f, flags, nil
}

type faultyFile struct {
	vfs.File
	disk        *disk
	write, sync *atomic.Bool
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if f.write.Load() {
		n, _ := f.File.WriteAt(p[:len(p)/2], off) // torn, as a full disk does it
		return n, sqlite3.FULL
	}
	return f.File.WriteAt(p, off)
}

func (f *faultyFile) Sync(flags vfs.SyncFlag) error {
	f.disk.syncs.Add(1)
	if f.sync.Load() {
		return sqlite3.IOERR_FSYNC
	}
	return f.File.Sync(flags)
}

func (f *faultyFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// onDisk opens a store on a disk, with the record "a" = "one".
func onDisk(t *testing.T) (*Store, *disk, *storetest.Clock) {
	t.Helper()
	d := &disk{VFS: vfs.Find("")}
	vfs.Register(t.Name(), d)
	t.Cleanup(func() { vfs.Unregister(t.Name()) })
	clock := storetest.NewClock()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), Options{Now: clock.Now, vfs: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	wantWritten(t, s, "one")
	return s, d, clock
}

func wantWritten(t *testing.T, s *Store, value string) {
	t.Helper()
	if err := s.Put(t.Context(), "a", []byte(value), 0); err != nil {
		t.Errorf("Put() = %v", err)
	}
	wantValue(t, s, value)
}

func wantValue(t *testing.T, s *Store, want string) {
	t.Helper()
	got, err := s.Get(t.Context(), "a")
	if err != nil || string(got) != want {
		t.Errorf("Get() = %q, %v, want %q", got, err, want)
	}
}

// wantNoWrite checks that no method acknowledges a write or changes a thing.
func wantNoWrite(t *testing.T, s *Store, want string) {
	t.Helper()
	ctx := t.Context()
	value, takeErr := s.Take(ctx, "a")
	if value != nil {
		t.Errorf("Take() hands out %q, which is still there", value)
	}
	for name, err := range map[string]error{
		"Put":      s.Put(ctx, "a", []byte("new"), 0),
		"Swap":     s.Swap(ctx, "a", []byte("one"), []byte("new"), 0),
		"Swap nil": s.Swap(ctx, "b", nil, []byte("new"), 0),
		"Take":     takeErr,
		"Delete":   s.Delete(ctx, "a"),
	} {
		if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s() = %v, want an error with %q", name, err, want)
		}
	}
	wantValue(t, s, "one")
	if keys, err := s.List(ctx, "", "", 10); err != nil || len(keys) != 1 {
		t.Errorf("List() = %q, %v, want the one record", keys, err)
	}
}

func TestS123_FullDisk(t *testing.T) {
	s, d, _ := onDisk(t)
	d.writeWAL.Store(true)
	wantNoWrite(t, s, "database or disk is full")
	d.writeWAL.Store(false)
	wantWritten(t, s, "two")
}

// The log has what was written, but the disk does not take it. SQLite's
// automatic checkpoint would keep that to itself and go on to acknowledge
// writes.
func TestS123_WritesStopWhenCheckpointsFail(t *testing.T) {
	for name, fault := range map[string]func(*disk) *atomic.Bool{
		"database cannot be synced":  func(d *disk) *atomic.Bool { return &d.syncDB },
		"database cannot be written": func(d *disk) *atomic.Bool { return &d.writeDB },
		"log cannot be synced":       func(d *disk) *atomic.Bool { return &d.syncWAL },
	} {
		const refused = "writes are refused until a checkpoint succeeds"
		fail := func(t *testing.T) (*Store, *disk, *storetest.Clock, *atomic.Bool) {
			s, d, clock := onDisk(t)
			broken := fault(d)
			broken.Store(true)
			if err := s.Upkeep(t.Context()); err == nil || !strings.Contains(err.Error(), "checkpointing: ") {
				t.Errorf("Upkeep() = %v", err)
			}
			wantNoWrite(t, s, refused)
			return s, d, clock, broken
		}
		t.Run(name+", healed by upkeep", func(t *testing.T) {
			s, _, _, broken := fail(t)
			if err := s.Upkeep(t.Context()); err == nil {
				t.Error("Upkeep() = nil on a broken disk")
			}
			wantNoWrite(t, s, refused)
			broken.Store(false)
			if err := s.Upkeep(t.Context()); err != nil {
				t.Errorf("Upkeep() = %v on a mended disk", err)
			}
			wantWritten(t, s, "two")
		})
		t.Run(name+", healed by a write", func(t *testing.T) {
			s, d, clock, broken := fail(t)
			syncs := d.syncs.Load()
			for range 10 {
				wantNoWrite(t, s, refused)
			}
			if n := d.syncs.Load() - syncs; n != 0 {
				t.Errorf("writes asked a broken disk %d times within a second", n)
			}
			clock.Advance(retryInterval)
			wantNoWrite(t, s, refused)
			broken.Store(false)
			wantNoWrite(t, s, refused) // it was asked just now
			clock.Advance(retryInterval)
			wantWritten(t, s, "two")
		})
	}
}

func TestS123_BackgroundCheckpointFails(t *testing.T) {
	s, d, clock := onDisk(t)
	d.syncDB.Store(true)
	var err error
	for i := 0; err == nil && i < 10*longLog; i++ {
		err = s.Put(t.Context(), "big", bytes.Repeat([]byte{byte(i)}, 16<<10), 0)
	}
	if err == nil || !strings.Contains(err.Error(), "writes are refused") {
		t.Fatalf("Put() = %v for ever on a disk that cannot sync", err)
	}
	d.syncDB.Store(false)
	clock.Advance(retryInterval)
	wantWritten(t, s, "two")
}

// Without upkeep the log is moved into the database once it is long, so that
// it does not grow for ever.
func TestBackgroundCheckpoint(t *testing.T) {
	s, _, _ := onDisk(t)
	path := s.conns[0].Filename("main").String()
	size := func(suffix string) int64 {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	const value = 64 << 10
	for i := 0; size("") < value; i++ {
		if i == 10*longLog*4096/value {
			t.Fatalf("the log has %d bytes, and the database is still empty", size("-wal"))
		}
		if err := s.Put(t.Context(), "big", bytes.Repeat([]byte{byte(i)}, value), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := size("-wal"); n != 0 {
		t.Errorf("the log has %d bytes after upkeep, want none", n)
	}
}

// A request that gives up while others write leaves its place in the queue.
func TestWaitingEndsWithTheContext(t *testing.T) {
	s, _, _ := onDisk(t)
	w, err := s.writers.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.writers.put(w)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Put(ctx, "a", nil, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Put() = %v, want %v", err, context.DeadlineExceeded)
	}
	wantValue(t, s, "one") // reading needs no turn
}
