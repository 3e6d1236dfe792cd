package token

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// rendezvous holds each node back in its first Swap until all have found
// the store empty, which is the worst moment.
type rendezvous struct {
	store.Store
	arrived *sync.WaitGroup
}

func (r rendezvous) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	r.arrived.Done()
	r.arrived.Wait()
	return r.Store.Swap(ctx, key, old, new, ttl)
}

func TestS77_NodesAgreeOnOneKeySet(t *testing.T) {
	const nodes = 3
	shared := store.NewMemory(nil)
	var arrived, done sync.WaitGroup
	arrived.Add(nodes)
	published := make([][]byte, nodes)
	for i := range nodes {
		done.Go(func() {
			raw, err := NewKeys(rendezvous{shared, &arrived}).JWKS(t.Context())
			if err != nil {
				t.Error(err)
			}
			published[i] = raw
		})
	}
	done.Wait()
	for i := range nodes {
		if !bytes.Equal(published[0], published[i]) {
			t.Errorf("nodes 0 and %d publish different keys:\n%s\n%s", i, published[0], published[i])
		}
	}
	late, err := NewKeys(shared).JWKS(t.Context())
	if err != nil || !bytes.Equal(late, published[0]) {
		t.Errorf("a node that starts later publishes %s (%v)", late, err)
	}
}

func TestKeys_SurviveRestart(t *testing.T) {
	clock := storetest.NewClock()
	before := newMinter(t, clock)
	raw := mint(t, before, authorization("openid"), client())
	after := newMinter(t, clock)
	after.Keys = NewKeys(before.Keys.store)
	if _, err := after.VerifyAccess(t.Context(), raw.AccessToken, issuer); err != nil {
		t.Errorf("a token from before the restart: %v", err)
	}
	verify(t, after.Keys, raw.IDToken, RS256)
}

// countingStore counts reads.
type countingStore struct {
	store.Store
	gets int
}

func (c *countingStore) Get(ctx context.Context, key string) ([]byte, error) {
	c.gets++
	return c.Store.Get(ctx, key)
}

func TestKeys_AreReadOnce(t *testing.T) {
	counting := &countingStore{Store: store.NewMemory(nil)}
	keys := NewKeys(counting)
	if counting.gets != 0 {
		t.Error("NewKeys does I/O")
	}
	for range 3 {
		if _, err := keys.JWKS(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if counting.gets != 1 {
		t.Errorf("the store was read %d times, want once", counting.gets)
	}
}

func TestKeys_StoreFailureIsNotRemembered(t *testing.T) {
	inner := store.NewMemory(nil)
	for n := range 4 { // the Get, then the Swap; without effect, then with it
		fault := storetest.Faulty
		if n >= 2 {
			fault = storetest.FaultyAfter
		}
		keys := NewKeys(fault(inner, n%2+1))
		if _, err := keys.JWKS(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "loading signing keys: ") {
			t.Errorf("fault %d: got %v", n, err)
		}
		if _, err := keys.JWKS(t.Context()); err != nil {
			t.Errorf("fault %d: the second try: %v", n, err)
		}
		if err := inner.Delete(t.Context(), keysRecord); err != nil {
			t.Fatal(err)
		}
	}
}

// A record that cannot be used must stop the broker: making new keys in its
// place would disown every live token.
func TestKeys_UnusableRecord(t *testing.T) {
	raw, err := generateKeys()
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	encode := func(keys ...jose.JSONWebKey) []byte {
		out, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, tc := range map[string]struct {
		record []byte
		want   string
	}{
		"not JSON":      {[]byte("{"), "the stored key set is not readable"},
		"no keys":       {encode(), "the stored key set lacks an algorithm"},
		"only one":      {encode(set.Keys[0]), "the stored key set lacks an algorithm"},
		"public keys":   {encode(set.Keys[0].Public(), set.Keys[1].Public()), "cannot sign"},
		"symmetric key": {encode(jose.JSONWebKey{Key: []byte("not-a-secret"), KeyID: "k", Algorithm: "HS256"}), "stored key k cannot sign"},
	} {
		t.Run(name, func(t *testing.T) {
			s := store.NewMemory(nil)
			if err := s.Put(t.Context(), keysRecord, tc.record, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := NewKeys(s).JWKS(t.Context()); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if kept, _ := s.Get(t.Context(), keysRecord); !bytes.Equal(kept, tc.record) {
				t.Error("the record was replaced")
			}
		})
	}
}

func TestS78_JWKSIsPublic(t *testing.T) {
	raw, err := NewKeys(store.NewMemory(nil)).JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 2 {
		t.Fatalf("%d keys, want 2", len(set.Keys))
	}
	allowed := map[string]string{
		"EC":  " kty use alg kid crv x y ",
		"RSA": " kty use alg kid n e ",
	}
	for _, key := range set.Keys {
		for member := range key {
			if !strings.Contains(allowed[key["kty"]], " "+member+" ") {
				t.Errorf("the %s key publishes %q", key["kty"], member)
			}
		}
		if key["use"] != "sig" {
			t.Errorf("use %q, want sig", key["use"])
		}
	}
}

func TestS76_KeyIDIsThumbprint(t *testing.T) {
	raw, err := NewKeys(store.NewMemory(nil)).JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		sum, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if want := base64.RawURLEncoding.EncodeToString(sum); key.KeyID != want {
			t.Errorf("%s: kid %q, want %q", key.Algorithm, key.KeyID, want)
		}
	}
}

func TestSign_UnknownAlgorithm(t *testing.T) {
	keys := NewKeys(store.NewMemory(nil))
	for _, alg := range []string{"", "none", "HS256", "PS256"} {
		if raw, err := keys.sign(t.Context(), alg, typeJWT, nil); err == nil {
			t.Errorf("%q signs: %s", alg, raw)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewKeys(store.NewMemory(nil)).sign(canceled, ES256, typeJWT, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled request: %v", err)
	}
}
