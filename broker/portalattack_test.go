package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// A besieged is a user of the portal with something to lose: an application,
// and a second browser.
type besieged struct {
	*world
	here, there, grace *brokertest.Browser
	page               *brokertest.Page // the portal, here
	other              string           // the session there
}

func besiege(t *testing.T, change func(*broker.Config)) besieged {
	t.Helper()
	s := besieged{world: newWorld(t, options{config: func(_ *world, c *broker.Config) {
		if change != nil {
			change(c)
		}
	}})}
	s.here, s.there, s.grace = s.newBrowser(), s.newBrowser(), s.newBrowser()
	s.enter(s.there, "/", "ada")
	s.portal(s.there, "ada")
	s.other = s.sidOf(s.there)
	s.portal(s.grace, "grace")
	s.page = s.portal(s.here, "ada")
	return s
}

// forms are what there is to post, with a valid token, by address.
func (s besieged) forms() map[string]url.Values {
	return map[string]url.Values{
		portalURL + "/withdraw":         formOf(s.page, "client", orders),
		portalURL + "/withdraw?":        formOf(s.page, "client", orders, "scope", "email"),
		portalURL + "/sessions/end":     formOf(s.page, "session", s.other),
		portalURL + "/sessions/end-all": formOf(s.page),
	}
}

// own are the headers of a form that the portal's page sends.
func own(changes ...string) []string {
	header := map[string]string{
		"Origin": issuer, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Content-Type": "application/x-www-form-urlencoded",
	}
	for i := 0; i < len(changes); i += 2 {
		header[changes[i]] = changes[i+1]
	}
	var out []string
	for name, value := range header {
		if value != "" {
			out = append(out, name, value)
		}
	}
	return out
}

// unharmed asserts that nothing has happened since before.
func (s besieged) unharmed(what, before string) {
	s.Helper()
	if s.dump() != before {
		s.Errorf("%s: the store has changed", what)
	}
	if !s.lets(s.there, gatedSite+"/") || !s.lets(s.here, portalURL) {
		s.Errorf("%s: a browser is signed out", what)
	}
}

// A page of the attacker's posts to the portal with the victim's cookies, or
// with a token that is not the victim's.
func TestR51_S44_ForgedPortalFormsChangeNothing(t *testing.T) {
	s := besiege(t, nil)
	hers := formOf(s.portal(s.grace, "grace")).Get("token")
	theirs := formOf(s.portal(s.there, "ada")).Get("token")
	s.here.Get(portalURL + "/withdraw?client=" + url.QueryEscape(orders))
	token := func(value string) func(url.Values) {
		return func(form url.Values) { form.Set("token", value) }
	}
	same := func(url.Values) {}
	for name, attack := range map[string]struct {
		change func(url.Values)
		header []string
	}{
		"no token":                   {change: func(form url.Values) { form.Del("token") }},
		"an empty token":             {change: token("")},
		"a made-up token":            {change: token(strings.Repeat("A", 120))},
		"another user's token":       {change: token(hers)},
		"another session's token":    {change: token(theirs)},
		"the token of a notice":      {change: token(s.notice())},
		"the token twice":            {change: func(form url.Values) { form.Add("token", form.Get("token")) }},
		"from another site":          {change: same, header: []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}},
		"from a sub-domain":          {change: same, header: []string{"Origin", "https://x.auth.example.com", "Sec-Fetch-Site", "same-site"}},
		"another site, old browser":  {change: same, header: []string{"Origin", "https://evil.example", "Sec-Fetch-Site", ""}},
		"a sandboxed frame":          {change: same, header: []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}},
		"origin null, old browser":   {change: same, header: []string{"Origin", "null", "Sec-Fetch-Site", ""}},
		"origin null, of this site":  {change: same, header: []string{"Origin", "null"}},
		"text/plain":                 {change: same, header: []string{"Content-Type", "text/plain"}},
		"no content type":            {change: same, header: []string{"Content-Type", ""}},
		"JSON":                       {change: same, header: []string{"Content-Type", "application/json"}},
		"another body than it seems": {change: same, header: []string{"Content-Type", "multipart/form-data; boundary=x"}},
		"too large": {change: func(form url.Values) {
			for i := range 200 {
				form.Set("field"+strconv.Itoa(i), strings.Repeat("x", 100))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.dump()
			for address, form := range s.forms() {
				attack.change(form)
				rec := s.asBrowser(s.here, http.MethodPost, address, form.Encode(), own(attack.header...)...)
				if rec.Code != http.StatusForbidden {
					t.Errorf("%s answers %d to %s", address, rec.Code, name)
				}
			}
			s.unharmed(name, before)
		})
	}
	t.Run("the token in the address", func(t *testing.T) {
		before := s.dump()
		for address, form := range s.forms() {
			rec := s.asBrowser(s.here, http.MethodPost, strings.TrimSuffix(address, "?")+"?"+form.Encode(), "", own()...)
			if rec.Code != http.StatusForbidden {
				t.Errorf("%s answers %d", address, rec.Code)
			}
		}
		s.unharmed("in the address", before)
	})
	t.Run("by links", func(t *testing.T) {
		before := s.dump()
		for address, form := range s.forms() {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
				rec := s.asBrowser(s.here, method, strings.TrimSuffix(address, "?")+"?"+form.Encode(), "", own()...)
				asks := strings.HasPrefix(address, portalURL+"/withdraw") && (method == http.MethodGet || method == http.MethodHead)
				if asks != (rec.Code == http.StatusOK) || !asks && rec.Code != http.StatusMethodNotAllowed {
					t.Errorf("%s %s answers %d", method, address, rec.Code)
				}
			}
		}
		s.unharmed("links", before)
	})
	t.Run("while the right ones work", func(t *testing.T) {
		for _, path := range []string{"/withdraw?", "/withdraw", "/sessions/end", "/sessions/end-all"} {
			rec := s.asBrowser(s.here, http.MethodPost, portalURL+path, s.forms()[portalURL+path].Encode(), own()...)
			if rec.Code != http.StatusSeeOther {
				t.Errorf("%s answers %d", path, rec.Code)
			}
		}
		if s.lets(s.there, gatedSite+"/") || s.lets(s.here, portalURL) {
			t.Error("and change nothing")
		}
	})
}

// notice does something harmless here, withdrawing again what was withdrawn,
// and returns the sealed notice about it.
func (s besieged) notice() string {
	s.Helper()
	rec := s.asBrowser(s.here, http.MethodPost, portalURL+"/withdraw", formOf(s.page, "client", "nobody").Encode(), own()...)
	to, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || to.Query().Get("done") == "" {
		s.Fatalf("no notice: %d %s", rec.Code, to)
	}
	return to.Query().Get("done")
}

// A notice that was made for somebody else, or a form's token, says nothing: a
// link must not be able to tell people what they have done.
func TestS44_NoticesCannotBeForged(t *testing.T) {
	s := besiege(t, nil)
	for name, done := range map[string]string{
		"a word": "withdrawn", "a form's token": formOf(s.page).Get("token"), "nothing": "",
	} {
		if page := s.here.Get(portalURL + "?done=" + url.QueryEscape(done)); page.Has("portal-done") {
			t.Errorf("%s: %s", name, page.Text("portal-done"))
		}
	}
	notice := s.notice()
	if page := s.grace.Get(portalURL + "?done=" + notice); page.Has("portal-done") {
		t.Errorf("another user's: %s", page.Text("portal-done"))
	}
	if page := s.here.Get(portalURL + "?done=" + notice); !page.Has("portal-done") {
		t.Error("one's own is not shown")
	}
}

// A page that somebody left open, or saved, must not work for ever.
func TestS44_PortalFormsExpire(t *testing.T) {
	s := besiege(t, func(c *broker.Config) {
		c.Session = session.Limits{Idle: 48 * time.Hour, Lifetime: 96 * time.Hour}
	})
	s.clock.Advance(12*time.Hour - time.Minute)
	if rec := s.asBrowser(s.here, http.MethodPost, portalURL+"/withdraw", formOf(s.page, "client", "nobody").Encode(), own()...); rec.Code != http.StatusSeeOther {
		t.Errorf("in time: %d", rec.Code)
	}
	s.clock.Advance(time.Minute)
	for address, form := range s.forms() {
		rec := s.asBrowser(s.here, http.MethodPost, address, form.Encode(), own()...)
		if rec.Code != http.StatusForbidden || !containsAll(rec.Body.String(), "Nothing was changed", `id="error-retry"`) {
			t.Errorf("%s answers %d", address, rec.Code)
		}
	}
	if !s.lets(s.there, gatedSite+"/") || !s.lets(s.here, portalURL) {
		t.Error("a browser is signed out")
	}
}

// Whoever has the portal open ends no session but one's own, whatever the
// form says.
func TestS44_NobodyEndsAnothersSession(t *testing.T) {
	s := besiege(t, nil)
	mine := formOf(s.portal(s.grace, "grace"))
	before := s.dump()
	for name, sid := range map[string]string{
		"another user's": s.other, "nothing": "", "nobody's": strings.Repeat("A", 43), "part of a key": s.other + "/sso", "a prefix": s.other[:20],
	} {
		mine.Set("session", sid)
		if rec := s.asBrowser(s.grace, http.MethodPost, portalURL+"/sessions/end", mine.Encode(), own()...); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	s.unharmed("ending", before)
}

// Nor does anybody withdraw for another user, and nothing but what can be
// withdrawn.
func TestS44_NobodyWithdrawsForAnother(t *testing.T) {
	s := besiege(t, nil)
	mine := formOf(s.portal(s.grace, "grace"), "client", orders) // she has not been there
	before := s.dump()
	if rec := s.asBrowser(s.grace, http.MethodPost, portalURL+"/withdraw", mine.Encode(), own()...); rec.Code != http.StatusSeeOther {
		t.Errorf("%d", rec.Code)
	}
	for _, client := range []string{"portal", "notes", "nobody", ""} {
		mine.Set("client", client)
		s.asBrowser(s.grace, http.MethodPost, portalURL+"/withdraw", mine.Encode(), own()...)
		if page := s.grace.Get(portalURL + "/withdraw?client=" + client); page.Status != http.StatusNotFound {
			t.Errorf("asking about %q: %d", client, page.Status)
		}
	}
	s.unharmed("withdrawing", before)
}

// Without a session there is no portal, and no form of it.
func TestS44_StrangersGetNoPortal(t *testing.T) {
	s := besiege(t, nil)
	before := s.dump()
	for address, form := range s.forms() {
		r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
		header := own()
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		rec := httptest.NewRecorder()
		s.broker.ServeHTTP(rec, r)
		if rec.Code != http.StatusUnauthorized {
			t.Errorf("%s answers %d", address, rec.Code)
		}
	}
	s.unharmed("strangers", before)
}
