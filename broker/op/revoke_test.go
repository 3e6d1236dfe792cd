package op

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// A sign-in may finish in the very instant of the revocation, after the
// sessions were looked for: then the time alone tells that it does not count.
func TestS115_WhatIsAsOldAsTheRevocationDoesNotHold(t *testing.T) {
	clock := storetest.NewClock()
	kept := store.NewMemory(clock.Now)
	s := &Server{
		Store: kept, Now: clock.Now, Log: zap.NewNop(), Sessions: &session.Manager{Store: kept, Now: clock.Now},
		Ledger: &consent.Ledger{Store: kept, Now: clock.Now},
	}
	now := clock.Now()
	if err := s.RevokeUser(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		subject string
		given   time.Time
		want    bool
	}{
		"before":                            {"ada", now.Add(-time.Nanosecond), false},
		"the same instant":                  {"ada", now, false},
		"the same instant, in another zone": {"ada", now.In(time.FixedZone("", 3600)), false},
		"after":                             {"ada", now.Add(time.Nanosecond), true},
		"somebody else's":                   {"ada ", now, true},
	} {
		t.Run(name, func(t *testing.T) {
			holds, err := s.Holds(t.Context(), &authn.Authorization{ClientID: "web", Created: test.given, Context: &authn.Context{Subject: test.subject}})
			if err != nil || holds != test.want {
				t.Errorf("holds %t, %v", holds, err)
			}
		})
	}
	t.Run("a note that cannot be read", func(t *testing.T) {
		if err := kept.Put(t.Context(), revokedKey("ada"), []byte("{"), 0); err != nil {
			t.Fatal(err)
		}
		if holds, err := s.Holds(t.Context(), &authn.Authorization{Created: now.Add(time.Hour), Context: &authn.Context{Subject: "ada"}}); err == nil || holds {
			t.Errorf("holds %t, %v", holds, err)
		}
	})
}
