package stage

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed style.html
var style string

// A Page is a page of an application.
type Page struct{ tmpl *template.Template }

// NewPage makes a page of html/template source, which may use
// {{template "style"}} in its head. Source that cannot be parsed panics.
func NewPage(source string) *Page {
	return &Page{template.Must(template.Must(template.New("style.html").Parse(style)).New("page").Parse(source))}
}

// Show writes the page with the status.
func (p *Page) Show(w http.ResponseWriter, status int, view any) {
	var body bytes.Buffer
	if err := p.tmpl.Execute(&body, view); err != nil {
		http.Error(w, "showing the page failed", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
