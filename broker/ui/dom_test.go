package ui

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// newPages returns pages as a site would make them.
func newPages(t testing.TB) *Pages {
	t.Helper()
	p, err := New(Options{Title: "Example Corp", StylePath: "/oauth2/assets/style.css"})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return p
}

// serve calls one page method and returns the answer.
func serve(method string, page func(http.ResponseWriter, *http.Request)) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	page(w, httptest.NewRequest(method, "https://auth.example.com/oauth2/authorize", nil))
	return w
}

// speaking draws the page for a browser with this Accept-Language.
func speaking(accept string, page func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept-Language", accept)
		page(w, r)
	}
}

// parse reads a page the way a browser does.
func parse(t testing.TB, body string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatalf("parsing the page: %v", err)
	}
	return doc
}

// elements returns the elements of doc in document order, those named tag
// only unless tag is empty.
func elements(doc *html.Node, tag string) []*html.Node {
	var found []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && (tag == "" || n.Data == tag) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func byID(doc *html.Node, id string) *html.Node {
	for _, n := range elements(doc, "") {
		if attr(n, "id") == id {
			return n
		}
	}
	return nil
}

// mustID returns the element, which the contract of ids promises.
func mustID(t *testing.T, doc *html.Node, id string) *html.Node {
	t.Helper()
	n := byID(doc, id)
	if n == nil {
		t.Fatalf("no element with id %q", id)
	}
	return n
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// outline returns the shape of a page: every element with the names of its
// attributes, without any content.
func outline(doc *html.Node) string {
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

// The fixtures fill every field, so that every branch of every template is
// drawn.

func fullClient() Client {
	return Client{
		Name: "Grafana", URI: "https://grafana.example.com/", RedirectHost: "login.grafana.example.com",
		LogoURL: "/oauth2/assets/logo/grafana", PolicyURI: "https://grafana.example.com/policy",
		TOSURI: "https://grafana.example.com/terms", Unverified: true,
	}
}

func fullChooser() Chooser {
	return Chooser{
		Client: fullClient(),
		Connections: []Connection{
			{ID: "acme", Name: "Acme staff", URL: "/oauth2/login?connection=acme", LogoURL: "/oauth2/assets/logo/acme"},
			{ID: "partner", Name: "Partners", URL: "https://auth.example.com/oauth2/login?connection=partner", Down: true},
		},
		RememberURL: "/oauth2/login?remember=1",
		Email: &EmailField{
			Action: "/oauth2/login", Hidden: map[string]string{"flow": "one"}, Value: "ada@example.com", Unknown: true,
		},
		AllURL: "/oauth2/login?flow=one",
	}
}

func fullConsent() Consent {
	return Consent{
		Action: "/oauth2/consent", Hidden: map[string]string{"csrf": "not-a-secret", "login_id": "one"},
		RedirectOrigin: "https://grafana.example.com", Account: "ada@example.com", Client: fullClient(),
		Scopes: []Scope{
			{Name: "openid", DisplayName: "Confirm who you are", Fixed: true},
			{Name: "email", DisplayName: "Email", Description: "Your address", Fixed: true, Why: "Your account is tied to it."},
			{Name: "profile", DisplayName: "Profile", Description: "Your name and picture"},
			{Name: "orders:read", DisplayName: "Read orders", Service: "Order service"},
			{Name: "phone", DisplayName: "Phone", Granted: true},
		},
		Claims: []Claim{
			{Name: "birthdate", DisplayName: "Date of birth", Description: "Day, month and year"},
			{Name: "locale", DisplayName: "Language", Granted: true},
		},
		Purpose: "To show your own dashboards.", Lifetime: 180 * 24 * time.Hour,
	}
}

func fullError() Error {
	return Error{
		Reason: "upstream_denied", Code: "access_denied", Status: http.StatusForbidden,
		RetryURL: "/oauth2/authorize?client_id=grafana", OtherAccountURL: "/oauth2/authorize?prompt=login",
		SignOutURL: "https://login.example.com/v2/logout", Trace: "6f1c2a90b7d44c1e",
		Time: time.Date(2026, 11, 25, 12, 8, 9, 0, time.FixedZone("CET", 3600)),
	}
}

func fullLogoutConfirm() LogoutConfirm {
	return LogoutConfirm{
		Action: "/oauth2/logout", Hidden: map[string]string{"csrf": "not-a-secret"},
		FormAction: []string{"https://login.example.com"},
	}
}

func fullSignedOut() SignedOut { return SignedOut{ContinueURL: "https://app.example.com/"} }

// allPages draws every page with its full fixture.
func allPages(p *Pages) map[string]func(http.ResponseWriter, *http.Request) {
	return map[string]func(http.ResponseWriter, *http.Request){
		"chooser":        func(w http.ResponseWriter, r *http.Request) { p.Chooser(w, r, fullChooser()) },
		"consent":        func(w http.ResponseWriter, r *http.Request) { p.Consent(w, r, fullConsent()) },
		"error":          func(w http.ResponseWriter, r *http.Request) { p.Error(w, r, fullError()) },
		"logout confirm": func(w http.ResponseWriter, r *http.Request) { p.LogoutConfirm(w, r, fullLogoutConfirm()) },
		"signed out":     func(w http.ResponseWriter, r *http.Request) { p.SignedOut(w, r, fullSignedOut()) },
	}
}
