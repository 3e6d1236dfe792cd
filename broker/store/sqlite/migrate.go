package sqlite

import (
	"fmt"
	"strconv"
)

// migrations make the schema, each from the one before. PRAGMA user_version
// counts how many a file has had. A released one is never edited; changes
// are appended.
var migrations = []string{
	// An ordinary rowid table: WITHOUT ROWID keeps the values in the tree
	// of keys and takes three to seven times as long for values of 1 kB.
	//
	// expiry is in microseconds since 1970, NULL for never. Its index
	// finds what has expired without a walk over all values.
	`CREATE TABLE record (
		key    TEXT NOT NULL PRIMARY KEY,
		value  BLOB NOT NULL,
		expiry INTEGER
	) STRICT;
	CREATE INDEX record_expiry ON record (expiry) WHERE expiry IS NOT NULL`,
}

// migrate brings the schema up to date. Every step is one transaction
// together with the count, so a crash leaves the file at one version or the
// next. There is no way back: an older program must not guess what a newer
// one meant.
func migrate(c *conn, steps []string) error {
	answer, err := c.pragma(`user_version`)
	if err != nil {
		return fmt.Errorf("reading schema version: %w", err)
	}
	version, err := strconv.Atoi(answer)
	if err != nil {
		return fmt.Errorf("reading schema version: %w", err)
	}
	if version > len(steps) {
		return fmt.Errorf("a newer release wrote it: its schema is version %d, this program knows %d", version, len(steps))
	}
	for ; version < len(steps); version++ {
		if err := migrateStep(c, steps[version], version+1); err != nil {
			return fmt.Errorf("migrating schema to version %d: %w", version+1, err)
		}
	}
	return nil
}

func migrateStep(c *conn, step string, version int) (err error) {
	tx, err := c.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err) // commits, or rolls back on an error
	if err := c.Exec(step); err != nil {
		return err
	}
	return c.Exec(fmt.Sprintf(`PRAGMA user_version = %d`, version))
}
