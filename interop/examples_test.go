package interop_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// The addresses of the examples are part of them: their READMEs name them.
const (
	claimsSite = "http://localhost:8431"

	postAuthnIssuer = "http://localhost:8440"
	postAuthnSite   = "http://localhost:8441"
	postAuthnTenant = "http://localhost:8442"
	postAuthnApp    = "http://localhost:8444"
)

var (
	buildClaims    = sync.OnceValues(func() (string, error) { return build("examples/claims") })
	buildPostAuthn = sync.OnceValues(func() (string, error) { return build("examples/post-authn") })
)

// The guide's own example: a claim with dots in its name comes from the ID
// token and goes into both tokens and a header.
func TestM60_ClaimsExample(t *testing.T) {
	startExample(t, buildClaims, 8430, 8433)
	for user, want := range map[string]struct {
		groups any
		header string
	}{
		"ada":      {[]any{"admin", "staff"}, "admin,staff"},
		"grace":    {[]any{"staff"}, "staff"},
		"no-email": {nil, ""}, // the tenant says nothing about groups
	} {
		t.Run(user, func(t *testing.T) {
			b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
			b.Get(claimsSite + "/orders?id=7")
			b.SignIn(user)
			page := b.Click("consent-allow")
			if page.URL.String() != claimsSite+"/orders?id=7" || !page.Has("echo-user") {
				t.Fatalf("signing in led to %s, want the application:\n%s", page, page.Body)
			}
			for _, token := range []string{"id-token", "access-token"} {
				if diff := cmp.Diff(want.groups, shownClaims(t, page, token)["groups"]); diff != "" {
					t.Errorf("groups in %s (-want +got):\n%s", token, diff)
				}
			}
			if got := page.Text("header-X-Groups"); got != want.header {
				t.Errorf("X-Groups: %q, want %q", got, want.header)
			}
		})
	}
}

// The application in the middle of a sign-in: what it lets the user choose
// is in both tokens, and nobody is asked for consent before.
func TestM79_PostAuthnExample(t *testing.T) {
	example := startExample(t, buildPostAuthn, 8440, 8444)
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	page := visitWelcome(t, b, "ada")
	state := page.URL.Query().Get("login_state")

	t.Run("consent cannot be reached before the choice", func(t *testing.T) {
		consent := postAuthnIssuer + "/oauth2/consent?" + url.Values{"login_id": {page.URL.Query().Get("login_id")}}.Encode()
		if early := b.NewTab().Get(consent); early.Status != http.StatusBadRequest || early.Has("consent-form") {
			t.Errorf("it led to %s", early)
		}
	})
	t.Run("the page says who signs in to what", func(t *testing.T) {
		if got := page.Text("welcome-user"); !strings.Contains(got, "Ada Example") || !strings.Contains(got, "Orders, a gated site") {
			t.Errorf("it says %q", got)
		}
	})
	t.Run("the page keeps login_state to itself", func(t *testing.T) {
		if got := page.Header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy: %q", got)
		}
		if got := page.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control: %q", got)
		}
	})
	t.Run("without a choice it asks again", func(t *testing.T) {
		again := b.Click("organization-continue")
		if again.Status != http.StatusUnprocessableEntity || !again.Has("organization-form") || !again.Has("welcome-problem") {
			t.Errorf("it led to %s", again)
		}
	})
	t.Run("what is not on offer cannot be chosen", func(t *testing.T) {
		again := b.NewTab()
		again.Get(page.URL.String())
		forged := again.Post("/choose", url.Values{
			"login_id": {page.URL.Query().Get("login_id")}, "login_state": {state}, "organization": {"bank"},
		})
		if forged.Status != http.StatusUnprocessableEntity || !forged.Has("organization-form") {
			t.Errorf("it led to %s", forged)
		}
	})
	t.Run("the choice is in both tokens", func(t *testing.T) {
		b.Check("organization-foundation", true)
		if page := b.Click("organization-continue"); !page.Has("consent-form") {
			t.Fatalf("the choice led to %s, want consent:\n%s", page, page.Body)
		}
		page := b.Click("consent-allow")
		if page.URL.String() != postAuthnSite+"/orders?id=7" {
			t.Fatalf("consent led to %s, want the application:\n%s", page, page.Body)
		}
		for _, token := range []string{"id-token", "access-token"} {
			if got := shownClaims(t, page, token)["organization"]; got != "foundation" {
				t.Errorf("organization in %s: %v", token, got)
			}
		}
	})
	t.Run("a choice cannot be made twice", func(t *testing.T) {
		b.Get(page.URL.String())
		if page := b.Page(); page.Status != http.StatusConflict || page.Has("organization-form") {
			t.Errorf("it led to %s", page)
		}
	})
	if strings.Contains(example.logs.String(), state) {
		t.Error("the login_state is in the log")
	}
}

func TestM80_PostAuthnExampleCancels(t *testing.T) {
	startExample(t, buildPostAuthn, 8440, 8444)
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	page := visitWelcome(t, b, "grace")
	b.StopBefore = postAuthnSite
	answer := b.Click("organization-cancel")
	if answer.Location == nil || answer.Location.Path != "/.auth/callback" {
		t.Fatalf("cancelling led to %s, want the client:\n%s", answer, answer.Body)
	}
	got := answer.Location.Query()
	if got.Get("error") != "access_denied" || got.Get("error_description") != "The user has chosen no organization" || got.Has("code") {
		t.Errorf("the client got %v", got)
	}
	if again := b.NewTab().Get(page.URL.String()); again.Status != http.StatusNotFound || !again.Has("welcome-problem") {
		t.Errorf("the sign-in is still there: %s", again)
	}
}

// What somebody can make the application do from outside.
func TestPostAuthnExampleRefuses(t *testing.T) {
	example := startExample(t, buildPostAuthn, 8440, 8444)
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	page := visitWelcome(t, b, "ada")
	id, state := page.URL.Query().Get("login_id"), page.URL.Query().Get("login_state")

	t.Run("a form of another site", func(t *testing.T) {
		form := url.Values{"login_id": {id}, "login_state": {state}, "organization": {"engines"}}
		request, err := http.NewRequest(http.MethodPost, postAuthnApp+"/choose", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://attacker.example.com")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("it was answered %s", response.Status)
		}
	})
	// The attacker makes the application send its access token elsewhere.
	for name, query := range map[string]url.Values{
		"a way out of the path":  {"login_id": {"../oauth2/userinfo"}, "login_state": {state}},
		"a way up":               {"login_id": {".."}, "login_state": {state}},
		"another query":          {"login_id": {id + "?x="}, "login_state": {state}},
		"another sign-in":        {"login_id": {strings.Repeat("A", len(id))}, "login_state": {state}},
		"another login_state":    {"login_id": {id}, "login_state": {"planted-state"}},
		"markup for login_state": {"login_id": {id}, "login_state": {"<script>planted-state"}},
		"nothing":                {},
	} {
		t.Run(name, func(t *testing.T) {
			page := b.NewTab().Get(postAuthnApp + "/start?" + query.Encode())
			if page.Status != http.StatusNotFound || !page.Has("welcome-problem") || strings.Contains(string(page.Body), "planted") {
				t.Errorf("it led to %s:\n%s", page, page.Body)
			}
		})
	}
	if log := example.logs.String(); strings.Contains(log, state) || strings.Contains(log, "planted-state") {
		t.Error("a login_state is in the log")
	}
}

// A real browser applies the page's policy (CSP form-action) to all the
// redirects that a choice leads through, and those go different ways.
func TestPostAuthnExampleInChromium(t *testing.T) {
	startExample(t, buildPostAuthn, 8440, 8444)
	d := newTab(t, true, postAuthnTenant)
	choose := func(organization, next string) {
		d.click("organization-"+organization, "organization-continue")
		d.click("organization-continue", next)
	}

	d.open(postAuthnSite+"/orders?id=7", "tenant-users-form")
	d.click("tenant-user-ada", "organization-form")
	choose("engines", "consent-form")
	d.click("consent-allow", "echo-user")
	d.mustBeAt(postAuthnSite + "/orders?id=7")
	d.mustShow("access-token", `"organization": "engines"`)

	// Consent is remembered: the choice leads straight to the client.
	d.click("sign-out", "logout-done")
	d.open(postAuthnSite+"/orders?id=8", "organization-form")
	choose("university", "echo-user")
	d.mustBeAt(postAuthnSite + "/orders?id=8")
	d.mustShow("id-token", `"organization": "university"`)

	d.click("sign-out", "logout-done")
	d.open(postAuthnSite+"/orders?id=9", "organization-form")
	d.click("organization-cancel", "error-code")
	d.mustShow("error-code", "access_denied")
	d.mustHaveNoViolations()
}

// startExample runs an example, which listens at all the ports from first to
// last.
func startExample(t *testing.T, build func() (string, error), first, last int) *process {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	for port := first; port <= last; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("%v: the example needs ports %d to %d; stop what listens there, such as the example itself", err, first, last)
		}
		_ = l.Close()
	}
	dir := t.TempDir()
	// With a domain set the example would go to a real tenant.
	env := []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "TMPDIR=" + dir, "AUTH0_DOMAIN="}
	p := startProcess(t, env, binary)
	for port := first; port <= last; port++ {
		p.waitFor(t, fmt.Sprintf("localhost:%d", port))
	}
	return p
}

// visitWelcome signs a user in as far as the application.
func visitWelcome(t *testing.T, b *brokertest.Browser, user string) *brokertest.Page {
	t.Helper()
	b.Get(postAuthnSite + "/orders?id=7")
	page := b.SignIn(user)
	if !strings.HasPrefix(page.URL.String(), postAuthnApp+"/start?") || !page.Has("organization-form") {
		t.Fatalf("signing in led to %s, want the application:\n%s", page, page.Body)
	}
	return page
}

// shownClaims are those of the token with the id on the page.
func shownClaims(t *testing.T, page *brokertest.Page, id string) map[string]any {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal([]byte(page.Text(id)), &claims); err != nil {
		t.Fatalf("no claims in %s: %v\n%s", id, err, page.Text(id))
	}
	return claims
}
