package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
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
	// other; a gated host therefore needs Pages of its own. Logo is served
	// beside it, under the name LogoName.
	StylePath string

	// Theme is the look of the pages; nil is the built-in one.
	Theme *Theme

	// Failed is told why a page could not be drawn; the visitor got status
	// 500. Only an operator's own template can get there. May be nil.
	Failed func(error)
}

// Pages draws the pages of a sign-in. It is safe for concurrent use.
type Pages struct {
	brand     string       // empty: each language's own
	languages []*catalogue // at least one
	reasons   map[string]reason
	theme     *Theme
	styleURL  string
	logoURL   string // empty: no logo
	failed    func(error)
	templates map[string]*template.Template // by the name of the page
}

// New parses the templates. It fails for a StylePath that is not a path of this
// origin.
func New(o Options) (*Pages, error) {
	if localPath(o.StylePath) == "" {
		return nil, fmt.Errorf("ui: style path %q is not an absolute URL path; use one like /oauth2/assets/style.css", o.StylePath)
	}
	theme := o.Theme
	if theme == nil {
		theme = builtinTheme()
	}
	p := &Pages{
		brand:     clean(o.Title, maxName),
		languages: languages(),
		reasons:   allReasons(),
		theme:     theme,
		styleURL:  theme.style.url(o.StylePath),
		failed:    o.Failed,
		templates: map[string]*template.Template{},
	}
	if theme.logo != nil {
		p.logoURL = theme.logo.url(path.Join(path.Dir(o.StylePath), LogoName))
	}
	for _, name := range pageNames() {
		t, err := parsePage(theme.texts, name)
		if err != nil {
			return nil, fmt.Errorf("ui: parsing page %q: %w", name, err)
		}
		p.templates[name] = t
	}
	return p, nil
}

// A page is what the layout gets: the frame, and the view inside it. Brand,
// StyleURL and LogoURL are filled in by render.
type page struct {
	T        *catalogue
	Heading  string // the document title without the brand
	V        any
	Wide     bool // more than a column: portal and demo
	Brand    string
	StyleURL string
	LogoURL  string // empty: no logo
}

// render writes the page of that name. It draws into memory first: half a page under a
// status of 200 could show "Allow access" without what is being allowed.
//
// Headers that the caller has set (Set-Cookie, Retry-After) stay.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, name string, status int, s security, content page) {
	content.Brand, content.StyleURL, content.LogoURL = p.brand, p.styleURL, p.logoURL
	if content.Brand == "" {
		content.Brand = content.T.DefaultTitle
	}
	var body bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&body, "layout", content); err != nil {
		// Only a template that does not fit its view gets here: an operator's
		// own, in a branch that no sample takes. The answer must not be a
		// success, nor say anything about the view.
		if p.failed != nil {
			p.failed(plain(err))
		}
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
