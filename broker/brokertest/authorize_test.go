package brokertest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// A link to the tenant with a callback of the attacker's choice must end on
// the tenant's own page: no redirect, whatever else the link asks for.
func TestUnregisteredCallbackIsNeverRedirectedTo(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{Clients: []brokertest.Client{application(), {
		ID: "other", Secret: "s", Callbacks: []string{"https://other.example.com/callback"},
	}}})
	p.signIn(b, "ada") // a live session would make a redirect immediate
	for name, params := range map[string][]string{
		"unknown client":           {"client_id", "nobody"},
		"no client":                {"client_id", ""},
		"unregistered callback":    {"redirect_uri", "https://evil.example/callback"},
		"callback of another":      {"redirect_uri", "https://other.example.com/callback"},
		"longer path":              {"redirect_uri", callback + "/x"},
		"added query":              {"redirect_uri", callback + "?x=1"},
		"other case":               {"redirect_uri", "https://APP.example.com/callback"},
		"user info":                {"redirect_uri", "https://app.example.com@evil.example/callback"},
		"no callback":              {"redirect_uri", ""},
		"with prompt none":         {"redirect_uri", "https://evil.example/", "prompt", "none"},
		"with a broken parameter":  {"redirect_uri", "https://evil.example/", "response_type", "token"},
		"with an unknown request":  {"request_uri", "urn:example:unknown"},
		"with form post":           {"redirect_uri", "https://evil.example/", "response_mode", "form_post"},
		"markup in the client id":  {"client_id", "<script>alert(1)</script>"},
		"script as the callback":   {"redirect_uri", "javascript:alert(1)"},
		"relative callback":        {"redirect_uri", "/callback"},
		"callback with a fragment": {"redirect_uri", callback + "#x"},
	} {
		t.Run(name, func(t *testing.T) {
			page := b.Get(p.authorizeURL(params...))
			if page.Status < 400 || page.Location != nil || !page.Has("tenant-error") {
				t.Errorf("want an error page, got %v", page)
			}
			if strings.Contains(string(page.Body), "<script") || strings.Contains(string(page.Body), "evil.example") {
				t.Error("the error page repeats the attacker's text")
			}
			if strings.Contains(string(page.Body), "tenant-callback-form") {
				t.Error("the error page has a form to the callback")
			}
		})
	}
	t.Run("repeated parameter", func(t *testing.T) {
		if page := b.Get(p.authorizeURL() + "&redirect_uri=" + url.QueryEscape(callback)); !page.Has("tenant-error") {
			t.Errorf("want an error page, got %v", page)
		}
	})
	if got := tenant.Requests("/u/login"); got != 2 {
		t.Errorf("got %d requests of the login page, want only the first sign-in's 2", got)
	}
}

func TestRefusalsAtTheCallback(t *testing.T) {
	_, p, b := start(t, brokertest.Options{
		Organizations: []brokertest.Organization{{ID: "org_example", Name: "example"}},
		APIs:          []brokertest.API{{Identifier: audience}},
	})
	for name, test := range map[string]struct {
		params []string
		want   string
	}{
		"no response type":       {[]string{"response_type", ""}, "invalid_request"},
		"implicit":               {[]string{"response_type", "token"}, "unsupported_response_type"},
		"fragment":               {[]string{"response_mode", "fragment"}, "invalid_request"},
		"plain challenge":        {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"challenge, no method":   {[]string{"code_challenge_method", ""}, "invalid_request"},
		"short challenge":        {[]string{"code_challenge", "abc"}, "invalid_request"},
		"prompt none and login":  {[]string{"prompt", "none login"}, "invalid_request"},
		"unknown prompt":         {[]string{"prompt", "dance"}, "invalid_request"},
		"negative max_age":       {[]string{"max_age", "-1"}, "invalid_request"},
		"max_age no number":      {[]string{"max_age", "soon"}, "invalid_request"},
		"unknown audience":       {[]string{"audience", "https://nowhere.example"}, "access_denied"},
		"unknown organization":   {[]string{"organization", "org_unknown"}, "invalid_request"},
		"unknown connection":     {[]string{"connection", "nowhere"}, "invalid_request"},
		"silent without session": {[]string{"prompt", "none"}, "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			page := b.Get(p.authorizeURL(test.params...))
			if page.Location == nil || !strings.HasPrefix(page.Location.String(), callback+"?") {
				t.Fatalf("want a redirect to the callback, got %v", page)
			}
			query := page.Location.Query()
			if query.Get("error") != test.want || query.Get("state") != "a-state" || query.Has("code") {
				t.Errorf("got error %q (%s), state %q; want %q", query.Get("error"), query.Get("error_description"),
					query.Get("state"), test.want)
			}
		})
	}
}

func TestSingleSignOn(t *testing.T) {
	other := brokertest.Client{ID: "other", Secret: "another", Callbacks: []string{"https://app.example.com/other"}}
	tenant, p, b := start(t, brokertest.Options{Clients: []brokertest.Client{application(), other}})
	first := idClaims(t, p.signIn(b, "ada"))

	q := newParty(t, tenant, other)
	second := idClaims(t, q.silent(b))
	if tenant.Requests("/u/login") != 2 {
		t.Error("the second application asked for a password")
	}
	if first["sid"] == "" || first["sid"] != second["sid"] {
		t.Errorf("sid: got %v and %v, want one for all applications", first["sid"], second["sid"])
	}
	if got := tenant.SessionID("ada"); got != first["sid"] {
		t.Errorf("SessionID: got %q, want %v", got, first["sid"])
	}
	t.Run("another browser has no session", func(t *testing.T) {
		if page := newBrowser(t).Get(p.authorizeURL()); !page.Has("tenant-login-form") {
			t.Errorf("want the login page, got %v", page)
		}
	})
	t.Run("another person gets another sid", func(t *testing.T) {
		if got := idClaims(t, p.signIn(b, "grace", "prompt", "login"))["sid"]; got == first["sid"] {
			t.Error("grace has ada's sid")
		}
	})
	t.Run("an ended session asks again", func(t *testing.T) {
		tenant.EndSessions("grace")
		if page := b.Get(p.authorizeURL()); !page.Has("tenant-login-form") {
			t.Errorf("want the login page, got %v", page)
		}
	})
}

func TestSessionLifetime(t *testing.T) {
	clock := new(brokertest.Clock)
	_, p, b := start(t, brokertest.Options{Now: clock.Now})
	p.signIn(b, "ada")
	for range 14 {
		clock.Advance(2 * 24 * time.Hour)
		p.silent(b)
	}
	clock.Advance(2*24*time.Hour + time.Minute) // 30 days since the sign-in
	if page := b.Get(p.authorizeURL()); !page.Has("tenant-login-form") {
		t.Errorf("after 30 days: want the login page, got %v", page)
	}
	b.SignIn("ada")
	clock.Advance(3*24*time.Hour + time.Minute)
	if page := b.Get(p.authorizeURL("prompt", "none")); page.Location.Query().Get("error") != "login_required" {
		t.Errorf("after 3 idle days: want login_required, got %v", page)
	}
}

// auth_time is told only with max_age or prompt=login: whoever strips the
// latter from the URL gets a token that says so by its absence.
func TestAuthTimeAndReauthentication(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now})
	signedIn := float64(clock.Now().Unix())
	if got, ok := idClaims(t, p.signIn(b, "ada"))["auth_time"]; ok {
		t.Errorf("without max_age: got auth_time %v, want none", got)
	}
	clock.Advance(time.Hour)
	if got := idClaims(t, p.silent(b, "max_age", "31536000"))["auth_time"]; got != signedIn {
		t.Errorf("with a long max_age: got auth_time %v, want %v", got, signedIn)
	}
	sid := idClaims(t, p.silent(b))["sid"]
	logins := tenant.Requests("/u/login")
	for name, params := range map[string][]string{
		"prompt login":          {"prompt", "login"},
		"prompt select_account": {"prompt", "select_account", "max_age", "31536000"},
		"max_age 0":             {"max_age", "0"},
		"a short max_age":       {"max_age", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			clock.Advance(2 * time.Minute)
			got := idClaims(t, p.signIn(b, "ada", params...))
			if got["auth_time"] != float64(clock.Now().Unix()) {
				t.Errorf("got auth_time %v, want %d", got["auth_time"], clock.Now().Unix())
			}
			if got["sid"] != sid {
				t.Error("re-authentication changed the sid")
			}
		})
	}
	if got := tenant.Requests("/u/login") - logins; got != 8 {
		t.Errorf("got %d requests of the login page, want 8", got)
	}
	t.Run("prompt none with max_age exceeded", func(t *testing.T) {
		page := b.Get(p.authorizeURL("prompt", "none", "max_age", "0"))
		if page.Location.Query().Get("error") != "login_required" {
			t.Errorf("want login_required, got %v", page)
		}
	})
}

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

func TestOrganizations(t *testing.T) {
	org := brokertest.Organization{ID: "org_example", Name: "Example"}
	deny, require := application(), application()
	deny.ID, deny.OrganizationUsage = "deny", "deny"
	require.ID, require.OrganizationUsage = "require", "require"
	tenant, p, b := start(t, brokertest.Options{
		Organizations: []brokertest.Organization{org},
		Clients:       []brokertest.Client{application(), deny, require},
	})
	for _, name := range []string{"org_example", "Example"} {
		got := idClaims(t, p.signIn(newBrowser(t), "ada", "organization", name))
		if got["org_id"] != "org_example" || got["org_name"] != "example" {
			t.Errorf("organization %q: got %v, %v", name, got["org_id"], got["org_name"])
		}
	}
	if got := idClaims(t, p.signIn(b, "ada")); got["org_id"] != nil {
		t.Errorf("not asked: got org_id %v", got["org_id"])
	}
	if page := b.Get(newParty(t, tenant, deny).authorizeURL("organization", "org_example")); page.Location.Query().Get("error") != "invalid_request" {
		t.Errorf("usage deny: got %v", page.Location.Query())
	}
	if page := b.Get(newParty(t, tenant, require).authorizeURL()); page.Location.Query().Get("error") != "invalid_request" {
		t.Errorf("usage require: got %v", page.Location.Query())
	}
	b = newBrowser(t)
	b.Get(p.authorizeURL("organization", "org_example"))
	if page := b.SignIn("grace"); page.Location.Query().Get("error") != "access_denied" {
		t.Errorf("not a member: got %v", page.Location.Query())
	}
}

func TestFormPost(t *testing.T) {
	_, p, b := start(t, brokertest.Options{})
	b.Get(p.authorizeURL("response_mode", "form_post"))
	page := b.Click("tenant-user-ada")
	form := page.ByID("tenant-callback-form")
	if form == nil || form.Attr("action") != callback || form.Attr("method") != "post" {
		t.Fatalf("want a form that posts to the callback, got %v", page)
	}
}

func TestPushedRequests(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now})
	push := func() string {
		u, _ := url.Parse(p.authorizeURL())
		form := u.Query()
		form.Set("client_secret", "not-a-secret")
		resp, body := post(t, tenant, "oauth/par", form)
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("got status %d: %v", resp.StatusCode, body)
		}
		query := url.Values{"client_id": {"gateway"}, "request_uri": {body["request_uri"].(string)}}
		return tenant.Issuer() + "authorize?" + query.Encode()
	}
	once := push()
	b.Get(once)
	p.code(b.SignIn("ada"))
	if page := b.Get(once); !page.Has("tenant-error") {
		t.Errorf("used twice: want an error page, got %v", page)
	}
	late := push()
	clock.Advance(31 * time.Second)
	if page := b.Get(late); !page.Has("tenant-error") {
		t.Errorf("after 31 s: want an error page, got %v", page)
	}
	if page := b.Get(strings.Replace(push(), "gateway", "other", 1)); !page.Has("tenant-error") {
		t.Errorf("by another client: want an error page, got %v", page)
	}
	if resp, _ := post(t, tenant, "oauth/par", url.Values{"client_id": {"gateway"}}); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the secret: got status %d", resp.StatusCode)
	}
	for name, form := range map[string]url.Values{
		"unregistered callback": {"redirect_uri": {"https://evil.example/"}},
		"nested":                {"redirect_uri": {callback}, "request_uri": {"urn:x"}},
	} {
		form.Set("client_id", "gateway")
		form.Set("client_secret", "not-a-secret")
		if resp, _ := post(t, tenant, "oauth/par", form); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got status %d", name, resp.StatusCode)
		}
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
