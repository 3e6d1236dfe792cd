package caddymodule

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlaceholdersAreData signs in a person who is called like a
// placeholder. Whoever can choose a display name could otherwise read the
// server's environment in a header or a page (class of CVE-2026-30852).
func TestPlaceholdersAreData(t *testing.T) {
	tenant, outbound := startTenant(t)
	const name = "{env.AUTH0_CLIENT_SECRET}"
	user, ok := tenant.User("ada")
	if !ok {
		t.Fatal("the tenant has no ada")
	}
	user.Claims["name"] = name
	tenant.PutUser(user)

	app := startApplication(t)
	s := newServer(t)
	s.load(s.config(globals(provider4+"\n"+outbound, authHost+" {\n\tauth_broker\n}\n"+appHost+` {
	auth_gate {
		public /public
		header Remote-User {sub}
		header X-Gate-Name {claim.name}
	}
	request_header X-Name "<{http.auth.user.name}>"
	request_header X-Id "<{http.auth.user.id}>"
	request_header X-Nobody "<{http.auth.user.nickname_of_nobody}>"
	reverse_proxy `+app.address()+"\n}\n"), authHost, appHost))

	b := s.liveBrowser(tenant, authHost, appHost)
	enter(t, b, "https://"+appHost+"/")
	want := map[string]string{
		"X-Name": "<" + name + ">", "X-Gate-Name": name, "X-Id": "<" + app.header("Remote-User") + ">", "X-Nobody": "<>",
	}
	got := map[string]string{}
	for header := range want {
		got[header] = app.header(header)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if strings.Contains(s.logs(), upstreamSecret) {
		t.Error("the secret is in the log")
	}

	b.Get("https://" + appHost + "/public")
	if got := app.header("X-Id"); got != "<>" {
		t.Errorf("on a public path {http.auth.user.id} is %q, want nothing", got)
	}
}

func TestScalar(t *testing.T) {
	for _, test := range []struct{ claim, want any }{
		{"text", "text"},
		{true, true},
		{json.Number("12345678901234567890"), "12345678901234567890"},
		{[]any{"a,admin", "b"}, `["a,admin","b"]`},
		{map[string]any{"a": json.Number("1")}, `{"a":1}`},
		{func() {}, ""},
	} {
		if got := scalar(test.claim); got != test.want {
			t.Errorf("scalar(%v) = %v, want %v", test.claim, got, test.want)
		}
	}
}
