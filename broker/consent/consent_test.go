package consent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

const ada = "ada"

func newLedger(clock *storetest.Clock) *Ledger {
	return &Ledger{
		Store: store.NewMemory(clock.Now), Now: clock.Now,
		Scopes: map[string]claims.Scope{
			"openid": {Name: "openid"}, "email": {Name: "email"},
			"silent": {Name: "silent", ImplicitGrant: true},
			"once":   {Name: "once", Transient: true},
			"both":   {Name: "both", ImplicitGrant: true, Transient: true},
		},
	}
}

func client(mode string) *oauth.Client { return &oauth.Client{ID: "web", Consent: mode} }

func record(t *testing.T, l *Ledger, c *oauth.Client, scopes ...string) {
	t.Helper()
	if err := l.Record(t.Context(), ada, c, Answer{Connection: "staff", Items: Items{Scopes: scopes}}); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, l *Ledger, c *oauth.Client, scopes ...string) Question {
	t.Helper()
	q, err := l.Ask(t.Context(), ada, c, Items{Scopes: scopes}, false)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func asked(scopes string) Items { return Items{Scopes: names(scopes)} }

func names(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Fields(s)
}

func TestRecord_KeepsWhatWasGiven(t *testing.T) {
	clock := storetest.NewClock()
	l, c := newLedger(clock), client(oauth.ConsentRemember)
	first := clock.Now()
	record(t, l, c, "openid", "email", "once", "both")
	clock.Advance(time.Hour)
	record(t, l, c, "email", "phone")
	got, err := l.Grants(t.Context(), ada, "web")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Grant{
		"openid": {Scope: "openid", Connection: "staff", GivenAt: first},
		"email":  {Scope: "email", Connection: "staff", GivenAt: first},
		"phone":  {Scope: "phone", Connection: "staff", GivenAt: first.Add(time.Hour)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	clock.Advance(100 * 365 * 24 * time.Hour)
	if q := ask(t, l, c, "openid", "email", "phone"); q.Due {
		t.Error("grants without lifetime expire")
	}
}

func TestRecord_TrustedStoresNothing(t *testing.T) {
	l := newLedger(storetest.NewClock())
	record(t, l, client(oauth.ConsentTrusted), "openid", "email")
	keys, err := l.Store.List(t.Context(), "", "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 0 {
		t.Errorf("stored %q", keys)
	}
	if q := ask(t, l, client(oauth.ConsentRemember), "openid"); !q.Due {
		t.Error("the trust survives its end")
	}
}

func TestRecord_Lifetime(t *testing.T) {
	const lifetime = 24 * time.Hour
	clock := storetest.NewClock()
	l, c := newLedger(clock), client(oauth.ConsentRemember)
	l.Lifetime = lifetime
	start := clock.Now()
	record(t, l, c, "openid", "email")
	clock.Advance(lifetime - time.Second)
	if q := ask(t, l, c, "openid", "email"); q.Due {
		t.Errorf("a second early: %+v", q)
	}
	record(t, l, c, "email") // renews it, and only it
	clock.Advance(time.Second)
	if diff := cmp.Diff(Question{true, asked("email")}, ask(t, l, c, "openid", "email")); diff != "" {
		t.Errorf("on time: %s", diff)
	}
	grants, err := l.Grants(t.Context(), ada, "web")
	if err != nil {
		t.Fatal(err)
	}
	renewed := start.Add(lifetime - time.Second)
	want := map[string]Grant{"email": {Scope: "email", Connection: "staff", GivenAt: renewed, ExpiresAt: renewed.Add(lifetime)}}
	if diff := cmp.Diff(want, grants); diff != "" {
		t.Error(diff)
	}
}

func TestWithdraw(t *testing.T) {
	for name, tc := range map[string]struct{ withdraw, left []string }{
		"all":                   {nil, nil},
		"one":                   {names("email"), names("openid phone")},
		"two":                   {names("openid phone"), names("email")},
		"one never given":       {names("address"), names("openid email phone")},
		"given and never given": {names("address email"), names("openid phone")},
	} {
		t.Run(name, func(t *testing.T) {
			l, c := newLedger(storetest.NewClock()), client(oauth.ConsentRemember)
			record(t, l, c, "openid", "email", "phone")
			other := &oauth.Client{ID: "app", Consent: oauth.ConsentRemember}
			record(t, l, other, "openid", "email", "phone")
			if err := l.Withdraw(t.Context(), ada, "web", tc.withdraw...); err != nil {
				t.Fatal(err)
			}
			if got := ask(t, l, c, "openid", "email", "phone"); cmp.Diff(tc.left, got.Granted.Scopes) != "" || got.Due != (len(tc.left) < 3) {
				t.Errorf("got %+v, want %q granted", got, tc.left)
			}
			if q := ask(t, l, other, "openid", "email", "phone"); q.Due {
				t.Error("the other client lost its grants")
			}
		})
	}
	t.Run("nothing given", func(t *testing.T) {
		if err := newLedger(storetest.NewClock()).Withdraw(t.Context(), ada, "web"); err != nil {
			t.Error(err)
		}
	})
}

// Tabs that consent to different scopes at once must not undo each other.
func TestRecord_ConcurrentGrantsAreNotLost(t *testing.T) {
	l, c := newLedger(storetest.NewClock()), client(oauth.ConsentRemember)
	var start, done sync.WaitGroup
	start.Add(1)
	var all []string
	for i := range maxRaces { // each may lose against all the others
		scope := fmt.Sprint("scope-", i)
		all = append(all, scope)
		done.Go(func() {
			start.Wait()
			if err := l.Record(t.Context(), ada, c, Answer{Connection: "staff", Items: Items{Scopes: []string{scope}}}); err != nil {
				t.Error(err)
			}
		})
	}
	start.Done()
	done.Wait()
	if q := ask(t, l, c, all...); q.Due {
		t.Errorf("lost: %q of %q", q.Granted.Scopes, all)
	}
}

// beforeSwap runs act before each Swap.
type beforeSwap struct {
	store.Store
	act func()
}

func (s *beforeSwap) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	s.act()
	return s.Store.Swap(ctx, key, old, new, ttl)
}

// A withdrawal between another tab's look and write must hold.
func TestRecord_RacesWithWithdraw(t *testing.T) {
	l, c := newLedger(storetest.NewClock()), client(oauth.ConsentRemember)
	record(t, l, c, "openid", "email")
	twin := *l
	var once sync.Once
	l.Store = &beforeSwap{Store: twin.Store, act: func() {
		once.Do(func() {
			if err := twin.Withdraw(t.Context(), ada, "web", "email"); err != nil {
				t.Error(err)
			}
		})
	}}
	record(t, l, c, "phone")
	if diff := cmp.Diff(Question{true, asked("openid phone")}, ask(t, l, c, "openid", "email", "phone")); diff != "" {
		t.Error(diff)
	}
}

func TestRecord_GivesUp(t *testing.T) {
	l, c := newLedger(storetest.NewClock()), client(oauth.ConsentRemember)
	twin := *l
	n := 0
	l.Store = &beforeSwap{Store: twin.Store, act: func() {
		n++
		record(t, &twin, c, fmt.Sprint("scope-", n))
	}}
	err := l.Record(t.Context(), ada, c, Answer{Connection: "staff", Items: asked("openid")})
	if err == nil || err.Error() != "updating consent: too many concurrent changes" || n != maxRaces {
		t.Errorf("after %d races: %v", n, err)
	}
}

func TestStoreFailure(t *testing.T) {
	failure := func(n int) *Ledger {
		l := newLedger(storetest.NewClock())
		l.Store = storetest.Faulty(l.Store, n)
		return l
	}
	c := client(oauth.ConsentRemember)
	if q, err := failure(1).Ask(t.Context(), ada, c, asked("openid"), false); err == nil || !strings.HasPrefix(err.Error(), "reading consent: ") {
		t.Errorf("Ask: %+v, %v", q, err)
	}
	for n := 1; n <= 2; n++ { // read, write
		if err := failure(n).Record(t.Context(), ada, c, Answer{Connection: "staff", Items: asked("openid")}); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("Record, fault %d: %v", n, err)
		}
		if err := failure(n).Withdraw(t.Context(), ada, "web"); err == nil || !strings.HasPrefix(err.Error(), "updating consent: ") {
			t.Errorf("Withdraw, fault %d: %v", n, err)
		}
	}
}

// A record that cannot be read is no consent, and is not overwritten.
func TestUnreadableRecord(t *testing.T) {
	l, c := newLedger(storetest.NewClock()), client(oauth.ConsentRemember)
	if err := l.Store.Put(t.Context(), recordKey(ada, "web"), []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Ask(t.Context(), ada, c, asked("openid"), false); err == nil {
		t.Error("Ask reads it")
	}
	if err := l.Record(t.Context(), ada, c, Answer{Connection: "staff", Items: asked("openid")}); err == nil {
		t.Error("Record replaces it")
	}
}
