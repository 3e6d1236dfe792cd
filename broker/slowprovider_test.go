package broker_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// outages are the ways in which a provider is not there: each starts a
// provider and returns its domain.
var outages = map[string]func(*world) string{
	"refuses connections": func(w *world) string {
		l := w.listen()
		_ = l.Close()
		return domainOfListener(l)
	},
	"says nothing": func(w *world) string { return domainOfListener(w.listen()) },
	"sends a byte a second": func(w *world) string {
		l := w.listen()
		server := &http.Server{
			Handler:   http.HandlerFunc(drip),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{w.ca.Certificate("localhost")}, MinVersion: tls.VersionTLS12},
		}
		w.Cleanup(func() { _ = server.Close() })
		go func() { _ = server.ServeTLS(l, "", "") }()
		return domainOfListener(l)
	},
}

func (w *world) listen() net.Listener {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = l.Close() })
	return l
}

func domainOfListener(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}

// drip answers as slowly as one can without looking dead.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := w.Write([]byte(" ")); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// withOutage is a world whose connection second leads to a provider that is
// not there; alone, it is the only one.
func withOutage(t *testing.T, outage func(*world) string, alone bool) *world {
	t.Helper()
	return newWorld(t, options{client: trusted, config: func(w *world, c *broker.Config) {
		second := w.connectionTo(outage(w), "second", "Partners")
		if c.Connections = append(c.Connections, second); alone {
			c.Connections = []broker.Connection{second}
		}
	}})
}

// within fails if f takes longer, each time in a world of its own. An outage
// slows all of three, a busy machine some.
func within(t *testing.T, limit time.Duration, world func() *world, f func(*world)) {
	t.Helper()
	var took []time.Duration
	for range 3 {
		w := world()
		start := time.Now()
		f(w)
		if took = append(took, time.Since(start)); took[len(took)-1] <= limit {
			return
		}
	}
	t.Errorf("took %v, want at most %v", took, limit)
}

// atOnce is well below what we wait for a provider.
const atOnce = 2 * time.Second

// However a provider is not there, nobody waits longer than five seconds for
// a page that says so, and the others can be chosen.
func TestS126_S127_PageWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("the only one", func(t *testing.T) {
				t.Parallel()
				within(t, pageWithin, func() *world { return withOutage(t, outage, true) }, func(w *world) {
					answer := w.authorize(w.newBrowser(), "")
					if answer.Get("error") != oauth.TemporarilyUnavailable {
						t.Errorf("the client got %v", answer)
					}
				})
			})
			t.Run("at a gated site", func(t *testing.T) {
				t.Parallel()
				within(t, pageWithin, func() *world { return withOutage(t, outage, true) }, func(w *world) {
					wantUnavailable(t, w, w.newBrowser().Get(gatedSite+"/page"))
				})
			})
			t.Run("chosen", func(t *testing.T) {
				t.Parallel()
				within(t, pageWithin, func() *world { return withOutage(t, outage, false) }, func(w *world) {
					wantFallback(t, w.newBrowser().Get(authorizeURL("idp_hint", "second")))
				})
			})
			t.Run("only looked at", func(t *testing.T) {
				t.Parallel()
				within(t, atOnce, func() *world { return withOutage(t, outage, false) }, func(w *world) {
					w.newBrowser().Get(authorizeURL())
				})
			})
			t.Run("passed over", func(t *testing.T) {
				t.Parallel()
				w := withOutage(t, outage, false)
				b := w.newBrowser()
				b.Get(authorizeURL())
				wantMarks(t, b, b.Page().URL.String(), "second")
				b.StopBefore = clientSite
				b.Click("connection-auth0")
				if answer := w.answer(b.SignIn("ada")); !answer.Has("code") {
					t.Errorf("the client got %v", answer)
				}
			})
		})
	}
}

// wantUnavailable expects the error page of a site whose only provider is not
// there.
func wantUnavailable(t *testing.T, w *world, page *brokertest.Page) {
	t.Helper()
	if page.Text("error-code") != oauth.TemporarilyUnavailable || page.Status != http.StatusServiceUnavailable ||
		!strings.Contains(string(page.Body), "The identity provider does not answer") {
		t.Errorf("%d at %s", page.Status, page.URL)
	}
	if retry := page.ByID("error-retry"); retry == nil || retry.Attr("href") != gatedSite+"/page" {
		t.Error("no way to try again")
	}
	if trace := page.Text("error-trace"); trace == "" || !strings.Contains(w.logs.String(), trace) {
		t.Errorf("the log does not know %q", trace)
	}
}
