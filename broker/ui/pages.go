package ui

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed templates/*.html
var templates embed.FS

// Options are the settings of a set of pages.
type Options struct {
	// Title names the operator at the top of every page and at the end of
	// every document title. Default: "Sign in", in the page's language.
	Title string

	// StylePath is the URL path at which Style is served, the path of the
	// issuer included: "/oauth2/assets/style.css". Required. It has to be
	// of the origin that shows the pages, because their policy allows no
	// other; a gated host therefore needs Pages of its own.
	StylePath string
}

// Pages draws the pages of a sign-in. It is safe for concurrent use.
type Pages struct {
	brand     string       // empty: each language's own
	languages []*catalogue // at least one
	reasons   map[string]reason
	style     stylesheet

	chooser       *template.Template
	consent       *template.Template
	failure       *template.Template
	logoutConfirm *template.Template
	signedOut     *template.Template
}

// New parses the embedded templates. It fails for a StylePath that is not a
// path of this origin.
func New(o Options) (*Pages, error) {
	if localPath(o.StylePath) == "" {
		return nil, fmt.Errorf("ui: style path %q is not an absolute URL path; use one like /oauth2/assets/style.css", o.StylePath)
	}
	p := &Pages{
		brand:     clean(o.Title, maxName),
		languages: languages(),
		reasons:   allReasons(),
		style:     newStylesheet(o.StylePath),
	}
	var err error
	parse := func(name string) *template.Template {
		t, e := template.ParseFS(templates, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
		if e != nil {
			err = errors.Join(err, fmt.Errorf("ui: parsing page %q: %w", name, e))
		}
		return t
	}
	p.chooser = parse("chooser")
	p.consent = parse("consent")
	p.failure = parse("error")
	p.logoutConfirm = parse("logout_confirm")
	p.signedOut = parse("signed_out")
	if err != nil {
		return nil, err
	}
	return p, nil
}

// A page is what the layout gets: the frame, and the view inside it. Brand
// and StyleURL are filled in by render.
type page struct {
	T        *catalogue
	Heading  string // the document title without the brand
	V        any
	Wide     bool // more than a column: portal and demo
	Brand    string
	StyleURL string
}

// render writes one page. It draws into memory first: half a page under a
// status of 200 could show "Allow access" without what is being allowed.
//
// Headers that the caller has set (Set-Cookie, Retry-After) stay.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, t *template.Template, status int, s security, content page) {
	content.Brand, content.StyleURL = p.brand, p.style.url
	if content.Brand == "" {
		content.Brand = content.T.DefaultTitle
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "layout", content); err != nil {
		// Only a template that does not fit its view gets here, which the
		// tests of this package rule out. The answer still must not be a
		// success, nor say anything about the view.
		status = http.StatusInternalServerError
		body.Reset()
		body.WriteString("<!doctype html><title>500</title><h1>500</h1>")
	}

	h := w.Header()
	s.set(h)
	h.Set("Content-Language", content.T.Lang)
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	// A browser that has gone away is the only way for this to fail.
	_, _ = w.Write(body.Bytes())
}
