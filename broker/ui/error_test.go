package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func errorPage(t *testing.T, v Error) *httptest.ResponseRecorder {
	t.Helper()
	p := newPages(t)
	return serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Error(w, r, v) })
}

func TestErrorPage(t *testing.T) {
	w := errorPage(t, fullError())
	doc := parse(t, w.Body.String())
	row := english().Reasons["upstream_denied"]

	t.Run("status", func(t *testing.T) {
		if w.Code != http.StatusForbidden {
			t.Errorf("status %d", w.Code)
		}
	})
	t.Run("code and reference stand alone in their elements", func(t *testing.T) {
		for id, want := range map[string]string{"error-code": "access_denied", "error-trace": "6f1c2a90b7d44c1e"} {
			n := mustID(t, doc, id)
			if n.FirstChild == nil || n.FirstChild.Data != want || n.FirstChild.NextSibling != nil {
				t.Errorf("%s = %q", id, text(n))
			}
		}
	})
	t.Run("what failed, why, whose turn, what to do", func(t *testing.T) {
		main := text(elements(doc, "main")[0])
		for _, want := range []string{row.What, row.Why, row.Do, "Your turn"} {
			if !strings.Contains(main, want) {
				t.Errorf("page lacks %q", want)
			}
		}
	})
	t.Run("time in UTC", func(t *testing.T) {
		n := elements(doc, "time")[0]
		if attr(n, "datetime") != "2026-11-25T11:08:09Z" || text(n) != "25 Nov 2026, 11:08:09 UTC" {
			t.Errorf("time %q reads %q", attr(n, "datetime"), text(n))
		}
	})
	t.Run("ways on", func(t *testing.T) {
		for id, want := range map[string]string{
			"error-retry":         fullError().RetryURL,
			"error-other-account": fullError().OtherAccountURL,
			"error-sign-out":      fullError().SignOutURL,
		} {
			if got := attr(mustID(t, doc, id), "href"); got != want {
				t.Errorf("%s leads to %q", id, got)
			}
		}
	})
}

func TestErrorPageWithLittle(t *testing.T) {
	w := errorPage(t, Error{})
	doc := parse(t, w.Body.String())
	if w.Code != http.StatusInternalServerError || text(mustID(t, doc, "error-code")) != "server_error" {
		t.Errorf("status %d, code %q", w.Code, text(mustID(t, doc, "error-code")))
	}
	for _, id := range []string{"error-trace", "error-retry", "error-other-account", "error-sign-out"} {
		if byID(doc, id) != nil {
			t.Errorf("%s is shown", id)
		}
	}
	if len(elements(doc, "time")) != 0 {
		t.Error("a time is shown")
	}
}

// The reason knows status and code; a caller may know better, but an error
// page is never a success or a redirect.
func TestErrorStatusAndCode(t *testing.T) {
	tests := []struct {
		v      Error
		status int
		code   string
	}{
		{Error{Reason: "invalid_redirect_uri"}, 400, "invalid_redirect_uri"},
		{Error{Reason: "upstream_error"}, 502, "temporarily_unavailable"},
		{Error{Reason: "upstream_error", Status: 503, Code: "server_error"}, 503, "server_error"},
		{Error{Reason: "interaction_required", Code: "login_required"}, 403, "login_required"},
		{Error{Reason: "user_blocked", Status: 200}, 403, "access_denied"},
		{Error{Reason: "user_blocked", Status: 302}, 403, "access_denied"},
		{Error{Reason: "user_blocked", Status: 999}, 403, "access_denied"},
		{Error{Reason: "no such key"}, 500, "server_error"},
	}
	for _, tt := range tests {
		w := errorPage(t, tt.v)
		code := text(mustID(t, parse(t, w.Body.String()), "error-code"))
		if w.Code != tt.status || code != tt.code {
			t.Errorf("%+v: %d %q, want %d %q", tt.v, w.Code, code, tt.status, tt.code)
		}
	}
}

// An attacker sends a visitor to the callback with an error text of the
// attacker's, or makes an upstream answer with one, to have our page say it
// under the operator's name. Class of CVE-2022-24905.
func TestR50_NoForeignText(t *testing.T) {
	const lie = "Your account is locked, call 555-0100"
	inURL := "/retry?m=" + url.QueryEscape(lie)
	for name, v := range map[string]Error{
		"reason":       {Reason: lie},
		"code":         {Reason: "upstream_denied", Code: lie},
		"code, joined": {Reason: "upstream_denied", Code: strings.ReplaceAll(lie, " ", "_")},
		"trace":        {Reason: "upstream_denied", Trace: lie},
		"links":        {Reason: "upstream_denied", RetryURL: inURL, OtherAccountURL: inURL, SignOutURL: inURL},
		"bare links":   {Reason: "upstream_denied", RetryURL: lie, OtherAccountURL: lie, SignOutURL: lie},
	} {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, errorPage(t, v).Body.String())
			for _, word := range []string{"locked", "555-0100"} {
				if seen := text(doc); strings.Contains(seen, word) {
					t.Errorf("the page says %q", seen)
				}
			}
		})
	}
}
