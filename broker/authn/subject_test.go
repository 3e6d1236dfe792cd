package authn

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

var subjectKey = bytes.Repeat([]byte{7}, SubjectKeySize)

func subject(t testing.TB, connection, issuer, idpSubject string) string {
	t.Helper()
	s, err := Subject(subjectKey, connection, issuer, idpSubject)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSubject(t *testing.T) {
	got := subject(t, "acme", "https://tenant.example/", "auth0|1")
	// HMAC-SHA-256 of "acme NUL https://tenant.example/ NUL auth0|1", made
	// with another implementation. The subjects of a running broker must
	// survive every release: this value never changes.
	const want = "d4af42056e6ed7354621477586af6709f1360f13736817d904e4d90e4c40b6e4"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	t.Run("nobody without the key can compute it", func(t *testing.T) {
		other, err := Subject(bytes.Repeat([]byte{8}, SubjectKeySize), "acme", "https://tenant.example/", "auth0|1")
		if err != nil || other == got {
			t.Errorf("got %s, %v under another key", other, err)
		}
		for _, short := range [][]byte{nil, {}, []byte("short"), subjectKey[1:]} {
			if s, err := Subject(short, "acme", "https://tenant.example/", "auth0|1"); err == nil || s != "" {
				t.Errorf("a key of %d bytes gives %q", len(short), s)
			}
		}
	})
}

// Two upstreams that know the same subject, or say the same address, are
// two persons: whoever can register at the second would else own the
// account of the first. Class of nOAuth, Grafana CVE-2022-31107.
func TestR39_PersonIsConnectionIssuerAndSubjectOnly(t *testing.T) {
	base := subject(t, "acme", "https://a.example/", "1")
	for name, other := range map[string]string{
		"another connection": subject(t, "partner", "https://a.example/", "1"),
		"another issuer":     subject(t, "acme", "https://b.example/", "1"),
		"another subject":    subject(t, "acme", "https://a.example/", "2"),
	} {
		if other == base {
			t.Errorf("%s is the same person", name)
		}
	}
	t.Run("the address makes no difference", func(t *testing.T) {
		p := pipeline(t, standard(false))
		same := `{"email": "ada@example.com", "email_verified": true}`
		seen := make(map[string]string)
		for name, in := range map[string]Input{
			"acme": ada(t, same), "partner": func() Input { in := ada(t, same); in.Connection = "partner"; return in }(),
		} {
			c, _, _, err := p.Build(in)
			if err != nil {
				t.Fatal(err)
			}
			s := subject(t, c.Connection, c.Issuer, c.IDPSubject)
			if other, taken := seen[s]; taken {
				t.Errorf("%s and %s are one person", name, other)
			}
			seen[s] = name
		}
		moved, _, _, err := p.Build(ada(t, `{"email": "other@example.com"}`))
		if err != nil {
			t.Fatal(err)
		}
		if s := subject(t, moved.Connection, moved.Issuer, moved.IDPSubject); seen[s] != "acme" {
			t.Error("a new address makes a new person")
		}
	})
}

// Parts that run into one another would let an upstream whose issuer or
// subjects are the attacker's choice name another upstream's user. Class of
// Oathkeeper CVE-2026-33496.
func TestR35_DistinctPersonsHaveDistinctKeys(t *testing.T) {
	parts := []string{"a", "b", "ab", "aa", "a b", "a|b", "a.b", "a/b", "\x01", "0", "00"}
	seen := make(map[string][3]string)
	for _, connection := range parts {
		for _, issuer := range parts {
			for _, sub := range append(parts, "a\x00b", "\x00", "b\x00a", "\x00a") {
				s := subject(t, connection, issuer, sub)
				if other, taken := seen[s]; taken {
					t.Fatalf("%q and %q are one person", other, [3]string{connection, issuer, sub})
				}
				seen[s] = [3]string{connection, issuer, sub}
			}
		}
	}
	t.Run("a separator inside a part is refused", func(t *testing.T) {
		// Joined, all of these read "a NUL b NUL c NUL d".
		for _, p := range [][3]string{
			{"a\x00b", "c", "d"}, {"a", "b\x00c", "d"}, {"\x00", "b", "c"}, {"a", "\x00", "c"},
		} {
			s, err := Subject(subjectKey, p[0], p[1], p[2])
			if !errors.Is(err, ErrSubject) || s != "" {
				t.Errorf("%q gives %q, %v", p, s, err)
			}
		}
	})
	t.Run("an empty part is refused", func(t *testing.T) {
		for _, p := range [][3]string{{"", "b", "c"}, {"a", "", "c"}, {"a", "b", ""}} {
			if s, err := Subject(subjectKey, p[0], p[1], p[2]); !errors.Is(err, ErrSubject) || s != "" {
				t.Errorf("%q gives %q, %v", p, s, err)
			}
		}
	})
}

func TestSubjectErrorsKeepTheKey(t *testing.T) {
	key := []byte("not-a-secret")
	_, err := Subject(key, "a", "b", "c")
	wantError(t, err, "12 bytes", "32")
	if strings.Contains(err.Error(), string(key)) {
		t.Errorf("error %q tells the key", err)
	}
}
