package broker_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

const demoPage = issuer + "/demo/"

// withDemo switches the demo application on. The access token carries the
// name, as an operator would have to declare it.
var withDemo = options{config: demoOn}

func demoOn(_ *world, c *broker.Config) {
	c.Demo = true
	c.Claims = append(c.Claims, claims.Claim{Name: "name", Types: []claims.TokenType{claims.AccessToken}, Scopes: []string{"profile"}})
}

// demoConsent brings a browser from the demo's front page to the consent
// page, with the scopes to untick on the way.
func (w *world) demoConsent(b *brokertest.Browser, user string, without ...string) *brokertest.Page {
	w.Helper()
	b.Get(demoPage)
	for _, scope := range without {
		b.Check("demo-scope-"+scope, false)
	}
	return w.demoStart(b, user)
}

// demoStart presses the button of the front page and goes as far as consent.
func (w *world) demoStart(b *brokertest.Browser, user string) *brokertest.Page {
	w.Helper()
	if page := b.Click("demo-start"); !page.Has("demo-continue") {
		w.Fatalf("the form leads to %s", page)
	}
	page := b.Click("demo-continue")
	if page.Has("tenant-login-form") {
		page = b.SignIn(user)
	}
	return page
}

// demoSignIn signs a browser in at the demo and lets it have all it asks for.
func (w *world) demoSignIn(b *brokertest.Browser, user string) *brokertest.Page {
	w.Helper()
	page := w.demoConsent(b, user)
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if !page.Has("demo-user") {
		w.Fatalf("not signed in at the demo: %s\n%s", page, page.Body)
	}
	return page
}

// shown returns the payload of the token that a tab of the demo shows.
func shown(t *testing.T, b *brokertest.Browser, tab string) map[string]any {
	t.Helper()
	page := b.Click("demo-tab-" + tab)
	var payload map[string]any
	if err := json.Unmarshal([]byte(page.Text("token-payload")), &payload); err != nil {
		t.Fatalf("tab %s: %v\n%s", tab, err, page.Body)
	}
	if got := page.Text("token-signature"); !strings.HasPrefix(got, "Verified") {
		t.Errorf("tab %s: signature %q", tab, got)
	}
	return payload
}

// M85: the portal's button leads to this address, which begins a flow that
// any client could begin: code, PKCE, state and nonce, none of them guessable.
func TestM85_LoginToDemoAppStartsAnOrdinaryFlow(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	b.StopBefore = issuer + "/oauth2/authorize"
	first, second := b.Get(issuer+"/demo/login").Location.Query(), b.Get(issuer+"/demo/login").Location.Query()
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(first.Get(name)) < 22 || first.Get(name) == second.Get(name) {
			t.Errorf("%s is %q and then %q", name, first.Get(name), second.Get(name))
		}
		first.Del(name)
	}
	want := url.Values{
		"client_id": {"demo"}, "redirect_uri": {issuer + "/demo/callback"}, "response_type": {"code"},
		"scope": {"openid profile email"}, "code_challenge_method": {"S256"},
	}
	if d := cmp.Diff(want, first); d != "" {
		t.Error(d)
	}
}

func TestM85_DemoAsksForWhatIsChosen(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	front := b.Get(demoPage)
	for _, id := range []string{"scope-profile", "scope-email", "scope-address", "scope-phone", "scope-offline_access"} {
		if !front.Has("demo-" + id) {
			t.Errorf("no %s on the front page", id)
		}
	}
	for _, id := range []string{"scope-openid", "scope-manage_post_authn", "scope-revoke_tokens"} {
		if front.Has("demo-" + id) {
			t.Errorf("%s can be chosen", id)
		}
	}
	b.Check("demo-scope-email", false)
	b.Check("demo-scope-address", true)
	b.Fill("demo-prompt", "consent")
	b.Fill("demo-login-hint", "ada@example.com")
	b.Fill("demo-acr-values", "mfa")
	b.Fill("demo-purpose", "To see what happens.")
	b.Click("demo-start")
	b.StopBefore = w.tenant.Issuer()
	b.Click("demo-continue")
	asked := requestIn(t, b.History(), "/oauth2/authorize")
	for name, want := range map[string]string{
		"scope": "openid profile address", "prompt": "consent", "login_hint": "ada@example.com",
		"acr_values": "mfa", "purpose": "To see what happens.",
	} {
		if got := asked.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}

	b = w.newBrowser()
	b.Get(issuer + "/demo/login?scope=email&scope=manage_post_authn&scope=no-such&prompt=never&state=mine&client_id=notes")
	b.StopBefore = w.tenant.Issuer()
	b.Click("demo-continue")
	asked = requestIn(t, b.History(), "/oauth2/authorize")
	if asked.Get("scope") != "openid email" || asked.Has("prompt") || asked.Get("client_id") != "demo" || asked.Get("state") == "mine" {
		t.Errorf("what the form does not offer is asked for: %v", asked)
	}
}

// requestIn returns the parameters of the last request for the path.
func requestIn(t *testing.T, history []string, path string) url.Values {
	t.Helper()
	for _, h := range slices.Backward(history) {
		if u, err := url.Parse(h); err == nil && u.Path == path {
			return u.Query()
		}
	}
	t.Fatalf("no request for %s in %q", path, history)
	return nil
}

func TestM86_DemoUsersChooseTheirProvider(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		demoOn(w, c)
		twoConnections(w, c)
	}})
	b := w.newBrowser()
	b.Get(demoPage)
	page := w.demoStart(b, "ada")
	if !page.Has("connection-auth0") || !page.Has("connection-second") {
		t.Fatalf("no chooser: %s", page)
	}
	b.Click("connection-second")
	b.SignIn("ada")
	b.Click("consent-allow")
	if got := shown(t, b, "access_token")["idp"]; got != "second" { // M87
		t.Errorf("signed in through %v", got)
	}
}

// M90, in words of the page that this demo is for: after Allow, the consented
// attributes are in both tokens, and shown decoded.
func TestM90_DemoShowsBothTokensDecoded(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	page := w.demoConsent(b, "ada")
	if !page.Has("consent-form") || !page.Has("scope-profile") || !page.Has("scope-email") || page.Text("consent-host") != "auth.example.com" {
		t.Fatalf("the demo is not asked about: %s", page)
	}
	page = b.Click("consent-allow")
	if got := page.URL.String(); got != demoPage { // M91
		t.Errorf("returned to %s", got)
	}
	if got := page.Text("demo-user"); got != "Signed in as Ada Example" {
		t.Errorf("heading %q", got)
	}
	for name, want := range map[string][]string{
		"name":           {"Ada Example", "in the provider’s ID token", "ID token, Access token, Userinfo"},
		"email":          {"ada@example.com", "in the provider’s ID token", "ID token, Userinfo"},
		"email_verified": {"true", "in the provider’s ID token"},
		"sub":            {"made by the broker", "Access token"},
	} {
		if got := page.Text("demo-claim-" + name); !containsAll(got, want...) {
			t.Errorf("claim %s: %q lacks one of %q", name, got, want)
		}
	}
	if got := page.Text("demo-claim-email"); strings.Contains(got, "Access token") {
		t.Errorf("the access token does not carry the address: %q", got)
	}

	id, access := shown(t, b, "id_token"), shown(t, b, "access_token")
	if id["iss"] != issuer || id["aud"] != "demo" || id["name"] != "Ada Example" || id["email"] != "ada@example.com" || id["nonce"] == nil {
		t.Errorf("ID token %v", id)
	}
	if access["client_id"] != "demo" || access["sub"] != id["sub"] || access["name"] != "Ada Example" || access["email"] != nil {
		t.Errorf("access token %v", access)
	}
	if got := b.Page().Text("token-expires"); !strings.HasPrefix(got, "in 10 minutes (") {
		t.Errorf("expires %q", got)
	}
	w.clock.Advance(11 * time.Minute)
	b.Click("demo-tab-access_token")
	if got := b.Page().Text("token-expires"); !strings.HasPrefix(got, "has expired (") {
		t.Errorf("later, expires %q", got)
	}
	if page := b.Click("demo-tab-refresh_token"); !page.Has("refresh-none") || page.Has("token-raw") {
		t.Errorf("refresh token: %s", page.Body)
	}
	if page := b.Get(demoPage + "?tab=no-such-tab"); !page.Has("demo-claim-sub") {
		t.Errorf("an unknown tab shows %s", page)
	}
}

// M94: what was withdrawn in the portal is refused on the next look.
func TestM94_DemoTellsOfAWithdrawal(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.demoConsent(b, "ada")
	if page := b.Click("consent-allow"); page.Has("demo-refused") {
		t.Fatal("refused to begin with")
	}
	w.portal(b, "ada")
	w.clock.Advance(time.Second)
	b.Click("withdraw-demo")
	b.Click("withdraw-confirm")
	if page := b.Get(demoPage); !page.Has("demo-refused") || !page.Has("demo-claim-name") {
		t.Errorf("after the withdrawal: %s\n%s", page, page.Body)
	}
}

// M95: the token has what was ticked; what was not is asked again.
func TestM95_DemoHasNothingOfAWithheldScope(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.demoConsent(b, "ada")
	b.Check("scope-email", false)
	page := b.Click("consent-allow")
	if page.Has("demo-claim-email") || page.Has("demo-claim-email_verified") || !page.Has("demo-claim-name") || page.Text("demo-withheld") != "Email" {
		t.Errorf("withheld %q; %q", page.Text("demo-withheld"), page.IDs())
	}
	if id := shown(t, b, "id_token"); id["email"] != nil || id["name"] == nil {
		t.Errorf("ID token %v", id)
	}
	// Once more: the withheld one only.
	b.Get(demoPage)
	b.Click("demo-again")
	page = w.demoStart(b, "ada")
	if !page.Has("scope-email") || page.Has("scope-profile") {
		t.Fatalf("asked again: %q", page.IDs())
	}
	page = b.Click("consent-allow")
	if !page.Has("demo-claim-email") || page.Has("demo-withheld") {
		t.Errorf("after allowing it: %q", page.IDs())
	}
}

func TestM89_DemoCancelled(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	w.demoConsent(b, "ada")
	page := b.Click("consent-deny")
	if page.Status != http.StatusForbidden || page.Text("error-code") != "access_denied" || page.Text("error-trace") == "" {
		t.Errorf("%s: %q", page, page.Text("error-code"))
	}
	if page := b.Click("error-retry"); !page.Has("demo-start") {
		t.Errorf("try again leads to %s", page)
	}
	if b.Cookie(demoPage, "__Host-auth_broker_demo") != nil {
		t.Error("a session of the demo remains")
	}
}

// What the provider did wrong is told with the broker's own reference, which
// is in the log.
func TestM85_DemoShowsTheReferenceOfAFailure(t *testing.T) {
	w := newWorld(t, withDemo)
	b := w.newBrowser()
	b.Get(issuer + "/demo/login")
	page := b.Click("tenant-login-cancel")
	trace := page.Text("error-trace")
	if page.Text("error-code") != "access_denied" || trace == "" || !strings.Contains(w.logs.String(), `"sign-in failed upstream","trace":"`+trace) {
		t.Errorf("%s: code %q, reference %q", page, page.Text("error-code"), trace)
	}
}
