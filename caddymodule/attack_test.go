package caddymodule

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// A gate guards some paths of an application, and the application believes
// Remote-User on all of them. The first gate of the second site must not be
// undone by the second, which the same request passes unmatched.
func TestS02_PathsThatTheMatcherLeavesOut(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	s := newServer(t)
	s.load(s.config(globals(provider4+"\n"+outbound, authHost+" {\n\tauth_broker\n}\n"+
		appHost+" {\n\tauth_gate /admin/* {\n\t\ttrusted\n\t}\n\tauth_gate /shop/* {\n\t\ttrusted\n\t}\n\treverse_proxy "+app.address()+"\n}\n"), authHost, appHost))
	b := s.liveBrowser(tenant, authHost, appHost)
	enter(t, b, "https://"+appHost+"/admin/users")
	if app.header("Remote-User") == "" {
		t.Error("/admin: the application was not told who signed in")
	}
	if enter(t, b, "https://"+appHost+"/shop/x"); app.header("Remote-User") == "" {
		t.Error("/shop: the application was not told who signed in")
	}
	if status := forge(t, s, b, "/open"); status != http.StatusOK {
		t.Errorf("/open: %d", status)
	}
	for _, name := range []string{"Remote-User", "Authorization", "Cookie"} {
		if v := app.header(name); v != "" {
			t.Errorf("/open: the application gets %s: %s", name, v)
		}
	}
	if status := forge(t, s, nil, "/admin/x"); status != http.StatusUnauthorized {
		t.Errorf("/admin without a session: %d", status)
	}
}

// forge sends what a visitor can make up, with the cookies of b.
func forge(t *testing.T, s *server, b *brokertest.Browser, path string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "https://"+appHost+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Remote-User", "admin")
	r.Header.Set("Authorization", "Bearer forged")
	if b != nil {
		for _, c := range b.Cookies("https://" + appHost + "/") {
			r.AddCookie(c)
		}
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+s.https)
		},
	}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
