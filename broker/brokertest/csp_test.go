package brokertest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// Chromium applies form-action to the redirects after a form, too: a
// consent page that allows only 'self' never reaches the application.
func TestBrowserEnforcesFormAction(t *testing.T) {
	w := newWeb(t)
	w.redirect("auth.example.com/go", "https://app.example.com/cb", http.StatusSeeOther)
	w.page("app.example.com/cb", "arrived")
	for i, test := range []struct {
		policy string
		ok     bool
	}{
		{"", true},
		{"default-src 'none'", true}, // does not cover form-action
		{"form-action 'self'", false},
		{"form-action 'none'", false},
		{"form-action", false},
		{"form-action 'self' https://app.example.com", true},
		{"form-action 'self' https://app.example.com:443/other/path", true}, // paths are ignored after a redirect
		{"form-action 'self' https://app.example.com:8443", false},
		{"form-action 'self' app.example.com", true},
		{"form-action 'self' https://*.example.com", true},
		{"form-action 'self' https://*.example.org", false},
		{"form-action 'self' https:", true},
		{"form-action 'self' http:", true},
		{"form-action *", true},
		{"form-action https://auth.example.com/go https://app.example.com", true},
		{"form-action https://auth.example.com/ https://app.example.com", true},
		{"form-action https://auth.example.com/other https://app.example.com", false},
		{"form-action https://auth.example.com:* https://app.example.com:*", true},
		{"default-src 'none'; FORM-ACTION 'self'", false},
		{"form-action https://app.example.com, form-action 'self'", false},
	} {
		path := fmt.Sprintf("/page%d", i)
		w.page("auth.example.com"+path, `<form id="f" method="post" action="/go"><button>go</button></form>`,
			"Content-Security-Policy", test.policy)
		blocked := fails(t, func(tb testing.TB) {
			b := w.browser(tb, brokertest.BrowserOptions{})
			b.Get("https://auth.example.com" + path)
			b.Submit("f", nil)
		})
		if blocked == test.ok {
			t.Errorf("%q: blocked %v, want success %v", test.policy, blocked, test.ok)
		}
	}
}
