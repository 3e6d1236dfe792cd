package brokertest_test

import (
	"net/url"
	"strings"
	"testing"

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
