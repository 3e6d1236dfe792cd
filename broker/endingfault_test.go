package broker_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// Whatever call of the store fails while a person ends something, before or
// after its work: no page says that it is done unless it is, and who tries
// again gets it done.
func TestS18_WhatFailsToEndCanBeTriedAgain(t *testing.T) {
	for name, way := range map[string]struct {
		prepare, end func(w *world, b *brokertest.Browser) *brokertest.Page
		done         string
		whole        bool // it is done, or nothing is
	}{
		"at the gate": {
			prepare: func(w *world, b *brokertest.Browser) *brokertest.Page { return b.Get(gatedSite + "/") },
			end:     func(_ *world, b *brokertest.Browser) *brokertest.Page { return b.Get(gatedSite + "/.auth/logout") },
			done:    "logout-done",
			whole:   true,
		},
		"at the broker": {
			prepare: func(_ *world, b *brokertest.Browser) *brokertest.Page { return b.Get(logoutPage) },
			end:     func(_ *world, b *brokertest.Browser) *brokertest.Page { return b.Click("logout-confirm") },
			done:    "logout-done",
			whole:   true,
		},
		"all sessions in the portal": {
			prepare: func(w *world, b *brokertest.Browser) *brokertest.Page { return w.portal(b, "ada") },
			end:     func(_ *world, b *brokertest.Browser) *brokertest.Page { return b.Click("portal-end-all") },
			done:    "logout-done",
		},
		"a consent in the portal": {
			prepare: func(w *world, b *brokertest.Browser) *brokertest.Page {
				w.portal(b, "ada")
				return b.Get(issuer + "/portal/withdraw?client=" + orders)
			},
			end:  func(_ *world, b *brokertest.Browser) *brokertest.Page { return b.Click("withdraw-confirm") },
			done: "portal-done",
		},
	} {
		for fault, faulty := range map[string]func(store.Store, int) *storetest.FaultyStore{"down": storetest.Faulty, "lost answer": storetest.FaultyAfter} {
			t.Run(name+", "+fault, func(t *testing.T) {
				w := newWorld(t, options{})
				inner, n := w.store, 1
				for ; ; n++ {
					w.clock.Advance(time.Second) // what ended holds nothing of the same instant
					b := w.newBrowser()
					w.enter(b, "/", "ada")
					way.prepare(w, b)
					w.clock.Advance(time.Second)
					failing := faulty(inner, n)
					w.store = failing
					w.newBroker(options{})
					tab := b.NewTab()
					page := way.end(w, b)
					fired := failing.Fired()
					w.store = inner
					w.newBroker(options{})
					if !page.Has(way.done) {
						if page.Status < http.StatusInternalServerError {
							t.Errorf("call %d: %s", n, page)
						}
						if way.whole && fault == "down" && !w.lets(tab, gatedSite+"/") {
							t.Errorf("call %d: it has failed, and the browser has forgotten what to end", n)
						}
						w.clock.Advance(time.Second)
						again := way.prepare(w, b)
						if had := again.Has(way.done) || again.Status == http.StatusNotFound; !had {
							if again = way.end(w, b); !again.Has(way.done) {
								t.Fatalf("call %d: tried again: %s\n%s", n, again, again.Body)
							}
						}
					}
					if w.lets(tab, gatedSite+"/") {
						t.Errorf("call %d: it is said to have ended, and the site lets the browser in", n)
					}
					if !fired {
						break
					}
					// What is left of this round must not make the next longer.
					if b.Get(logoutPage).Has("logout-confirm") {
						b.Click("logout-confirm")
					}
				}
				if n < 4 {
					t.Errorf("only %d calls failed", n-1)
				}
			})
		}
	}
}

// untold is a store that cannot tell other nodes of a withdrawal.
type untold struct{ store.Store }

func (u untold) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if strings.HasPrefix(key, "withdrawn/") {
		return storetest.ErrFault
	}
	return u.Store.Put(ctx, key, value, ttl)
}

// Other nodes learn of a withdrawal by a write of its own. Where that fails,
// the user hears of it, and this node has acted all the same.
func TestM94_WithdrawalCountsHereWhateverOthersHear(t *testing.T) {
	w := newWorld(t, options{})
	w.store = untold{w.store}
	w.newBroker(options{})
	b, there := w.newBrowser(), w.newBrowser()
	w.enter(there, "/", "ada")
	w.portal(b, "ada")
	w.clock.Advance(time.Second)
	b.Click("withdraw-" + orders)
	if page := b.Click("withdraw-confirm"); page.Status != http.StatusServiceUnavailable {
		t.Errorf("withdrawing: %s", page)
	}
	if w.lets(there, gatedSite+"/") {
		t.Error("the gate lets the other browser in")
	}
}
