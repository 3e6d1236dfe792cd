package demo

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func TestOptionsAreThoseOnOffer(t *testing.T) {
	a := &App{Scopes: append(claims.DefaultScopes(), claims.Scope{Name: "orders:read"}, claims.Scope{Name: "fleet", Service: "Fleet"})}
	for query, want := range map[string][]string{
		"":                                   {"openid", "profile", "email"},
		"scope=email":                        {"openid", "email"},
		"prompt=":                            {"openid"},
		"scope=orders:read&scope=fleet":      {"openid", "orders:read", "fleet"},
		"scope=offline_access&scope=unknown": {"openid", "offline_access"},
		"scope=manage_post_authn":            {"openid"},
		"scope=email+profile":                {"openid"},
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, a.options(values).scopes); d != "" {
			t.Errorf("%q: %s", query, d)
		}
	}
	if got := a.options(url.Values{"prompt": {"create"}}).prompt; got != "" {
		t.Errorf("prompt %q", got)
	}
}

func TestSignInsAreBoundToTheBrowserForAWhile(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	l := &login{Started: now.Unix(), Binding: hash("one")}
	for name, tt := range map[string]struct {
		binding string
		at      time.Time
		want    bool
	}{
		"in time":            {"one", now.Add(loginLifetime), true},
		"too late":           {"one", now.Add(loginLifetime + time.Second), false},
		"in another browser": {"two", now, false},
		"without a cookie":   {"", now, false},
	} {
		if got := l.bound(tt.binding, tt.at); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if new(login).bound("", now) {
		t.Error("an empty sign-in is bound to a browser without a cookie")
	}
}

func TestValuesOfASignInDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, binding := range []string{"one", "two"} {
		for _, purpose := range []string{"nonce", "verifier"} {
			for _, state := range []string{"s", "t"} {
				v := derive(binding, purpose, state)
				if len(v) != 43 || seen[v] { // RFC 7636, 4.1: 43 at least
					t.Errorf("%s %s %s: %q", binding, purpose, state, v)
				}
				seen[v] = true
			}
		}
	}
}

func TestReasonsAreTheBrokersOrAnOAuthError(t *testing.T) {
	for query, want := range map[string][2]string{
		"error=access_denied": {"access_denied", ""},
		"error=server_error&error_description=The+sign-in+failed+(reason+script_failed,+trace+ABC123)": {"script_failed", "ABC123"},
		"error=x+y": {"server_error", ""},
		"error=<b>": {"server_error", ""},
		"error=a&error_description=(reason+A,+trace+x)": {"a", ""},
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		reason, trace := reasonOf(values)
		if got := [2]string{reason, trace}; got != want {
			t.Errorf("%s: %q", query, got)
		}
	}
}
