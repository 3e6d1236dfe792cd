package interop_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// A consenting is an installation, its client and a Chromium before the
// consent page. The client keeps what it is called with.
type consenting struct {
	*installation
	*tab

	client string // the client's origin

	mu    sync.Mutex
	calls []url.Values
}

func startConsenting(t *testing.T, scripts bool) *consenting {
	t.Helper()
	c := new(consenting)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			c.mu.Lock()
			c.calls = append(c.calls, r.URL.Query())
			c.mu.Unlock()
		}
		serveClient(w, r)
	}))
	t.Cleanup(server.Close)
	c.client = server.URL
	c.installation = install(t, setup{clients: `client notes {
			name Notes
			secret {env.CLIENT_SECRET}
			redirect_uris ` + server.URL + `/callback
			scopes openid profile email phone
		}`})
	c.tab = newTab(t, scripts, c.tenant.Issuer())
	return c
}

// request is the address of an authorization request for scopes.
func (c *consenting) request(scope string) string {
	g := gallery{issuer: c.issuer, client: c.client}
	return g.authorize("notes", "scope", scope)
}

// lastCall is what the client was called with last, and how often it was.
func (c *consenting) lastCall() (url.Values, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.calls) == 0 {
		return nil, 0
	}
	return c.calls[len(c.calls)-1], len(c.calls)
}

// redeem trades the code of the last call for tokens.
func (c *consenting) redeem() (int, map[string]any) {
	c.t.Helper()
	call, _ := c.lastCall()
	response, err := http.PostForm(c.issuer+"/oauth2/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {call.Get("code")}, "redirect_uri": {c.client + "/callback"},
		"client_id": {"notes"}, "client_secret": {clientSecret}, "code_verifier": {galleryVerifier},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	var tokens map[string]any
	if err := json.NewDecoder(response.Body).Decode(&tokens); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, tokens
}

// mustGrant demands that the client has got exactly these scopes.
func (c *consenting) mustGrant(scopes string) map[string]any {
	c.t.Helper()
	status, tokens := c.redeem()
	if status != http.StatusOK || tokens["scope"] != scopes {
		call, _ := c.lastCall()
		c.t.Fatalf("the client gets %v, and for the code %d %v; want scopes %s", call, status, tokens, scopes)
	}
	return tokens
}

// Somebody withholds a scope by a click on its text, with a real mouse. The
// answer leads to the client's origin, which the page's policy has to allow.
func TestM88_M89_M95_WithheldScopeInChromium(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			c := startConsenting(t, scripts)
			c.open(c.request("openid profile email"), "tenant-users-form")
			c.click("tenant-user-ada", "consent-form")
			c.mustShow("consent-form", "Profile", "Email", "Allow access")
			c.clickOn(`label[for="scope-email"]`)
			c.click("consent-allow", "app")
			tokens := c.mustGrant("openid profile")
			id := payload(t, tokens["id_token"].(string))
			if id["email"] != nil || id["name"] != "Ada Example" {
				t.Errorf("ID token %v", id)
			}

			// What was withheld is asked for again, and only that.
			c.open(c.request("openid profile email"), "consent-form")
			if got := evaluate[[]string](c.tab, `[...document.querySelectorAll("#consent-form input[type=checkbox]")].map(e => e.id)`); len(got) != 1 || got[0] != "scope-email" {
				t.Errorf("check boxes %q", got)
			}
			c.click("consent-allow", "app")
			c.mustGrant("openid profile email")
			c.open(c.request("openid profile email"), "app") // asks no more
			c.mustHaveNoViolations()
		})
	}
}

// The keyboard alone: Tab to the box, Space, and Return on the button.
func TestM88_ConsentByKeyboardInChromium(t *testing.T) {
	c := startConsenting(t, false)
	c.open(c.request("openid profile email"), "tenant-users-form")
	c.click("tenant-user-ada", "consent-form")
	c.keyUntil("scope-email")
	c.press("Space", " ", " ", 32)
	c.keyUntil("consent-allow")
	c.press("Enter", "Enter", "\r", 13)
	c.do("pressing Return", "app", chromedp.Sleep(0))
	c.mustGrant("openid profile")
}

// Two clicks where one was meant: one outcome, and a code that works.
func TestG26_S49_DoubleClickInChromium(t *testing.T) {
	c := startConsenting(t, true)
	c.open(c.request("openid profile email"), "tenant-users-form")
	c.click("tenant-user-ada", "consent-form")
	c.do("clicking twice", "app", chromedp.DoubleClick(chromedp.ID("consent-allow")))
	first, _ := c.lastCall()
	c.mustGrant("openid profile email")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.calls {
		if call.Get("code") == "" || call.Get("code") != first.Get("code") {
			t.Errorf("the client was called with %v, and with %v", call, first)
		}
	}
}

// The back button after Allow: the page is stale, whether the browser shows
// it again or asks for it again, and no form on it changes the outcome.
func TestG26_S49_BackButtonInChromium(t *testing.T) {
	c := startConsenting(t, true)
	c.open(c.request("openid profile email"), "tenant-users-form")
	c.click("tenant-user-ada", "consent-form")
	c.click("consent-allow", "app")
	first, _ := c.lastCall()
	evaluate[chromedp.Void](c.tab, "history.back()")
	// The browser shows the page as it was, or asks for it and is led on.
	c.poll(`location.href.includes("/oauth2/consent") || document.getElementById("app") !== null`)
	if evaluate[bool](c.tab, `location.href.includes("/oauth2/consent")`) {
		evaluate[chromedp.Void](c.tab, `document.getElementById("consent-deny").click()`)
		c.poll(`document.getElementById("app") !== null`)
	}
	if again, _ := c.lastCall(); again.Get("code") != first.Get("code") || again.Has("error") {
		t.Errorf("the client was called with %v, and before with %v", again, first)
	}
	c.mustGrant("openid profile email")
	c.open(c.request("openid profile email"), "app")
	c.mustHaveNoViolations()
}

// Two tabs ask at once, for different scopes. Each answer counts for its own
// request, in whatever order they come.
func TestG26_TwoTabsInChromium(t *testing.T) {
	c := startConsenting(t, true)
	c.open(c.request("openid profile"), "tenant-users-form")
	c.click("tenant-user-ada", "consent-form")
	other, cancel := chromedp.NewContext(c.ctx)
	defer cancel()
	second := listen(t, other, true, c.tenant.Issuer())
	second.open(c.request("openid email phone"), "consent-form")

	second.click("consent-deny", "app")
	if call, _ := c.lastCall(); call.Get("error") != "access_denied" {
		t.Errorf("the client was called with %v", call)
	}
	c.click("consent-allow", "app")
	c.mustGrant("openid profile")

	second.open(c.request("openid email phone"), "consent-form")
	c.open(c.request("openid profile phone"), "consent-form")
	c.click("consent-allow", "app")
	c.mustGrant("openid profile phone")
	second.click("consent-allow", "app")
	c.mustGrant("openid email phone")
	c.mustHaveNoViolations()
}

// clickOn clicks in the middle of the first element that matches.
func (d *tab) clickOn(selector string) {
	d.t.Helper()
	if err := chromedp.Do(d.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		d.t.Fatalf("clicking %s: %v", selector, err)
	}
}

// poll waits until an expression is true, whatever document that takes.
func (d *tab) poll(expression string) {
	d.t.Helper()
	deadline := time.Now().Add(stepTimeout)
	for {
		got, err := chromedp.Run(d.ctx, chromedp.Evaluate[bool](expression))
		if err == nil && got {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("never true: %s: %v", expression, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// keyUntil presses Tab until the element with the id has the focus.
func (d *tab) keyUntil(id string) {
	d.t.Helper()
	for range 30 {
		d.press("Tab", "Tab", "", 9)
		if evaluate[string](d, "document.activeElement.id") == id {
			return
		}
	}
	d.t.Fatalf("Tab does not lead to %s", id)
}

func (d *tab) press(code, key, text string, windows int64) {
	d.t.Helper()
	for _, p := range []input.DispatchKeyEventParams{
		{Type: input.DispatchKeyEventTypeKeyDown, Code: code, Key: key, Text: text, WindowsVirtualKeyCode: windows},
		{Type: input.DispatchKeyEventTypeKeyUp, Code: code, Key: key, WindowsVirtualKeyCode: windows},
	} {
		if _, err := chromedp.Call(d.ctx, input.DispatchKeyEvent, p); err != nil {
			d.t.Fatal(err)
		}
	}
}
