package consent

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// What was issued under a consent holds until the consent, or a part of what
// it gave, is withdrawn; and not again because consent is given anew.
func TestM94_Holds(t *testing.T) {
	items := Items{Scopes: []string{"openid", "email", "once"}, Claims: authn.RequestedClaims{IDToken: []string{"phone_number"}}}
	for name, tc := range map[string]struct {
		withdraw []string
		want     bool
	}{
		"all":                      {nil, false},
		"a scope of it":            {[]string{"email"}, false},
		"one that is never stored": {[]string{"once"}, false},
		"another scope":            {[]string{"address"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			clock := storetest.NewClock()
			l, c := newLedger(clock), client(oauth.ConsentRemember)
			if err := l.Record(t.Context(), ada, c, Answer{Connection: "staff", Items: items}); err != nil {
				t.Fatal(err)
			}
			issued := clock.Now()
			clock.Advance(time.Second)
			if err := l.Withdraw(t.Context(), ada, c.ID, tc.withdraw...); err != nil {
				t.Fatal(err)
			}
			holds := func(given time.Time) bool {
				t.Helper()
				got, err := l.Holds(t.Context(), ada, c.ID, items, given)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			if got := holds(issued); got != tc.want {
				t.Errorf("what was issued before holds: %v, want %v", got, tc.want)
			}
			if holds(clock.Now()) != tc.want {
				t.Error("what was issued at the same moment counts as later")
			}
			clock.Advance(time.Second)
			if err := l.Record(t.Context(), ada, c, Answer{Connection: "staff", Items: items}); err != nil {
				t.Fatal(err)
			}
			if holds(issued) != tc.want || !holds(clock.Now()) {
				t.Error("a new consent brings the old tokens back, or its own do not hold")
			}
		})
	}
}

// A withdrawal from a client as a whole covers what no grant is stored for:
// transient scopes, and everything of a trusted client.
func TestM94_WithdrawalCoversWhatIsNotStored(t *testing.T) {
	clock := storetest.NewClock()
	l := newLedger(clock)
	issued := clock.Now()
	clock.Advance(time.Second)
	if err := l.Withdraw(t.Context(), ada, "web"); err != nil {
		t.Fatal(err)
	}
	if holds, err := l.Holds(t.Context(), ada, "web", asked("once"), issued); err != nil || holds {
		t.Errorf("holds %v, %v", holds, err)
	}
	if holds, err := l.Holds(t.Context(), "bob", "web", asked("once"), issued); err != nil || !holds {
		t.Errorf("another user: holds %v, %v", holds, err)
	}
}

func TestClients(t *testing.T) {
	l := newLedger(storetest.NewClock())
	for _, id := range []string{"web", "app", "gone"} {
		if err := l.Record(t.Context(), ada, &oauth.Client{ID: id}, Answer{Connection: "staff", Items: asked("openid")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Record(t.Context(), ada+"x", &oauth.Client{ID: "foreign"}, Answer{Connection: "staff", Items: asked("openid")}); err != nil {
		t.Fatal(err)
	}
	if err := l.Withdraw(t.Context(), ada, "gone"); err != nil {
		t.Fatal(err)
	}
	got, err := l.Clients(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"app", "web"}, got); diff != "" {
		t.Error(diff)
	}
}
