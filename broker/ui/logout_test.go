package ui

import (
	"net/http"
	"strings"
	"testing"
)

func TestLogoutConfirm(t *testing.T) {
	p := newPages(t)
	w := serve("GET", func(w http.ResponseWriter, r *http.Request) { p.LogoutConfirm(w, r, fullLogoutConfirm()) })
	doc := parse(t, w.Body.String())
	form := mustID(t, doc, "logout-form")
	if attr(form, "method") != "post" || attr(form, "action") != "/oauth2/logout" {
		t.Errorf("form posts by %q to %q", attr(form, "method"), attr(form, "action"))
	}
	if in := elements(form, "input"); len(in) != 1 || attr(in[0], "name") != "csrf" || attr(in[0], "value") != "not-a-secret" {
		t.Error("hidden field is missing")
	}
	if got := text(mustID(t, form, "logout-confirm")); got != "Sign out" {
		t.Errorf("button reads %q", got)
	}
	// The answer may redirect to the identity provider's own logout, and
	// Chromium stops a redirect that the policy does not list.
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://login.example.com;") {
		t.Errorf("policy %q", csp)
	}
}

func TestSignedOut(t *testing.T) {
	p := newPages(t)
	for url, want := range map[string]bool{
		"https://app.example.com/": true,
		"/":                        true,
		"":                         false,
		"javascript:alert(1)":      false,
		"//evil.example":           false,
	} {
		w := serve("GET", func(w http.ResponseWriter, r *http.Request) { p.SignedOut(w, r, SignedOut{ContinueURL: url}) })
		doc := parse(t, w.Body.String())
		if got := text(mustID(t, doc, "logout-done")); !strings.Contains(got, "signed out") {
			t.Errorf("logout-done reads %q", got)
		}
		if got := byID(doc, "logout-continue") != nil; got != want {
			t.Errorf("ContinueURL %q: link %v, want %v", url, got, want)
		}
	}
}
