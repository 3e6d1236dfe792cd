package session

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func seal(t testing.TB, s *Sealer, purpose, plaintext string) string {
	t.Helper()
	sealed, err := s.Seal(t.Context(), purpose, []byte(plaintext))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealer_RoundTrip(t *testing.T) {
	s := &Sealer{Store: store.NewMemory(nil)}
	for _, plaintext := range []string{"", "a", `{"s":"state"}`, strings.Repeat("long ", 1000), "\x00\xff"} {
		sealed := seal(t, s, "state", plaintext)
		got, err := s.Open(t.Context(), "state", sealed)
		if err != nil || string(got) != plaintext {
			t.Errorf("got %q, %v; want %q", got, err, plaintext)
		}
		if i := strings.IndexFunc(sealed, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}); i >= 0 {
			t.Errorf("%q holds %q, which a URL does not carry as it is", sealed, sealed[i])
		}
		if len(plaintext) > 3 && strings.Contains(sealed, plaintext) {
			t.Error("the text is readable")
		}
	}
	if first, second := seal(t, s, "state", "x"), seal(t, s, "state", "x"); first == second {
		t.Error("sealing twice gives one text: who watches can tell equal contents")
	}
}

// What was sealed for a cookie must not open as a state parameter, where
// its author may be somebody else.
func TestR33_SealerSeparatesPurposes(t *testing.T) {
	s := &Sealer{Store: store.NewMemory(nil)}
	sealed := seal(t, s, "flow", "x")
	for _, purpose := range []string{"state", "", "flow ", "Flow", "flo"} {
		if got, err := s.Open(t.Context(), purpose, sealed); !errors.Is(err, store.ErrSealed) || got != nil {
			t.Errorf("purpose %q: %q, %v", purpose, got, err)
		}
	}
}

func TestR31_SealerRefusesOtherSpellings(t *testing.T) {
	s := &Sealer{Store: store.NewMemory(nil)}
	sealed := seal(t, s, "state", "plaintexts of three lengths")
	for _, plaintext := range []string{"", "x", "xy"} { // so that every number of spare bits occurs
		other := seal(t, s, "state", plaintext)
		for c := byte(' '); c <= '~'; c++ {
			if twin := other[:len(other)-1] + string(c); twin != other {
				refuse(t, s, "spare bits", twin)
			}
		}
	}
	for i := range len(sealed) {
		refuse(t, s, "truncated", sealed[:i])
		refuse(t, s, "beheaded", sealed[i+1:])
		refuse(t, s, "line break", sealed[:i]+"\n"+sealed[i:])
		for _, bit := range []byte{1, 2, 4, 32} {
			raw := []byte(sealed)
			raw[i] ^= bit
			refuse(t, s, "flipped", string(raw))
		}
	}
	for _, more := range []string{"A", "AAAA", "=", "\n", "\r\n", " ", ".", sealed} {
		refuse(t, s, "extended", sealed+more)
	}
	refuse(t, s, "another broker's", seal(t, &Sealer{Store: store.NewMemory(nil)}, "state", "x"))
}

func refuse(t *testing.T, s *Sealer, name, sealed string) {
	t.Helper()
	if got, err := s.Open(t.Context(), "state", sealed); !errors.Is(err, store.ErrSealed) || got != nil {
		t.Errorf("%s: %q opens to %q, %v", name, sealed, got, err)
	}
}

func TestSealer_NodesAndRestartsShareTheKey(t *testing.T) {
	shared := store.NewMemory(nil)
	var done sync.WaitGroup
	sealed := make([]string, 3)
	for i := range sealed {
		done.Go(func() {
			text, err := (&Sealer{Store: shared}).Seal(t.Context(), "state", []byte("x"))
			if err != nil {
				t.Error(err)
			}
			sealed[i] = text
		})
	}
	done.Wait()
	for _, text := range sealed {
		if got, err := (&Sealer{Store: shared}).Open(t.Context(), "state", text); err != nil || string(got) != "x" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

// A failing store is not bad input: the visitor's cookie must survive it.
func TestSealer_StoreFailure(t *testing.T) {
	inner := store.NewMemory(nil)
	sealed := seal(t, &Sealer{Store: inner}, "state", "x")
	s := &Sealer{Store: storetest.Faulty(inner, 1)}
	if _, err := s.Open(t.Context(), "state", sealed); err == nil || errors.Is(err, store.ErrSealed) {
		t.Errorf("Open: %v", err)
	}
	if got, err := s.Open(t.Context(), "state", sealed); err != nil || string(got) != "x" {
		t.Errorf("the second try: %q, %v", got, err)
	}
	if text, err := (&Sealer{Store: storetest.Faulty(inner, 1)}).Seal(t.Context(), "state", nil); err == nil || text != "" {
		t.Errorf("Seal: %q, %v", text, err)
	}
}

func FuzzF8_Sealer(f *testing.F) {
	s := &Sealer{Store: store.NewMemory(nil)}
	original := []byte(`{"s":"state"}`)
	sealed := seal(f, s, "state", string(original))
	f.Add(sealed)
	f.Add("")
	f.Add(sealed + "\n")
	f.Add(sealed[:len(sealed)/2])
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.Open(t.Context(), "state", text)
		switch {
		case err == nil && (text != sealed || !bytes.Equal(got, original)):
			t.Errorf("%q opens to %q", text, got)
		case err != nil && (!errors.Is(err, store.ErrSealed) || got != nil):
			t.Errorf("%q: %q, %v", text, got, err)
		}
	})
}
