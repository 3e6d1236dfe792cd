package broker_test

import (
	"net/url"
	"strings"
	"testing"
)

// The provider knows the browser and turns its user away: another try leads
// nowhere, unless it asks who is there.
func TestM8_WhoIsTurnedAwayCanUseAnotherAccount(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	b.Get(gatedSite + "/orders?id=7")
	page := b.SignIn("denied")
	if page.Text("error-code") != "access_denied" {
		t.Fatalf("signing in: %s\n%s", page, page.Body)
	}
	if page = b.Click("error-retry"); page.Text("error-code") != "access_denied" {
		t.Fatalf("the provider asks again by itself: %s", page)
	}
	if page = b.Click("error-other-account"); !page.Has("tenant-login-form") {
		t.Fatalf("with another account: %s\n%s", page, page.Body)
	}
	b.SignIn("ada")
	if page = b.Click("consent-allow"); page.URL.String() != gatedSite+"/orders?id=7" || !page.Has("app") {
		t.Errorf("signed in as somebody else: %s", page)
	}
	// The link does nothing to who is signed in.
	b.StopBefore = issuer
	to := url.Values{"other_account": {"1"}, "return_to": {"/orders?id=8"}}
	if page = b.Get(gatedSite + "/.auth/login?" + to.Encode()); !strings.HasSuffix(page.URL.String(), "/orders?id=8") || !page.Has("app") {
		t.Errorf("signed in already: %s", page)
	}
}
