package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// demoOffline signs the user in at the demo with offline_access, and shows
// the tab of the refresh token.
func (w *world) demoOffline(b *brokertest.Browser, user string) *brokertest.Page {
	w.Helper()
	b.Get(demoPage)
	b.Check("demo-scope-offline_access", true)
	b.Click("demo-start")
	b.Click("demo-continue")
	page := b.SignIn(user)
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if !page.Has("demo-user") {
		w.Fatalf("not signed in at the demo: %s\n%s", page, page.Body)
	}
	return b.Click("demo-tab-refresh_token")
}

func TestM22_DemoRefreshes(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	page := w.demoOffline(b, "ada")
	first := page.Text("token-raw")
	if strings.Count(first, ".") != 1 || page.Has("refresh-none") || page.Has("refresh-renewed") {
		t.Fatalf("refresh token %q: %s", first, page.Body)
	}
	if got := page.Text("token-expires"); !strings.HasPrefix(got, "in 30 days (") {
		t.Errorf("ends %q", got)
	}
	before := shown(t, b, "access_token")
	b.Click("demo-tab-refresh_token")
	w.clock.Advance(11 * time.Minute)
	page = b.Click("demo-refresh")
	if second := page.Text("token-raw"); second == first || !page.Has("refresh-renewed") || !strings.HasPrefix(page.Text("token-expires"), "in 29 days (") {
		t.Errorf("after a refresh %q: %s", second, page.Body)
	}
	after := shown(t, b, "access_token")
	if after["jti"] == before["jti"] || after["sub"] != before["sub"] || after["auth_time"] != before["auth_time"] {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if page := b.Click("demo-tab-claims"); !containsAll(page.Text("demo-claim-email"), "ada@example.com") {
		t.Errorf("claims: %s", page.Body)
	}
}

// M19: what the person sees of a withdrawal at the application it is from.
func TestM19_DemoTellsThatItsRefreshTokenHasEnded(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.demoOffline(b, "ada")
	w.clock.Advance(time.Second)
	w.portal(b, "ada")
	b.Click("withdraw-demo")
	b.Click("withdraw-confirm")
	page := b.Get(demoPage + "?tab=refresh_token")
	if !page.Has("demo-refresh") {
		t.Fatalf("%s: %s", page, page.Body)
	}
	page = b.Click("demo-refresh")
	if page.Has("token-raw") || !strings.Contains(page.Text("refresh-none"), "has refused") {
		t.Errorf("after the withdrawal: %s", page.Body)
	}
	b.Get(demoPage + "?new=1")
	b.Click("demo-start")
	if page := b.Click("demo-continue"); !page.Has("consent-form") {
		t.Errorf("the next sign-in does not ask: %s", page)
	}
}

func TestM22_DemoSaysWhyThereIsNone(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.demoConsent(b, "ada")
	b.Click("consent-allow")
	if page := b.Click("demo-tab-refresh_token"); !strings.Contains(page.Text("refresh-none"), "did not ask") || page.Has("demo-refresh") {
		t.Errorf("not asked for: %s", page.Body)
	}
	b.Get(demoPage + "?new=1")
	b.Check("demo-scope-offline_access", true)
	b.Click("demo-start")
	b.Click("demo-continue")
	b.Check("scope-offline_access", false)
	b.Click("consent-allow")
	if page := b.Click("demo-tab-refresh_token"); !strings.Contains(page.Text("refresh-none"), "did not grant") {
		t.Errorf("withheld: %s", page.Body)
	}
}

// The attacker is a page that the person visits, which posts the form unseen.
// Harm: tokens that the demo did not want, and one it has is spent.
func TestDemoRefreshIsNotForged(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	page := w.demoOffline(b, "ada")
	token, field := page.Text("token-raw"), formField(t, page.Body, "token")
	b.Click("demo-tab-claims")
	logout := formField(t, b.Page().Body, "token")
	r := httptest.NewRequest(http.MethodPost, issuer+"/demo/refresh", strings.NewReader(url.Values{"token": {field}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(b.Cookie(demoPage, demoCookie))
	rec := httptest.NewRecorder()
	if w.broker.ServeHTTP(rec, r); rec.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", rec.Code)
	}
	for name, form := range map[string]url.Values{"without the token": {}, "with another": {"token": {"not-the-token"}}, "with that of another form": {"token": {logout}}} {
		if page := b.Post(issuer+"/demo/refresh", form); page.Status != http.StatusForbidden {
			t.Errorf("%s: %s", name, page)
		}
	}
	if got := b.Get(demoPage + "?tab=refresh_token").Text("token-raw"); got != token {
		t.Error("the refresh token was used")
	}
}
