package store_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestS86_SecretKey(t *testing.T) {
	// SHA-256 of the empty string, FIPS 180-4.
	const want = "code/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
	if got := store.SecretKey("code", ""); got != want {
		t.Errorf("SecretKey() = %q, want %q", got, want)
	}
	const secret = "not-a-secret"
	key := store.SecretKey("session", secret)
	if strings.Contains(key, secret) || !strings.HasPrefix(key, "session/") {
		t.Errorf("SecretKey(%q) = %q", secret, key)
	}
	if key == store.SecretKey("session", secret+"x") || key == store.SecretKey("code", secret) {
		t.Error("two secrets or two kinds have one key")
	}
}

func TestS86_NewSecret(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		s := store.NewSecret()
		if len(s) != 43 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("NewSecret() = %q, want 43 characters of base64url", s)
		}
		if seen[s] {
			t.Fatal("NewSecret() repeats itself")
		}
		seen[s] = true
	}
}

func TestSecret(t *testing.T) {
	s := store.NewMemory(nil)
	first, err := store.Secret(t.Context(), s, "subject", 32)
	if err != nil || len(first) != 32 || bytes.Equal(first, make([]byte, 32)) {
		t.Fatalf("Secret() = %x, %v", first, err)
	}
	again, err := store.Secret(t.Context(), s, "subject", 32)
	if err != nil || !bytes.Equal(again, first) {
		t.Errorf("Secret() = %x, %v the second time, want %x", again, err, first)
	}
	other, err := store.Secret(t.Context(), s, "pairwise", 32)
	if err != nil || bytes.Equal(other, first) {
		t.Errorf("another name has the same secret (%v)", err)
	}
	if _, err := store.Secret(t.Context(), s, "subject", 16); err == nil {
		t.Error("Secret() cut a secret short")
	}
}

func TestSecretIsOneForAllNodes(t *testing.T) {
	// Both nodes find nothing; the other one is first to store its secret.
	s := store.NewMemory(nil)
	var theirs []byte
	between := &interposed{Store: s, beforeSwap: func() {
		var err error
		if theirs, err = store.Secret(t.Context(), s, "subject", 32); err != nil {
			t.Error(err)
		}
	}}
	ours, err := store.Secret(t.Context(), between, "subject", 32)
	if err != nil || theirs == nil || !bytes.Equal(ours, theirs) {
		t.Errorf("two nodes have the secrets %x and %x (%v)", ours, theirs, err)
	}
}

// A store that fails must not be taken for an empty one: a second subject
// key would make every user a stranger.
func TestSecretSurvivesFaults(t *testing.T) {
	type faulty func(store.Store, int) *storetest.FaultyStore
	for name, faulty := range map[string]faulty{"before": storetest.Faulty, "after": storetest.FaultyAfter} {
		for n := 1; n <= 2; n++ {
			s := store.NewMemory(nil)
			value, err := store.Secret(t.Context(), faulty(s, n), "subject", 32)
			if !errors.Is(err, storetest.ErrFault) || value != nil {
				t.Errorf("fault %s call %d: Secret() = %x, %v", name, n, value, err)
			}
			first, err := store.Secret(t.Context(), s, "subject", 32)
			if err != nil {
				t.Fatal(err)
			}
			value, err = store.Secret(t.Context(), faulty(s, 1), "subject", 32)
			if !errors.Is(err, storetest.ErrFault) || value != nil {
				t.Errorf("fault %s call %d: Secret() = %x, %v", name, n, value, err)
			}
			again, err := store.Secret(t.Context(), s, "subject", 32)
			if err != nil || !bytes.Equal(again, first) {
				t.Errorf("fault %s call %d: the secret has changed (%v)", name, n, err)
			}
		}
	}
}
