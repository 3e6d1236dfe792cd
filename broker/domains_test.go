package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// withDomains has two connections to choose from, a hidden and a disabled
// one, and one of another client. All but the first own a domain; the second
// passes a login_hint on.
func withDomains(w *world, c *broker.Config) {
	twoConnections(w, c)
	second := &c.Connections[1]
	second.Domains = []string{"partner.example", "kunde.example", "b\u00fccher.example"}
	var err error
	second.Provider, err = auth0.New(auth0.Config{
		Domain: w.tenant.Domain(), ClientID: upstreamID, ClientSecret: upstreamSecret, AllowLocal: true, SendLoginHint: true,
	}, oidc.Deps{Outbound: w.outbound(), Now: w.clock.Now})
	if err != nil {
		w.Fatal(err)
	}
	for _, id := range []string{"hidden", "disabled", "foreign"} {
		conn := w.connection(id, strings.ToUpper(id))
		conn.Domains = []string{id + ".example"}
		conn.Hidden, conn.Disabled = id == "hidden", id == "disabled"
		c.Connections = append(c.Connections, conn)
	}
}

func domainWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, options{config: withDomains, client: func(c *oauth.Client) {
		c.Connections = []string{"auth0", "second", "hidden", "disabled"}
	}})
}

func typeAddress(b *brokertest.Browser, address string) *brokertest.Page {
	return b.Submit("email-form", map[string]string{"email": address})
}

func TestX5_AddressLeadsToItsConnection(t *testing.T) {
	for address, want := range map[string]string{
		"ada@partner.example":                         "second",
		"ada@PARTNER.Example":                         "second",
		"  ada@partner.example.\t":                    "second",
		`"odd@local"@partner.example`:                 "second",
		"ada@b\u00fccher.example":                     "second",
		"ada@hidden.example":                          "hidden",
		"ada@sub.partner.example":                     "",
		"ada@evilpartner.example":                     "",
		"ada@partner.example.evil.example":            "",
		"ada@\u212aunde.example":                      "", // the Kelvin sign, which lower-cases to k
		"ada@disabled.example":                        "",
		"ada@foreign.example":                         "",
		"ada@nowhere.example":                         "",
		"@partner.example":                            "",
		"partner.example":                             "",
		"ada@":                                        "",
		"ada b@partner.example":                       "",
		strings.Repeat("a", 250) + "@partner.example": "",
	} {
		t.Run(address, func(t *testing.T) {
			w := domainWorld(t)
			b := w.newBrowser()
			b.Get(authorizeURL())
			page := typeAddress(b, address)
			if page.Status != 200 || page.URL.String() != issuer+"/oauth2/login" {
				t.Fatalf("%d %s", page.Status, page.URL)
			}
			if want == "" {
				if d := cmp.Diff([]string{"second", "auth0"}, offered(page)); d != "" || !page.Has("email-unknown") {
					t.Errorf("not the ordinary choices with a note: %s", d)
				}
				return
			}
			if d := cmp.Diff([]string{want}, offered(page)); d != "" || page.Has("email-unknown") {
				t.Fatal(d)
			}
			b.StopBefore = w.tenant.Issuer()
			if page = b.Click("connection-" + want); page.Location == nil || connectionOf(page.Location) != want {
				t.Errorf("the link leads to %d %s", page.Status, page.URL)
			}
		})
	}
}

// Whoever types a domain must not learn more from the answer than that it
// leads nowhere here: not that another client has it, or that it is off.
func TestX5_AllThatLeadsNowhereIsAnsweredAlike(t *testing.T) {
	w := domainWorld(t)
	b := w.newBrowser()
	start := b.Get(authorizeURL()).URL.String()
	var first string
	for _, address := range []string{"ada@nowhere.example", "ada@disabled.example", "ada@foreign.example", "bea@nowhere.example"} {
		b.Get(start)
		body := strings.ReplaceAll(string(typeAddress(b, address).Body), address, "")
		if first == "" {
			first = body
		}
		if d := cmp.Diff(first, body); d != "" {
			t.Errorf("%s: %s", address, d)
		}
	}
}

func TestX5_AddressStaysOutOfLinksAndLogs(t *testing.T) {
	const address = "ada.private@partner.example"
	w := domainWorld(t)
	b := w.newBrowser()
	b.Get(authorizeURL())
	page := typeAddress(b, address)
	for _, visited := range b.History() {
		if strings.Contains(visited, "private") {
			t.Errorf("the address is in %s", visited)
		}
	}
	if link := page.ByID("connection-second").Attr("href"); strings.Contains(link, "private") {
		t.Errorf("the address is in the link %s", link)
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
	b.StopBefore = w.tenant.Issuer()
	if got := b.Click("connection-second").Location.Query().Get("login_hint"); got != address {
		t.Errorf("login_hint upstream = %q", got)
	}
	t.Run("and is not passed on to a connection that does not want it", func(t *testing.T) {
		b := w.newBrowser()
		b.Get(authorizeURL())
		typeAddress(b, "ada.private@nowhere.example")
		b.StopBefore = w.tenant.Issuer()
		if got := b.Click("connection-auth0").Location.Query(); got.Has("login_hint") {
			t.Errorf("login_hint upstream = %q", got.Get("login_hint"))
		}
	})
	if strings.Contains(w.logs.String(), "private") {
		t.Error("the address is in the log")
	}
}

func TestX5_LoginHintOfTheClient(t *testing.T) {
	w := domainWorld(t)
	for hint, want := range map[string]string{
		"ada@partner.example": "second",
		"ada@hidden.example":  "hidden",
		"ada@foreign.example": "",
		"ada@nowhere.example": "",
		"+441632960000":       "",
	} {
		if got := w.upstreamConnection(w.newBrowser(), "login_hint", hint); got != want {
			t.Errorf("login_hint=%s leads to %q, want %q", hint, got, want)
		}
	}
	if got := w.upstreamConnection(w.newBrowser(), "login_hint", "ada@partner.example", "prompt", "select_account"); got != "" {
		t.Errorf("with prompt=select_account it leads to %q", got)
	}
	b := w.newBrowser()
	b.Get(authorizeURL("login_hint", "ada@nowhere.example"))
	if got := b.Page().ByID("email").Attr("value"); got != "ada@nowhere.example" {
		t.Errorf("the field holds %q", got)
	}
	if b.Page().Has("email-unknown") {
		t.Error("complains about an address that nobody typed")
	}
}

func TestX5_NoFieldWithoutDomains(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	if w.newBrowser().Get(authorizeURL()).Has("email-form") {
		t.Error("there is a field that leads nowhere")
	}
	w = newWorld(t, options{config: withDomains, client: func(c *oauth.Client) { c.Connections = []string{"auth0", "disabled", "foreign"} }})
	if !w.newBrowser().Get(authorizeURL()).Has("email-form") {
		t.Error("no field, although one of the client's connections has a domain")
	}
}

func TestX5_X6_AddressAndRemembering(t *testing.T) {
	w := domainWorld(t)
	b := w.newBrowser()
	b.Get(authorizeURL())
	b.Click("chooser-remember")
	page := typeAddress(b, "ada@partner.example")
	if page.Has("chooser-remember") || page.Has("email-form") {
		t.Error("the answer asks more than one thing")
	}
	if page = b.Click("chooser-all"); page.Text("chooser-remember") != "Ask me every time instead" {
		t.Errorf("on the way back the switch reads %q", page.Text("chooser-remember"))
	}
	typeAddress(b, "ada@partner.example")
	b.StopBefore = w.tenant.Issuer()
	b.Click("connection-second")
	if got := w.upstreamConnection(b); got != "second" {
		t.Errorf("leads to %q", got)
	}

	// A hidden connection is not remembered, and the choice before it is
	// not the last one any more.
	b.Get(authorizeURL("prompt", "select_account"))
	typeAddress(b, "ada@hidden.example")
	b.StopBefore = w.tenant.Issuer()
	b.Click("connection-hidden")
	if got := w.upstreamConnection(b); got != "" {
		t.Errorf("after a hidden connection it leads to %q", got)
	}
}

// A page of somebody else posts the form, or somebody posts a flow that is
// not this browser's.
func TestX5_S44_ForeignFormIsRefused(t *testing.T) {
	w := domainWorld(t)
	b := w.newBrowser()
	page := b.Get(authorizeURL())
	flow := page.URL.Query().Get("flow")
	post := func(site string, form url.Values, cookies bool) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, issuer+"/oauth2/login", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site)
		if cookies {
			for _, c := range b.Cookies(issuer) {
				r.AddCookie(c)
			}
		}
		rec := httptest.NewRecorder()
		w.broker.ServeHTTP(rec, r)
		return rec
	}
	form := url.Values{"flow": {flow}, "email": {"ada@partner.example"}}
	if got := post("same-origin", form, true); got.Code != 200 {
		t.Fatalf("our own form: %d", got.Code)
	}
	for name, got := range map[string]*httptest.ResponseRecorder{
		"cross-site":     post("cross-site", form, true),
		"same-site":      post("same-site", form, true),
		"no cookie":      post("same-origin", form, false),
		"unknown flow":   post("same-origin", url.Values{"flow": {"x"}, "email": {"ada@partner.example"}}, true),
		"field repeated": post("same-origin", url.Values{"flow": {flow}, "email": {"a@b.example", "c@d.example"}}, true),
	} {
		if got.Code/100 != 4 || strings.Contains(got.Body.String(), "connection-second") {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
}
