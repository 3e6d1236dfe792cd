package broker_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// S115: signing out ends sessions and codes, and leaves what the user let an
// application do while away. The rest ends that, too.
func TestS115_WhatEndsRefreshTokens(t *testing.T) {
	revoke := func(w *world, h holder) {
		if status, body := w.post("/oauth2/revoke", h.form("token", h.refresh)); status != http.StatusOK {
			w.Errorf("%d %v", status, body)
		}
	}
	for name, tt := range map[string]struct {
		end   func(w *world, h holder)
		lives bool
	}{
		"one session": {func(w *world, h holder) {
			list, err := w.broker.Sessions(w.Context(), h.subject)
			if err != nil || len(list) != 1 {
				w.Fatalf("%d sessions, %v", len(list), err)
			}
			if err := w.broker.EndSession(w.Context(), h.subject, list[0].SID); err != nil {
				w.Error(err)
			}
		}, true},
		"all that the user has": {func(w *world, h holder) {
			if _, err := w.broker.EndUser(w.Context(), h.subject); err != nil {
				w.Error(err)
			}
		}, false},
		"an administrator's withdrawal": {func(w *world, h holder) {
			if _, err := w.broker.WithdrawConsents(w.Context(), op.Withdrawals{Subject: h.subject, Client: h.client}); err != nil {
				w.Error(err)
			}
		}, false},
		"the client's revocation": {revoke, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, offline())
			h, other := w.keep("ada", "other"), w.keep("grace", "other")
			w.clock.Advance(time.Second)
			tt.end(w, h)
			if tt.lives {
				w.wantGood(&h)
			} else {
				w.wantDead(h)
			}
			w.wantGood(&other)
		})
	}
}

func TestS115_SigningOutInTheBrowserKeepsRefreshTokens(t *testing.T) {
	w := newWorld(t, offline())
	b := w.newBrowser()
	_, tokens := w.other(w.authorize(b, "ada", "client_id", "other", "scope", "openid offline_access").Get("code"))
	b.StopBefore = ""
	b.Get(issuer + "/oauth2/logout")
	b.Click("logout-confirm")
	h := holder{client: "other", access: tokens["access_token"].(string), refresh: tokens["refresh_token"].(string)}
	w.wantGood(&h)
}

// interrupted is a store that does something before its n-th call, counted
// from 1, and says whether a refresh token was spent by then.
type interrupted struct {
	store.Store
	mu    sync.Mutex
	n     int
	do    func()
	spent bool // a family was written before
	late  bool // do ran after that
}

func (s *interrupted) tick(key string, swap bool) {
	s.mu.Lock()
	s.n--
	do := s.do
	if s.n != 0 {
		do = nil
	}
	s.spent, s.late = s.spent || swap && strings.HasPrefix(key, "refresh/"), s.late || do != nil && s.spent
	s.mu.Unlock()
	if do != nil {
		do()
	}
}

func (s *interrupted) Get(ctx context.Context, key string) ([]byte, error) {
	s.tick(key, false)
	return s.Store.Get(ctx, key)
}

func (s *interrupted) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.tick(key, false)
	return s.Store.Put(ctx, key, value, ttl)
}

func (s *interrupted) Swap(ctx context.Context, key string, old, value []byte, ttl time.Duration) error {
	s.tick(key, false)
	err := s.Store.Swap(ctx, key, old, value, ttl)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent = s.spent || strings.HasPrefix(key, "refresh/")
	return err
}

// Whatever ends the tokens, and at whichever step of a refresh it is
// acknowledged: a refresh that has not spent its token by then fails, and no
// tokens that one brought are good for anything.
func TestS115_NoRefreshSucceedsAfterTheEndIsAcknowledged(t *testing.T) {
	for name, end := range map[string]func(w *world, h holder) error{
		"withdrawal of all": func(w *world, h holder) error {
			_, err := w.broker.WithdrawConsents(w.Context(), op.Withdrawals{Subject: h.subject, Client: h.client})
			return err
		},
		"withdrawal of a scope": func(w *world, h holder) error {
			_, err := w.broker.WithdrawConsents(w.Context(), op.Withdrawals{Subject: h.subject, Client: h.client, Scopes: []string{"email"}})
			return err
		},
		"end of all sessions": func(w *world, h holder) error {
			_, err := w.broker.EndUser(w.Context(), h.subject)
			return err
		},
		"revocation": func(w *world, h holder) error {
			w.post("/oauth2/revoke", h.form("token", h.refresh))
			return nil
		},
	} {
		for _, again := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", in the grace"}[again], func(t *testing.T) {
				w := newWorld(t, offline())
				inner, early := w.store, 0
				for n := 1; ; n++ {
					w.store = inner
					w.newBroker(offline())
					h := w.keep("ada", "other")
					used := h.refresh
					if again {
						w.renew(&h)
					}
					w.clock.Advance(time.Second)
					cut := &interrupted{Store: inner, n: n, do: func() {
						if err := end(w, h); err != nil {
							t.Error(err)
						}
					}}
					w.store = cut
					w.newBroker(offline())
					status, tokens := w.refresh(h, used)
					if cut.n > 0 {
						break // it has not come to n calls
					}
					if status == http.StatusOK {
						h.access, h.refresh = tokens["access_token"].(string), tokens["refresh_token"].(string)
						if !cut.late {
							t.Errorf("call %d: succeeds", n)
						}
					} else if early++; status != http.StatusBadRequest || tokens["error"] != "invalid_grant" {
						t.Errorf("call %d: %d %v", n, status, tokens)
					}
					w.wantDead(h)
					w.clock.Advance(time.Second)
				}
				if early < 4 {
					t.Errorf("only %d steps refused", early)
				}
			})
		}
	}
}

// S122: whatever call of the store fails, before or after its work, a client
// that tries again with the token it has goes on.
func TestS122_AFailingStoreLosesNoFamily(t *testing.T) {
	for name, faulty := range map[string]func(store.Store, int) *storetest.FaultyStore{"down": storetest.Faulty, "lost answer": storetest.FaultyAfter} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, offline())
			inner, n := w.store, 1
			h := w.keep("ada", "other")
			for ; ; n++ {
				fault := faulty(inner, n)
				w.store = fault
				w.newBroker(offline())
				status, tokens := w.refresh(h, h.refresh)
				if !fault.Fired() {
					break
				}
				if status != http.StatusInternalServerError || tokens["error"] != "server_error" || tokens["refresh_token"] != nil {
					t.Errorf("call %d: %d %v", n, status, tokens)
				}
				w.wantGood(&h)
			}
			if n < 6 {
				t.Errorf("only %d calls failed", n-1)
			}
		})
	}
}

// R27: a reuse that could not be acted on is not answered as if it had been.
func TestR27_ReuseIsNotAnsweredBeforeTheFamilyHasEnded(t *testing.T) {
	w := newWorld(t, withGrace(0))
	h := w.keep("ada", "other")
	used := h.refresh
	w.renew(&h)
	inner := w.store
	w.store = undeletable{inner}
	w.newBroker(withGrace(0))
	if status, body := w.refresh(h, used); status != http.StatusInternalServerError {
		t.Errorf("%d %v", status, body)
	}
	if status, body := w.post("/oauth2/revoke", h.form("token", h.refresh)); status != http.StatusInternalServerError {
		t.Errorf("revocation: %d %v", status, body)
	}
	w.store = inner
	w.newBroker(withGrace(0))
	if status, body := w.refresh(h, used); status != http.StatusBadRequest {
		t.Errorf("%d %v", status, body)
	}
	w.wantDead(h)
}

type undeletable struct{ store.Store }

func (undeletable) Delete(context.Context, string) error { return storetest.ErrFault }

func TestR30_RefreshOfADisabledConnection(t *testing.T) {
	w := newWorld(t, offline())
	h := w.keep("ada", "notes")
	for name, change := range map[string]func(*broker.Config){
		"disabled":              func(c *broker.Config) { c.Connections[0].Disabled = true },
		"taken from the client": func(c *broker.Config) { c.Clients[0].Connections = []string{"second"} },
	} {
		o, config := offline(), offline().config
		o.config = func(w *world, c *broker.Config) {
			config(w, c)
			c.Connections = append(c.Connections, w.connection("second", "Second"))
			change(c)
		}
		w.newBroker(o)
		if status, body := w.refresh(h, h.refresh); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, body)
		}
		if status, body := w.post("/oauth2/introspect", h.form("token", h.refresh)); status != http.StatusOK || body["active"] != false {
			t.Errorf("%s: introspection: %d %v", name, status, body)
		}
		w.newBroker(offline())
		w.wantGood(&h)
	}
}

// S53: who redeems a code a second time, and who did the first time, have
// nothing left.
func TestS53_CodeReuseEndsRefreshTokens(t *testing.T) {
	w := newWorld(t, offline())
	code := w.authorize(w.newBrowser(), "ada", "client_id", "other", "scope", "openid offline_access").Get("code")
	_, tokens := w.other(code)
	h := holder{client: "other", access: tokens["access_token"].(string), refresh: tokens["refresh_token"].(string)}
	first := h
	w.renew(&h)
	if status, body := w.other(code); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("%d %v", status, body)
	}
	w.wantDead(h)
	w.wantDead(first)

	t.Run("at once", func(t *testing.T) {
		code := w.authorize(w.newBrowser(), "ada", "client_id", "other", "scope", "openid offline_access").Get("code")
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { w.other(code) })
		}
		wg.Wait()
		if left := w.families(); left != 0 {
			t.Errorf("%d families are left", left)
		}
	})
}

// families counts those that are kept.
func (w *world) families() int {
	w.Helper()
	keys, err := w.store.List(w.Context(), "refresh/", "", 100)
	if err != nil {
		w.Fatal(err)
	}
	return len(keys)
}

// A gate renews its tokens for as long as its session lives, so its site gets
// no refresh token, whatever it asks for.
func TestM22_GatesHaveNoRefreshTokens(t *testing.T) {
	o := offline()
	o.gate = func(c *broker.GateConfig) {
		c.Scopes = []string{"openid", "email", "offline_access"}
	}
	w := newWorld(t, o)
	w.enter(w.newBrowser(), "/", "ada")
	if n := w.families(); n != 0 {
		t.Errorf("%d families", n)
	}
}
