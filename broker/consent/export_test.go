package consent

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// exported returns what f chooses, as JSON lines.
func exported(t *testing.T, l *Ledger, f Filter) string {
	t.Helper()
	var out strings.Builder
	for r, err := range l.Export(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	return out.String()
}

// populated is a ledger with grants of two people at two clients: live ones,
// one that has expired, and two withdrawals.
func populated(t *testing.T) *Ledger {
	t.Helper()
	clock := storetest.NewClock()
	l := newLedger(clock)
	give := func(subject, client string, lifetime time.Duration, items Items) {
		t.Helper()
		l.Lifetime = lifetime
		a := Answer{Items: items, Connection: "staff", Language: "de"}
		if err := l.Record(t.Context(), subject, &oauth.Client{ID: client}, a); err != nil {
			t.Fatal(err)
		}
	}
	give(ada, "web", 0, Items{Scopes: names("openid email phone"), Claims: authn.RequestedClaims{IDToken: []string{"nickname"}}})
	give("auth0|bob x", "web", 0, asked("openid"))
	give("auth0|bob x", "gate:app.example.com", 48*time.Hour, asked("openid"))
	give(ada, "gate:app.example.com", time.Hour, asked("openid"))
	clock.Advance(time.Hour)
	for client, scopes := range map[string][]string{"web": {"phone"}, "gone": nil} {
		if err := l.Withdraw(t.Context(), ada, client, scopes...); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

var update = flag.Bool("update", false, "write what comes out into testdata")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestM92_ExportIsJSONLines(t *testing.T) {
	l := populated(t)
	for name, test := range map[string]struct {
		filter Filter
		file   string
	}{
		"everything":     {Filter{}, "export.jsonl"},
		"withdrawn, too": {Filter{Withdrawn: true}, "export_withdrawn.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, test.file, exported(t, l, test.filter))
		})
	}
	for name, test := range map[string]struct {
		filter Filter
		want   int
	}{
		"a client":                {Filter{Client: "web"}, 4},
		"a subject":               {Filter{Subject: "auth0|bob x"}, 2},
		"both":                    {Filter{Client: "web", Subject: ada}, 3},
		"a prefix of a client":    {Filter{Client: "we"}, 0},
		"a prefix of a subject":   {Filter{Subject: "ad"}, 0},
		"nobody":                  {Filter{Subject: "nobody"}, 0},
		"only withdrawn is there": {Filter{Client: "gone"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Count(exported(t, l, test.filter), "\n"); got != test.want {
				t.Errorf("%d lines, want %d", got, test.want)
			}
		})
	}
}

// A scope that was given again is one line, and no withdrawal.
func TestExportOfAScopeGivenAgain(t *testing.T) {
	clock := storetest.NewClock()
	l, c := newLedger(clock), client(oauth.ConsentRemember)
	record(t, l, c, "openid")
	if err := l.Withdraw(t.Context(), ada, c.ID, "openid"); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	record(t, l, c, "openid")
	got := exported(t, l, Filter{Withdrawn: true})
	if strings.Count(got, "\n") != 1 || strings.Contains(got, "withdrawn_at") {
		t.Errorf("got %s", got)
	}
}

// counting counts the keys that one List returned at most.
type counting struct {
	store.Store
	most int
}

func (s *counting) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	keys, err := s.Store.List(ctx, prefix, after, limit)
	s.most = max(s.most, len(keys))
	return keys, err
}

// However many people there are, a page of them is in memory, and none is
// told twice or left out at the seams.
func TestM92_ExportIsPaged(t *testing.T) {
	const page = 100
	const people = 2*page + 1
	l := newLedger(storetest.NewClock())
	pages := &counting{Store: l.Store}
	l.Store = pages
	for i := range people {
		if err := l.Record(t.Context(), fmt.Sprint("user-", i), client(oauth.ConsentRemember), Answer{Items: asked("openid")}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for r, err := range l.Export(t.Context(), Filter{}) {
		if err != nil || seen[r.Subject] {
			t.Fatalf("%s: %v, told before %t", r.Subject, err, seen[r.Subject])
		}
		seen[r.Subject] = true
	}
	if len(seen) != people || pages.most > page {
		t.Errorf("%d people of %d, %d at a time", len(seen), people, pages.most)
	}
	for range l.Export(t.Context(), Filter{}) {
		break // whoever has read enough may stop
	}
}

// An export that is not complete says so.
func TestM92_ExportFailsLoudly(t *testing.T) {
	last := func(l *Ledger) (n int, err error) {
		for _, err = range l.Export(t.Context(), Filter{}) {
			if err == nil {
				n++
			}
		}
		return n, err
	}
	for n := 1; n <= 2; n++ { // list, read
		l := populated(t)
		l.Store = storetest.Faulty(l.Store, n)
		if _, err := last(l); err == nil {
			t.Errorf("fault %d: no error", n)
		}
	}
	l := populated(t)
	if err := l.Store.Put(t.Context(), recordKey("zoe", "web"), []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	if n, err := last(l); n != 5 || err == nil || err.Error() != `exporting consents of client "web": the consent record is not readable` {
		t.Errorf("%d records, then %v", n, err)
	}
	if err := l.Store.Put(t.Context(), "consent/no-client", []byte("{}"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := last(l); err == nil || err.Error() != "listing consents: a key is not readable" {
		t.Errorf("a key that is none: %v", err)
	}
}
