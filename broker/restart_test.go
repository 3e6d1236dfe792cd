package broker_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// homePage is the client_uri of the registered client.
const homePage = clientSite + "/home"

func withHomePage(c *oauth.Client) { c.URI = homePage }

// A starter begins a sign-in: at the gated site or at the registered client.
type starter struct {
	name, address string
	// way is the id of the link on the error page, to where it leads.
	way, to string
}

func starters() []starter {
	page := gatedSite + "/deep?x=1"
	return []starter{
		{"gated site", page, "error-retry", page},
		{"registered client", authorizeURL(), "error-back", homePage},
	}
}

// wantKindPage checks an error page in the middle of a sign-in: 400, whose
// turn it is, what to do, a reference that the log knows, and the way on.
func wantKindPage(t *testing.T, w *world, page *brokertest.Page, s starter, reason, code string) {
	t.Helper()
	if page.Status != http.StatusBadRequest || page.URL.Host != "auth.example.com" || page.Text("error-code") != code {
		t.Fatalf("%d %q at %s\n%s", page.Status, page.Text("error-code"), page.URL, page.Body)
	}
	if got := refusal(t, w, page.Text("error-trace")); got != reason {
		t.Errorf("the log says %q, want %q", got, reason)
	}
	body := string(page.Body)
	if !strings.Contains(body, "Your turn") || !strings.Contains(body, "What to do") {
		t.Error("it does not say whose turn it is, or what to do")
	}
	for _, id := range []string{"error-retry", "error-back"} {
		switch e := page.ByID(id); {
		case id == s.way && (e == nil || e.Attr("href") != s.to):
			t.Errorf("%s does not lead to %s:\n%s", id, s.to, body)
		case id != s.way && e != nil:
			t.Errorf("%s leads to %q", id, e.Attr("href"))
		}
	}
}

// refusal returns the reason of the log line with this reference.
func refusal(t *testing.T, w *world, trace string) string {
	t.Helper()
	for line := range strings.Lines(w.logs.String()) {
		var entry struct{ Msg, Trace, Reason string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "request refused" && entry.Trace == trace && trace != "" {
			return entry.Reason
		}
	}
	t.Errorf("no line of the log has the reference %q", trace)
	return ""
}

// stop brings a browser to the address of a page of the sign-in, which it
// does not open.
func (w *world) stop(b *brokertest.Browser, s starter, before string) *url.URL {
	w.Helper()
	b.StopBefore = issuer + before
	defer func() { b.StopBefore = "" }()
	page := b.Get(s.address)
	if page.Has("login-form") {
		page = b.Click("connection-auth0")
	}
	if page.Location == nil {
		page = b.SignIn("ada")
	}
	if page.Location == nil || !strings.HasPrefix(page.Location.String(), issuer+before) {
		w.Fatalf("not before %s: %d %s", before, page.Status, page.URL)
	}
	return page.Location
}

// Somebody comes with a callback that belongs to no sign-in of this browser.
func TestS28_CallbackRestartsKindly(t *testing.T) {
	const callback = "/oauth2/callback/"
	for _, s := range starters() {
		for name, c := range map[string]struct {
			reason string
			come   func(*world, *brokertest.Browser, string) *brokertest.Page
		}{
			"after its ten minutes": {"stale_sign_in", func(w *world, b *brokertest.Browser, to string) *brokertest.Page {
				w.clock.Advance(11 * time.Minute)
				return b.Get(to)
			}},
			"from a tab of yesterday": {"stale_sign_in", func(w *world, b *brokertest.Browser, to string) *brokertest.Page {
				w.clock.Advance(24 * time.Hour)
				return b.Get(to)
			}},
			"a second time": {"replayed_callback", func(_ *world, b *brokertest.Browser, to string) *brokertest.Page {
				b.Get(to)
				return b.Get(to)
			}},
			"a second time, with the cookie of before": {"replayed_callback", func(_ *world, b *brokertest.Browser, to string) *brokertest.Page {
				before := b.Cookie(issuer, "__Host-auth_broker_flow")
				b.Get(to)
				b.SetCookie(issuer, before)
				return b.Get(to)
			}},
			"without the cookie": {"cookies_missing", func(w *world, _ *brokertest.Browser, to string) *brokertest.Page {
				return w.newBrowser().Get(to)
			}},
			"of another browser": {"stale_sign_in", func(w *world, _ *brokertest.Browser, to string) *brokertest.Page {
				other := w.newBrowser()
				w.stop(other, s, callback)
				return other.Get(to)
			}},
			"after another choice": {"stale_sign_in", func(w *world, b *brokertest.Browser, to string) *brokertest.Page {
				b.Back() // the provider's login page
				b.Back() // the chooser
				b.StopBefore = w.tenant.Issuer()
				b.Click("connection-second")
				return b.Get(to)
			}},
		} {
			t.Run(s.name+", "+name, func(t *testing.T) {
				w := newWorld(t, options{client: withHomePage, config: twoConnections})
				b := w.newBrowser()
				page := c.come(w, b, w.stop(b, s, callback).String())
				wantKindPage(t, w, page, s, c.reason, "invalid_request")
			})
		}
	}
	t.Run("a state that is not ours", func(t *testing.T) {
		w := newWorld(t, options{client: withHomePage})
		b := w.newBrowser()
		b.Get(authorizeURL())
		page := b.Get(issuer + callback + "auth0?code=x&state=" + strings.Repeat("A", 80))
		wantKindPage(t, w, page, starter{}, "stale_sign_in", "invalid_request")
	})
}

// The link of the page does what it promises.
func TestS22_S28_LostSignInEndsOnItsOwnPage(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	callback := w.stop(b, starters()[0], "/oauth2/callback/")
	w.clock.Advance(time.Hour)
	b.Get(callback.String())
	page := b.Click("error-retry")
	if page.Has("tenant-login-form") {
		page = b.SignIn("ada")
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if page.URL.String() != gatedSite+"/deep?x=1" || !page.Has("app") {
		t.Errorf("ended at %d %s", page.Status, page.URL)
	}
}
