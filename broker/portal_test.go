package broker_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

const portalURL = issuer + "/portal"

// portal opens the portal as the user.
func (w *world) portal(b *brokertest.Browser, user string) *brokertest.Page {
	w.Helper()
	page := b.Get(portalURL)
	if page.Has("tenant-login-form") {
		page = b.SignIn(user)
	}
	if page.Status != 200 || !page.Has("portal-account") {
		w.Fatalf("no portal: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	return page
}

// orders is the id of the gated site among the clients.
const orders = "gate:app.example.com"

// The portal is there without any configuration, for whoever signs in, and
// asks for no consent.
func TestM84_PortalIsAtAFixedPath(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	page := b.Get(portalURL)
	if !page.Has("tenant-login-form") {
		t.Fatalf("a stranger gets %d %s", page.Status, page.URL)
	}
	page = b.SignIn("ada")
	if page.URL.String() != portalURL || page.Text("portal-account") != "ada@example.com" {
		t.Fatalf("%d %s\n%s", page.Status, page.URL, page.Body)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if page := b.Get(portalURL + "/"); page.Status != 200 || !page.Has("portal-account") {
		t.Errorf("with a slash: %d", page.Status)
	}
	if page := b.Get(portalURL + "/nowhere"); page.Status != http.StatusNotFound || page.Header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
		t.Errorf("below it: %d, %v", page.Status, page.Header)
	}
	for path, want := range map[string]bool{"/portal": true, "/portal/": true, "/portal/auth/callback": true, "/portals": false, "/port": false} {
		if w.broker.Ours(path) != want {
			t.Errorf("%s: ours is %t", path, !want)
		}
	}
	b.Get(portalURL)
	if page := b.Click("portal-sign-out"); !page.Has("logout-done") {
		t.Errorf("signing out: %d %s", page.Status, page.URL)
	}
	if w.lets(b, portalURL) {
		t.Error("the portal is open after signing out")
	}
}

func TestM84_PortalBelowTheIssuersPath(t *testing.T) {
	const base = issuer + "/auth"
	w := newWorld(t, options{
		tenant: brokertest.Options{Clients: []brokertest.Client{{
			ID: upstreamID, Secret: upstreamSecret, Callbacks: []string{base + "/oauth2/callback/auth0"},
		}}},
		config: func(_ *world, c *broker.Config) { c.Issuer = base },
	})
	b := w.newBrowser()
	b.Get(base + "/portal")
	page := b.SignIn("ada")
	if page.URL.String() != base+"/portal" || !page.Has("portal-account") {
		t.Fatalf("%d %s", page.Status, page.URL)
	}
	if style := regexp.MustCompile(`href="(/[^"]*style\.css[^"]*)"`).FindStringSubmatch(string(page.Body)); style == nil || b.Fetch(issuer+style[1]).Status != 200 {
		t.Errorf("the style sheet %v", style)
	}
	w.enter(b, "/", "ada")
	b.Get(base + "/portal")
	b.Click("withdraw-" + orders)
	if page := b.Click("withdraw-confirm"); page.URL.Path != "/auth/portal" || !page.Has("portal-done") || page.Has("portal-app-"+orders) {
		t.Errorf("after a withdrawal: %d %s", page.Status, page.URL)
	}
	if page := b.Get(issuer + "/portal"); page.Status != http.StatusNotFound {
		t.Errorf("outside of the issuer: %d", page.Status)
	}
	if !w.broker.Ours("/auth/portal") || w.broker.Ours("/portal") {
		t.Error("which path is ours does not go by the issuer's")
	}
	if page := b.Get(base + "/portal/auth/logout"); !page.Has("logout-done") {
		t.Errorf("signing out: %d %s", page.Status, page.URL)
	}
}

func TestM84_ThePortalIsNoClientOfAnybodys(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	if page := w.portal(b, "ada"); page.Has("portal-app-portal") || strings.Contains(string(page.Body), ">Portal<") {
		t.Error("the portal shows itself")
	}
	for _, c := range w.broker.Lineage().Clients {
		if c.ID == "portal" {
			t.Error("the portal is in the lineage")
		}
	}
	config := broker.Config{
		Issuer: issuer, Connections: []broker.Connection{w.connection("auth0", "Acme staff")},
		Clients: []oauth.Client{{ID: "portal", Public: true, RedirectURIs: []string{callbackURL}}},
	}
	_, err := broker.New(config, broker.Deps{Store: store.NewMemory(w.clock.Now), Log: zap.NewNop(), Now: w.clock.Now})
	if err == nil || !containsAll(err.Error(), "client portal", "belongs to the user portal", "give the client another one") {
		t.Errorf("a client of that id: %v", err)
	}
}

func TestM84_DemoButton(t *testing.T) {
	for _, on := range []bool{false, true} {
		w := newWorld(t, options{config: func(_ *world, c *broker.Config) { c.Demo = on }})
		button := w.portal(w.newBrowser(), "ada").ByID("demo-login")
		if (button != nil) != on {
			t.Fatalf("demo %t: button %v", on, button)
		}
		if on && (button.Text() != "LOGIN TO DEMO APP" || button.Attr("href") != "/demo/login") {
			t.Errorf("button %q to %s", button.Text(), button.Attr("href"))
		}
	}
}

// Every application with what it has, since when and until when.
func TestM93_MyApps(t *testing.T) {
	configured := selfService
	configured.config = func(w *world, c *broker.Config) {
		selfService.config(w, c)
		c.ConsentLifetime = 30 * 24 * time.Hour
		c.Clients = append(c.Clients, oauth.Client{
			ID: "intranet", Name: "Intranet", Public: true, RedirectURIs: []string{callbackURL}, Consent: oauth.ConsentTrusted,
		})
	}
	w := newWorld(t, configured)
	b := w.newBrowser()
	w.authorize(b, "ada", "client_id", "other", "scope", "openid profile", "claims", `{"id_token":{"email":null}}`)
	w.authorize(b, "ada", "client_id", "intranet")
	b.StopBefore = ""
	page := w.portal(b, "ada")
	other := page.Text("portal-app-other")
	given, ends := w.clock.Now().UTC(), w.clock.Now().UTC().Add(30*24*time.Hour)
	for _, want := range []string{
		"other", "client.example.com", "Last used " + given.Format("2 Jan 2006"), "3 permissions",
		"Confirm who you are", "Profile", "Your name, picture and other profile details", "Email",
		"Given " + given.Format("2 Jan 2006") + ", ends " + ends.Format("2 Jan 2006"),
	} {
		if !strings.Contains(other, want) {
			t.Errorf("no %q in %q", want, other)
		}
	}
	if !page.Has("withdraw-other") || !page.Has("portal-scope-other-profile") {
		t.Error("there is nothing to withdraw by")
	}
	if !page.Has("portal-app-intranet") || page.Has("withdraw-intranet") {
		t.Errorf("the administrator's: shown %t, to be withdrawn %t", page.Has("portal-app-intranet"), page.Has("withdraw-intranet"))
	}
	if page := b.Get(portalURL + "/withdraw?client=intranet"); page.Status != http.StatusNotFound {
		t.Errorf("withdrawing the administrator's: %d", page.Status)
	}

	t.Run("gone from the configuration", func(t *testing.T) {
		w.newBroker(options{})
		page := w.portal(b, "ada")
		if !strings.Contains(page.Text("portal-app-other"), "not known here any more") || page.Has("portal-app-intranet") {
			t.Fatalf("%s", page.Body)
		}
		b.Click("withdraw-other")
		if page := b.Click("withdraw-confirm"); page.Has("portal-app-other") {
			t.Error("it is still there")
		}
	})
}

// M58, 3.17: what is known, by the names that the operator gave, and where it
// comes from.
func TestM58_MyData(t *testing.T) {
	key := func(name string) claims.Path { return claims.Key(name) }
	o := scripted(`module.exports = async () => ({ authn_ctx: { risk: "low" } })`, func(c *broker.Config) {
		c.Claims = nil
		c.Context = []authn.Field{
			{Name: key("tenant"), Type: claims.String, Description: "Tenant of the user"},
			{Name: key("roles"), Type: claims.StringArray},
			{Name: key("risk"), Type: claims.String, Description: "Risk"},
		}
		p := &c.Connections[0].Pipeline
		p.Attributes = append(p.Attributes, claims.Attribute{
			Name: "team roles", Source: claims.IDToken, Path: key("https://example.com/roles"), Type: claims.StringArray, DisplayName: "Roles in the team",
		})
		p.Mappings = append(p.Mappings,
			claims.Mapping{From: "team roles", To: key("roles"), Type: claims.StringArray},
			claims.Mapping{Static: "acme", To: key("tenant"), Type: claims.String},
		)
	})
	o.tenant.Users = brokertest.Users()
	for i := range o.tenant.Users {
		if u := &o.tenant.Users[i]; u.Name == "ada" {
			u.IDTokenClaims = map[string]any{"https://example.com/roles": []string{"lead", "<b>author</b>"}}
		}
	}
	w := newWorld(t, o)
	page := w.portal(w.newBrowser(), "ada")
	data := page.Text("data")
	for _, want := range []string{
		"Roles in the team lead <b>author</b> From Acme staff, ID token: https://example.com/roles",
		"Tenant of the user acme Set by the operator",
		"Risk low Set by a script of the operator",
		"Name Ada Example From Acme staff, ID token: name",
		"Email verified Yes From Acme staff, ID token: email_verified",
		"IDP subject auth0|ada From Acme staff",
		"Signed in through Acme staff",
	} {
		if !strings.Contains(strings.Join(strings.Fields(data), " "), want) {
			t.Errorf("no %q in\n%s", want, data)
		}
	}
}

// R13: no token, and no code, however it is encoded.
func TestR13_ThePortalShowsNoToken(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	page := w.portal(b, "ada")
	if jwt := regexp.MustCompile(`eyJ[\w-]+\.`).Find(page.Body); jwt != nil {
		t.Errorf("there is a token: %s", jwt)
	}
	for _, c := range b.Cookies(portalURL) {
		if strings.Contains(string(page.Body), c.Value) {
			t.Errorf("the cookie %s is on the page", c.Name)
		}
	}
}

func TestM84_MySessions(t *testing.T) {
	w := newWorld(t, options{})
	here, there := w.newBrowser(), w.newBrowser()
	w.enter(there, "/", "ada")
	w.enter(w.newBrowser(), "/", "grace")
	w.clock.Advance(time.Minute)
	page := w.portal(here, "ada")
	sessions := page.Text("sessions")
	if strings.Count(sessions, "Ends at the latest") != 2 || strings.Count(sessions, "This browser") != 1 {
		t.Fatalf("%s", sessions)
	}
	for _, want := range []string{"Through Acme staff", "Open applications Orders", "Last used " + w.clock.Now().UTC().Format("2 Jan 2006, 15:04 UTC")} {
		if !strings.Contains(strings.Join(strings.Fields(sessions), " "), want) {
			t.Errorf("no %q in\n%s", want, sessions)
		}
	}
	if !page.Has("portal-end-1") || page.Has("portal-end-2") {
		t.Error("not exactly the other session can be ended")
	}
}
