package interop_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// The addresses of the demo are part of it: its README names them.
const (
	demoSite   = "http://localhost:8421"
	demoClient = "http://localhost:8422"
	demoTenant = "http://localhost:8423"
)

// How long Chromium may take to show what a step leads to.
const stepTimeout = 20 * time.Second

// The demo as a newcomer sees it, in a real browser. That forms may lead
// where they lead is for the pages' policy (CSP form-action) to allow, which
// browsers apply to redirects too, each in its own way.
func TestDemoInChromium(t *testing.T) {
	startExample(t, buildDemo, 8420, 8425)
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			// Consents are kept per user: the second run has another.
			user, name := "ada", "Ada Example"
			if !scripts {
				user, name = "grace", "Grace Example"
			}
			d := newTab(t, scripts, demoTenant)

			d.open(demoSite+"/orders?id=7", "tenant-users-form")
			d.click("tenant-user-"+user, "consent-form")
			d.mustShow("consent-form", "Cancel", "Allow")
			d.click("consent-allow", "echo-user")
			d.mustBeAt(demoSite + "/orders?id=7")
			d.mustShow("echo-user", "Orders of "+name)
			d.mustShow("access-token", `"iss": "http://localhost:8420"`, `"aud": "`+demoSite+`"`, `"name": "`+name+`"`, `"email": "`+user+`@example.com"`)
			d.mustShow("id-token", `"name": "`+name+`"`)

			// The client gets the same user without another password.
			d.open(demoClient+"/", "notes-login")
			d.click("notes-login", "consent-form")
			d.mustShow("consent-form", "Allow")
			d.click("consent-deny", "notes-problem")
			d.mustShow("notes-problem", "access_denied")
			d.click("notes-login", "consent-form")
			d.click("consent-allow", "id-token")
			d.mustShow("notes-user", "Notes of "+name)
			d.mustShow("userinfo", `"name": "`+name+`"`)

			// The tenant's own session lives on, so the gate, which asks
			// again, gets an answer without a page; the README says so
			// among the limits.
			d.open(demoSite+"/orders?id=7", "sign-out")
			d.click("sign-out", "logout-done")
			d.open(demoSite+"/orders?id=8", "echo-user")
			d.mustBeAt(demoSite + "/orders?id=8")
			d.mustHaveNoViolations()
		})
	}
}

// The test above would pass with a tab that is deaf to violations.
func TestChromiumReportsViolations(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'")
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><form action="http://127.0.0.1:9/"><button id="send">Send</button></form>`))
	}))
	defer server.Close()
	d := newTab(t, true, demoTenant)
	d.open(server.URL, "send")
	if err := chromedp.Do(d.ctx, chromedp.Click(chromedp.ID("send"))); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(stepTimeout)
	for len(d.violations()) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("no violation was reported")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// tab is a tab of Chromium that listens to the console.
type tab struct {
	t       *testing.T
	ctx     context.Context
	tenants []string // the stand-ins' origins

	mu        sync.Mutex
	entries   []cdplog.Entry
	documents map[string]bool // the addresses that it has shown
}

func newTab(t *testing.T, scripts bool, tenant string) *tab {
	t.Helper()
	return listen(t, interop.NewChromium(t), scripts, tenant)
}

// listen makes the tab of a Chromium one that listens.
func listen(t *testing.T, ctx context.Context, scripts bool, tenants ...string) *tab {
	t.Helper()
	d := &tab{t: t, ctx: ctx, tenants: tenants, documents: map[string]bool{}}
	err := chromedp.Listen(d.ctx, func(event any) {
		d.mu.Lock()
		defer d.mu.Unlock()
		switch event := event.(type) {
		case *cdplog.EventEntryAdded:
			d.entries = append(d.entries, *event.Entry)
		case *page.EventFrameNavigated:
			d.documents[event.Frame.URL] = true
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	off := emulation.SetScriptExecutionDisabledParams{Value: !scripts}
	if _, err := chromedp.Call(d.ctx, emulation.SetScriptExecutionDisabled, off); err != nil {
		t.Fatal(err)
	}
	return d
}

// open goes to an address and waits for the element with the id.
func (d *tab) open(address, id string) {
	d.t.Helper()
	d.do("opening "+address, id, chromedp.Navigate(address))
}

// click presses the element with the id and waits for another.
func (d *tab) click(id, next string) {
	d.t.Helper()
	d.do("clicking "+id, next, chromedp.Click(chromedp.ID(id)))
}

// do takes a step and waits for the element with the id, or for one of
// several: "one, #other".
func (d *tab) do(what, id string, step chromedp.Action[chromedp.Void]) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, stepTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, step, chromedp.WaitVisible(chromedp.CSS("#"+id))); err != nil {
		location, _ := chromedp.Run(d.ctx, chromedp.Location())
		d.t.Fatalf("%s: no element %q, but %s: %v; console: %v", what, id, location, err, d.violations())
	}
}

func (d *tab) mustBeAt(address string) {
	d.t.Helper()
	location, err := chromedp.Run(d.ctx, chromedp.Location())
	if err != nil {
		d.t.Fatal(err)
	}
	if location != address {
		d.t.Errorf("the browser is at %s, want %s", location, address)
	}
}

// mustShow demands texts in the element with the id.
func (d *tab) mustShow(id string, texts ...string) {
	d.t.Helper()
	shown, err := chromedp.Run(d.ctx, chromedp.Text(chromedp.ID(id)))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			d.t.Errorf("element %s lacks %q:\n%s", id, text, shown)
		}
	}
}

// violations are the texts in the console about a content security policy,
// but for those of the stand-in tenant's own pages.
func (d *tab) violations() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var texts []string
	for _, e := range d.entries {
		if d.foreign(e.URL) {
			continue
		}
		if strings.Contains(e.Text, "Content Security Policy") || e.Source == cdplog.EntrySourceSecurity {
			texts = append(texts, e.Text)
		}
	}
	return texts
}

// foreign says whether an address is a stand-in tenant's.
func (d *tab) foreign(address string) bool {
	return slices.ContainsFunc(d.tenants, func(origin string) bool { return strings.HasPrefix(address, origin) })
}

func (d *tab) mustHaveNoViolations() {
	d.t.Helper()
	for _, text := range d.violations() {
		d.t.Errorf("violation: %s", text)
	}
}
