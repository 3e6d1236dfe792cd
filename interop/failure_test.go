package interop_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// wrongSecret is not that of the broker at the tenant.
const wrongSecret = "not-a-secret-of-another-application"

// What goes wrong between the broker and its tenant: the visitor sees a page
// with a trace, the operator finds the trace in the log with the reason and
// what to do, and nothing in the log lets anybody sign in.
func TestFailuresAreExplained(t *testing.T) {
	for name, test := range map[string]struct {
		setup  setup
		faults brokertest.Faults
		status int
		reason string
		says   string // of the hint or the cause
	}{
		"wrong domain": {
			// Names below "invalid" never exist (RFC 6761, 6.4).
			setup:  setup{provider: "provider auth0 no-such-tenant.invalid broker {env.UPSTREAM_SECRET}"},
			status: http.StatusServiceUnavailable,
			reason: "upstream_unreachable",
			says:   "no-such-tenant.invalid",
		},
		"wrong secret": {
			setup:  setup{secret: wrongSecret},
			status: http.StatusBadGateway,
			reason: "client_secret_rejected",
			says:   "client_secret",
		},
		"tenant down": {
			faults: brokertest.Faults{Down: true},
			status: http.StatusServiceUnavailable,
			reason: "upstream_unreachable",
			says:   "localhost",
		},
		"clocks apart": {
			faults: brokertest.Faults{ClockOffset: time.Hour},
			status: http.StatusBadGateway,
			reason: "clock_skew",
			says:   "clock",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := install(t, test.setup)
			if in.tenant != nil {
				in.tenant.SetFaults(test.faults)
			}
			b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
			page := b.Get(in.site + "/orders?id=7")
			if page.Has("tenant-login-form") {
				page = b.SignIn("ada")
			}
			if page.Status != test.status || !strings.HasPrefix(page.URL.String(), in.site) {
				t.Errorf("the visitor sees %s, want a page of the site with %d", page, test.status)
			}
			trace := page.Text("error-trace")
			if trace == "" {
				t.Fatalf("the page has no trace:\n%s", page.Body)
			}
			entry := in.entry(t, trace, "sign-in failed upstream")
			if entry.Reason != test.reason || !strings.Contains(entry.Hint+entry.Cause, test.says) {
				t.Errorf("the log says reason %q, hint %q, cause %q; want %q and %q in one of the others",
					entry.Reason, entry.Hint, entry.Cause, test.reason, test.says)
			}
			for _, secret := range append(secretsOf(t, b), upstreamSecret, clientSecret, wrongSecret) {
				if strings.Contains(in.logs.String(), secret) {
					t.Errorf("the log holds %q", secret)
				}
			}
		})
	}
}

// entry is a line of Caddy's log.
type entry struct{ Msg, Trace, Reason, Hint, Cause string }

// entry returns the line with that trace and message.
func (in *installation) entry(t *testing.T, trace, message string) entry {
	t.Helper()
	for line := range strings.Lines(in.logs.String()) {
		var e entry
		if json.Unmarshal([]byte(line), &e) == nil && e.Trace == trace && e.Msg == message {
			return e
		}
	}
	t.Fatalf("the log has no line %q with the trace %s", message, trace)
	return entry{}
}

// secretsOf returns what a thief could use of what went through the browser:
// the values of codes, states and cookies.
func secretsOf(t *testing.T, b *brokertest.Browser) []string {
	t.Helper()
	var secrets []string
	for _, address := range b.History() {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"code", "state", "code_verifier"} {
			if value := u.Query().Get(name); value != "" {
				secrets = append(secrets, value)
			}
		}
		for _, c := range b.Cookies(address) {
			if c.Value != "" {
				secrets = append(secrets, c.Value)
			}
		}
	}
	if len(secrets) == 0 {
		t.Fatal("the browser had neither state nor cookies, so this test proves nothing")
	}
	return secrets
}
