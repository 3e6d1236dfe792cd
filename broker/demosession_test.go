package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const demoCookie = "__Host-auth_broker_demo"

// demoAnswer brings a browser to the point where the broker's answer is about
// to reach the demo, and returns its address.
func (w *world) demoAnswer(user string) (answer string) {
	w.Helper()
	b := w.newBrowser()
	w.demoConsent(b, user)
	b.StopBefore = issuer + "/demo/callback"
	page := b.Click("consent-allow")
	if page.Location == nil {
		w.Fatalf("no answer to the demo: %s", page)
	}
	return page.Location.String()
}

// S24, for the demo as a client: an answer counts once, in the browser that
// asked for it.
func TestM85_DemoAnswersCountOnceAndWhereTheyWereAsked(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.demoSignIn(b, "ada")
	var own string
	for _, address := range b.History() {
		if strings.HasPrefix(address, issuer+"/demo/callback") {
			own = address
		}
	}
	foreign := w.demoAnswer("grace")
	forged, err := url.Parse(own)
	if err != nil {
		t.Fatal(err)
	}
	query := forged.Query()
	query.Set("state", "not-a-state")
	forged.RawQuery = query.Encode()
	query.Del("state")
	bare := issuer + "/demo/callback?" + query.Encode()
	twice := own + "&state=" + url.QueryEscape("not-a-state")

	redeemed := func() int { return strings.Count(w.logs.String(), `"tokens issued"`) }
	before := redeemed()
	t.Run("a reload shows what it brought", func(t *testing.T) {
		if page := b.Get(own); page.URL.String() != demoPage || !page.Has("demo-claim-name") {
			t.Errorf("%s", page)
		}
	})
	t.Run("what belongs to nobody or to another browser brings nothing", func(t *testing.T) {
		for name, address := range map[string]string{"foreign": foreign, "forged": forged.String(), "without state": bare, "with two": twice} {
			if page := b.Get(address); page.Status != http.StatusBadRequest || page.Text("error-code") != "invalid_request" {
				t.Errorf("%s: %s %q", name, page, page.Text("error-code"))
			}
			if page := b.Get(demoPage); page.Text("demo-user") != "Signed in as Ada Example" {
				t.Errorf("%s: the browser's own session is now %q", name, page.Text("demo-user"))
			}
		}
		for name, address := range map[string]string{"foreign": foreign, "replayed": own} {
			other := w.newBrowser()
			if page := other.Get(address); page.Status != http.StatusBadRequest || page.Text("error-code") != "invalid_request" {
				t.Errorf("%s, in a fresh browser: %s", name, page)
			}
			other.Get(issuer + "/demo/login") // it has a binding of its own now
			if page := other.Get(address); page.Status != http.StatusBadRequest || other.Cookie(demoPage, demoCookie) != nil {
				t.Errorf("%s, in another browser: %s", name, page)
			}
		}
	})
	if strings.Contains(w.logs.String(), "the code was refused") {
		t.Error("the demo took somebody's answer to the broker")
	}
	t.Run("a replay after logging out brings nothing", func(t *testing.T) {
		b.Click("demo-logout")
		if page := b.Get(own); page.Status != http.StatusBadRequest || !page.Has("error-code") {
			t.Errorf("%s", page)
		}
		if page := b.Get(demoPage); !page.Has("demo-start") {
			t.Errorf("signed in again: %s", page)
		}
	})
	t.Run("nor does one that is too old", func(t *testing.T) {
		late := w.newBrowser()
		w.demoConsent(late, "mfa")
		late.StopBefore = issuer + "/demo/callback"
		answer := late.Click("consent-allow").Location.String()
		w.clock.Advance(31 * time.Minute)
		late.StopBefore = ""
		if page := late.Get(answer); page.Status != http.StatusBadRequest {
			t.Errorf("%s", page)
		}
	})
	if got := redeemed(); got != before {
		t.Errorf("tokens were issued %d times, want %d", got, before)
	}
}

// A code that an attacker got for his own sign-in does not fit into the
// victim's: that is what nonce and verifier are for.
func TestM85_DemoTakesNoCodeOfAnotherSignIn(t *testing.T) {
	w := newWorld(t, withDemo)
	attackers, err := url.Parse(w.demoAnswer("grace"))
	if err != nil {
		t.Fatal(err)
	}
	victim := w.newBrowser()
	w.demoConsent(victim, "ada")
	victim.StopBefore = issuer + "/demo/callback"
	answer := victim.Click("consent-allow").Location
	query := answer.Query()
	query.Set("code", attackers.Query().Get("code"))
	answer.RawQuery = query.Encode()
	victim.StopBefore = ""
	if page := victim.Get(answer.String()); page.Status != http.StatusBadRequest && page.Status != http.StatusInternalServerError {
		t.Errorf("%s", page)
	}
	if page := victim.Get(demoPage); !page.Has("demo-start") {
		t.Errorf("the victim is signed in as %q", page.Text("demo-user"))
	}
}

func TestM85_DemoTokensAreSeenInTheirBrowserOnly(t *testing.T) {
	w := newWorld(t, withDemo)
	ada, grace := w.newBrowser(), w.newBrowser()
	w.demoSignIn(ada, "ada")
	w.demoSignIn(grace, "grace")
	if page := grace.Get(demoPage + "?tab=id_token"); strings.Contains(string(page.Body), "ada@example.com") || !strings.Contains(string(page.Body), "grace@example.com") {
		t.Errorf("%s", page.Body)
	}
	if page := w.newBrowser().Get(demoPage + "?tab=id_token"); !page.Has("demo-start") || page.Has("token-raw") {
		t.Errorf("without a session: %s", page)
	}
	handle := ada.Cookie(demoPage, demoCookie)
	if handle == nil || !handle.HttpOnly || !handle.Secure || handle.SameSite != http.SameSiteLaxMode {
		t.Fatalf("cookie %v", handle)
	}
	// The store finds the session by the handle's hash, and logs know none.
	_, secret, _ := strings.Cut(handle.Value, ".")
	if strings.Contains(w.dump(), secret) {
		t.Error("the store holds the handle")
	}
	raw := strings.TrimSpace(ada.Get(demoPage + "?tab=access_token").Text("token-raw"))
	if strings.Count(raw, ".") != 2 {
		t.Fatalf("token %q", raw)
	}
	for name, text := range map[string]string{"the access token": raw, "the handle": handle.Value} {
		if strings.Contains(w.logs.String(), text) {
			t.Errorf("%s is in the log", name)
		}
	}
	page := ada.Page()
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if got := page.Header.Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
		t.Errorf("Cross-Origin-Opener-Policy %q", got)
	}
	if !strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page can be framed")
	}
}

func TestM85_LogoutHereLeavesTheBrokerAlone(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	w.demoSignIn(b, "ada")
	if page := b.Click("demo-logout"); !page.Has("demo-start") || !page.Has("demo-signed-out") {
		t.Fatalf("%s", page)
	}
	if page := b.Get(gatedSite + "/"); !page.Has("app") {
		t.Errorf("signed out of the gated site: %s", page)
	}
	if page := b.Get(issuer + "/oauth2/logout"); !page.Has("logout-confirm") {
		t.Errorf("signed out of the broker: %s", page)
	}
	keys, err := w.store.List(t.Context(), "session/", "", 1000)
	for _, key := range keys {
		if strings.Contains(key, "/demo/") {
			t.Errorf("the tokens are still stored as %s", key)
		}
	}
	if err != nil || len(keys) == 0 {
		t.Errorf("sessions %q, %v", keys, err)
	}
}

// R51, for the demo.
func TestR51_LogoutHereCannotBeForged(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.demoSignIn(b, "ada")
	r := httptest.NewRequest(http.MethodPost, issuer+"/demo/logout", strings.NewReader(url.Values{"token": {formField(t, b.Page().Body, "token")}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(b.Cookie(demoPage, demoCookie))
	rec := httptest.NewRecorder()
	if w.broker.ServeHTTP(rec, r); rec.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", rec.Code)
	}
	for name, form := range map[string]url.Values{"without the token": {}, "with another": {"token": {"not-the-token"}}} {
		if page := b.Post(issuer+"/demo/logout", form); page.Status != http.StatusForbidden {
			t.Errorf("%s: %s", name, page)
		}
	}
	if page := b.Get(demoPage); !page.Has("demo-user") {
		t.Fatalf("signed out by a forged form: %s", page)
	}
	// A stale page posts to a session that is over.
	stale := b.NewTab()
	stale.Get(demoPage)
	b.Click("demo-logout")
	if page := stale.Click("demo-logout"); !page.Has("demo-start") {
		t.Errorf("a second click: %s", page)
	}
}

// Whatever ends the SSO session ends the demo's.
func TestM85_DemoEndsWithTheSession(t *testing.T) {
	t.Run("by logging out everywhere", func(t *testing.T) {
		w := newWorld(t, withDemo)
		b := w.newBrowser()
		w.enter(b, "/", "ada")
		w.demoSignIn(b, "ada")
		if page := b.Click("demo-logout-everywhere"); !page.Has("logout-form") {
			t.Fatalf("%s", page)
		}
		if page := b.Click("logout-confirm"); !page.Has("logout-done") {
			t.Fatalf("%s", page)
		}
		if page := b.Get(demoPage); !page.Has("demo-start") || page.Has("demo-signed-out") {
			t.Errorf("demo: %s", page)
		}
		if page := b.Fetch(gatedSite + "/"); page.Status != http.StatusUnauthorized {
			t.Errorf("gated site: %s", page)
		}
		if strings.Contains(w.dump(), "session/") {
			t.Error("something of the session is still stored")
		}
	})
	t.Run("by the logout of a gated site", func(t *testing.T) {
		w := newWorld(t, withDemo)
		b := w.newBrowser()
		w.enter(b, "/", "ada")
		w.demoSignIn(b, "ada")
		b.Get(gatedSite + "/.auth/logout")
		if page := b.Get(demoPage); !page.Has("demo-start") {
			t.Errorf("%s", page)
		}
	})
	t.Run("when another person signs in", func(t *testing.T) {
		w := newWorld(t, withDemo)
		b := w.newBrowser()
		w.demoSignIn(b, "ada")
		w.tenant.EndSessions("ada")
		b.Get(gatedSite + "/")
		b.SignIn("grace")
		if page := b.Get(demoPage); !page.Has("demo-start") {
			t.Errorf("%s", page.Text("demo-user"))
		}
	})
}
