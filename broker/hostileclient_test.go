package broker_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// hostileMetadata is what somebody could register an application under.
func hostileMetadata() map[string]string {
	all := maps.Clone(reflectedPayloads)
	for name, text := range hostileTexts {
		all["text, "+name] = text
	}
	maps.Copy(all, map[string]string{
		"10 KB":                     strings.Repeat(marker, 10<<10/len(marker)),
		"10 KB without a break":     "https://example.com/" + strings.Repeat("a", 10<<10),
		"a host that reads as ours": "https://auth.example.com@evil.example.com/" + marker,
		"reading the other way":     "\u202emoc.elpmaxe.live//:sptth" + marker,
		"isolates that stay open":   "\u2066\u2067\u2068" + marker,
		"a name made of blanks":     " \u00a0\u2003\u3164 ",
		"invisible letters":         "\u200b\u2060\ufeff",
		"upper case":                "JaVaScRiPt:" + marker + "()",
		"a script behind a blank":   " javascript:" + marker + "()",
		"a script behind a control": "\x01javascript:" + marker + "()",
		"a script in entities":      "javascript&colon;" + marker + "()",
		"a script of the past":      "vbscript:" + marker,
		"a file":                    "file:///etc/" + marker,
		"a blob":                    "blob:https://auth.example.com/" + marker,
		"an address and a handler":  `https://example.com/"onmouseover="` + marker + `()`,
		"an address and an element": `https://example.com/'><script>` + marker + `()</script>`,
		"no host":                   "https:///" + marker,
		"broken UTF-8":              "\xff\xfe<script>" + marker,
	})
	return all
}

// An attacker registers an application under such names and addresses, and
// sends people a link to sign in to it. What they see of it is text and, at
// most, links to web addresses.
func TestS45_F13_HostileApplication(t *testing.T) {
	w := newWorld(t, options{})
	withMetadata := func(text string) options {
		return options{
			client: func(c *oauth.Client) {
				c.Name, c.URI, c.LogoURI, c.PolicyURI, c.TOSURI = text, text, text, text, text
				c.Scopes = []string{"openid", "strange"}
			},
			config: func(w *world, c *broker.Config) {
				c.Scopes = []claims.Scope{{Name: "strange", DisplayName: text, Description: text, Service: text}}
				twoConnections(w, c)
				c.Connections[1].Name = text
			},
		}
	}
	pages := func(text string) (chooser, consent *brokertest.Page) {
		w.newBroker(withMetadata(text))
		b := w.newBrowser()
		chooser = b.Get(authorizeURL("scope", "openid strange"))
		b.Click("connection-auth0")
		consent = b.SignIn("ada")
		if !consent.Has("consent-form") {
			t.Fatalf("no consent page: %s\n%s", consent, consent.Body)
		}
		return chooser, consent
	}
	// A page has the shape that it has with a name and an address, with a
	// name alone, with nothing, or with nothing that can be seen.
	var chooserShapes, consentShapes []string
	for _, harmless := range []string{"https://harmless.example.com/", "harmless", "", "\u200b"} {
		chooser, consent := pages(harmless)
		chooserShapes, consentShapes = append(chooserShapes, outline(t, chooser)), append(consentShapes, outline(t, consent))
	}
	for name, text := range hostileMetadata() {
		t.Run(name, func(t *testing.T) {
			w.report(t)
			chooser, consent := pages(text)
			if got := outline(t, chooser); !slices.Contains(chooserShapes, got) {
				t.Errorf("the chooser has other elements:\n%s", got)
			}
			if got := outline(t, consent); !slices.Contains(consentShapes, got) {
				t.Errorf("the consent page has other elements:\n%s", got)
			}
			for _, page := range []*brokertest.Page{chooser, consent} {
				w.inert(t, name, page)
				body := string(page.Body)
				if !utf8.ValidString(body) || strings.ContainsAny(body, "\x00\x01\x1b\x7f\u0085\u202e\u2028\u2066\u2067\u2068\u200b\u2060\ufeff") {
					t.Error("the page has characters that nobody sees")
				}
				if len(body) > 48<<10 {
					t.Errorf("the page has %d bytes", len(body))
				}
				wantOwnPictures(t, page)
			}
		})
	}
}

// wantOwnPictures demands that pictures come from the issuer: a foreign one
// would tell the application who looks at its page, before any consent.
func wantOwnPictures(t *testing.T, page *brokertest.Page) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(string(page.Body)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "src" && !strings.HasPrefix(a.Val, "/oauth2/assets/") {
				t.Errorf("a picture of somebody else: %s", a.Val)
			}
		}
	}
}
