package ui

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestNewRefusesStyleOfAnotherOrigin(t *testing.T) {
	for _, path := range []string{"", "style.css", "//cdn.example/style.css", "https://cdn.example/style.css", `/\cdn.example`, "/a\tb"} {
		if _, err := New(Options{StylePath: path}); err == nil || !strings.Contains(err.Error(), "/oauth2/assets/style.css") {
			t.Errorf("New(StylePath %q) = %v, want an error that shows a right value", path, err)
		}
	}
}

func TestTitleDefaults(t *testing.T) {
	p, err := New(Options{StylePath: "/style.css"})
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, serve("GET", allPages(p)["signed out"]).Body.String())
	if got := text(elements(doc, "title")[0]); got != "Signed out – Sign in" {
		t.Errorf("title = %q", got)
	}
	doc = parse(t, serve("GET", speaking("de", allPages(p)["signed out"])).Body.String())
	if got := text(elements(doc, "title")[0]); got != "Abgemeldet – Anmeldung" {
		t.Errorf("German title = %q", got)
	}
}

// What makes a page usable by keyboard, screen reader and without script,
// for every page there is, in every language.
func TestS51_Structure(t *testing.T) {
	for name, page := range allPages(newPages(t)) {
		for _, lang := range Languages() {
			t.Run(name+" in "+lang, func(t *testing.T) {
				w := serve("GET", speaking(lang, page))
				if got := w.Header().Get("Content-Language"); got != lang {
					t.Errorf("Content-Language = %q", got)
				}
				checkStructure(t, lang, w.Body.String())
			})
		}
	}
}

func checkStructure(t *testing.T, lang, body string) {
	t.Helper()
	if !strings.HasPrefix(body, "<!doctype html>") {
		t.Error("no doctype: browsers would lay the page out in quirks mode")
	}
	doc := parse(t, body)
	if got := attr(elements(doc, "html")[0], "lang"); got != lang {
		t.Errorf("lang = %q", got)
	}
	if got := text(elements(doc, "title")[0]); !strings.HasSuffix(got, " – Example Corp") || strings.HasPrefix(got, " ") {
		t.Errorf("title = %q", got)
	}
	for _, tag := range []string{"h1", "main", "title"} {
		if n := len(elements(doc, tag)); n != 1 {
			t.Errorf("%d elements %s, want 1", n, tag)
		}
	}
	if text(elements(doc, "h1")[0]) == "" {
		t.Error("h1 is empty")
	}
	checkReferences(t, doc)
	checkNames(t, doc)
	checkInert(t, doc)
}

// checkReferences asserts that ids are unique and that what points to an id
// finds it.
func checkReferences(t *testing.T, doc *html.Node) {
	t.Helper()
	ids := map[string]bool{}
	for _, n := range elements(doc, "") {
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
	}
	for _, n := range elements(doc, "") {
		for _, a := range []string{"for", "aria-describedby", "aria-labelledby"} {
			if hasAttr(n, a) && !ids[attr(n, a)] {
				t.Errorf("<%s %s=%q> points to nothing", n.Data, a, attr(n, a))
			}
		}
	}
}

// checkNames asserts that all that can be operated or read has a name.
func checkNames(t *testing.T, doc *html.Node) {
	t.Helper()
	labels := map[string]string{}
	for _, n := range elements(doc, "label") {
		labels[attr(n, "for")] = text(n)
	}
	for _, n := range elements(doc, "input") {
		if attr(n, "type") != "hidden" && labels[attr(n, "id")] == "" {
			t.Errorf("input %q has no label", attr(n, "id"))
		}
	}
	for _, tag := range []string{"a", "button", "legend", "dt", "dd", "li"} {
		for _, n := range elements(doc, tag) {
			if text(n) == "" {
				t.Errorf("<%s id=%q> has no text", tag, attr(n, "id"))
			}
		}
	}
	for _, n := range elements(doc, "img") {
		if !hasAttr(n, "alt") {
			t.Error("image without alt")
		}
	}
}

// checkInert asserts that nothing on the page runs, styles inline or loads
// from elsewhere.
func checkInert(t *testing.T, doc *html.Node) {
	t.Helper()
	for _, n := range elements(doc, "") {
		switch n.Data {
		case "script", "style", "iframe", "object", "embed", "base", "svg", "template":
			t.Errorf("<%s> on the page", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"), a.Key == "srcdoc", a.Key == "formaction":
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case a.Key == "src", n.Data == "link" && a.Key == "href":
				if localPath(a.Val) == "" {
					t.Errorf("<%s %s=%q> loads from elsewhere", n.Data, a.Key, a.Val)
				}
			case a.Key == "href", a.Key == "action":
				// A place on this page is none of the origin's addresses.
				if target(a.Val) == "" && !(n.Data == "a" && strings.HasPrefix(a.Val, "#")) {
					t.Errorf("<%s %s=%q> leads to neither the web nor a path", n.Data, a.Key, a.Val)
				}
			}
		}
	}
}

func TestHeadAnswersWithoutBody(t *testing.T) {
	for name, page := range allPages(newPages(t)) {
		t.Run(name, func(t *testing.T) {
			get, head := serve("GET", page), serve("HEAD", page)
			if head.Body.Len() != 0 || head.Code != get.Code {
				t.Errorf("HEAD: status %d with %d bytes, want %d without any", head.Code, head.Body.Len(), get.Code)
			}
			if got, want := head.Header().Get("Content-Length"), strconv.Itoa(get.Body.Len()); got != want {
				t.Errorf("Content-Length = %q, want %q", got, want)
			}
		})
	}
}

func TestHeadersOfTheCallerStay(t *testing.T) {
	p := newPages(t)
	w := serve("GET", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		p.Error(w, r, Error{Reason: "upstream_rate_limited"})
	})
	if got := w.Header().Get("Retry-After"); got != "30" {
		t.Errorf("Retry-After = %q", got)
	}
}

// A view that its template cannot draw must neither be half shown nor be a
// success.
func TestPageThatCannotBeDrawnIsAnError(t *testing.T) {
	p := newPages(t)
	w := serve("GET", func(w http.ResponseWriter, r *http.Request) {
		p.render(w, r, "consent", http.StatusOK, security{}, page{T: english(), Heading: "x", V: struct{ Client Client }{Client{Name: "Grafana"}}})
	})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "Grafana") {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}
