package broker_test

import (
	"strings"
	"testing"
)

// One browser, both halves: the gated site first, then a client of the
// broker, without a second password.
func TestOneSignInServesGateAndClient(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	page := w.enter(b, "/orders?id=7", "ada")
	if got := page.URL.String(); got != gatedSite+"/orders?id=7" {
		t.Errorf("returned to %s", got)
	}
	r := w.received()
	if got := r.Header.Get("Remote-Name"); got != "Ada Example" {
		t.Errorf("Remote-Name = %q", got)
	}
	access := payload(t, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if access["iss"] != issuer || access["aud"] != gatedSite {
		t.Errorf("access token iss %v aud %v", access["iss"], access["aud"])
	}

	b.StopBefore = clientSite
	page = b.Get(authorizeURL())
	if page.Has("tenant-login-form") {
		t.Fatal("asked for a password again")
	}
	if !page.Has("consent-form") {
		t.Fatalf("no consent page: %d %s", page.Status, page.URL)
	}
	answer := w.answer(b.Click("consent-allow"))
	status, tokens := w.exchange(answer.Get("code"))
	if status != 200 {
		t.Fatalf("token endpoint: %d %v", status, tokens)
	}
	id := payload(t, tokens["id_token"])
	if id["sub"] != access["sub"] || id["name"] != "Ada Example" || id["nonce"] != "client-nonce" || id["sid"] != payload(t, r.Header.Get("X-Id-Token"))["sid"] {
		t.Errorf("ID token %v", id)
	}
	status, info := w.userinfo(tokens["access_token"].(string))
	if status != 200 || info["email"] != "ada@example.com" {
		t.Errorf("userinfo: %d %v", status, info)
	}
}
