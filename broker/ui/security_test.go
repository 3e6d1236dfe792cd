package ui

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
)

func TestS43_Headers(t *testing.T) {
	const plain = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " +
		"frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
	policies := map[string]string{ // of the others: plain
		"consent":        strings.Replace(plain, "form-action 'self'", "form-action 'self' https://grafana.example.com", 1),
		"logout confirm": strings.Replace(plain, "form-action 'self'", "form-action 'self' https://login.example.com", 1),
	}
	outsideSignIn := map[string]bool{"portal": true, "withdrawal": true, "demo start": true, "demo claims": true, "demo token": true, "demo refresh": true}
	for name, page := range allPages(newPages(t)) {
		t.Run(name, func(t *testing.T) {
			h := serve("GET", page).Header()
			policy := cmp.Or(policies[name], plain)
			for header, want := range map[string]string{
				"Content-Type":            "text/html; charset=utf-8",
				"Cache-Control":           "no-store",
				"Content-Security-Policy": policy,
				"X-Content-Type-Options":  "nosniff",
				"Content-Language":        "en",
				"Vary":                    "Accept-Language",
			} {
				if got := h.Get(header); got != want {
					t.Errorf("%s = %q, want %q", header, got, want)
				}
			}
			// During a sign-in it would cut the popup of a single-page
			// application off.
			opener := ""
			if outsideSignIn[name] {
				opener = "same-origin"
			}
			if got := h.Get("Cross-Origin-Opener-Policy"); got != opener {
				t.Errorf("Cross-Origin-Opener-Policy = %q, want %q", got, opener)
			}
		})
	}
}

// Under "no-referrer" browsers send "Origin: null" with a form, which the
// check against forged forms refuses. Everywhere else the address of a
// sign-in, one-time values and all, stays on the page.
func TestS40_ReferrerPolicy(t *testing.T) {
	for name, page := range allPages(newPages(t)) {
		w := serve("GET", page)
		want := "no-referrer"
		if len(elements(parse(t, w.Body.String()), "form")) > 0 {
			want = "same-origin"
		}
		if got := w.Header().Get("Referrer-Policy"); got != want {
			t.Errorf("%s: Referrer-Policy = %q, want %q", name, got, want)
		}
	}
}

// A client that may choose its redirect URI tries to add a directive or a
// wildcard of its own to the policy of the consent page.
func TestConsentPolicyCannotBeInjected(t *testing.T) {
	for _, origin := range hostileOrigins {
		v := fullConsent()
		v.RedirectOrigin = origin
		v.FormAction = []string{origin, "https://onward.example.com"}
		p := newPages(t)
		w := serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Consent(w, r, v) })
		want := "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://onward.example.com; " +
			"frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
		if got := w.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("origin %q: policy %q", origin, got)
		}
	}
}
