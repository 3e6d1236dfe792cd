package sqlite

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"
)

// expireBatch is how many expired records one statement removes: few enough
// for requests to get their turn within milliseconds.
const expireBatch = 256

// Upkeep removes what has expired and moves the log into the database. Run
// it every minute or so; requests go on meanwhile. One part is tried even
// when the other one fails.
func (s *Store) Upkeep(ctx context.Context) error {
	return errors.Join(
		doing("removing expired records", s.removeExpired(ctx)),
		doing("checkpointing", s.checkpoint(ctx, sqlite3.CHECKPOINT_TRUNCATE)))
}

func (s *Store) removeExpired(ctx context.Context) error {
	now := s.micros()
	for {
		var removed int64
		err := s.write(ctx, func(w *writer) error {
			err := run(w.expire, nil, now, int64(expireBatch))
			removed = w.Changes()
			return err
		})
		if err != nil || removed < expireBatch {
			return err
		}
	}
}
