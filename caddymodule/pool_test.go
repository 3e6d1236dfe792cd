package caddymodule

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// TestProviderPool proves that equal settings share a provider, with the
// metadata it has fetched, and that a changed secret makes another one.
func TestProviderPool(t *testing.T) {
	var first, second references
	made := 0
	get := func(r *references, secret string) provider.Provider {
		t.Helper()
		p, err := r.provider(Provider{ClientSecret: secret}, func() (provider.Provider, error) {
			made++
			return new(oidc.Provider), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	one := get(&first, "not-a-secret")
	if two := get(&second, "not-a-secret"); two != one || made != 1 {
		t.Errorf("equal settings made %d providers, want 1", made)
	}
	if three := get(&second, "not-a-secret-2"); three == one || made != 2 {
		t.Error("another secret got the old provider")
	}
	if err := errors.Join(first.release(), second.release()); err != nil {
		t.Fatal(err)
	}
	assertPoolsEmpty(t)
}

// TestProviderPoolFailure proves that a provider which could not be made is
// not given back: that would be once too often.
func TestProviderPoolFailure(t *testing.T) {
	var r references
	cause := errors.New("no such provider")
	if _, err := r.provider(1, func() (provider.Provider, error) { return nil, cause }); !errors.Is(err, cause) {
		t.Errorf("error %v, want %v", err, cause)
	}
	if err := r.release(); err != nil {
		t.Fatal(err)
	}
	assertPoolsEmpty(t)
}

// TestEnginePool proves that the scripts of two configurations share what
// bounds them, and that it is taken once by each.
func TestEnginePool(t *testing.T) {
	var first, second references
	one := first.engine()
	if first.engine() != one || second.engine() != one {
		t.Error("there are two engines")
	}
	if n, _ := engines.References(engineKey); n != 2 {
		t.Errorf("the engine has %d references, want 2", n)
	}
	if err := errors.Join(first.release(), second.release()); err != nil {
		t.Fatal(err)
	}
	assertPoolsEmpty(t)
}

// TestStatePool proves that two configurations share one store, which is
// closed with the second of them.
func TestStatePool(t *testing.T) {
	path := t.TempDir() + "/a.db"
	var first, second references
	one := first.state(path)
	if two := second.state(path); one != two {
		t.Fatal("one path has two stores")
	}
	if err := one.store.Put(t.Context(), "k", []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	if got, err := one.store.Get(t.Context(), "k"); err != nil || string(got) != "v" {
		t.Errorf("Get: %q, %v: the store must live as long as it is held", got, err)
	}
	if err := second.release(); err != nil {
		t.Fatal(err)
	}
	if _, err := one.store.Get(t.Context(), "k"); err == nil {
		t.Error("the store is open although nobody holds it")
	}
}

// TestUpkeep proves that it runs every minute, survives failures, and has
// ended when Close returns.
func TestUpkeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		m := maintain(store.NewMemory(time.Now), func(context.Context) error {
			runs++
			return errors.New("disk full")
		})
		time.Sleep(3*upkeepInterval + time.Second)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if runs != 3 {
			t.Errorf("%d runs in three minutes, want 3", runs)
		}
		time.Sleep(2 * upkeepInterval)
		if runs != 3 {
			t.Error("upkeep went on after Close")
		}
	})
}
