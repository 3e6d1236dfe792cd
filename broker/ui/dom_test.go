package ui

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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

// allPages draws every page with its full fixture.
func allPages(p *Pages) map[string]func(http.ResponseWriter, *http.Request) {
	return map[string]func(http.ResponseWriter, *http.Request){
		"chooser":        func(w http.ResponseWriter, r *http.Request) { p.Chooser(w, r, fullChooser()) },
		"consent":        func(w http.ResponseWriter, r *http.Request) { p.Consent(w, r, fullConsent()) },
		"error":          func(w http.ResponseWriter, r *http.Request) { p.Error(w, r, fullError()) },
		"logout confirm": func(w http.ResponseWriter, r *http.Request) { p.LogoutConfirm(w, r, fullLogoutConfirm()) },
		"signed out":     func(w http.ResponseWriter, r *http.Request) { p.SignedOut(w, r, fullSignedOut()) },
		"portal":         func(w http.ResponseWriter, r *http.Request) { p.Portal(w, r, fullPortal()) },
		"withdrawal":     func(w http.ResponseWriter, r *http.Request) { p.Withdrawal(w, r, fullWithdrawal()) },
		"demo start":     func(w http.ResponseWriter, r *http.Request) { p.DemoStart(w, r, fullDemoStart()) },
		"demo forward":   func(w http.ResponseWriter, r *http.Request) { p.DemoForward(w, r, fullDemoForward()) },
		"demo claims":    func(w http.ResponseWriter, r *http.Request) { p.Demo(w, r, fullDemo(DemoClaims)) },
		"demo token":     func(w http.ResponseWriter, r *http.Request) { p.Demo(w, r, fullDemo(DemoAccessToken)) },
		"demo refresh":   func(w http.ResponseWriter, r *http.Request) { p.Demo(w, r, fullDemo(DemoRefreshToken)) },
	}
}
