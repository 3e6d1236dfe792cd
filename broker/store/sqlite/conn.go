package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// busyTimeout covers what our own write lock does not: recovery after a
// crash, a checkpoint that waits for readers, and a tool that an operator
// has pointed at the file.
const busyTimeout = 5 * time.Second

// A conn is one connection. It serves one caller at a time.
type conn struct {
	*sqlite3.Conn
}

func connect(ctx context.Context, path, vfs string) (*conn, error) {
	// SQLite would create these with mode 0666 less the umask. The index
	// of the log (-shm) lives as long as some connection is open, so it
	// cannot come back with another mode.
	for _, name := range []string{path, path + "-shm"} {
		if err := touch(name); err != nil {
			return nil, err
		}
	}
	inner, err := sqlite3.OpenContext(ctx, dataSource(path, vfs))
	if err != nil {
		return nil, err
	}
	c := &conn{inner}
	if err := c.setUp(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// setUp sets what every connection must have. The busy timeout is first
// because the switch to the write-ahead log may already have to wait.
func (c *conn) setUp() error {
	if err := c.BusyTimeout(busyTimeout); err != nil {
		return err
	}
	mode, err := c.pragma(`journal_mode = WAL`)
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("no write-ahead log is possible there (journal mode %q)", mode)
	}
	return errors.Join(
		c.Exec(`PRAGMA synchronous = NORMAL`),
		c.WALAutoCheckpoint(0)) // see checkpoint.go
}

// dataSource names a database to SQLite. With modeof the log takes the mode
// of the database file; otherwise the umask alone would decide who can read
// it.
func dataSource(path, vfs string) string {
	path = filepath.ToSlash(path)
	query := url.Values{"modeof": {path}}
	if vfs != "" {
		query.Set("vfs", vfs)
	}
	// In a query, SQLite takes a plus sign for itself.
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// touch makes the file unless it is there, and in any case its owner's only.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&^fs.FileMode(0o600) != 0 {
		err = f.Chmod(0o600)
	}
	return errors.Join(err, f.Close())
}

func (c *conn) prepare(stmt **sqlite3.Stmt, query string) (err error) {
	*stmt, _, err = c.Prepare(query)
	if err != nil {
		return fmt.Errorf("preparing statement: %w", err)
	}
	return nil
}

// pragma runs a PRAGMA and returns its answer.
func (c *conn) pragma(name string) (answer string, err error) {
	stmt, _, err := c.Prepare(`PRAGMA ` + name)
	if err != nil {
		return "", err
	}
	defer stmt.Close()
	err = run(stmt, func() { answer = stmt.ColumnText(0) })
	return answer, err
}

// close finalizes the statements, without which SQLite would not close.
func (c *conn) close() error {
	var errs []error
	for _, stmt := range slices.Collect(c.Stmts()) {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// run executes stmt with args as ?1, ?2, … and calls row for each row of
// the result. When it returns nil, the statement is committed.
func run(stmt *sqlite3.Stmt, row func(), args ...any) error {
	err := bind(stmt, args)
	for err == nil && stmt.Step() {
		row()
	}
	err = cmp.Or(err, stmt.Err())
	return cmp.Or(err, stmt.Reset(), stmt.ClearBindings())
}

func bind(stmt *sqlite3.Stmt, args []any) error {
	for i, arg := range args {
		var err error
		switch arg := arg.(type) {
		case nil:
			err = stmt.BindNull(i + 1)
		case string:
			err = stmt.BindText(i+1, arg)
		case []byte:
			err = stmt.BindBlob(i+1, arg)
		case int64:
			err = stmt.BindInt64(i+1, arg)
		default:
			err = fmt.Errorf("cannot bind a %T", arg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
