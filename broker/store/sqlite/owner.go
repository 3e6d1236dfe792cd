package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// ErrInUse is returned by [Open] while the file is open elsewhere, in this
// process or in another one.
//
// SQLite itself would let several processes share the file. The broker must
// not: each would keep its own caches, and [Store.Watch] tells none of them
// what the others revoked.
var ErrInUse = errors.New("another process holds it, or another store of this one; " +
	`one embedded database serves one process; stop the other, or give this one a path of its own`)

// ownerTimeout only settles two that come at the same moment: both can step
// back from each other, and the retry lets one through.
const ownerTimeout = 250 * time.Millisecond

// An owner holds a database for this process.
//
// The lock is a second, empty SQLite database on which a transaction stays
// open. So it uses whatever locks SQLite uses on each system, and the system
// drops it with the process however that dies: no stale lock, no process id
// to check. The file itself stays, because removing it would let one process
// lock the removed file and another the next one of that name.
type owner struct {
	conn *sqlite3.Conn
}

func own(ctx context.Context, path string) (*owner, error) {
	path += ".lock"
	if err := touch(path); err != nil {
		return nil, err
	}
	conn, err := sqlite3.OpenContext(ctx, dataSource(path, ""))
	if err != nil {
		return nil, fmt.Errorf("opening its lock: %w", err)
	}
	err = errors.Join(
		conn.BusyTimeout(ownerTimeout),
		conn.Exec(`PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE`)) // nothing to roll back
	if err == nil {
		return &owner{conn: conn}, nil
	}
	conn.Close()
	if errors.Is(err, sqlite3.BUSY) {
		return nil, ErrInUse
	}
	return nil, fmt.Errorf("locking it: %w", err)
}

func (o *owner) release() error {
	return o.conn.Close() // ends the transaction
}
