package brokertest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestMultiFactor(t *testing.T) {
	_, p, b := start(t, brokertest.Options{})
	b.Get(p.authorizeURL())
	page := b.Click("tenant-user-mfa")
	if !page.Has("tenant-mfa-form") {
		t.Fatalf("want the second factor's page, got %v", page)
	}
	token, err := p.redeem(b.Click("tenant-mfa-confirm"))
	if err != nil {
		t.Fatal(err)
	}
	first := idClaims(t, token)
	if amr, _ := first["amr"].([]any); len(amr) != 1 || amr[0] != "mfa" || first["acr"] != brokertest.MultiFactor {
		t.Errorf("fresh: got amr %v, acr %v", first["amr"], first["acr"])
	}
	t.Run("not told on silent sign-in", func(t *testing.T) {
		if got := idClaims(t, p.silent(b)); got["amr"] != nil || got["acr"] != nil {
			t.Errorf("got amr %v, acr %v, want none", got["amr"], got["acr"])
		}
	})
	t.Run("asked for by acr_values", func(t *testing.T) {
		page := b.Get(p.authorizeURL("acr_values", brokertest.MultiFactor))
		if !page.Has("tenant-mfa-form") {
			t.Fatalf("want the second factor's page, got %v", page)
		}
		token, err := p.redeem(b.PassTenant())
		if err != nil {
			t.Fatal(err)
		}
		if got := idClaims(t, token); got["amr"] == nil {
			t.Error("no amr after the step-up")
		}
	})
	t.Run("not without a page", func(t *testing.T) {
		page := b.Get(p.authorizeURL("acr_values", brokertest.MultiFactor, "prompt", "none"))
		if page.Location.Query().Get("error") != "interaction_required" {
			t.Errorf("want interaction_required, got %v", page)
		}
	})
	t.Run("not for those who have none", func(t *testing.T) {
		got := idClaims(t, p.signIn(newBrowser(t), "ada", "acr_values", brokertest.MultiFactor))
		if got["amr"] != nil || got["acr"] != nil {
			t.Errorf("got amr %v, acr %v, want none", got["amr"], got["acr"])
		}
	})
}

func TestRefusedUsers(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	outcome := func(page *brokertest.Page) string {
		if page.Location == nil {
			return page.String()
		}
		return page.Location.Query().Get("error")
	}
	t.Run("a blocked user", func(t *testing.T) {
		b.Get(p.authorizeURL())
		if got := outcome(b.SignIn("blocked")); got != "unauthorized" {
			t.Errorf("got %q, want unauthorized", got)
		}
		if page := b.Get(p.authorizeURL()); !page.Has("tenant-login-form") {
			t.Errorf("a session was left behind: %v", page)
		}
	})
	t.Run("a user who cancels", func(t *testing.T) {
		b.Get(p.authorizeURL())
		if got := outcome(b.Click("tenant-login-cancel")); got != "access_denied" {
			t.Errorf("got %q, want access_denied", got)
		}
	})
	t.Run("a user denied by an Action, whose session would make a retry loop", func(t *testing.T) {
		b.Get(p.authorizeURL())
		if got := outcome(b.SignIn("denied")); got != "access_denied" {
			t.Errorf("first: got %q, want access_denied", got)
		}
		if got := outcome(b.Get(p.authorizeURL())); got != "access_denied" {
			t.Errorf("again: got %q, want access_denied", got)
		}
		if page := b.Get(p.authorizeURL("prompt", "login")); !page.Has("tenant-login-form") {
			t.Errorf("prompt=login: want the login page, got %v", page)
		}
	})
	t.Run("a user blocked while signed in", func(t *testing.T) {
		b := newBrowser(t)
		p.signIn(b, "grace")
		grace, _ := tenant.User("grace")
		grace.Blocked = true
		tenant.PutUser(grace)
		if got := outcome(b.Get(p.authorizeURL())); got != "unauthorized" {
			t.Errorf("got %q, want unauthorized", got)
		}
	})
	t.Run("a user deleted while signed in", func(t *testing.T) {
		b := newBrowser(t)
		p.signIn(b, "ada")
		tenant.DeleteUser("ada")
		if page := b.Get(p.authorizeURL()); !page.Has("tenant-login-form") {
			t.Errorf("want the login page, got %v", page)
		}
	})
}

func TestPasswordForm(t *testing.T) {
	_, p, b := start(t, brokertest.Options{})
	b.Get(p.authorizeURL("login_hint", "grace@example.com", "screen_hint", "signup"))
	if got := b.Page().ByID("username").Attr("value"); got != "grace@example.com" {
		t.Errorf("login_hint: the form holds %q", got)
	}
	for name, values := range map[string]map[string]string{
		"wrong password": {"password": "wrong"},
		"unknown user":   {"username": "nobody@example.com"},
		"other's name":   {"username": "Grace@example.com "},
	} {
		page := b.Submit("tenant-login-form", values)
		if page.Status != http.StatusBadRequest || !page.Has("tenant-problem") {
			t.Errorf("%s: want the form again with 400, got %v", name, page)
		}
	}
	page := b.Submit("tenant-login-form", map[string]string{"username": "grace@example.com", "password": brokertest.Password})
	token, err := p.redeem(page)
	if err != nil {
		t.Fatal(err)
	}
	if got := idClaims(t, token)["sub"]; got != "auth0|grace" {
		t.Errorf("got sub %v", got)
	}
}

func TestConsentPage(t *testing.T) {
	_, p, b := start(t, brokertest.Options{AskConsent: true})
	b.Get(p.authorizeURL())
	page := b.Click("tenant-user-ada")
	if !page.Has("tenant-consent-form") {
		t.Fatalf("want the consent page, got %v", page)
	}
	if page = b.Click("tenant-consent-deny"); page.Location.Query().Get("error") != "access_denied" {
		t.Errorf("declined: got %v", page)
	}
	if page = b.Get(p.authorizeURL("prompt", "none")); page.Location.Query().Get("error") != "consent_required" {
		t.Errorf("silent: want consent_required, got %v", page.Location.Query())
	}
	b.Get(p.authorizeURL())
	p.code(b.Click("tenant-consent-allow"))
	p.code(b.Get(p.authorizeURL("prompt", "none"))) // remembered
	if page = b.Get(p.authorizeURL("scope", "openid phone")); !page.Has("tenant-consent-form") {
		t.Errorf("another scope: want the consent page, got %v", page)
	}
	if page = b.Get(p.authorizeURL("prompt", "consent")); !page.Has("tenant-consent-form") {
		t.Errorf("prompt=consent: want the consent page, got %v", page)
	}
}

func TestLoopbackConfirmation(t *testing.T) {
	c := application()
	c.Callbacks = []string{"http://localhost:9/callback"}
	_, p, b := start(t, brokertest.Options{ConfirmLoopback: true, Clients: []brokertest.Client{c}})
	b.StopBefore = c.Callbacks[0]
	b.Get(p.authorizeURL())
	if page := b.Click("tenant-user-ada"); !page.Has("tenant-confirm-form") {
		t.Fatalf("want the confirmation page, got %v", page)
	}
	p.code(b.Click("tenant-confirm"))
	page := b.Get(p.authorizeURL("prompt", "none"))
	if got := page.Location.Query().Get("error"); got != "interaction_required" {
		t.Errorf("silent: got %q, want interaction_required", got)
	}
}

func TestLoginPageExpires(t *testing.T) {
	clock := new(brokertest.Clock)
	c := application()
	c.ID, c.InitiateLoginURI = "initiating", "https://app.example.com/initiate"
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now, Clients: []brokertest.Client{application(), c}})
	b.Get(p.authorizeURL())
	clock.Advance(time.Hour + time.Second)
	if page := b.Click("tenant-user-ada"); page.Status != http.StatusBadRequest || !page.Has("tenant-error") {
		t.Errorf("want an error page, got %v", page)
	}
	b.Get(newParty(t, tenant, c).authorizeURL())
	clock.Advance(time.Hour + time.Second)
	page := b.Click("tenant-user-ada")
	if page.Location == nil || page.Location.String() != c.InitiateLoginURI+"?iss="+url.QueryEscape(tenant.Issuer()) {
		t.Errorf("want a redirect to the application's login, got %v", page)
	}
}

// Another site's page posts the tenant's login form, to sign its visitor in
// as somebody of the attacker's choice (login CSRF).
func TestLoginFormOfAnotherSiteIsRefused(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	page := b.Get(p.authorizeURL())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page.URL.String(), strings.NewReader("user=grace"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if resp, _ := send(t, tenant, req); resp.StatusCode != http.StatusForbidden {
		t.Errorf("got status %d, want 403", resp.StatusCode)
	}
}
