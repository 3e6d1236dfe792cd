package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// lets says whether a page behind a gate lets the browser in as it is,
// without another sign-in: the answer to its very next request.
func (w *world) lets(b *brokertest.Browser, address string) bool {
	w.Helper()
	tab := b.NewTab()
	tab.StopBefore = issuer + "/oauth2/authorize"
	page := tab.Get(address)
	if page.Status != http.StatusOK && page.Status != http.StatusFound {
		w.Errorf("%s answers %d", address, page.Status)
	}
	return page.Status == http.StatusOK
}

// What is withdrawn in one browser is refused in the other on its very next
// request, and nobody else is touched.
func TestM94_WithdrawalInThePortal(t *testing.T) {
	w := newWorld(t, selfService)
	here, there, grace := w.newBrowser(), w.newBrowser(), w.newBrowser()
	w.enter(there, "/", "ada")
	w.enter(grace, "/", "grace")
	w.portal(here, "ada")
	w.clock.Advance(time.Second)
	page := here.Click("withdraw-" + orders)
	if !page.Has("withdraw-confirm") || !strings.Contains(string(page.Body), "Orders") {
		t.Fatalf("no confirmation: %d %s", page.Status, page.URL)
	}
	if here.Click("withdraw-cancel"); !here.Page().Has("portal-app-" + orders) {
		t.Fatal("Cancel withdraws")
	}
	if !w.lets(there, gatedSite+"/") {
		t.Fatal("the other browser is not signed in to begin with")
	}
	here.Click("withdraw-" + orders)
	page = here.Click("withdraw-confirm")
	if page.Status != 200 || page.Has("portal-app-"+orders) || !strings.Contains(page.Text("portal-done"), "Access is withdrawn") {
		t.Errorf("%d %s\n%s", page.Status, page.URL, page.Body)
	}
	if w.lets(there, gatedSite+"/") {
		t.Error("the other browser is signed in at the gate")
	}
	if !w.lets(grace, gatedSite+"/") {
		t.Error("another user is signed out at the gate")
	}
	if page := here.Reload(); page.Status != 200 {
		t.Errorf("reloading: %d", page.Status)
	}
	w.clock.Advance(2 * time.Minute)
	if page := here.Reload(); page.Has("portal-done") {
		t.Error("the notice stays")
	}
	// The form again: the back button, a double click.
	here.Back()
	if page := here.Page(); page.Has("withdraw-confirm") {
		if page = here.Click("withdraw-confirm"); page.Status != 200 || !page.Has("portal-account") {
			t.Errorf("twice: %d %s", page.Status, page.URL)
		}
	}
}

func TestM94_WithdrawalOfOneScopeInThePortal(t *testing.T) {
	w := newWorld(t, selfService)
	b, there := w.newBrowser(), w.newBrowser()
	w.enter(b, "/", "ada")
	w.enter(there, "/", "ada")
	w.portal(b, "ada")
	w.clock.Advance(time.Second)
	page := b.Click("portal-scope-" + orders + "-email")
	if page.Has("portal-scope-"+orders+"-email") || !page.Has("portal-scope-"+orders+"-profile") || !strings.Contains(page.Text("portal-done"), "permission") {
		t.Errorf("%d %s\n%s", page.Status, page.URL, page.Body)
	}
	if w.lets(there, gatedSite+"/") {
		t.Error("a session with the scope is signed in at the gate")
	}
	if page := there.Get(gatedSite + "/"); !page.Has("scope-email") || page.Has("scope-profile") {
		t.Errorf("asked again: email %t, profile %t", page.Has("scope-email"), page.Has("scope-profile"))
	}
	there.Check("scope-email", false)
	if page := there.Click("consent-allow"); !page.Has("app") {
		t.Errorf("without it: %d %s", page.Status, page.URL)
	}
	if w.portal(b, "ada").Has("portal-scope-" + orders + "-email") {
		t.Error("the withheld scope is back")
	}
}

func TestM84_EndOneSession(t *testing.T) {
	w := newWorld(t, options{})
	here, there := w.newBrowser(), w.newBrowser()
	w.enter(here, "/", "ada")
	w.enter(there, "/", "ada")
	w.portal(here, "ada")
	w.portal(there, "ada")
	here.Reload()
	page := here.Click("portal-end-1")
	if page.Status != 200 || page.Has("portal-end-1") || !strings.Contains(page.Text("portal-done"), "ended") {
		t.Errorf("%d %s\n%s", page.Status, page.URL, page.Body)
	}
	if w.lets(there, portalURL) {
		t.Error("the portal is open in the ended session")
	}
	if w.lets(there, gatedSite+"/") {
		t.Error("the other browser is signed in at the gate")
	}
	if !w.lets(here, gatedSite+"/") {
		t.Error("this browser is signed out at the gate")
	}
}

// One's own session can be ended by a form that was drawn elsewhere, too.
func TestM84_EndThisSession(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	form := formOf(w.portal(b, "ada"), "session", w.sidOf(b))
	if page := b.Post(portalURL+"/sessions/end", form); !page.Has("logout-done") {
		t.Errorf("%d %s", page.Status, page.URL)
	}
	if w.lets(b, gatedSite+"/") || w.lets(b, portalURL) {
		t.Error("the browser is still signed in")
	}
}

func TestM84_EndAllSessions(t *testing.T) {
	w := newWorld(t, options{})
	here, there, grace := w.newBrowser(), w.newBrowser(), w.newBrowser()
	w.enter(here, "/", "ada")
	w.enter(there, "/", "ada")
	w.enter(grace, "/", "grace")
	_, tokens := w.exchange(w.authorize(there, "ada").Get("code"))
	w.portal(here, "ada")
	w.clock.Advance(time.Second)
	page := here.Click("portal-end-all")
	if page.Status != 200 || !page.Has("logout-done") {
		t.Errorf("%d %s\n%s", page.Status, page.URL, page.Body)
	}
	if here.Cookie(portalURL, "__Host-auth_broker_portal") != nil {
		t.Error("the cookie is still there")
	}
	if status, _ := w.userinfo(tokens["access_token"].(string)); status != http.StatusUnauthorized {
		t.Errorf("a token of before: %d", status)
	}
	if w.lets(there, gatedSite+"/") {
		t.Error("the other browser is signed in at the gate")
	}
	if w.lets(here, gatedSite+"/") || w.lets(here, portalURL) {
		t.Error("this browser is still signed in")
	}
	if !w.lets(grace, gatedSite+"/") {
		t.Error("another user is signed out at the gate")
	}
	w.clock.Advance(time.Second)
	if page := w.portal(here, "ada"); !page.Has("portal-app-" + orders) {
		t.Error("ending sessions has withdrawn consents")
	}
}

// sidOf returns the browser's session, as its own page of the gate tells.
func (w *world) sidOf(b *brokertest.Browser) string {
	w.Helper()
	var me struct{ SID string }
	if err := b.Fetch(portalURL + "/auth/me").JSON(&me); err != nil {
		w.Fatal(err)
	}
	return me.SID
}

// asBrowser asks the broker for what a browser would, with its cookies, but
// with headers and a body of one's own.
func (w *world) asBrowser(b *brokertest.Browser, method, address, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	for _, c := range b.Cookies(address) {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.broker.ServeHTTP(rec, r)
	return rec
}

// formOf returns the fields of the portal's forms: the token, and what else
// is given.
func formOf(page *brokertest.Page, fields ...string) url.Values {
	form := url.Values{}
	if m := regexp.MustCompile(`name="token" value="([^"]+)"`).FindSubmatch(page.Body); m != nil {
		form.Set("token", string(m[1]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}
