package broker_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

const discoveryPath = "/.well-known/openid-configuration"

// pageWithin is how long anybody may wait for a page while a provider is
// down (S126, S127).
const pageWithin = 5 * time.Second

// connectionTo is a connection to another tenant than the world's.
func (w *world) connectionTo(domain, id, name string) broker.Connection {
	w.Helper()
	p, err := auth0.New(auth0.Config{
		Domain: domain, ClientID: upstreamID, ClientSecret: upstreamSecret, AllowLocal: true,
	}, oidc.Deps{Outbound: w.outbound(), Now: w.clock.Now})
	if err != nil {
		w.Fatal(err)
	}
	c := broker.Connection{ID: id, Name: name, Provider: p}
	c.Pipeline.Attributes, c.Pipeline.Mappings = claims.Default(false), claims.DefaultMappings(false)
	return c
}

// twoTenants is a world with the connections auth0 and second, each to a
// tenant of its own; the second one's is returned.
func twoTenants(t *testing.T, changes ...func(*broker.Config)) (*world, *brokertest.Server) {
	t.Helper()
	var other *brokertest.Server
	w := newWorld(t, options{
		client: trusted,
		config: func(w *world, c *broker.Config) {
			other = brokertest.StartTLS(t, brokertest.Options{CA: w.ca, Now: w.clock.Now, Clients: []brokertest.Client{{
				ID: upstreamID, Secret: upstreamSecret, Callbacks: []string{issuer + "/oauth2/callback/second"},
			}}})
			c.Connections = append(c.Connections, w.connectionTo(other.Domain(), "second", "Partners"))
			for _, change := range changes {
				change(c)
			}
		},
	})
	return w, other
}

// marked are the connections that the chooser says are down.
func marked(page *brokertest.Page) (ids []string) {
	for _, id := range offered(page) {
		if strings.Contains(page.Text("connection-"+id), "Not answering at the moment") {
			ids = append(ids, id)
		}
	}
	return ids
}

// wantMarks reloads the chooser until it marks exactly these connections: a
// look starts what the next one shows.
func wantMarks(t *testing.T, b *brokertest.Browser, address string, want ...string) {
	t.Helper()
	start := time.Now()
	for {
		page := b.Get(address)
		if !page.Has("login-form") {
			t.Fatalf("no chooser: %d %s\n%s", page.Status, page.URL, page.Body)
		}
		d := cmp.Diff(want, marked(page))
		if d == "" {
			return
		}
		if time.Since(start) > pageWithin {
			t.Fatalf("%v after the first look the marks are wrong: %s", time.Since(start), d)
		}
	}
}

func TestM86_S126_ProviderThatIsDownIsMarkedAndTheOthersWork(t *testing.T) {
	w, other := twoTenants(t)
	other.SetFaults(brokertest.Faults{Down: true})
	b := w.newBrowser()
	if got := marked(b.Get(authorizeURL())); got != nil {
		t.Errorf("marked %v before anything is known", got)
	}
	address := b.Page().URL.String()
	wantMarks(t, b, address, "second")
	for range 30 {
		b.Reload()
	}
	if n := other.Requests(discoveryPath); n > 2 {
		t.Errorf("%d requests to a provider that is down", n)
	}
	if b.Page().ByID("connection-second").Attr("href") == "" {
		t.Error("the one that is down cannot be chosen")
	}
	if log := w.logs.String(); strings.Count(log, `"provider does not answer"`) != 1 || !strings.Contains(log, `"connection":"second"`) {
		t.Errorf("the operator is not told once:\n%s", log)
	}

	t.Run("until it is back", func(t *testing.T) {
		other.Heal()
		w.clock.Advance(6 * time.Second)
		wantMarks(t, b, address)
		if !strings.Contains(w.logs.String(), `"provider answers again"`) {
			t.Error("the operator does not hear of it")
		}
	})
	t.Run("and while it is down the other one signs people in", func(t *testing.T) {
		other.SetFaults(brokertest.Faults{Down: true})
		b := w.newBrowser()
		b.StopBefore = clientSite
		b.Get(authorizeURL())
		b.Click("connection-auth0")
		if answer := w.answer(b.SignIn("ada")); !answer.Has("code") {
			t.Errorf("the client got %v", answer)
		}
	})
}

// Sign-ins go on from the metadata that was read before; the chooser must not
// take that for a sign of life.
func TestS126_ProviderThatGoesDownLater(t *testing.T) {
	w, other := twoTenants(t)
	if !w.authorize(w.newBrowser(), "ada", "idp_hint", "second").Has("code") {
		t.Fatal("no sign-in")
	}
	b := w.newBrowser()
	wantMarks(t, b, authorizeURL())
	other.SetFaults(brokertest.Faults{Down: true})
	w.clock.Advance(31 * time.Second)
	wantMarks(t, b, authorizeURL(), "second")
	t.Run("a mark that nobody renews goes", func(t *testing.T) {
		w.clock.Advance(31 * time.Second)
		if got := marked(b.Get(authorizeURL())); got != nil {
			t.Errorf("%v are still marked", got)
		}
	})
}

// The provider shows its login page, and then does not answer for the code.
func TestM86_ProviderThatLeavesACodeUnanswered(t *testing.T) {
	w, other := twoTenants(t)
	other.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Status: http.StatusServiceUnavailable}}})
	if got := w.authorize(w.newBrowser(), "ada", "idp_hint", "second").Get("error"); got != oauth.TemporarilyUnavailable {
		t.Fatalf("the client got %q", got)
	}
	b := w.newBrowser()
	wantMarks(t, b, authorizeURL(), "second")
	w.clock.Advance(10 * time.Second)
	wantMarks(t, b, authorizeURL(), "second") // its metadata can be read
	t.Run("until a sign-in succeeds", func(t *testing.T) {
		other.Heal()
		if !w.authorize(w.newBrowser(), "ada", "idp_hint", "second").Has("code") {
			t.Fatal("no sign-in")
		}
		wantMarks(t, b, authorizeURL())
	})
}

// The attacker leaves in the middle of his own callback. That must not mark
// the provider for everybody.
func TestM86_VisitorWhoLeavesMarksNothing(t *testing.T) {
	w, other := twoTenants(t)
	b := w.newBrowser()
	b.StopBefore = issuer + "/oauth2/callback/"
	b.Get(authorizeURL("idp_hint", "second"))
	callback := b.SignIn("ada").Location
	other.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Hang: true}}})

	ctx, leave := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, callback.String(), nil)
	for _, c := range b.Cookies(issuer) {
		r.AddCookie(c)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		w.broker.ServeHTTP(httptest.NewRecorder(), r)
	}()
	for start := time.Now(); other.Requests("/oauth/token") == 0 && time.Since(start) < pageWithin; {
		b.NewTab().Get(issuer + discoveryPath)
	}
	leave()
	<-gone
	if other.Requests("/oauth/token") == 0 {
		t.Fatal("the code was not posted")
	}
	if got := marked(w.newBrowser().Get(authorizeURL())); got != nil {
		t.Errorf("%v are marked", got)
	}
}

// Who is signed in notices nothing.
func TestS126_SessionsOutliveTheirProvider(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	w.tenant.SetFaults(brokertest.Faults{Down: true})
	for range 10 {
		w.clock.Advance(4 * time.Minute)
		if page := b.Get(gatedSite + "/page"); !page.Has("app") {
			t.Fatalf("%d at %s", page.Status, page.URL)
		}
	}
}
