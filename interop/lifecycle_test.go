package interop_test

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// A reload through the admin API must not be noticed by anybody who is
// signed in or about to be.
func TestM45_ReloadKeepsSessionsAndSignIns(t *testing.T) {
	in := install(t, setup{})
	signedIn := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	in.enter(t, signedIn, "/orders?id=7")
	atTenant := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	if page := atTenant.Get(in.site + "/orders?id=8"); !page.Has("tenant-login-form") {
		t.Fatalf("no login page: %s", page)
	}

	changed := strings.Replace(in.config, "name Orders", "name \"Orders, renamed\"", 1)
	if status, body := in.load(t, changed); status != http.StatusOK {
		t.Fatalf("loading the new configuration answered %d: %s", status, body)
	}

	in.mustBeIn(t, signedIn)
	page := atTenant.SignIn("grace")
	if !page.Has("consent-form") || !strings.Contains(string(page.Body), "Orders, renamed") {
		t.Fatalf("the pending sign-in led to %s, want the consent page under the new name:\n%s", page, page.Body)
	}

	if status, body := in.load(t, in.config); status != http.StatusOK {
		t.Fatalf("loading the first configuration again answered %d: %s", status, body)
	}
	// Caddy has closed its idle connections. A browser notices that when it
	// uses one and sends the form over a new one; this one may only do so
	// with a GET, hence the page first.
	if page = atTenant.Reload(); !page.Has("consent-form") {
		t.Fatalf("the consent page is gone after a second reload: %s\n%s", page, page.Body)
	}
	if page = atTenant.Click("consent-allow"); page.URL.String() != in.site+"/orders?id=8" || !page.Has("app") {
		t.Errorf("consent led to %s, want the page that was asked for:\n%s", page, page.Body)
	}
	in.mustBeIn(t, signedIn)
}

// What is wrong with a configuration is said, and the old one keeps serving.
func TestM38_BadConfigurationLeavesTheOldRunning(t *testing.T) {
	in := install(t, setup{})
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	in.enter(t, b, "/")

	for name, test := range map[string]struct{ old, new, want string }{
		"a word that is unknown":        {"outbound {", "outbond {", `"outbond" is unknown`},
		"a variable that is not set":    {"{env.UPSTREAM_SECRET}", "{env.NO_SUCH_SECRET}", "{env.NO_SUCH_SECRET} is empty"},
		"a store that cannot be opened": {"issuer http", "storage embedded /dev/null/broker.db\n\t\tissuer http", "/dev/null"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(in.config, test.old, test.new, 1)
			status, body := in.load(t, bad)
			if status != http.StatusBadRequest || !strings.Contains(body, test.want) {
				t.Errorf("answered %d %q, want 400 and %q", status, body, test.want)
			}
			in.mustBeIn(t, b)
		})
	}

	t.Run("a new sign-in works", func(t *testing.T) {
		in.enter(t, brokertest.NewBrowser(t, brokertest.BrowserOptions{}), "/orders")
	})
}

// The database belongs to one process. A second one on the same file says
// so and ends; the first is not disturbed.
func TestSecondCaddyOnTheSameDatabaseRefuses(t *testing.T) {
	in := install(t, setup{})
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	in.enter(t, b, "/")

	other := &caddy{dir: in.dir, env: in.env, admin: freeAddr(t)}
	config := strings.ReplaceAll(in.config, in.site, "http://"+freeAddr(t))
	other.write(t, strings.ReplaceAll(config, in.issuer, "http://"+freeAddr(t)))
	other.start(t)
	select {
	case <-other.ended:
	case <-time.After(caddyStartTimeout):
		t.Fatal("the second Caddy runs on")
	}
	if code := other.cmd.ProcessState.ExitCode(); code == 0 {
		t.Error("the second Caddy ended with status 0")
	}
	if got := other.logs.String(); !strings.Contains(got, "another process holds it") || !strings.Contains(got, "auth_broker.db") {
		t.Errorf("the second Caddy does not say why it ended:\n%s", got)
	}
	in.mustBeIn(t, b)
	in.enter(t, brokertest.NewBrowser(t, brokertest.BrowserOptions{}), "/orders")
}

// Sessions and consents are on disk: neither an orderly stop nor a crash
// signs anybody out.
func TestSessionsSurviveARestart(t *testing.T) {
	for name, signal := range map[string]os.Signal{"orderly stop": syscall.SIGTERM, "crash": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			in := install(t, setup{})
			signedIn := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
			in.enter(t, signedIn, "/")
			pending := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
			pending.Get(in.site + "/orders?id=8")

			in.restart(t, signal)

			in.mustBeIn(t, signedIn)
			// Ada has consented before the restart, so nothing is asked.
			if page := pending.SignIn("ada"); page.URL.String() != in.site+"/orders?id=8" || !page.Has("app") {
				t.Errorf("the pending sign-in led to %s, want the page that was asked for:\n%s", page, page.Body)
			}
		})
	}
}
