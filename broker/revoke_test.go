package broker_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// revocable is selfService with the scope revoke_tokens.
func revocable() options {
	o := selfService
	o.client = func(c *oauth.Client) {
		selfService.client(c)
		c.Scopes = append(c.Scopes, "revoke_tokens")
	}
	return o
}

// A belonging is what a person has: browsers that are signed in at the gate,
// an access token of each client, and a code that is not spent.
type belonging struct {
	user             string
	first, second    *brokertest.Browser
	notes, other     string
	unspent, manager string
}

func (w *world) settle(user string) belonging {
	w.Helper()
	p := belonging{user: user, first: w.newBrowser(), second: w.newBrowser()}
	_, tokens := w.exchange(w.authorize(p.first, user, "scope", "openid profile email revoke_tokens").Get("code"))
	p.manager = tokens["access_token"].(string)
	_, tokens = w.exchange(w.authorize(p.second, user).Get("code"))
	p.notes = tokens["access_token"].(string)
	_, tokens = w.other(w.authorize(p.first, user, "client_id", "other").Get("code"))
	p.other = tokens["access_token"].(string)
	p.unspent = w.authorize(p.second, user, "client_id", "other").Get("code")
	for _, b := range []*brokertest.Browser{p.first, p.second} {
		b.StopBefore = ""
		w.enter(b, "/", user)
	}
	return p
}

// wantAlive checks what the person still has, all of it or nothing.
func (w *world) wantAlive(p belonging, want bool) {
	w.Helper()
	for name, token := range map[string]string{"notes": p.notes, "other": p.other, "the caller": p.manager} {
		if status, _ := w.userinfo(token); (status == http.StatusOK) != want || !want && status != http.StatusUnauthorized {
			w.Errorf("%s: userinfo answers the token of %s with %d", p.user, name, status)
		}
	}
	for name, b := range map[string]*brokertest.Browser{"first": p.first, "second": p.second} {
		reached := w.receivedCount()
		if page := b.Fetch(gatedSite + "/data"); (w.receivedCount() > reached) != want || !want && page.Status != http.StatusUnauthorized {
			w.Errorf("%s: the gate answers the %s browser with %d", p.user, name, page.Status)
		}
	}
	if status, body := w.other(p.unspent); (status == http.StatusOK) != want {
		w.Errorf("%s: the unspent code: %d %v", p.user, status, body)
	}
}

func TestM94_S115_RevokeTokensEndsEverythingOfTheUser(t *testing.T) {
	w := newWorld(t, revocable())
	ada, grace := w.settle("ada"), w.settle("grace")
	w.clock.Advance(time.Second)
	rec := w.asUser(http.MethodDelete, "/oauth2/tokens", ada.manager)
	if rec.Code != http.StatusNoContent || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	w.wantAlive(ada, false)
	w.wantAlive(grace, true)
	if rec := w.asUser(http.MethodDelete, "/oauth2/tokens", ada.manager); rec.Code != http.StatusUnauthorized {
		t.Errorf("a second time with a token that has ended: %d", rec.Code)
	}

	for p, want := range map[*belonging]int{&ada: 0, &grace: 2} {
		if list, err := w.broker.Sessions(t.Context(), w.subject(*p)); err != nil || len(list) != want {
			t.Errorf("%s: %d sessions, %v; want %d", p.user, len(list), err, want)
		}
	}

	t.Run("consents stay, and a sign-in afterwards works", func(t *testing.T) {
		w.clock.Advance(time.Second)
		asked := w.authorizations()
		page := ada.first.Get(gatedSite + "/")
		if page.Has("tenant-login-form") {
			page = ada.first.SignIn("ada")
		}
		if page.Has("consent-form") || !page.Has("app") {
			t.Fatalf("consent asked %t: %d %s", page.Has("consent-form"), page.Status, page.URL)
		}
		if w.authorizations() == asked {
			t.Error("the context of the session that was ended has answered")
		}
		_, tokens := w.exchange(w.authorize(ada.second, "ada").Get("code"))
		if status, _ := w.userinfo(tokens["access_token"].(string)); status != http.StatusOK {
			t.Errorf("a token of the new sign-in: %d", status)
		}
	})
	t.Run("what has ended stays so", func(t *testing.T) {
		for _, token := range []string{ada.notes, ada.other, ada.manager} {
			if status, _ := w.userinfo(token); status != http.StatusUnauthorized {
				t.Errorf("userinfo answers with %d", status)
			}
		}
	})
}

func TestM94_RevokeTokensNeedsTheScope(t *testing.T) {
	w := newWorld(t, revocable())
	ada := w.settle("ada")
	for token, want := range map[string]int{ada.notes: http.StatusForbidden, "not-a-token": http.StatusUnauthorized} {
		rec := w.asUser(http.MethodDelete, "/oauth2/tokens", token)
		if rec.Code != want || rec.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%d %v", rec.Code, rec.Header())
		}
	}
	w.wantAlive(ada, true)
}

// The attacker holds a code, and his victim revokes everything in the very
// instant in which that was issued. A clock does not tell which came first,
// so what is as old as the revocation goes with it.
func TestS115_RevocationCoversItsOwnInstant(t *testing.T) {
	w := newWorld(t, revocable())
	ada := w.settle("ada")
	for name, revoke := range map[string]func() error{
		"tokens at the same instant": func() error {
			w.asUser(http.MethodDelete, "/oauth2/tokens", ada.manager)
			return nil
		},
		"and twice": func() error { _, err := w.broker.EndUser(t.Context(), w.subject(ada)); return err },
	} {
		if err := revoke(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.wantAlive(ada, false)
}

// subject is the user's, as the first ID token says it.
func (w *world) subject(p belonging) string {
	w.Helper()
	return payload(w, p.notes)["sub"].(string)
}

// A revocation that the store cannot take is no success.
func TestM94_RevocationFailsLoudly(t *testing.T) {
	w := newWorld(t, revocable())
	ada := w.settle("ada")
	w.store = unwritable{Store: w.store, prefix: "revoked/"}
	w.newBroker(revocable())
	if rec := w.asUser(http.MethodDelete, "/oauth2/tokens", ada.manager); rec.Code < 500 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// A sign-in that was under way while everything was revoked leaves a session
// and a context behind. They answer nobody.
func TestS115_ContextOfBeforeTheRevocationDoesNotAnswer(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	subject := w.subjectOf("ada")
	w.authorize(b, "ada")
	asked := w.authorizations()
	w.clock.Advance(time.Minute)
	at, err := json.Marshal(w.clock.Now())
	if err == nil {
		err = w.store.Put(t.Context(), "revoked/"+subject, at, time.Hour)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	w.authorize(b, "ada")
	if w.authorizations() != asked+1 {
		t.Error("the old context answers")
	}
	w.authorize(b, "ada")
	if w.authorizations() != asked+1 {
		t.Error("the new one does not")
	}
}
