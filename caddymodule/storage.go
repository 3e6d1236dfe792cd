package caddymodule

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/sqlite"
)

// upkeepInterval is how often the store removes what has expired.
const upkeepInterval = time.Minute

// open opens the embedded store at path: the database and, under its lock,
// the sealing key, so that of two processes that start together only one
// gets to make a key.
func open(ctx context.Context, path string) (store.Store, error) {
	// The connections live longer than the request that opens them.
	db, err := sqlite.Open(context.WithoutCancel(ctx), path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	sealed, err := seal(db, path+".key")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return maintain(sealed, db.Upkeep), nil
}

func seal(db store.Store, keyFile string) (store.Store, error) {
	key, err := store.LoadOrCreateKey(keyFile)
	if err != nil {
		return nil, err
	}
	ring, err := store.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	return store.Sealed(db, ring), nil
}

// A maintainedStore has its upkeep done until it is closed.
type maintainedStore struct {
	store.Store
	stop context.CancelFunc
	done sync.WaitGroup
}

func maintain(s store.Store, upkeep func(context.Context) error) *maintainedStore {
	ctx, cancel := context.WithCancel(context.Background())
	m := &maintainedStore{Store: s, stop: cancel}
	m.done.Go(func() {
		ticker := time.NewTicker(upkeepInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := upkeep(ctx); err != nil && ctx.Err() == nil {
				poolLogger().Error("upkeep of the store failed", zap.Error(err))
			}
		}
	})
	return m
}

// Close waits for the upkeep to end, and closes the store.
func (m *maintainedStore) Close() error {
	m.stop()
	m.done.Wait()
	return m.Store.Close()
}
