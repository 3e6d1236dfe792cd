package broker_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// consentPage brings a browser to the consent page of the client.
func (w *world) consentPage(b *brokertest.Browser, changes ...string) *brokertest.Page {
	w.Helper()
	b.StopBefore = clientSite
	page := b.Get(authorizeURL(changes...))
	if page.Has("tenant-login-form") {
		page = b.SignIn("ada")
	}
	if !page.Has("consent-form") {
		w.Fatalf("no consent page: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	return page
}

func TestM15_M17_M18_AskedOnceForEachScope(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.consentPage(b, "scope", "openid profile") // M15, registered client
	w.answer(b.Click("consent-allow"))

	for _, scope := range []string{"openid profile", "openid"} { // M17
		if got := w.answer(b.Get(authorizeURL("scope", scope))); !got.Has("code") {
			t.Errorf("scope %q again: %v", scope, got)
		}
	}
	page := w.consentPage(b) // M18
	if !page.Has("scope-email") {
		t.Error("the new scope is not on the page")
	}
	if e := page.ByID("scope-profile"); e != nil && e.Tag() == "input" {
		t.Error("what was granted before is a check box")
	}
	if got := w.idToken(w.answer(b.Click("consent-allow"))); got["email"] == nil || got["name"] == nil {
		t.Errorf("ID token %v", got)
	}

	gate := w.newBrowser() // M15, protected site
	gate.Get(gatedSite + "/")
	if page := gate.SignIn("ada"); !page.Has("consent-form") || !strings.Contains(string(page.Body), "Orders") {
		t.Errorf("the gated site asked for no consent: %s", page.URL)
	}
}

func TestM16_TrustedClientsDoNotAsk(t *testing.T) {
	w := newWorld(t, options{
		client: func(c *oauth.Client) { c.Consent = oauth.ConsentTrusted },
		gate:   func(c *broker.GateConfig) { c.Trusted = true },
	})
	b := w.newBrowser()
	b.StopBefore = clientSite
	b.Get(authorizeURL())
	if got := w.idToken(w.answer(b.SignIn("ada"))); got["name"] == nil || got["email"] == nil {
		t.Errorf("not all requested scopes: %v", got)
	}
	if page := b.Get(gatedSite + "/"); !page.Has("app") {
		t.Errorf("%d at %s", page.Status, page.URL)
	}
	t.Run("but a request can ask for the page", func(t *testing.T) {
		w.consentPage(b, "prompt", "consent")
	})
}

func TestPromptConsent(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	w.authorize(b, "ada")
	w.consentPage(b, "prompt", "consent")
	t.Run("prompt=none without consent", func(t *testing.T) {
		other := w.newBrowser()
		w.enter(other, "/", "grace")
		if got := w.authorize(other, "", "prompt", "none").Get("error"); got != "consent_required" {
			t.Errorf("error = %q", got)
		}
	})
}

func TestM88_ConsentPage(t *testing.T) {
	w := newWorld(t, options{client: func(c *oauth.Client) {
		c.URI, c.PolicyURI, c.TOSURI = "https://notes.example.com/", "https://notes.example.com/privacy", "https://notes.example.com/terms"
	}})
	b := w.newBrowser()
	page := w.consentPage(b)
	text := string(page.Body)
	for _, want := range []string{"Notes", "client.example.com", "ada@example.com", "https://notes.example.com/privacy", "https://notes.example.com/terms", "Profile", "Email"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, id := range []string{"consent-form", "consent-allow", "consent-deny", "scope-profile", "scope-email"} {
		if !page.Has(id) {
			t.Errorf("the page lacks #%s", id)
		}
	}
	if got := page.Text("consent-allow"); got != "Allow access" {
		t.Errorf("the button says %q", got)
	}
	if !page.ByID("scope-email").HasAttr("checked") {
		t.Error("scopes are not ticked by default")
	}
	csp := page.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "form-action 'self' "+clientSite) {
		t.Errorf("policy %q", csp)
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "style=") {
		t.Error("script or inline style")
	}
}

// A stranger's page posts the form for a user who is looking at it.
func TestM88_R51_ForgedConsent(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	page := w.consentPage(b)
	form := url.Values{
		"login_id": {page.URL.Query().Get("login_id")}, "scope": {"profile", "email"}, "decision": {"allow"},
		"login_state": {hidden(page, "login_state")},
	}
	cookie := b.Cookie(issuer, "__Host-auth_broker_flow")
	post := func(form url.Values, header ...string) int {
		header = append([]string{"Cookie", cookie.Name + "=" + cookie.Value}, header...)
		return w.postStatus("/oauth2/consent", form, header...)
	}
	without := func(name string) url.Values {
		f := url.Values{}
		for k, v := range form {
			if k != name {
				f[k] = v
			}
		}
		return f
	}
	for name, got := range map[string]int{
		"no token":         post(without("login_state")),
		"another origin":   post(form, "Origin", "https://evil.example.com"),
		"an opaque origin": post(form, "Origin", "null"),
		"cross-site":       post(form, "Sec-Fetch-Site", "cross-site"),
		"another type":     post(form, "Content-Type", "text/plain"),
	} {
		if got != http.StatusForbidden {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := w.postStatus("/oauth2/consent", form); got != http.StatusBadRequest {
		t.Errorf("another browser: %d", got)
	}
	if strings.Contains(w.dump(), "consent/") {
		t.Error("something was granted")
	}
}

// hidden returns the value of a hidden field.
func hidden(page *brokertest.Page, name string) string {
	_, rest, _ := strings.Cut(string(page.Body), `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

func TestM89_AllowAndCancel(t *testing.T) {
	w := newWorld(t, options{})
	t.Run("exactly what is ticked", func(t *testing.T) {
		b := w.newBrowser()
		w.consentPage(b)
		b.Check("scope-email", false)
		status, tokens := w.exchange(w.answer(b.Click("consent-allow")).Get("code"))
		id := payload(t, tokens["id_token"])
		if status != 200 || id["email"] != nil || id["name"] == nil || tokens["scope"] != "openid profile" {
			t.Errorf("%d %v: ID token %v", status, tokens["scope"], id)
		}
		page := w.consentPage(b)
		if e := page.ByID("scope-email"); e == nil || e.Tag() != "input" {
			t.Error("the withheld scope is not asked for again")
		}
	})
	t.Run("a form that names more than was shown", func(t *testing.T) {
		b := w.newBrowser()
		page := w.consentPage(b, "scope", "openid email")
		b.StopBefore = clientSite
		answer := w.answer(b.Post(issuer+"/oauth2/consent", url.Values{
			"login_id": {page.URL.Query().Get("login_id")}, "login_state": {hidden(page, "login_state")},
			"scope": {"email", "profile", "phone", "offline_access"}, "decision": {"allow"},
		}))
		_, tokens := w.exchange(answer.Get("code"))
		if tokens["scope"] != "openid email" {
			t.Errorf("granted %v", tokens["scope"])
		}
	})
	t.Run("cancel", func(t *testing.T) {
		w := newWorld(t, options{})
		b := w.newBrowser()
		w.consentPage(b)
		answer := w.answer(b.Click("consent-deny"))
		if answer.Get("error") != "access_denied" || answer.Get("state") != "client-state" || answer.Get("iss") != issuer || answer.Has("code") {
			t.Errorf("the client got %v", answer)
		}
		if strings.Contains(w.dump(), "consent/") {
			t.Error("something was stored")
		}
	})
}

func TestS49_OneOutcome(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	page := w.consentPage(b)
	form := url.Values{
		"login_id": {page.URL.Query().Get("login_id")}, "login_state": {hidden(page, "login_state")},
		"scope": {"profile", "email"}, "decision": {"allow"},
	}
	first := w.answer(b.Post(issuer+"/oauth2/consent", form))
	form.Set("decision", "deny")
	second := w.answer(b.Post(issuer+"/oauth2/consent", form))
	back := w.answer(b.Get(page.URL.String()))
	if first.Get("code") == "" || first.Get("code") != second.Get("code") || first.Get("code") != back.Get("code") {
		t.Errorf("three outcomes: %v, %v, %v", first, second, back)
	}
}

func TestRequiredScopesCannotBeWithheld(t *testing.T) {
	w := newWorld(t, options{client: func(c *oauth.Client) { c.RequiredScopes = []string{"email"} }})
	b := w.newBrowser()
	page := w.consentPage(b)
	if e := page.ByID("scope-email"); e != nil && e.Tag() == "input" {
		t.Error("a required scope is a check box")
	}
	answer := w.answer(b.Post(issuer+"/oauth2/consent", url.Values{
		"login_id": {page.URL.Query().Get("login_id")}, "login_state": {hidden(page, "login_state")}, "decision": {"allow"},
	}))
	_, tokens := w.exchange(answer.Get("code"))
	if got := strings.Fields(tokens["scope"].(string)); !slices.Equal(got, []string{"openid", "email"}) {
		t.Errorf("granted %v", got)
	}
}
