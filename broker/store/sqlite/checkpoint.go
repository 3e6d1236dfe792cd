package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
)

const (
	// longLog is how many pages of 4 KiB the log may have before a
	// checkpoint is due. A longer log makes reads slower and takes more
	// disk; a shorter one makes us wait for the disk more often.
	longLog = 4096

	// retryInterval is how often writes try a checkpoint again after one
	// that failed, so that a broken disk is not asked at every request.
	retryInterval = time.Second
)

// writeAheadLog is what the store knows of SQLite's log.
type writeAheadLog struct {
	due chan struct{} // of one: it holds a value while a checkpoint is due

	checkpointing sync.Mutex // one checkpoint at a time

	// Why the last checkpoint failed, nil if it did not, and when a write
	// may try again. Guarded by holding the writer.
	failure error
	retry   time.Time
}

// committed is SQLite's hook after each commit; it takes the place of the
// one that would run automatic checkpoints.
func (l *writeAheadLog) committed(_ *sqlite3.Conn, _ string, pages int) error {
	if pages >= longLog {
		select {
		case l.due <- struct{}{}:
		default: // it is known already
		}
	}
	return nil
}

// startCheckpoints runs checkpoints in the background when they are due;
// stop ends that and waits for the end.
func (s *Store) startCheckpoints() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-s.log.due:
				// A failure is remembered, and the next write reports it.
				_ = s.checkpoint(ctx, sqlite3.CHECKPOINT_PASSIVE)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// checkpoint moves the log into the database in two parts: the bulk while
// writes go on, then, in a pause of writes, the little that came meanwhile.
// Without the pause a busy log would never be moved whole and so grow for
// ever; without the first part the pause would be long.
func (s *Store) checkpoint(ctx context.Context, mode sqlite3.CheckpointMode) error {
	s.log.checkpointing.Lock()
	defer s.log.checkpointing.Unlock()

	err := s.read(ctx, func(r *reader) error {
		return moveLog(r.conn, sqlite3.CHECKPOINT_PASSIVE)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w, poolErr := s.writers.get(context.WithoutCancel(ctx))
	if poolErr != nil {
		return poolErr
	}
	defer s.writers.put(w)
	if err == nil {
		err = moveLog(w.conn, mode)
	}
	s.log.result(err, s.now())
	return err
}

func moveLog(c *conn, mode sqlite3.CheckpointMode) error {
	_, _, err := c.WALCheckpoint("main", mode)
	return err
}

// result notes how a checkpoint ended.
func (l *writeAheadLog) result(err error, now time.Time) {
	if errors.Is(err, sqlite3.BUSY) {
		return // another one is under way, or a reader kept it from ending
	}
	l.failure = err
	l.retry = now.Add(retryInterval)
	select {
	case <-l.due:
	default:
	}
}

// mayWrite refuses to write after a failed checkpoint, unless one succeeds
// now. What is in the log is lost when the machine stops, and it only gets
// more: better to say so than to acknowledge what the disk will not take.
func (s *Store) mayWrite(w *writer) error {
	if s.log.failure == nil {
		return nil
	}
	if now := s.now(); !now.Before(s.log.retry) {
		s.log.result(moveLog(w.conn, sqlite3.CHECKPOINT_PASSIVE), now)
	}
	if s.log.failure != nil {
		return fmt.Errorf("writes are refused until a checkpoint succeeds; the last one failed: %w", s.log.failure)
	}
	return nil
}
