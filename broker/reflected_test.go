package broker_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// Payloads for each place in a page that a parameter could come to stand in.
// All have the marker, and all but the last are harmless where escaped.
var reflectedPayloads = map[string]string{
	"an element":           `<script>` + marker + `()</script>`,
	"a picture":            `<img src=x onerror=` + marker + `()>`,
	"the end of a text":    `</p></main><h1>` + marker + `</h1>`,
	"the end of the title": `</title><script>` + marker + `</script>`,
	"a comment":            `--><!--` + marker,
	"a quoted attribute":   `" onmouseover="` + marker + `()" x="`,
	"a single quote":       `' autofocus onfocus='` + marker + `()`,
	"no quotes":            ` onclick=` + marker + `() `,
	"a link":               `javascript:` + marker + `()`,
	"a link in disguise":   "java\tscript:" + marker + "()",
	"a document":           `data:text/html,<script>` + marker + `()</script>`,
	"another host":         `//evil.example.com/` + marker,
	"a script's text":      `';` + marker + `();//`,
	"a script's end":       `</script><script>` + marker + `()</script>`,
	"a template":           `{{.}}{{template "layout"}}` + marker,
	"a header":             marker + "\r\nSet-Cookie: a=b\r\n\r\n<script>",
	"a policy":             marker + `; script-src *`,
	"double encoding":      `%3Cscript%3E` + marker + `%3C/script%3E`,
	"entities":             `&#x3c;script&#x3e;` + marker,
	"UTF-7":                `+ADw-script+AD4-` + marker,
	"a reversed reading":   "\u202e" + marker + "\u2066",
}

// reflected are the parameters of the authorization request, and what is
// right about the others while one is hostile.
var reflected = []string{
	"state", "nonce", "login_hint", "ui_locales", "purpose", "prompt", "display", "acr_values", "max_age", "claims", "idp_hint", "id_token_hint",
	"redirect_uri", "client_id", "scope", "response_type", "response_mode", "code_challenge", "code_challenge_method", "no_such_parameter",
}

// A link to us with markup in a parameter: no page that it leads to, on the
// way through or at the end, has an element or an attribute from it, nor does
// any header.
func TestR49_NoParameterComesBackAsMarkup(t *testing.T) {
	w := shownWorld(t)
	for _, name := range reflected {
		t.Run(name, func(t *testing.T) {
			w.report(t)
			for _, where := range slices.Sorted(maps.Keys(reflectedPayloads)) {
				value := reflectedPayloads[where]
				if name == "claims" {
					value = `{"userinfo":{` + fmt.Sprintf("%q", value) + `:null}}`
				}
				b := w.newBrowser()
				b.StopBefore = clientSite
				page := b.Get(authorizeURL(name, value))
				w.inert(t, where, page)
				if page.Has("connection-auth0") {
					page = b.Click("connection-auth0")
					w.inert(t, where, page)
				}
				if page.Has("tenant-login-form") {
					w.inert(t, where, b.SignIn("ada"))
				}
			}
		})
	}
}

// The same at every other address that reads parameters.
func TestR49_R50_NoOtherAddressReflects(t *testing.T) {
	w := shownWorld(t)
	b := w.newBrowser()
	w.consentPage(b, "idp_hint", "auth0") // a cookie lets requests get further
	for _, path := range []string{
		issuer + "/oauth2/callback/auth0", issuer + "/oauth2/callback/PAYLOAD", issuer + "/oauth2/login", issuer + "/oauth2/consent",
		issuer + "/oauth2/resume", issuer + "/oauth2/assets/logo/PAYLOAD", issuer + "/PAYLOAD", issuer + "/oauth2/PAYLOAD",
		issuer + "/portal", issuer + "/demo/", gatedSite + "/.auth/callback", gatedSite + "/.auth/logout", gatedSite + "/.auth/PAYLOAD",
	} {
		t.Run(path, func(t *testing.T) {
			w.report(t)
			for _, where := range slices.Sorted(maps.Keys(reflectedPayloads)) {
				value, query := reflectedPayloads[where], url.Values{}
				for _, name := range []string{
					"error", "error_description", "error_uri", "state", "code", "iss", "flow", "connection", "remember", "login_id", "login_state",
					"resume", "email", "client", "client_id", "connection_id", "started", "tab", "token", value,
				} {
					query.Set(name, value)
				}
				address := strings.ReplaceAll(path, "PAYLOAD", url.PathEscape(value)) + "?" + query.Encode()
				page := b.NewTab().Get(address)
				w.inert(t, where, page)
				if strings.Contains(string(page.Body), marker) && page.URL.Host != w.tenant.Domain() {
					t.Errorf("%s: the page repeats it:\n%s", where, around(string(page.Body), marker))
				}
			}
		})
	}
	if strings.Contains(w.logs.String(), "\\u003cscript\\u003e"+marker) {
		t.Errorf("the log has it: %q", around(w.logs.String(), marker))
	}
}

// inert demands that a page of ours has no script, no handler and no link that
// runs one, and nothing of the payload but as text or as the value of an
// attribute that is one of ours.
func (w *world) inert(t *testing.T, where string, page *brokertest.Page) {
	t.Helper()
	if page.URL.Host == w.tenant.Domain() {
		return
	}
	for name, values := range page.Header {
		if strings.Contains(strings.Join(values, ""), "\n") || name == "Set-Cookie" && strings.Contains(strings.Join(values, ""), "a=b") {
			t.Errorf("%s: header %s: %q", where, name, values)
		}
	}
	if got := page.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
		if strings.Contains(string(page.Body), marker) && page.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %q repeats it, and may be taken for a page: %s", where, got, page.Body)
		}
		return
	}
	doc, err := html.Parse(strings.NewReader(string(page.Body)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.CommentNode:
			t.Errorf("%s: comment %q", where, n.Data)
		case html.ElementNode:
			wantInertElement(t, where, n)
		}
	}
}

// ourElements are all that our pages are made of.
var ourElements = strings.Fields(`html head meta title link body header main p h1 h2 h3 form input label button nav ul li a span div strong bdi
	img fieldset legend section figure figcaption blockquote dl dt dd code time small table thead tbody tr th td caption footer details summary pre select option br ol em`)

func wantInertElement(t *testing.T, where string, n *html.Node) {
	t.Helper()
	if !slices.Contains(ourElements, n.Data) {
		t.Errorf("%s: element <%s>", where, n.Data)
	}
	for _, a := range n.Attr {
		if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "autofocus" || strings.Contains(a.Key, marker) {
			t.Errorf("%s: attribute %s of <%s>", where, a.Key, n.Data)
		}
		if !slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key) {
			continue
		}
		u, err := url.Parse(a.Val)
		if err != nil || !slices.Contains([]string{"", "http", "https"}, u.Scheme) || u.Host == "evil.example.com" {
			t.Errorf("%s: <%s %s=%q>", where, n.Data, a.Key, a.Val)
		}
	}
}
