package broker_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// twoConnections adds a second connection to the same tenant.
func twoConnections(w *world, c *broker.Config) {
	c.Connections[0].Order = 2
	second := w.connection("second", "Partners")
	second.Order = 1
	c.Connections = append(c.Connections, second)
}

// offered are the connections that a chooser page shows, in order.
func offered(page *brokertest.Page) (ids []string) {
	for _, id := range page.IDs() {
		if connection, ok := strings.CutPrefix(id, "connection-"); ok {
			ids = append(ids, connection)
		}
	}
	return ids
}

// upstreamConnection runs an authorization request until the browser leaves
// for the provider, and returns the connection it leaves through; "" if the
// chooser shows.
func (w *world) upstreamConnection(b *brokertest.Browser, changes ...string) string {
	w.Helper()
	b.StopBefore = w.tenant.Issuer()
	defer func() { b.StopBefore = clientSite }()
	page := b.Get(authorizeURL(changes...))
	if page.Location != nil {
		return connectionOf(page.Location)
	}
	if !page.Has("login-form") {
		w.Fatalf("neither the provider nor the chooser: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	return ""
}

// connectionOf is the connection that a request to the provider is from.
func connectionOf(upstream *url.URL) string {
	return strings.TrimPrefix(upstream.Query().Get("redirect_uri"), issuer+"/oauth2/callback/")
}

func TestM86_M87_Chooser(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	b := w.newBrowser()
	page := b.Get(gatedSite + "/")
	if page.URL.Path != "/oauth2/login" || !page.Has("login-form") || page.Status != 200 {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	if got := offered(page); !slices.Equal(got, []string{"second", "auth0"}) {
		t.Errorf("choices in order %v", got)
	}
	if w.tenant.Requests("/authorize") != 0 {
		t.Error("the provider was asked before anybody chose")
	}
	b.Click("connection-second")
	if got := w.tenant.LastAuthorize().Get("redirect_uri"); got != issuer+"/oauth2/callback/second" {
		t.Errorf("redirect_uri = %s", got)
	}
	if w.tenant.Requests("/authorize") != 1 {
		t.Error("more than one connection's sign-in began")
	}
	if page = b.SignIn("ada"); !page.Has("consent-form") {
		t.Errorf("%d at %s", page.Status, page.URL)
	}
}

func TestM86_OrderIsThatOfTheOperatorThenTheName(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		c.Connections = nil
		for _, conn := range []struct {
			id, name string
			order    int
		}{{"c", "Zebra", 1}, {"b", "Birch", 2}, {"a", "Cedar", 2}, {"d", "", 2}} {
			made := w.connection(conn.id, conn.name)
			made.Order = conn.order
			c.Connections = append(c.Connections, made)
		}
	}})
	if d := cmp.Diff([]string{"c", "b", "a", "d"}, offered(w.newBrowser().Get(authorizeURL()))); d != "" {
		t.Error(d)
	}
}

func TestM86_NoConnectionIsAPageOfItsOwn(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) { c.Connections[0].Hidden = true }})
	page := w.newBrowser().Get(authorizeURL())
	if page.Status != 503 || !strings.Contains(string(page.Body), "No identity providers configured") {
		t.Errorf("%d\n%s", page.Status, page.Body)
	}
}

func TestM86_HintAndSilence(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	b := w.newBrowser()
	if page := b.Get(authorizeURL("idp_hint", "second")); !page.Has("tenant-login-form") {
		t.Errorf("the hint did not lead to the provider: %d %s", page.Status, page.URL)
	}
	if got := w.authorize(w.newBrowser(), "", "idp_hint", "unknown").Get("error"); got != "invalid_request" {
		t.Errorf("unknown hint: %q", got)
	}
	if got := w.authorize(w.newBrowser(), "", "prompt", "none").Get("error"); got != "interaction_required" {
		t.Errorf("prompt=none with two connections: %q", got)
	}
}

func TestM39_M86_SingleConnectionNeedsNoChooser(t *testing.T) {
	w := newWorld(t, options{})
	if page := w.newBrowser().Get(gatedSite + "/"); !page.Has("tenant-login-form") {
		t.Errorf("%d at %s", page.Status, page.URL)
	}
	w = newWorld(t, options{config: func(w *world, c *broker.Config) {
		hidden := w.connection("second", "Hidden")
		hidden.Hidden = true
		c.Connections = append(c.Connections, hidden)
	}})
	if got := w.upstreamConnection(w.newBrowser()); got != "auth0" {
		t.Errorf("one visible and one hidden: %q", got)
	}
}

// A second connection is configured while the broker runs.
func TestM28_M39_NewConnectionIsOfferedAfterReload(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	if page := b.Get(gatedSite + "/page"); page.Has("login-form") {
		t.Fatal("a chooser with one connection")
	}
	w.newBroker(options{config: twoConnections})
	page := b.Get(gatedSite + "/page")
	if d := cmp.Diff([]string{"second", "auth0"}, offered(page)); d != "" {
		t.Fatal(d)
	}
	b.Click("connection-second")
	b.SignIn("ada")
	if page = b.Click("consent-allow"); page.URL.String() != gatedSite+"/page" || !page.Has("app") {
		t.Errorf("ended at %s", page.URL)
	}
}

func TestM82_DisabledAndHidden(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		twoConnections(w, c)
		hidden, disabled := w.connection("hidden", "Hidden"), w.connection("disabled", "Disabled")
		hidden.Hidden, disabled.Disabled = true, true
		c.Connections = append(c.Connections, hidden, disabled)
	}})
	page := w.newBrowser().Get(gatedSite + "/")
	if page.Has("connection-hidden") || page.Has("connection-disabled") {
		t.Error("the chooser offers a hidden or disabled connection")
	}
	if got := w.authorize(w.newBrowser(), "", "idp_hint", "disabled").Get("error"); got != "invalid_request" {
		t.Errorf("hint to a disabled connection: %q", got)
	}
	if got := w.upstreamConnection(w.newBrowser(), "idp_hint", "hidden"); got != "hidden" {
		t.Errorf("hint to a hidden connection leads to %q", got)
	}
	// The link of a choice, changed to name what is not offered.
	b := w.newBrowser()
	b.Get(authorizeURL())
	for id, status := range map[string]int{"disabled": 400, "unknown": 400} {
		link := b.Page().URL.String() + "&connection=" + id
		if page := b.NewTab().Get(link); page.Status != status || page.Text("error-code") != "invalid_request" {
			t.Errorf("choosing %s by hand: %d", id, page.Status)
		}
	}
	b.Get(b.Page().URL.String() + "&remember=1&connection=a.x~y")
	if got := b.Cookie(issuer, choiceCookie); got != nil {
		t.Errorf("remembered as %q", got.Value)
	}
	if w.tenant.Requests("/authorize") != 0 {
		t.Error("a connection that is not offered was begun")
	}
}

func TestM82_ConnectionsOfTheClientOnly(t *testing.T) {
	w := newWorld(t, options{
		config: func(w *world, c *broker.Config) {
			twoConnections(w, c)
			c.Connections = append(c.Connections, w.connection("third", "Others"))
		},
		client: func(c *oauth.Client) { c.Connections = []string{"auth0", "second"} },
	})
	b := w.newBrowser()
	page := b.Get(authorizeURL())
	if d := cmp.Diff([]string{"second", "auth0"}, offered(page)); d != "" {
		t.Error(d)
	}
	if page = b.Get(page.URL.String() + "&connection=third"); page.Status != 400 {
		t.Errorf("choosing another client's connection by hand: %d", page.Status)
	}
	if got := w.authorize(w.newBrowser(), "", "idp_hint", "third").Get("error"); got != "invalid_request" {
		t.Errorf("hint to another client's connection: %q", got)
	}
}

// Who is signed in is not asked where to sign in.
func TestM86_SignedInBrowserSkipsTheChooser(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		twoConnections(w, c)
		for i := range c.Connections {
			c.Connections[i].ContextCache = time.Hour
		}
	}, client: func(c *oauth.Client) { c.Consent = oauth.ConsentTrusted }})
	b := w.newBrowser()
	w.authorize(b, "ada", "idp_hint", "auth0")
	asked := w.authorizations()
	for _, changes := range [][]string{nil, {"prompt", "none"}} {
		if answer := w.authorize(b, "", changes...); !answer.Has("code") {
			t.Errorf("%v: %v", changes, answer)
		}
	}
	if n := w.authorizations(); n != asked {
		t.Errorf("the provider was asked %d times more", n-asked)
	}
	for _, changes := range [][]string{{"prompt", "select_account"}, {"prompt", "login"}, {"max_age", "0"}} {
		if got := w.upstreamConnection(b, changes...); got != "" {
			t.Errorf("%v goes to %q without asking", changes, got)
		}
	}

	t.Run("at two connections: the latest sign-in counts", func(t *testing.T) {
		w.clock.Advance(time.Minute)
		w.authorize(b, "ada", "idp_hint", "second")
		_, tokens := w.exchange(w.authorize(b, "").Get("code"))
		if got := payload(t, tokens["access_token"])["idp"]; got != "second" {
			t.Errorf("signed in through %v", got)
		}
	})
	t.Run("not after the cache has ended, or in another browser", func(t *testing.T) {
		if got := w.authorize(w.newBrowser(), "", "prompt", "none").Get("error"); got != "interaction_required" {
			t.Errorf("another browser: %q", got)
		}
		w.clock.Advance(time.Hour)
		if got := w.authorize(b, "", "prompt", "none").Get("error"); got != "interaction_required" {
			t.Errorf("an hour later: %q", got)
		}
	})
}

// Somebody picks the wrong provider, goes back and picks the other one.
func TestChoosingAgain(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	b := w.newBrowser()
	b.Get(gatedSite + "/page")
	first := b.Page().URL.String()
	b.Click("connection-second")
	b.Get(first)
	if page := b.Click("connection-auth0"); !page.Has("tenant-login-form") {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	page := b.SignIn("ada")
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if page.URL.String() != gatedSite+"/page" {
		t.Errorf("ended at %s", page.URL)
	}
}
