package broker_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// unwritable is a store that does not take keys with the prefix.
type unwritable struct {
	store.Store
	prefix string
}

func (s unwritable) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if strings.HasPrefix(key, s.prefix) {
		return errors.New("no room")
	}
	return s.Store.Put(ctx, key, value, ttl)
}

// exported are the grants that f chooses, each as "client scope".
func (w *world) exported(f consent.Filter) (out []string) {
	w.Helper()
	for r, err := range w.broker.Consents(w.Context(), f) {
		if err != nil {
			w.Fatal(err)
		}
		out = append(out, r.ClientID+" "+r.Scope)
	}
	slices.Sort(out)
	return out
}

func TestM92_ConsentsAreExportedAfterARestart(t *testing.T) {
	w := newWorld(t, selfService)
	w.authorize(w.newBrowser(), "ada", "client_id", "other", "scope", "openid email")
	w.authorize(w.newBrowser(), "grace", "scope", "openid")
	w.newBroker(selfService)
	var got []consent.Record
	for r, err := range w.broker.Consents(t.Context(), consent.Filter{Client: "other"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	want := consent.Record{
		ServerID: "default", ClientID: "other", Connection: "auth0", Scope: "email", GrantedScope: "email", Language: "en", GivenAt: w.clock.Now().UTC(),
	}
	if len(got) != 2 || got[0].Subject == "" {
		t.Fatalf("got %+v", got)
	}
	want.Subject = got[0].Subject
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if all := w.exported(consent.Filter{}); !slices.Equal(all, []string{"notes openid", "other email", "other openid"}) {
		t.Errorf("all: %v", all)
	}
}

// An administrator's withdrawal has the effect of the user's own.
func TestM94_AdministratorWithdraws(t *testing.T) {
	all := []string{"notes email", "notes openid", "notes profile", "other email", "other openid", "other profile"}
	type alive struct{ notes, other bool }
	for name, test := range map[string]struct {
		withdraw   func(subject string) op.Withdrawals
		want       op.Withdrawn
		left       []string
		ada, grace alive
	}{
		"one user at one client": {
			func(sub string) op.Withdrawals { return op.Withdrawals{Subject: sub, Client: "other"} },
			op.Withdrawn{Grants: 3, Users: 1, Clients: 1},
			all[:3],
			alive{true, false},
			alive{true, true},
		},
		"one scope of it": {
			func(sub string) op.Withdrawals {
				return op.Withdrawals{Subject: sub, Client: "other", Scopes: []string{"email"}}
			},
			op.Withdrawn{Grants: 1, Users: 1, Clients: 1},
			slices.Delete(slices.Clone(all), 3, 4),
			alive{true, false},
			alive{true, true},
		},
		"one user everywhere": {
			func(sub string) op.Withdrawals { return op.Withdrawals{Subject: sub} },
			op.Withdrawn{Grants: 6, Users: 1, Clients: 2},
			nil,
			alive{},
			alive{true, true},
		},
		"all users of a client": {
			func(string) op.Withdrawals { return op.Withdrawals{Client: "other"} },
			op.Withdrawn{Grants: 6, Users: 2, Clients: 1},
			all[:3],
			alive{true, false},
			alive{true, false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, selfService)
			tokens := func(user string) (notes, other, subject string) {
				b := w.newBrowser()
				_, first := w.exchange(w.authorize(b, user).Get("code"))
				_, second := w.other(w.authorize(b, user, "client_id", "other").Get("code"))
				notes, other = first["access_token"].(string), second["access_token"].(string)
				return notes, other, payload(t, notes)["sub"].(string)
			}
			adaNotes, adaOther, ada := tokens("ada")
			graceNotes, graceOther, _ := tokens("grace")
			w.clock.Advance(time.Second)
			got, err := w.broker.WithdrawConsents(t.Context(), test.withdraw(ada))
			if err != nil || got != test.want {
				t.Errorf("%+v, %v; want %+v", got, err, test.want)
			}
			if left := w.exported(consent.Filter{Subject: ada}); !slices.Equal(left, test.left) {
				t.Errorf("left: %v, want %v", left, test.left)
			}
			for token, want := range map[string]bool{adaNotes: test.ada.notes, adaOther: test.ada.other, graceNotes: test.grace.notes, graceOther: test.grace.other} {
				if status, _ := w.userinfo(token); (status == http.StatusOK) != want {
					t.Errorf("a token of %s: %d, want it alive %t", payload(t, token)["client_id"], status, want)
				}
			}
			if !strings.Contains(w.logs.String(), `"msg":"client_consents_revoked"`) {
				t.Error("no event")
			}
			again, err := w.broker.WithdrawConsents(t.Context(), test.withdraw(ada))
			if err != nil || again != (op.Withdrawn{}) {
				t.Errorf("a second time: %+v, %v", again, err)
			}
		})
	}
}

// Of a trusted client no grant is kept, but people are signed in there.
func TestM94_AdministratorWithdrawsFromATrustedClient(t *testing.T) {
	o := options{client: func(c *oauth.Client) { c.Consent = oauth.ConsentTrusted }}
	for name, w := range map[string]op.Withdrawals{"by client": {Client: "notes"}, "by user": {}} {
		t.Run(name, func(t *testing.T) {
			world := newWorld(t, o)
			_, tokens := world.exchange(world.authorize(world.newBrowser(), "ada").Get("code"))
			access := tokens["access_token"].(string)
			if w.Client == "" {
				w.Subject = payload(t, access)["sub"].(string)
			}
			world.clock.Advance(time.Second)
			if got, err := world.broker.WithdrawConsents(t.Context(), w); err != nil || got != (op.Withdrawn{Users: 1, Clients: 1}) {
				t.Errorf("%+v, %v", got, err)
			}
			if status, _ := world.userinfo(access); status != http.StatusUnauthorized {
				t.Errorf("userinfo answers %d", status)
			}
		})
	}
}

func TestM94_AdministratorIsToldWhatIsWrong(t *testing.T) {
	w := newWorld(t, selfService)
	w.authorize(w.newBrowser(), "ada")
	before := w.dump()
	for name, test := range map[string]struct {
		withdraw op.Withdrawals
		want     string
	}{
		"nobody":               {op.Withdrawals{}, "neither a user nor a client is named"},
		"a scope of no client": {op.Withdrawals{Subject: "ada", Scopes: []string{"email"}}, "neither a user nor a client is named"},
		"an unknown client":    {op.Withdrawals{Client: "note"}, `client "note" is not configured, and no consent to it is kept; did you mean "notes"?`},
		"of one user, too":     {op.Withdrawals{Client: "note", Subject: "ada"}, `client "note" is not configured`},
		"an unknown scope":     {op.Withdrawals{Client: "other", Scopes: []string{"emial"}}, `scope "emial" of client "other" is not configured; its scopes are: openid email profile`},
	} {
		if _, err := w.broker.WithdrawConsents(t.Context(), test.withdraw); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.dump() != before {
		t.Error("the store has changed")
	}
	if _, err := w.broker.WithdrawConsents(t.Context(), op.Withdrawals{Client: "note"}); !errors.Is(err, lineage.ErrUnknown) {
		t.Error("not ErrUnknown")
	}
	t.Run("a client that is gone from the configuration", func(t *testing.T) {
		w.authorize(w.newBrowser(), "ada", "client_id", "other")
		w.newBroker(options{client: selfService.client})
		if got, err := w.broker.WithdrawConsents(t.Context(), op.Withdrawals{Client: "other"}); err != nil || got.Grants != 3 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestM94_AdministratorEndsSessions(t *testing.T) {
	w := newWorld(t, revocable())
	ada, grace := w.settle("ada"), w.settle("grace")
	subject := w.subject(ada)
	list, err := w.broker.Sessions(t.Context(), subject)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	others, err := w.broker.Sessions(t.Context(), w.subject(grace))
	if err != nil || len(others) != 2 {
		t.Fatalf("%+v, %v", others, err)
	}
	w.clock.Advance(time.Second)
	for _, sid := range []string{others[0].SID, "none", ""} {
		if err := w.broker.EndSession(t.Context(), subject, sid); !errors.Is(err, broker.ErrNoSession) {
			t.Errorf("session %q: %v", sid, err)
		}
	}
	if err := w.broker.EndSession(t.Context(), subject, list[0].SID); err != nil {
		t.Fatal(err)
	}
	if page := ada.first.Fetch(gatedSite + "/"); page.Status != http.StatusOK {
		if page := ada.second.Fetch(gatedSite + "/"); page.Status != http.StatusOK {
			t.Error("both browsers are signed out")
		}
	} else if page := ada.second.Fetch(gatedSite + "/"); page.Status == http.StatusOK {
		t.Error("no browser is signed out")
	}
	if !strings.Contains(w.logs.String(), `"msg":"session_ended"`) {
		t.Error("no event")
	}
	if n, err := w.broker.EndUser(t.Context(), subject); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	w.wantAlive(ada, false)
	w.wantAlive(grace, true)
}
