package interop_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// An application that shares the issuer's host without a gate gets neither
// the handle of its visitor's session at the broker nor that of the portal.
func TestS06_ApplicationOnTheIssuersHostGetsNoHandle(t *testing.T) {
	in := install(t, setup{})
	app := strings.SplitN(in.config, "reverse_proxy ", 2)[1]
	app, _, _ = strings.Cut(app, "\n")
	shared := strings.Replace(in.config, "\tauth_broker\n", "\tauth_broker\n\treverse_proxy "+app+"\n", 1)
	if shared == in.config {
		t.Fatalf("no site of the issuer in:\n%s", in.config)
	}
	if status, body := in.load(t, shared); status != http.StatusOK {
		t.Fatalf("loading answered %d: %s", status, body)
	}
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	b.Get(in.issuer + "/portal")
	if page := b.SignIn("ada"); !page.Has("portal-account") {
		t.Fatalf("signing in led to %s:\n%s", page, page.Body)
	}
	if len(b.Cookies(in.issuer)) < 2 {
		t.Fatal("the browser has no cookies of the broker")
	}
	if page := b.Get(in.issuer + "/orders"); !page.Has("app") {
		t.Fatalf("the application: %s", page)
	}
	for _, line := range in.last(t)["Cookie"] {
		if strings.Contains(line, "auth_broker") {
			t.Error("the application gets a cookie of the broker")
		}
	}
}
