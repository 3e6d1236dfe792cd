package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Every method of the contract is one statement. Each is atomic by itself,
// and its row or row count is the verdict: there is no moment between
// looking and changing that somebody else could use.
const (
	getQuery = `SELECT value FROM record
		WHERE key = ?1 AND (expiry IS NULL OR expiry > ?2)`

	listQuery = `SELECT key FROM record
		WHERE key >= ?1 AND key <> ?2 AND key < ?3 AND (expiry IS NULL OR expiry > ?4)
		ORDER BY key LIMIT ?5`

	putQuery = `INSERT INTO record (key, value, expiry) VALUES (?1, ?2, ?3)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, expiry = excluded.expiry`

	createQuery = putQuery + ` WHERE expiry <= ?4`

	swapQuery = `UPDATE record SET value = ?2, expiry = ?3
		WHERE key = ?1 AND (expiry IS NULL OR expiry > ?4) AND value = ?5`

	takeQuery = `DELETE FROM record
		WHERE key = ?1 AND (expiry IS NULL OR expiry > ?2) RETURNING value`

	deleteQuery = `DELETE FROM record WHERE key = ?1`

	expireQuery = `DELETE FROM record WHERE rowid IN
		(SELECT rowid FROM record WHERE expiry <= ?1 LIMIT ?2)`
)

type reader struct {
	*conn
	get, list *sqlite3.Stmt
}

func newReader(c *conn) (*reader, error) {
	r := &reader{conn: c}
	return r, errors.Join(
		c.prepare(&r.get, getQuery),
		c.prepare(&r.list, listQuery))
}

type writer struct {
	*conn
	put, create, swap, take, delete, expire *sqlite3.Stmt
}

func newWriter(c *conn) (*writer, error) {
	w := &writer{conn: c}
	return w, errors.Join(
		c.prepare(&w.put, putQuery),
		c.prepare(&w.create, createQuery),
		c.prepare(&w.swap, swapQuery),
		c.prepare(&w.take, takeQuery),
		c.prepare(&w.delete, deleteQuery),
		c.prepare(&w.expire, expireQuery))
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := s.read(ctx, func(r *reader) error {
		return run(r.get, func() { value = blob(r.get) }, key, s.micros())
	})
	return found(value, "getting record", err)
}

// List implements [store.Store]. It enters the index where the page begins,
// so the last page costs as little as the first.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	var end any = []byte{} // in SQLite every BLOB sorts after every TEXT
	if e, ok := store.PrefixEnd(prefix); ok {
		end = e
	}
	var keys []string
	err := s.read(ctx, func(r *reader) error {
		return run(r.list, func() { keys = append(keys, r.list.ColumnText(0)) },
			max(prefix, after), after, end, s.micros(), int64(max(limit, 0)))
	})
	return keys, doing("listing records", err)
}

// Put implements [store.Store].
func (s *Store) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	expiry, err := s.expiry(ttl)
	if err != nil {
		return doing("putting record", err)
	}
	err = s.write(ctx, func(w *writer) error {
		return run(w.put, nil, key, notNil(value), expiry)
	})
	return doing("putting record", err)
}

// Swap implements [store.Store].
func (s *Store) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	expiry, err := s.expiry(ttl)
	if err != nil {
		return doing("swapping record", err)
	}
	var changed int64
	err = s.write(ctx, func(w *writer) (err error) {
		if old == nil {
			err = run(w.create, nil, key, notNil(new), expiry, s.micros())
		} else {
			err = run(w.swap, nil, key, notNil(new), expiry, s.micros(), old)
		}
		changed = w.Changes()
		return err
	})
	if err == nil && changed == 0 {
		return store.ErrConflict
	}
	return doing("swapping record", err)
}

// Take implements [store.Store].
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := s.write(ctx, func(w *writer) error {
		return run(w.take, func() { value = blob(w.take) }, key, s.micros())
	})
	return found(value, "taking record", err)
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	err := s.write(ctx, func(w *writer) error { return run(w.delete, nil, key) })
	return doing("deleting record", err)
}

// read lends do a connection. A read ends when the context does.
func (s *Store) read(ctx context.Context, do func(*reader) error) error {
	r, err := s.readers.get(ctx)
	if err != nil {
		return err
	}
	defer s.readers.put(r)
	r.SetInterrupt(ctx)
	defer r.SetInterrupt(context.Background())
	err = do(r)
	if errors.Is(err, sqlite3.INTERRUPT) {
		return ctx.Err()
	}
	return err
}

// write lends do the connection that writes. The context bounds the waiting
// only: a write that has begun takes microseconds, and if it could be broken
// off, its caller would not know whether it counts.
func (s *Store) write(ctx context.Context, do func(*writer) error) error {
	w, err := s.writers.get(ctx)
	if err != nil {
		return err
	}
	defer s.writers.put(w)
	if err := s.mayWrite(w); err != nil {
		return err
	}
	return do(w)
}

// micros is the time as the column expiry has it.
func (s *Store) micros() int64 { return s.now().UnixMicro() }

// expiry is the value of the column expiry: nil for never.
func (s *Store) expiry(ttl time.Duration) (any, error) {
	t, err := store.Expiry(s.now(), ttl)
	if err != nil || t.IsZero() {
		return nil, err
	}
	return t.UnixMicro(), nil
}

// blob copies the value out of the row. It is never nil: see notNil.
func blob(stmt *sqlite3.Stmt) []byte { return stmt.ColumnBlob(0, []byte{}) }

// notNil keeps an empty value apart from none: the column admits no NULL,
// and a nil old value of Swap means "create".
func notNil(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

func found(value []byte, what string, err error) ([]byte, error) {
	switch {
	case err != nil:
		return nil, doing(what, err)
	case value == nil:
		return nil, store.ErrNotFound
	}
	return value, nil
}

// doing says what failed. The key is left out: it can name a user.
func doing(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
