package caddymodule

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

// An adminView is a form of an answer besides JSON.
type adminView struct {
	mediaType string
	render    func(a *App, query url.Values) ([]byte, error)
	headers   func(http.Header)
}

func answerLineage(a *App, query url.Values) (any, error) {
	g := a.broker.Lineage()
	switch {
	case query.Has("client"):
		return g.What(query.Get("client"))
	case query.Has("attribute"):
		return g.Who(query.Get("attribute"))
	case query.Has("connection"):
		return g.Connection(query.Get("connection"))
	}
	return g, nil
}

// lineageViews are the pictures of the lineage, by the parameter format.
func lineageViews() map[string]adminView {
	return map[string]adminView{
		"html":    {mediaType: "text/html", render: lineagePage, headers: pageHeaders(lineage.PagePolicy())},
		"mermaid": {mediaType: "text/plain", render: drawing((*lineage.Graph).Mermaid)},
		"dot":     {mediaType: "text/plain", render: drawing((*lineage.Graph).DOT)},
	}
}

// focused returns the graph, or the part of one connection, and what the
// query asks to follow in it. A question without an answer has no picture.
func focused(a *App, query url.Values) (*lineage.Graph, lineage.Focus, error) {
	if _, err := answerLineage(a, query); err != nil {
		return nil, lineage.Focus{}, err
	}
	g := a.broker.Lineage()
	if query.Has("connection") {
		g, err := g.Connection(query.Get("connection"))
		return g, lineage.Focus{}, err
	}
	return g, lineage.Focus{Attribute: query.Get("attribute"), Client: query.Get("client")}, nil
}

func drawing(draw func(*lineage.Graph) string) func(*App, url.Values) ([]byte, error) {
	return func(a *App, query url.Values) ([]byte, error) {
		g, focus, err := focused(a, query)
		if err != nil {
			return nil, err
		}
		if g, err = g.Through(focus); err != nil {
			return nil, err
		}
		return []byte(draw(g)), nil
	}
}

func lineagePage(a *App, query url.Values) ([]byte, error) {
	g, focus, err := focused(a, query)
	if err != nil {
		return nil, err
	}
	page, err := g.Page(focus)
	if err != nil {
		return nil, err
	}
	return page.HTML()
}

// pageHeaders are those of a page at the admin endpoint.
//
// Attacker: a page that the operator has open beside it. Move: a frame, a
// window that it opened, or markup that got past the escaping. Harm: it
// learns who works where. The referrer must go to the endpoint itself, for
// Caddy answers a browser's request only if that names where it comes from.
func pageHeaders(policy string) func(http.Header) {
	return func(h http.Header) {
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
	}
}

// prefersHTML reports whether a client would rather have a page than JSON
// (RFC 9110 section 12.5.1): it names HTML, and JSON with a lower quality or
// not at all. That is what browsers do; "*/*", that of programs, is no wish.
func prefersHTML(accept []string) bool {
	var html, other float64
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, parameters, _ := strings.Cut(part, ";")
		quality := quality(parameters)
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "text/html":
			html = quality
		case "application/json":
			other = quality
		}
	}
	return html > other
}

// quality is the parameter q of a media range, 1 without one, and 0 for one
// that cannot be read.
func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}
