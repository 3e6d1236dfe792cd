package sqlite

import (
	"context"

	"github.com/ncruces/go-sqlite3"
)

// expireBatch is how many expired records one statement removes: few enough
// for requests to get their turn within milliseconds.
const expireBatch = 256

// Upkeep moves the log into the database and removes what has expired. Run
// it every minute or so; requests go on meanwhile. The log comes first: on a
// full disk it makes the room that removing needs, and while it cannot be
// moved nothing may be written anyway.
func (s *Store) Upkeep(ctx context.Context) error {
	if err := s.checkpoint(ctx, sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		return doing("checkpointing", err)
	}
	return doing("removing expired records", s.removeExpired(ctx))
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
