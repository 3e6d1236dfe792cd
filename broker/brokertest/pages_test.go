package brokertest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestLoginPage(t *testing.T) {
	_, p, b := start(t, brokertest.Options{})
	page := b.Get(p.authorizeURL())
	for _, id := range []string{"tenant-login-form", "username", "password", "tenant-login", "tenant-user-ada", "tenant-user-hostile"} {
		if !page.Has(id) {
			t.Errorf("no element %q", id)
		}
	}
	ids := page.IDs()
	if slices.Sort(ids); len(slices.Compact(ids)) != len(page.IDs()) {
		t.Errorf("ids repeat: %q", ids)
	}
	for _, user := range brokertest.Users() {
		if got := page.Text("about-" + user.Name); got != user.About {
			t.Errorf("%s: got %q, want %q", user.Name, got, user.About)
		}
	}
	body := string(page.Body)
	if strings.Contains(body, "<script") || strings.Contains(body, "style=") {
		t.Error("the page needs a script or inline style")
	}
	if !strings.Contains(body, "Stand-in tenant") {
		t.Error("the page does not say that it is a stand-in")
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("got policy %q", csp)
	}
	if page := b.Get(page.URL.Scheme + "://" + page.URL.Host + "/tenant.css"); page.Status != 200 || len(page.Body) > 8<<10 {
		t.Errorf("style sheet: %v, %d bytes", page, len(page.Body))
	}
}

func TestHostileNameIsEscaped(t *testing.T) {
	_, p, b := start(t, brokertest.Options{AskConsent: true})
	b.Get(p.authorizeURL("scope", "openid <b>bold</b>"))
	page := b.Click("tenant-user-hostile")
	if !page.Has("tenant-consent-form") {
		t.Fatalf("want the consent page, got %v", page)
	}
	if body := string(page.Body); strings.Contains(body, "<script") || strings.Contains(body, "<b>") {
		t.Error("the consent page holds markup from a claim or scope")
	}
}
