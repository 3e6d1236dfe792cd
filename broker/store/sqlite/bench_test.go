package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// The benchmarks measure what the broker uses: sealed values of 1 kB with a
// ttl, under keys that are hashes.

func benchStore(b *testing.B) store.Store {
	b.Helper()
	sealed := seal(b, open(b, filepath.Join(b.TempDir(), "bench.db"), nil))
	b.Cleanup(func() {
		if err := sealed.Close(); err != nil {
			b.Error(err)
		}
	})
	return sealed
}

func benchKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = store.SecretKey("bench", store.NewSecret())
	}
	return keys
}

func fill(b *testing.B, s store.Store, keys []string, value []byte) {
	b.Helper()
	for _, key := range keys {
		if err := s.Put(b.Context(), key, value, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s, keys := benchStore(b), benchKeys(10_000)
	fill(b, s, keys, make([]byte, 1000))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Get(b.Context(), keys[i%len(keys)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	s, value := benchStore(b), make([]byte, 1000)
	keys := benchKeys(100_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Put(b.Context(), keys[i%len(keys)], value, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSwap(b *testing.B) {
	s, keys := benchStore(b), benchKeys(10_000)
	old, new := make([]byte, 1000), make([]byte, 1000)
	fill(b, s, keys, old)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Swap(b.Context(), keys[i%len(keys)], old, new, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTake includes the Put of what it takes.
func BenchmarkTake(b *testing.B) {
	s, keys := benchStore(b), benchKeys(10_000)
	value := make([]byte, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key := keys[i%len(keys)]
		if err := s.Put(b.Context(), key, value, time.Hour); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Take(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutParallel shows that writers who queue lose little.
func BenchmarkPutParallel(b *testing.B) {
	s, value := benchStore(b), make([]byte, 1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := store.SecretKey("bench", store.NewSecret())
			if err := s.Put(b.Context(), key, value, time.Hour); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
