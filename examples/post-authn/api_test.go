package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whoever reads the log could otherwise decide about sign-ins that are still
// waiting: net/http writes the whole address into its errors, and that of a
// session holds the login_state.
func TestErrorsHoldNoLoginState(t *testing.T) {
	broker := httptest.NewServer(http.NotFoundHandler())
	down := newAPI(broker.URL, "welcome", "not-a-secret")
	down.client = &http.Client{} // no token is to be had either
	broker.Close()
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer hangsUp.Close()
	broken := &api{base: hangsUp.URL + "/post-authn/", client: &http.Client{}}

	for name, a := range map[string]*api{"the broker is down": down, "the broker hangs up": broken} {
		_, err := a.session(t.Context(), visit{"some-id", "planted-state"})
		if err == nil || strings.Contains(err.Error(), "planted-state") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The access token must go to no other address than those of sign-ins.
func TestLoginIDStaysInItsPlace(t *testing.T) {
	broker := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the broker was asked for %s", r.URL.Path)
	}))
	defer broker.Close()
	a := &api{base: broker.URL + "/post-authn/", client: broker.Client()}
	for _, id := range []string{"", ".", "..", "../oauth2/userinfo", "a/b", "a?b", "a#b", "%2e%2e", strings.Repeat("a", 65)} {
		if _, err := a.complete(t.Context(), visit{id, "state"}, nil); !errors.Is(err, errNotWaiting) {
			t.Errorf("login_id %q: %v", id, err)
		}
	}
}

// A client must not write into the policy of our page.
func TestFormTargets(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example.com/callback":     "'self' " + issuer + " https://app.example.com",
		"http://localhost:8441/.auth/callback": "'self' " + issuer + " http://localhost:8441",
		"com.example.app:/callback":            "'self' " + issuer + " com.example.app:",
		"https://app.example.com;script-src *": "'self' " + issuer,
		"https://app.example.com,script-src/x": "'self' " + issuer,
		"https://*/callback":                   "'self' " + issuer,
		"https:":                               "'self' " + issuer,
		"":                                     "'self' " + issuer,
	} {
		if got := formTargets(&loginSession{RedirectURI: uri}); got != want {
			t.Errorf("%q: %q, want %q", uri, got, want)
		}
	}
}
