package broker_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

const logoutPage = issuer + "/oauth2/logout"

// R46: logging out ends what the server knows, not only what the browser
// holds.
func TestR46_LogoutEndsTheSession(t *testing.T) {
	w := newWorld(t, selfService)
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	unspent := w.authorize(b, "ada").Get("code")
	b.StopBefore = ""
	stolen := b.Cookies(issuer)

	if page := b.Get(logoutPage); !page.Has("logout-form") || page.Status != http.StatusOK {
		t.Fatalf("%s", page)
	}
	page := b.Click("logout-confirm")
	if !page.Has("logout-done") || !strings.Contains(page.Text("logout-done"), "signed out") {
		t.Fatalf("%s", page)
	}
	if page := b.Fetch(gatedSite + "/"); page.Status != http.StatusUnauthorized {
		t.Errorf("the gated site lets the browser in: %s", page)
	}
	if status, body := w.exchange(unspent); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("the unspent code: %d %v", status, body)
	}
	if b.Cookie(issuer, "__Host-auth_broker_sso") != nil {
		t.Error("the cookie is still there")
	}
	thief := w.newBrowser()
	for _, c := range stolen {
		thief.SetCookie(issuer, c)
	}
	if page := thief.Get(logoutPage); !page.Has("logout-done") {
		t.Errorf("the old cookie is worth something: %s", page)
	}
	thief.StopBefore = clientSite
	if answer := w.answer(thief.Get(authorizeURL("prompt", "none"))); answer.Get("code") != "" {
		t.Errorf("the old cookie signs in: %v", answer)
	}
	if !strings.Contains(w.logs.String(), `"signed out","connection":"auth0"`) {
		t.Error("the logout is not in the log")
	}
}

// Another browser of the same person is another session.
func TestLogoutIsOfOneBrowser(t *testing.T) {
	w := newWorld(t, options{})
	here, there := w.newBrowser(), w.newBrowser()
	w.enter(here, "/", "ada")
	w.enter(there, "/", "ada")
	here.Get(logoutPage)
	here.Click("logout-confirm")
	if page := there.Get(gatedSite + "/"); !page.Has("app") {
		t.Errorf("%s", page)
	}
}

// OpenID Connect RP-Initiated Logout 1.0, 2: what proves nothing is asked
// first; and the browser is not sent to an address that nobody registered.
func TestLogoutAsksAndNeverRedirects(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	for _, query := range []string{
		"", "?state=s", "?client_id=notes&state=s&post_logout_redirect_uri=" + url.QueryEscape(clientSite+"/"),
		"?id_token_hint=not-a-token&logout_hint=ada&post_logout_redirect_uri=https%3A%2F%2Fevil.example", "?ui_locales=de", "?a;b&%zz", "?x=1&x=2",
	} {
		page := b.Get(logoutPage + query)
		if !page.Has("logout-form") || page.URL.Host != "auth.example.com" {
			t.Errorf("%q: %s", query, page)
		}
		if strings.Contains(string(page.Body), "evil.example") || strings.Contains(string(page.Body), clientSite) {
			t.Errorf("%q: the page leads elsewhere", query)
		}
	}
	if page := b.Get(gatedSite + "/"); !page.Has("app") {
		t.Fatal("a link signed the visitor out")
	}
	if page := b.Get(logoutPage + "?ui_locales=de"); page.Header.Get("Content-Language") != "de" {
		t.Error("ui_locales is not heeded")
	}
	// Who is not signed in is told so at once; upstream logouts lead here.
	if page := w.newBrowser().Get(logoutPage + "?post_logout_redirect_uri=https%3A%2F%2Fevil.example&state=s"); !page.Has("logout-done") || page.Has("logout-continue") {
		t.Errorf("without a session: %s", page)
	}
}

// The complete endpoint is advertised when there is one.
func TestLogoutIsNotInTheMetadata(t *testing.T) {
	w := newWorld(t, options{})
	_, metadata := w.do(httptest.NewRequest(http.MethodGet, issuer+"/.well-known/openid-configuration", nil))
	if _, found := metadata["end_session_endpoint"]; found {
		raw, _ := json.Marshal(metadata)
		t.Errorf("%s", raw)
	}
}

// R51: no page of a stranger signs anybody out.
func TestR51_LogoutCannotBeForged(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	handle := b.Cookie(issuer, "__Host-auth_broker_sso")
	other := w.newBrowser()
	w.enter(other, "/", "ada")
	post := func(form url.Values, change func(*http.Request)) int {
		r := httptest.NewRequest(http.MethodPost, logoutPage, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(handle)
		change(r)
		rec := httptest.NewRecorder()
		w.broker.ServeHTTP(rec, r)
		return rec.Code
	}
	right := url.Values{"token": {formField(t, b.Get(logoutPage).Body, "token")}}
	for name, tt := range map[string]struct {
		form   url.Values
		change func(*http.Request)
	}{
		"without the token":    {url.Values{}, func(*http.Request) {}},
		"with another one's":   {url.Values{"token": {formField(t, other.Get(logoutPage).Body, "token")}}, func(*http.Request) {}},
		"from another site":    {right, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }},
		"from a sub-domain":    {right, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }},
		"from a null origin":   {right, func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") }},
		"as plain text":        {right, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }},
		"token in the address": {url.Values{}, func(r *http.Request) { r.URL.RawQuery = right.Encode() }},
	} {
		if status := post(tt.form, tt.change); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
		if page := b.Get(gatedSite + "/"); !page.Has("app") {
			t.Fatalf("%s: signed out", name)
		}
	}
	if status := post(right, func(*http.Request) {}); status != http.StatusOK {
		t.Errorf("our own form: %d", status)
	}
	if page := b.Fetch(gatedSite + "/"); page.Status != http.StatusUnauthorized {
		t.Errorf("our own form: %s", page)
	}
}

// formField returns the value of a hidden field.
func formField(t *testing.T, body []byte, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(string(body), `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("no field %s in %s", name, body)
	}
	return value
}

// A session that has gone idle may have gates below it that were in use until
// now; whoever signs out means these, too.
func TestLogoutFindsIdleSessions(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	w.clock.Advance(session.DefaultIdle + time.Minute)
	if page := b.Get(logoutPage); !page.Has("logout-confirm") {
		t.Fatalf("%s", page)
	}
	if page := b.Click("logout-confirm"); !page.Has("logout-done") || strings.Contains(w.dump(), "session/") {
		t.Errorf("%s, or something is still stored", page)
	}
}
