package brokertest_test

import (
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestRateLimits(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now, RateLimits: true})
	ada := p.signIn(b, "ada").AccessToken
	grace := p.signIn(newBrowser(t), "grace").AccessToken
	for i := range 10 {
		resp, _ := get(t, tenant, "userinfo", ada)
		if resp.StatusCode != 200 || resp.Header.Get("X-RateLimit-Limit") != "10" {
			t.Fatalf("call %d: got status %d, limit %q", i+1, resp.StatusCode, resp.Header.Get("X-RateLimit-Limit"))
		}
	}
	resp, got := get(t, tenant, "userinfo", ada)
	if resp.StatusCode != 429 || got["error"] != "too_many_requests" || resp.Header.Get("X-RateLimit-Remaining") != "0" ||
		resp.Header.Get("X-RateLimit-Reset") == "" {
		t.Errorf("call 11: got %d %v %v", resp.StatusCode, got, resp.Header)
	}
	if resp, _ := get(t, tenant, "userinfo", grace); resp.StatusCode != 200 {
		t.Errorf("another user: got status %d", resp.StatusCode)
	}
	clock.Advance(12 * time.Second)
	for i, want := range []int{200, 429} {
		if resp, _ := get(t, tenant, "userinfo", ada); resp.StatusCode != want {
			t.Errorf("call %d after 12 s: got status %d, want %d", i+1, resp.StatusCode, want)
		}
	}
	limited := 0
	for range 25 {
		if resp, _ := get(t, tenant, ".well-known/jwks.json", ""); resp.StatusCode == 429 {
			limited++
		}
	}
	if limited != 5 {
		t.Errorf("keys: %d of 25 requests limited, want 5", limited)
	}
}
