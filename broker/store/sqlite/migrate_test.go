package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

func testConn(t *testing.T) *conn {
	t.Helper()
	c, err := connect(t.Context(), filepath.Join(t.TempDir(), "a.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func wantVersion(t *testing.T, c *conn, want string) {
	t.Helper()
	if got, err := c.pragma("user_version"); err != nil || got != want {
		t.Errorf("schema version = %q, %v, want %q", got, err, want)
	}
}

func TestS91_Migrations(t *testing.T) {
	t.Run("run in order, each once", func(t *testing.T) {
		c := testConn(t)
		steps := []string{`CREATE TABLE one (a)`, `ALTER TABLE one ADD COLUMN b`}
		for n := range len(steps) + 1 {
			for range 2 {
				if err := migrate(c, steps[:n]); err != nil {
					t.Fatalf("migrate to version %d: %v", n, err)
				}
			}
		}
		wantVersion(t, c, "2")
		if err := c.Exec(`INSERT INTO one (a, b) VALUES (1, 2)`); err != nil {
			t.Error(err)
		}
	})
	t.Run("a step that fails leaves nothing", func(t *testing.T) {
		c := testConn(t)
		good := []string{`CREATE TABLE one (a)`}
		bad := append(good, `CREATE TABLE two (a); INSERT INTO two VALUES (1); no SQL`)
		err := migrate(c, bad)
		if !errors.Is(err, sqlite3.ERROR) || !strings.Contains(err.Error(), "migrating schema to version 2") {
			t.Errorf("migrate() = %v", err)
		}
		wantVersion(t, c, "1")
		if err := migrate(c, append(good, `CREATE TABLE two (a)`)); err != nil {
			t.Errorf("migrate() = %v once the step is mended", err)
		}
		wantVersion(t, c, "2")
	})
	t.Run("a newer file is left alone", func(t *testing.T) {
		c := testConn(t)
		if err := migrate(c, migrations); err != nil {
			t.Fatal(err)
		}
		if err := c.Exec(`PRAGMA user_version = 99`); err != nil {
			t.Fatal(err)
		}
		err := migrate(c, migrations)
		if err == nil || !strings.Contains(err.Error(), "a newer release wrote it: its schema is version 99") {
			t.Errorf("migrate() = %v", err)
		}
		wantVersion(t, c, "99")
	})
}
