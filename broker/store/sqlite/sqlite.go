// Package sqlite is the embedded backend of the store: one file, no set-up.
//
// The file belongs to one process, which holds a lock beside it from
// [Open] until it closes the store or dies; several nodes need a shared
// database. Inside the process one connection writes and a few read.
// Taking a connection is the only lock there is: a writer never finds the
// database busy, and a reader never waits for a writer.
//
// A method that returned nil has written to the operating system, so the
// change survives the death of the process. It has not waited for the disk:
// a power cut can lose the last changes, never the file. The disk is waited
// for at a checkpoint, when SQLite moves the write-ahead log into the
// database. SQLite's automatic checkpoint would swallow a failure and go
// on, so it is off, and this package runs checkpoints itself: in
// [Store.Upkeep], and in the background when the log has grown long. After
// one that failed (disk full, disk broken) writes are refused until one
// succeeds; reads go on.
//
// The connections are SQLite's own and not those of database/sql: a read
// takes a third less time, and the driver for database/sql would register
// a global name whose second registration, by another plugin's SQLite, ends
// the program at start.
//
// What is in the file is as secret as what callers put in: wrap the store
// in [store.Sealed].
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// readers is how many connections read. Each has its own page cache of up
// to 2 MB; reads take microseconds, so few connections serve many requests.
const readers = 3

// Options are optional settings of [Open].
type Options struct {
	// Now is the clock that expiry is judged by; the default is
	// [time.Now].
	Now func() time.Time

	// vfs names SQLite's file layer; tests put one with faults in.
	vfs string
}

// A Store keeps records in one SQLite file. It implements [store.Store].
type Store struct {
	now     func() time.Time
	owner   *owner
	readers pool[*reader]
	writers pool[*writer] // of one: to hold it is to hold the write lock
	conns   []*conn       // all of them, for closing
	log     writeAheadLog
	close   func() error
}

// Open opens the store at path and makes it when there is none: the file
// with mode 0600, missing directories with 0700. It returns an error that
// wraps [ErrInUse] while another store has the file open.
//
// Beside path, SQLite keeps "<path>-wal" and "<path>-shm"; the lock is on
// "<path>.lock". Network file systems honour neither.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	s, err := open(ctx, path, opts)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, opts Options) (*Store, error) {
	path, err := place(path)
	if err != nil {
		return nil, err
	}
	owner, err := own(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		now:     opts.Now,
		owner:   owner,
		readers: make(pool[*reader], readers),
		writers: make(pool[*writer], 1),
		log:     writeAheadLog{due: make(chan struct{}, 1)},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.connect(ctx, path, opts.vfs); err != nil {
		return nil, errors.Join(err, s.disconnect())
	}
	stop := s.startCheckpoints()
	s.close = sync.OnceValue(func() error {
		stop()
		err := s.checkpoint(context.Background(), sqlite3.CHECKPOINT_TRUNCATE)
		s.readers.retire()
		s.writers.retire()
		return errors.Join(err, s.disconnect())
	})
	return s, nil
}

// place makes the directory of the database and returns the one name that
// stands for path, whatever links lead to it: the lock and the other files
// beside it are found by that name.
func place(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path)) // no file yet
	return filepath.Join(dir, filepath.Base(path)), err
}

// connect fills both pools. The writer comes first: it makes the schema
// that the readers' statements need.
func (s *Store) connect(ctx context.Context, path, vfs string) error {
	for i := range 1 + readers {
		c, err := connect(ctx, path, vfs)
		if err != nil {
			return err
		}
		s.conns = append(s.conns, c)
		if i > 0 {
			err = s.addReader(c)
		} else {
			err = s.addWriter(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addWriter(c *conn) error {
	if err := migrate(c, migrations); err != nil {
		return err
	}
	c.WALHook(s.log.committed)
	w, err := newWriter(c)
	if err != nil {
		return err
	}
	s.writers <- w
	return nil
}

func (s *Store) addReader(c *conn) error {
	r, err := newReader(c)
	if err != nil {
		return err
	}
	s.readers <- r
	return nil
}

// disconnect closes the connections, which nobody uses any more, and lets
// go of the file.
func (s *Store) disconnect() error {
	var errs []error
	for _, c := range s.conns {
		errs = append(errs, c.close())
	}
	return errors.Join(append(errs, s.owner.release())...)
}

// Close moves the log into the database and gives the file up. It waits for
// calls that are under way; later ones fail.
func (s *Store) Close() error { return s.close() }

// Watch returns nil: the file belongs to this process, so nobody else
// changes it.
func (s *Store) Watch(context.Context) (<-chan string, error) { return nil, nil }

var _ store.Store = (*Store)(nil)
