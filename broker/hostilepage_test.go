package broker_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// outline returns the elements of a page with the names of their attributes.
func outline(t testing.TB, page *brokertest.Page) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(string(page.Body)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		switch n.Type {
		case html.ElementNode:
			fmt.Fprintf(&b, "<%s", n.Data)
			for _, a := range n.Attr {
				fmt.Fprintf(&b, " %s", a.Key)
			}
			b.WriteString(">\n")
		case html.CommentNode, html.RawNode:
			b.WriteString("<!>\n")
		}
	}
	return b.String()
}

// named makes the hostile user one whose standard claims all are the text.
func (w *world) named(text string) {
	u := brokertest.User{
		Name: hostileUser, Username: "hostile@example.com", Password: brokertest.Password, Subject: "auth0|hostile", Claims: map[string]any{},
	}
	for _, name := range []string{"name", "given_name", "family_name", "nickname", "preferred_username", "email", "picture"} {
		u.Claims[name] = text
	}
	w.tenant.PutUser(u)
}

// The consent page shows who is signed in, in that person's own words.
func TestS49_ConsentPageOfAHostileUser(t *testing.T) {
	w := newWorld(t, options{})
	ask := func(text string) *brokertest.Page {
		w.named(text)
		b := w.newBrowser()
		b.Get(authorizeURL())
		page := b.SignIn(hostileUser)
		if !page.Has("consent-form") {
			w.Fatalf("no consent page: %s\n%s", page, page.Body)
		}
		return page
	}
	harmless, blank := outline(t, ask("ada@example.com")), outline(t, ask("\u202e "))
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			w.report(t)
			page := ask(text)
			if got := outline(t, page); got != harmless && (got != blank || strings.TrimSpace(text) != "") {
				t.Errorf("the page has other elements:\n%s", got)
			}
			if strings.ContainsAny(string(page.Body), "\x00\x1b\a\u202e\u2066\u2028") {
				t.Error("the page has characters that nobody sees")
			}
		})
	}
	t.Run("20 KB", func(t *testing.T) {
		w.report(t)
		if page := ask(strings.Repeat("a", 20<<10)); len(page.Body) > 16<<10 {
			t.Errorf("the page has %d bytes", len(page.Body))
		}
	})
	if strings.Contains(w.logs.String(), marker) {
		t.Errorf("the log has a value: %q", around(w.logs.String(), marker))
	}
}

// What an upstream says when it refuses somebody is shown to nobody, and
// stands in the log as one short line.
func TestS29_RefusalOfAHostileUpstream(t *testing.T) {
	w := newWorld(t, options{gate: func(g *broker.GateConfig) { g.Trusted = true }})
	refuse := func(text string) *brokertest.Page {
		w.tenant.SetFaults(brokertest.Faults{EditCallback: func(params url.Values) {
			params.Del("code")
			params.Set("error", "access_denied")
			params.Set("error_description", text)
			params.Set("error_uri", text)
		}})
		defer w.tenant.Heal()
		b := w.newBrowser()
		b.Get(gatedSite + "/")
		return b.SignIn("ada")
	}
	harmless := outline(t, refuse("no"))
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			w.report(t)
			page := refuse(text)
			if page.Status/100 != 4 || page.URL.Host != "app.example.com" {
				t.Fatalf("%s", page)
			}
			if got := outline(t, page); got != harmless || strings.Contains(string(page.Body), marker) {
				t.Errorf("the page shows it:\n%s", page.Body)
			}
			if strings.Contains(page.URL.String(), marker) {
				t.Errorf("the address has it: %s", page.URL)
			}
		})
	}
	refuse(strings.Repeat(marker, 10_000))
	for line := range strings.SplitSeq(w.logs.String(), "\n") {
		if n := strings.Count(line, marker); n > 200/len(marker) {
			t.Errorf("a line of the log repeats %d characters of it", n*len(marker))
		}
		if strings.ContainsFunc(line, func(c rune) bool { return c < 0x20 || c == 0x7f || c == '\u202e' || c == '\u2028' || c == '\u0085' }) {
			t.Errorf("a line of the log has control characters: %q", line)
		}
	}
}

// The callback of a gate is an address that anybody can link to.
func TestS29_GateCallbackOfAHostileLink(t *testing.T) {
	w := newWorld(t, options{})
	link := func(text string) *brokertest.Page {
		q := url.Values{"error": {text}, "error_description": {text}, "state": {text}, "iss": {text}}
		return w.newBrowser().Get(gatedSite + "/.auth/callback?" + q.Encode())
	}
	harmless, malformed := outline(t, link("x")), outline(t, link("\x00"))
	for name, text := range hostileTexts {
		page := link(text)
		if got := outline(t, page); page.Status/100 != 4 || got != harmless && got != malformed || strings.Contains(string(page.Body), marker) {
			t.Errorf("%s: %s\n%s", name, page, page.Body)
		}
	}
	if strings.Contains(w.logs.String(), marker) {
		t.Errorf("the log has it: %q", around(w.logs.String(), marker))
	}
}

// The answer of /.auth/me is data, however a browser is made to look at it.
func TestS5_MeIsNoPage(t *testing.T) {
	w := newWorld(t, options{})
	w.named("<script>" + marker + "()</script>")
	b := w.newBrowser()
	w.enter(b, "/", hostileUser)
	page := b.Get(gatedSite + "/.auth/me")
	if got := page.Header.Get("Content-Type"); got != "application/json" || page.Header.Get("X-Content-Type-Options") != "nosniff" || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", page.Header)
	}
	if body := string(page.Body); strings.ContainsAny(body, "<>") || !strings.Contains(body, marker) {
		t.Errorf("body %s", body)
	}
}

// Neither cookies nor addresses hold what the upstream said, whatever its
// size: they go into logs, histories and other servers' limits.
func TestS5_CookiesAndAddressesHoldNoClaims(t *testing.T) {
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		hostileConfig(w, c)
		withoutAccessClaims(c)
		c.Connections[0].ContextCache = time.Hour
	}, tenant: brokertest.Options{APIs: []brokertest.API{{Identifier: hostileAPI}}}})
	w.tell(map[string]string{"text": quoted(strings.Repeat(marker, 3_000)), "any": quoted(marker)})
	b := w.newBrowser()
	b.Get(authorizeURL())
	b.SignIn(hostileUser)
	w.checkBrowser(b)
	b.StopBefore = clientSite
	page := b.Click("consent-allow")
	if page.Location == nil || len(page.Location.String()) > 500 || strings.Contains(page.Location.String(), marker) {
		t.Errorf("the client gets %v", page.Location)
	}
	b.StopBefore = ""
	w.enter(b, "/orders", hostileUser)
	w.checkBrowser(b)
}

func (w *world) checkBrowser(b *brokertest.Browser) {
	w.Helper()
	for _, site := range []string{issuer, gatedSite, clientSite} {
		size := 0
		for _, c := range b.Cookies(site) {
			size += len(c.Name) + len(c.Value)
			if strings.Contains(c.Value, marker) {
				w.Errorf("cookie %s holds a claim", c.Name)
			}
		}
		if size > 4<<10 {
			w.Errorf("%s: %d bytes of cookies", site, size)
		}
	}
	for _, address := range b.History() {
		if len(address) > 2<<10 || strings.Contains(address, marker) {
			w.Errorf("%d bytes of address: %.200s", len(address), address)
		}
	}
}

// A key of an object in a profile is the user's text as well. The log of a
// broker at its most talkative names claims, and never shows a value.
func TestS5_LogNamesAndShowsNoValues(t *testing.T) {
	w := hostileWorld(t)
	w.tell(map[string]string{
		"text": quoted(marker), "list": `["` + marker + `"]`, "object": `{"` + marker + `": {"` + marker + `": "` + marker + `"}}`,
		"number": "12345678987654321", "any": `{"` + marker + `": ["` + marker + `"]}`,
	})
	w.arrive()
	w.tell(map[string]string{"text": `["` + marker + `"]`, "list": quoted(marker), "object": `["` + marker + `"]`, "number": quoted(marker), "any": "null"})
	a := w.arrive() // nothing of it has the right type
	if got := a.id["id_text"]; got != nil {
		t.Errorf("a list arrived as text: %v", got)
	}
	logs := w.logs.String()
	for _, value := range []string{marker, "12345678987654321", "mallory@example.com", "Mallory Example"} {
		if strings.Contains(logs, value) {
			t.Errorf("the log has a value: %q", around(logs, value))
		}
	}
	if !strings.Contains(logs, string(claims.TypeMismatch)) {
		t.Error("the log does not tell of the wrong types")
	}
}
