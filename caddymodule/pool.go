package caddymodule

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// What outlives a reload. While one configuration takes the place of
// another, both hold a reference, and the value passes from the old to the
// new one. A key covers all that shapes its value, since a known key
// ignores the new settings.
var (
	states    = caddy.NewUsagePool() // by path of the database
	providers = caddy.NewUsagePool() // by SHA-256 of the settings
	engines   = caddy.NewUsagePool() // one, for all scripts of the process
)

// A state is what the visitors of this process have: the store with their
// sessions, and the cache of gate sessions.
type state struct {
	store *store.LazyStore
	cache *gateway.Cache
}

func newState(path string) *state {
	return &state{
		store: store.Lazy(func(ctx context.Context) (store.Store, error) { return open(ctx, path) }),
		cache: gateway.NewCache(gateway.DefaultCacheSize),
	}
}

// Destruct closes the store when no configuration uses it any more. Then no
// session of it can be asked about, and streams that one let in end.
func (s *state) Destruct() error {
	err := s.store.Close()
	s.cache.Drop("")
	return err
}

// A pooledProvider keeps a provider's metadata and keys, so that a reload
// does not fetch them again.
type pooledProvider struct{ provider.Provider }

// Destruct does nothing: providers have nothing to close.
func (pooledProvider) Destruct() error { return nil }

// A pooledEngine bounds what all scripts of the process may use: those of
// two configurations together, too, while one takes the place of the other.
type pooledEngine struct{ *script.Engine }

// Destruct does nothing: an engine has nothing to close.
func (pooledEngine) Destruct() error { return nil }

// engineKey is the key of the one engine.
const engineKey = "engine"

// references are an app's holds on the pools, each given back once. The
// zero value holds nothing.
type references struct {
	statePath string
	providers [][sha256.Size]byte
	scripts   *script.Engine
}

func (r *references) state(path string) *state {
	// The constructor opens nothing and cannot fail.
	v, _, _ := states.LoadOrNew(path, func() (caddy.Destructor, error) { return newState(path), nil })
	r.statePath = path
	return v.(*state)
}

// provider returns the provider of settings, which build makes if there is
// none. Settings must hold all that build uses, secrets too.
func (r *references) provider(settings any, build func() (provider.Provider, error)) (provider.Provider, error) {
	raw, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("encoding the settings: %w", err)
	}
	key := sha256.Sum256(raw)
	v, _, err := providers.LoadOrNew(key, func() (caddy.Destructor, error) {
		p, err := build()
		if err != nil {
			return nil, err
		}
		return pooledProvider{p}, nil
	})
	if err != nil {
		return nil, err
	}
	r.providers = append(r.providers, key)
	return v.(pooledProvider).Provider, nil
}

// engine returns the engine of all scripts.
func (r *references) engine() *script.Engine {
	if r.scripts == nil {
		// The constructor cannot fail.
		v, _, _ := engines.LoadOrNew(engineKey, func() (caddy.Destructor, error) { return pooledEngine{script.NewEngine()}, nil })
		r.scripts = v.(pooledEngine).Engine
	}
	return r.scripts
}

func (r *references) release() error {
	var errs []error
	if r.scripts != nil {
		_, err := engines.Delete(engineKey)
		errs = append(errs, err)
	}
	for _, key := range r.providers {
		_, err := providers.Delete(key)
		errs = append(errs, err)
	}
	if r.statePath != "" {
		_, err := states.Delete(r.statePath)
		errs = append(errs, err)
	}
	*r = references{}
	return errors.Join(errs...)
}
