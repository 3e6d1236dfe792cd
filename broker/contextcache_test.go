package broker_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// cached switches the context cache of the first connection on.
func cached(ttl time.Duration) func(*world, *broker.Config) {
	return func(_ *world, c *broker.Config) { c.Connections[0].ContextCache = ttl }
}

// authorizations counts how often the tenant was asked.
func (w *world) authorizations() int { return w.tenant.Requests("/authorize") }

// watchTokens collects what the tenant issues from now on.
func (w *world) watchTokens() func() []string {
	var mu sync.Mutex
	var issued []string
	w.tenant.SetFaults(brokertest.Faults{EditTokenResponse: func(response map[string]any) {
		mu.Lock()
		defer mu.Unlock()
		for _, name := range []string{"id_token", "access_token", "refresh_token"} {
			if token, ok := response[name].(string); ok {
				issued = append(issued, token)
			}
		}
	}})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(issued)
	}
}

func TestM34_WithoutCacheEachRequestGoesUpstream(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.authorize(b, "ada")
	w.authorize(b, "ada")
	if n := w.authorizations(); n != 2 {
		t.Errorf("the tenant was asked %d times, want 2", n)
	}
}

func TestM34_WithinTheTTLNothingGoesUpstream(t *testing.T) {
	w := newWorld(t, options{config: cached(15 * time.Minute)})
	b := w.newBrowser()
	first := w.authorize(b, "ada")
	asked := w.authorizations()
	w.clock.Advance(14 * time.Minute)
	second := w.authorize(b, "ada")
	if n := w.authorizations(); n != asked {
		t.Errorf("the tenant was asked %d times more", n-asked)
	}
	if n := w.tenant.Requests("/oauth/token"); n != 1 {
		t.Errorf("the tenant's token endpoint was asked %d times", n)
	}
	_, one := w.exchange(first.Get("code"))
	if len(one) != 0 && one["error"] == nil {
		t.Error("a code lives 14 minutes")
	}
	status, two := w.exchange(second.Get("code"))
	if status != 200 {
		t.Fatalf("%d %v", status, two)
	}
	if got := payload(t, two["id_token"])["email"]; got != "ada@example.com" {
		t.Errorf("email = %v", got)
	}
	// The gate of another site shares the sign-in.
	if page := w.enter(b, "/", "ada"); !page.Has("app") || w.authorizations() != asked {
		t.Errorf("the gate asked the tenant")
	}
}

// What is kept is the context and how the user signed in, sealed, and
// nothing that the upstream issued.
func TestM35_EntryHoldsNoUpstreamToken(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	issued := w.watchTokens()
	w.authorize(w.newBrowser(), "mfa")
	entries := 0
	keys, err := w.store.List(t.Context(), "session/", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if !strings.Contains(key, "/context/") {
			continue
		}
		entries++
		raw, err := w.store.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		var entry struct {
			Context map[string]any `json:"context"`
		}
		if err := json.Unmarshal(raw, &entry); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"attributes", "amr", "acr", "auth_time", "connection", "idp_sub", "sub"} {
			if entry.Context[name] == nil {
				t.Errorf("the entry lacks %s", name)
			}
		}
		for _, token := range issued() {
			if strings.Contains(string(raw), token) {
				t.Error("the entry holds a token of the upstream")
			}
		}
	}
	if entries != 1 {
		t.Errorf("%d entries", entries)
	}
	if len(issued()) < 2 {
		t.Error("the tenant issued nothing to look for")
	}
}

// The TTL counts from the sign-in: use does not put it off.
func TestM36_TTLIsAbsolute(t *testing.T) {
	w := newWorld(t, options{config: cached(10 * time.Minute)})
	b := w.newBrowser()
	w.authorize(b, "ada")
	asked := w.authorizations()
	w.clock.Advance(9 * time.Minute)
	w.authorize(b, "ada")
	if n := w.authorizations(); n != asked {
		t.Fatalf("a minute early the tenant was asked")
	}
	w.clock.Advance(time.Minute)
	w.authorize(b, "ada")
	if n := w.authorizations(); n != asked+1 {
		t.Errorf("after the TTL the tenant was asked %d times, want once", n-asked)
	}
}

// A cached context dies with the session it is part of.
func TestM36_NeverOutlivesTheSession(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) {
		c.Connections[0].ContextCache = 24 * time.Hour
		c.Session.Idle, c.Session.Lifetime = time.Hour, 2*time.Hour
	}})
	b := w.newBrowser()
	w.authorize(b, "ada")
	asked := w.authorizations()
	w.clock.Advance(59 * time.Minute)
	w.authorize(b, "ada") // a use of the session
	w.clock.Advance(59 * time.Minute)
	w.authorize(b, "ada")
	if n := w.authorizations(); n != asked {
		t.Fatalf("the session was alive, but the tenant was asked")
	}
	w.clock.Advance(3 * time.Minute)
	w.authorize(b, "ada")
	if n := w.authorizations(); n != asked+1 {
		t.Errorf("after the session's end the tenant was asked %d times", n-asked)
	}
}

// One sign-in yields several tokens, each as narrow as its purpose, and each
// new scope by the user's consent.
func TestM37_SeveralNarrowTokensFromOneSignIn(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	for i, scope := range []string{"openid", "openid email", "openid profile"} {
		b.StopBefore = clientSite
		page := b.Get(authorizeURL("scope", scope))
		if page.Has("tenant-login-form") {
			if i > 0 {
				t.Fatalf("scope %q: had to sign in again", scope)
			}
			page = b.SignIn("ada")
		}
		if !page.Has("consent-form") {
			t.Fatalf("scope %q: no consent was asked", scope)
		}
		status, tokens := w.exchange(w.answer(b.Click("consent-allow")).Get("code"))
		if status != 200 || tokens["scope"] != scope {
			t.Fatalf("scope %q: %d %v", scope, status, tokens)
		}
		id := payload(t, tokens["id_token"])
		if _, has := id["email"]; has != strings.Contains(scope, "email") {
			t.Errorf("scope %q: email in the token: %v", scope, has)
		}
	}
	if n := w.authorizations(); n != 1 {
		t.Errorf("the tenant was asked %d times", n)
	}
}

// auth_time is that of the sign-in, however late the token.
func TestM37_LaterTokensKeepTheAuthTime(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	_, first := w.exchange(w.authorize(b, "ada").Get("code"))
	w.clock.Advance(30 * time.Minute)
	_, second := w.exchange(w.authorize(b, "ada").Get("code"))
	if a, b := payload(t, first["id_token"])["auth_time"], payload(t, second["id_token"])["auth_time"]; a != b || a == nil {
		t.Errorf("auth_time %v, later %v", a, b)
	}
}

func TestM37_WhatTheCacheDoesNotAnswer(t *testing.T) {
	for name, changes := range map[string][]string{
		"prompt=login":          {"prompt", "login"},
		"prompt=select_account": {"prompt", "select_account"},
		"max_age exceeded":      {"max_age", "60"},
		"another acr":           {"acr_values", "urn:example:gold"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{config: cached(time.Hour)})
			b := w.newBrowser()
			w.authorize(b, "ada")
			asked := w.authorizations()
			w.clock.Advance(2 * time.Minute)
			b.StopBefore = clientSite
			b.Get(authorizeURL(changes...))
			if n := w.authorizations(); n != asked+1 {
				t.Errorf("the tenant was asked %d times, want once", n-asked)
			}
		})
	}
	t.Run("max_age met", func(t *testing.T) {
		w := newWorld(t, options{config: cached(time.Hour)})
		b := w.newBrowser()
		w.authorize(b, "ada")
		asked := w.authorizations()
		w.clock.Advance(time.Minute)
		w.authorize(b, "ada", "max_age", "120")
		if n := w.authorizations(); n != asked {
			t.Error("the tenant was asked")
		}
	})
}

func TestM37_EndedByLogout(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	w.authorize(b, "ada")
	asked := w.authorizations()
	b.StopBefore = ""
	if page := b.Get(gatedSite + "/.auth/logout"); !page.Has("logout-done") {
		t.Fatalf("no logout: %d %s", page.Status, page.URL)
	}
	w.authorize(b, "ada")
	if n := w.authorizations(); n != asked+1 {
		t.Errorf("after the logout the tenant was asked %d times, want once", n-asked)
	}
}

// The entry belongs to one browser's session.
func TestM37_NotSharedBetweenBrowsers(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	w.authorize(w.newBrowser(), "ada")
	b := w.newBrowser()
	b.StopBefore = clientSite
	if page := b.Get(authorizeURL()); !page.Has("tenant-login-form") {
		t.Fatalf("another browser need not sign in: %d %s", page.Status, page.URL)
	}
}

// Another person at the same browser gets a session and a context of their
// own.
func TestM37_NotSharedBetweenUsers(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	_, first := w.exchange(w.authorize(b, "ada").Get("code"))
	_, second := w.exchange(w.authorize(b, "grace", "prompt", "login").Get("code"))
	_, third := w.exchange(w.authorize(b, "grace").Get("code"))
	one, two, three := payload(t, first["id_token"]), payload(t, second["id_token"]), payload(t, third["id_token"])
	if two["sub"] == one["sub"] || two["sid"] == one["sid"] || three["sub"] != two["sub"] {
		t.Errorf("subjects %v %v %v", one["sub"], two["sub"], three["sub"])
	}
}

// A context made under other settings does not answer.
func TestD1_ChangedConnectionEndsTheEntry(t *testing.T) {
	o := options{config: cached(time.Hour)}
	w := newWorld(t, o)
	b := w.newBrowser()
	w.authorize(b, "ada")
	asked := w.authorizations()

	w.newBroker(o) // the same again, as a reload
	w.authorize(b, "ada")
	if n := w.authorizations(); n != asked {
		t.Error("a reload without a change asked the tenant")
	}
	w.newBroker(options{config: func(w *world, c *broker.Config) {
		cached(time.Hour)(w, c)
		c.Connections[0].Pipeline.StaticAMR = []string{"mfa"}
	}})
	_, tokens := w.exchange(w.authorize(b, "ada").Get("code"))
	if amr := payload(t, tokens["id_token"])["amr"]; w.authorizations() != asked+1 || amr == nil {
		t.Errorf("the tenant was asked %d times, want once; amr %v", w.authorizations()-asked, amr)
	}
}

func TestM37_PromptNone(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour), client: func(c *oauth.Client) { c.Consent = oauth.ConsentTrusted }})
	b := w.newBrowser()
	if answer := w.authorize(b, "", "prompt", "none"); answer.Get("error") != "login_required" || w.authorizations() != 1 {
		t.Fatalf("without a session: %v", answer)
	}
	w.authorize(b, "ada")
	asked := w.authorizations()
	w.tenant.SetFaults(brokertest.Faults{Down: true})
	if answer := w.authorize(b, "", "prompt", "none"); answer.Get("code") == "" || w.authorizations() != asked {
		t.Errorf("with a session: %v", answer)
	}
}
