package session

import (
	"errors"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestS20_MalformedHandles(t *testing.T) {
	b := newBench(t)
	s, sso := b.signedIn("", "ada")
	gate := b.gateSession(s.SID)
	_, ssoSecret, _ := strings.Cut(sso, ".")
	_, gateSecret, _ := strings.Cut(gate, ".")
	long := strings.Repeat("A", 43)
	for name, handle := range map[string]string{
		"empty":                  "",
		"dot":                    ".",
		"sid alone":              s.SID,
		"sid and dot":            s.SID + ".",
		"secret alone":           ssoSecret,
		"wrong secret":           s.SID + "." + long,
		"wrong sid":              long + "." + ssoSecret,
		"swapped":                ssoSecret + "." + s.SID,
		"another separator":      s.SID + ":" + ssoSecret,
		"two dots":               s.SID + ".." + ssoSecret,
		"three parts":            sso + "." + ssoSecret,
		"truncated":              sso[:len(sso)-1],
		"extended":               sso + "A",
		"line break":             sso + "\n",
		"NUL":                    sso[:len(sso)-1] + "\x00",
		"path in the sid":        strings.Repeat("../", 14) + "." + "." + long,
		"slash in the sid":       strings.Repeat("/", 43) + "." + long,
		"secret's key as secret": s.SID + "." + strings.TrimPrefix(store.SecretKey("sso", ssoSecret), "sso/"),
		"not UTF-8":              strings.Repeat("\xff", 43) + "." + long,
		"huge":                   strings.Repeat("A", 1<<20) + "." + long,
	} {
		b.ssoLives("SSO: "+name, handle, false)
		b.gateLives("gate: "+name, handle, false)
		if err := b.TouchGate(t.Context(), handle, b.clock.Now()); !errors.Is(err, ErrNoSession) {
			t.Errorf("TouchGate: %s: %v", name, err)
		}
		if err := b.EndGate(t.Context(), handle); err != nil {
			t.Errorf("EndGate: %s: %v", name, err)
		}
		if _, fresh, err := b.SignedIn(t.Context(), handle, "staff", login("ada")); err != nil || fresh == "" {
			t.Errorf("SignedIn: %s: %q, %v", name, fresh, err)
		}
	}
	// Nor does one kind of handle pass for the other.
	b.ssoLives("a gate handle", gate, false)
	b.gateLives("an SSO handle", sso, false)
	b.ssoLives("a gate's secret", s.SID+"."+gateSecret, false)
	// None of that has touched the real ones.
	b.ssoLives("SSO", sso, true)
	b.gateLives("gate", gate, true)
}

// What cannot be a handle costs no I/O: a flood of it must not reach the
// store.
func TestS20_MalformedHandlesDoNotReachTheStore(t *testing.T) {
	sid, secret := store.NewSecret(), store.NewSecret()
	for _, handle := range []string{
		"", ".", sid, sid + ".", "." + secret, sid + "." + secret[1:], sid[1:] + "." + secret, sid + "." + secret + "A",
		sid[1:] + "/." + secret, "session/" + sid[8:] + "." + secret, strings.Repeat("A", 1<<20) + "." + secret,
	} {
		b := newBench(t)
		down := storetest.Faulty(b.Store, 1)
		b.Store = down
		b.ssoLives(handle, handle, false)
		b.gateLives(handle, handle, false)
		if err := b.EndGate(t.Context(), handle); err != nil || down.Fired() {
			t.Errorf("%.50q reaches the store: %v", handle, err)
		}
	}
}

func TestR31_FlippedHandle(t *testing.T) {
	b := newBench(t)
	s, sso := b.signedIn("", "ada")
	gate := b.gateSession(s.SID)
	for i := range sso {
		for _, bit := range []byte{1, 2, 4, 32} {
			flip := func(handle string) string {
				raw := []byte(handle)
				raw[i] ^= bit
				return string(raw)
			}
			b.ssoLives("SSO", flip(sso), false)
			b.gateLives("gate", flip(gate), false)
		}
		b.ssoLives("truncated SSO", sso[:i], false)
		b.gateLives("truncated gate", gate[:i], false)
	}
}

// A copy of the store must not contain anything that signs in.
func TestS15_HandleIsNotInTheStore(t *testing.T) {
	b := newBench(t)
	s, sso := b.signedIn("", "ada")
	gate := b.gateSession(s.SID)
	for _, key := range b.records(s.SID) {
		value, err := b.Store.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for _, handle := range []string{sso, gate} {
			_, secret, _ := strings.Cut(handle, ".")
			if len(secret) != 43 {
				t.Errorf("secret of %d characters", len(secret))
			}
			if strings.Contains(key, secret) || strings.Contains(string(value), secret) {
				t.Errorf("record %s holds a handle's secret", key)
			}
		}
	}
}
