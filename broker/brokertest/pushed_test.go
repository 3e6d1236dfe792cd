package brokertest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

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
	if got := tenant.LastAuthorize().Get("nonce"); got != "a-nonce" {
		t.Errorf("last authorization request: got nonce %q, want the pushed one", got)
	}
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
