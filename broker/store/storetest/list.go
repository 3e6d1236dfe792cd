package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func testList(t *testing.T, open Open) {
	t.Run("an empty store", func(t *testing.T) {
		start(t, open).wantKeys("", "", 10)
	})
	t.Run("order is that of bytes", func(t *testing.T) {
		p := start(t, open)
		for _, key := range strangeKeys {
			p.put(key, "x")
		}
		p.wantKeys("", "", 100, slices.Sorted(slices.Values(strangeKeys))...)
	})
	t.Run("a prefix is no pattern", func(t *testing.T) {
		// Consents are listed by "consent/<subject>/". If "_" or "%" in a
		// subject stood for anything, one user could list and withdraw
		// the consents of another.
		p := start(t, open)
		p.put("a_b/1", "", "aXb/1", "", "a%/1", "", "abc/1", "", "A_b/1", "", "a_b", "", "a_b0", "", `a\_b/1`, "", "a*/1", "")
		p.wantKeys("a_b/", "", 10, "a_b/1")
		p.wantKeys("a_b", "", 10, "a_b", "a_b/1", "a_b0")
		p.wantKeys("a%", "", 10, "a%/1")
		p.wantKeys("a*", "", 10, "a*/1")
		p.wantKeys("%", "", 10)
		p.wantKeys("A", "", 10, "A_b/1")
		p.wantKeys(`a\`, "", 10, `a\_b/1`)
	})
	t.Run("a prefix ends where it ends", func(t *testing.T) {
		p := start(t, open)
		keys := []string{"x\u007f", "x\u007fa", "x\u0080", "x\ud7ff", "x\ud7ffa", "x\ue000", "x\U0010ffff", "x\U0010ffffa", "y"}
		for _, key := range keys {
			p.put(key, "")
		}
		p.wantKeys("x", "", 10, keys[:8]...)
		p.wantKeys("x\u007f", "", 10, keys[:2]...)
		p.wantKeys("x\ud7ff", "", 10, keys[3:5]...)
		p.wantKeys("x\U0010ffff", "", 10, keys[6:8]...)
		p.wantKeys("\U0010ffff", "", 10)
	})
	t.Run("after is not included, nor need it exist", func(t *testing.T) {
		p := start(t, open)
		p.put("k/1", "", "k/2", "", "k/3", "", "l/1", "")
		p.wantKeys("k/", "k/1", 10, "k/2", "k/3")
		p.wantKeys("k/", "k/1x", 10, "k/2", "k/3")
		p.wantKeys("k/", "k/3", 10)
		p.wantKeys("k/", "a", 10, "k/1", "k/2", "k/3")
		p.wantKeys("k/", "z", 10)
		p.wantKeys("", "k/2", 10, "k/3", "l/1")
	})
	t.Run("a limit of nothing", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "")
		p.wantKeys("", "", 0)
		p.wantKeys("", "", -1)
	})
	t.Run("pages add up", func(t *testing.T) {
		p := start(t, open)
		var want []string
		for i := range 100 {
			key := fmt.Sprintf("page/%03d", i)
			want = append(want, key)
			p.put(key, "x")
		}
		p.put("pag", "", "page0", "") // neighbours
		for _, limit := range []int{1, 7, 50, 99, 100, 101} {
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				page, err := p.List(p.ctx, "page/", after, limit)
				if err != nil || len(page) > limit {
					t.Fatalf("List(limit %d) = %d keys, %v", limit, len(page), err)
				}
				got = append(got, page...)
				if len(page) < limit {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("pages of %d hold %s, want all keys once", limit, strings.Join(got, " "))
			}
		}
	})
}
