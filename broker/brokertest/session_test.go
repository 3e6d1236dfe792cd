package brokertest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestSingleSignOn(t *testing.T) {
	other := brokertest.Client{ID: "other", Secret: "another", Callbacks: []string{"https://app.example.com/other"}}
	tenant, p, b := start(t, brokertest.Options{Clients: []brokertest.Client{application(), other}})
	first := idClaims(t, p.signIn(b, "ada"))

	q := newParty(t, tenant, other)
	second := idClaims(t, q.silent(b))
	if tenant.Requests("/u/login") != 2 {
		t.Error("the second application asked for a password")
	}
	if first["sid"] == "" || first["sid"] != second["sid"] {
		t.Errorf("sid: got %v and %v, want one for all applications", first["sid"], second["sid"])
	}
	if got := tenant.SessionID("ada"); got != first["sid"] {
		t.Errorf("SessionID: got %q, want %v", got, first["sid"])
	}
	t.Run("another browser has no session", func(t *testing.T) {
		if page := newBrowser(t).Get(p.authorizeURL()); !page.Has("tenant-login-form") {
			t.Errorf("want the login page, got %v", page)
		}
	})
	t.Run("another person gets another sid", func(t *testing.T) {
		if got := idClaims(t, p.signIn(b, "grace", "prompt", "login"))["sid"]; got == first["sid"] {
			t.Error("grace has ada's sid")
		}
	})
	t.Run("an ended session asks again", func(t *testing.T) {
		tenant.EndSessions("grace")
		if page := b.Get(p.authorizeURL()); !page.Has("tenant-login-form") {
			t.Errorf("want the login page, got %v", page)
		}
	})
}

// Two tenants on one host, each with its own people, sessions and keys. A
// browser is signed in at both at once: cookies do not know ports.
func TestTwoTenantsAtOnce(t *testing.T) {
	other := second(t)
	tenant, p, b := start(t, brokertest.Options{})
	q := newParty(t, other, application())

	mine := idClaims(t, p.signIn(b, "ada"))
	theirs := idClaims(t, q.signIn(b, "lin"))
	if mine["iss"] != tenant.Issuer() || theirs["iss"] != other.Issuer() || tenant.Issuer() == other.Issuer() {
		t.Errorf("issuers %v and %v", mine["iss"], theirs["iss"])
	}
	if mine["sid"] == theirs["sid"] || mine["sub"] != theirs["sub"] {
		t.Errorf("sid %v and %v, sub %v and %v", mine["sid"], theirs["sid"], mine["sub"], theirs["sub"])
	}
	for name, p := range map[string]*party{"the first": p, "the second": q} {
		if again := idClaims(t, p.silent(b, "prompt", "none")); again["sid"] != mine["sid"] && again["sid"] != theirs["sid"] {
			t.Errorf("%s has lost its session", name)
		}
	}
	if tenant.Requests("/authorize") != 2 || other.Requests("/authorize") != 2 {
		t.Error("one tenant counts the other's requests")
	}
	if _, ok := tenant.User("lin"); ok {
		t.Error("one tenant has the other's people")
	}
	kid := func(p *party) any { return header(t, p.silent(b).Extra("id_token").(string))["kid"] }
	if kid(p) == kid(q) {
		t.Error("FreshKeys: both sign with one key")
	}
	token := p.silent(b).AccessToken
	if resp, _ := get(t, other, "userinfo", token); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an access token of the first at the second: got status %d", resp.StatusCode)
	}
}

// second is a tenant with keys of its own and one person, who has the same
// subject as a person of another tenant.
func second(t *testing.T) *brokertest.Server {
	return brokertest.Start(t, brokertest.Options{
		FreshKeys: true, Clients: []brokertest.Client{application()},
		Users: []brokertest.User{{Name: "lin", Username: "lin@example.com", Password: brokertest.Password, Subject: "auth0|ada"}},
	})
}

// Two browsers of one person are two sessions.
func TestEachBrowserHasItsSessionID(t *testing.T) {
	_, p, b := start(t, brokertest.Options{})
	first := idClaims(t, p.signIn(b, "ada"))["sid"]
	if second := idClaims(t, p.signIn(newBrowser(t), "ada"))["sid"]; first == nil || first == second {
		t.Errorf("sid %v and %v", first, second)
	}
	if again := idClaims(t, p.silent(b))["sid"]; again != first {
		t.Errorf("the first browser's sid is now %v", again)
	}
}

func TestSessionLifetime(t *testing.T) {
	clock := new(brokertest.Clock)
	_, p, b := start(t, brokertest.Options{Now: clock.Now})
	p.signIn(b, "ada")
	for range 14 {
		clock.Advance(2 * 24 * time.Hour)
		p.silent(b)
	}
	clock.Advance(2*24*time.Hour + time.Minute) // 30 days since the sign-in
	if page := b.Get(p.authorizeURL()); !page.Has("tenant-login-form") {
		t.Errorf("after 30 days: want the login page, got %v", page)
	}
	b.SignIn("ada")
	clock.Advance(3*24*time.Hour + time.Minute)
	if page := b.Get(p.authorizeURL("prompt", "none")); page.Location.Query().Get("error") != "login_required" {
		t.Errorf("after 3 idle days: want login_required, got %v", page)
	}
}

// auth_time is told only with max_age or prompt=login: whoever strips the
// latter from the URL gets a token that says so by its absence.
func TestAuthTimeAndReauthentication(t *testing.T) {
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now})
	signedIn := float64(clock.Now().Unix())
	if got, ok := idClaims(t, p.signIn(b, "ada"))["auth_time"]; ok {
		t.Errorf("without max_age: got auth_time %v, want none", got)
	}
	clock.Advance(time.Hour)
	if got := idClaims(t, p.silent(b, "max_age", "31536000"))["auth_time"]; got != signedIn {
		t.Errorf("with a long max_age: got auth_time %v, want %v", got, signedIn)
	}
	sid := idClaims(t, p.silent(b))["sid"]
	logins := tenant.Requests("/u/login")
	for name, params := range map[string][]string{
		"prompt login":          {"prompt", "login"},
		"prompt select_account": {"prompt", "select_account", "max_age", "31536000"},
		"max_age 0":             {"max_age", "0"},
		"a short max_age":       {"max_age", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			clock.Advance(2 * time.Minute)
			got := idClaims(t, p.signIn(b, "ada", params...))
			if got["auth_time"] != float64(clock.Now().Unix()) {
				t.Errorf("got auth_time %v, want %d", got["auth_time"], clock.Now().Unix())
			}
			if got["sid"] != sid {
				t.Error("re-authentication changed the sid")
			}
		})
	}
	if got := tenant.Requests("/u/login") - logins; got != 8 {
		t.Errorf("got %d requests of the login page, want 8", got)
	}
	t.Run("the handle from before is void", func(t *testing.T) {
		before := b.Cookies(tenant.Issuer())
		p.signIn(b, "ada", "prompt", "login")
		b := newBrowser(t)
		for _, cookie := range before {
			b.SetCookie(tenant.Issuer(), cookie)
		}
		if page := b.Get(p.authorizeURL("prompt", "none")); page.Location.Query().Get("error") != "login_required" {
			t.Errorf("want login_required, got %v", page)
		}
	})
	t.Run("prompt none with max_age exceeded", func(t *testing.T) {
		page := b.Get(p.authorizeURL("prompt", "none", "max_age", "0"))
		if page.Location.Query().Get("error") != "login_required" {
			t.Errorf("want login_required, got %v", page)
		}
	})
}
