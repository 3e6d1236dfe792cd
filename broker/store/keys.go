package store

import (
	"context"
	"iter"
)

// keysPage is how many keys Keys holds at a time.
const keysPage = 100

// Keys returns all live keys that begin with prefix, in byte order. It lists
// page by page, so that what is put or deleted meanwhile may be among them or
// not, and whoever ranges over it may delete what it has got. After an error,
// which is that of List, there are no more keys.
func Keys(ctx context.Context, s Store, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for after := ""; ; {
			keys, err := s.List(ctx, prefix, after, keysPage)
			if err != nil {
				yield("", err)
				return
			}
			for _, key := range keys {
				if !yield(key, nil) {
					return
				}
			}
			if len(keys) < keysPage {
				return
			}
			after = keys[len(keys)-1]
		}
	}
}
