package brokertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// A Page is an answer that a [Browser] shows.
type Page struct {
	Status int
	URL    *url.URL
	Header http.Header
	Body   []byte

	// Location is where a redirect that was not followed points to.
	Location *url.URL

	root *html.Node // nil unless it is HTML
}

func newPage(u *url.URL, resp *http.Response, body []byte) (*Page, error) {
	p := &Page{Status: resp.StatusCode, URL: u, Header: resp.Header, Body: body}
	if location := resp.Header.Get("Location"); location != "" && resp.StatusCode/100 == 3 {
		target, err := u.Parse(location)
		if err != nil {
			return nil, fmt.Errorf("redirect of %s: Location cannot be read", plainURL(u))
		}
		p.Location = target
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/html" {
		return p, nil
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", plainURL(u), err)
	}
	p.root = root
	return p, nil
}

// ByID returns the element with that id, nil if there is none.
func (p *Page) ByID(id string) *Element {
	for n := range p.nodes() {
		if attr(n, "id") == id && id != "" {
			return &Element{node: n, page: p}
		}
	}
	return nil
}

// Has says whether the page has an element with that id.
func (p *Page) Has(id string) bool { return p.ByID(id) != nil }

// Text returns the text of the element with that id, white space collapsed;
// empty if there is none.
func (p *Page) Text(id string) string {
	if e := p.ByID(id); e != nil {
		return e.Text()
	}
	return ""
}

// Title returns the text of the title element.
func (p *Page) Title() string {
	for n := range p.nodes() {
		if n.Type == html.ElementNode && n.Data == "title" {
			return text(n)
		}
	}
	return ""
}

// IDs returns the ids of the page, in order: what a test may click.
func (p *Page) IDs() []string {
	var ids []string
	for n := range p.nodes() {
		if id := attr(n, "id"); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// JSON decodes the body into v, numbers into json.Number where v does not
// say otherwise.
func (p *Page) JSON(v any) error {
	d := json.NewDecoder(bytes.NewReader(p.Body))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decoding %s: %w", plainURL(p.URL), err)
	}
	return nil
}

// String describes the page in one line, without its query.
func (p *Page) String() string {
	return fmt.Sprintf("%d %s %q", p.Status, plainURL(p.URL), p.Title())
}

func (p *Page) nodes() func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		if p.root == nil {
			return
		}
		for n := range p.root.Descendants() {
			if !yield(n) {
				return
			}
		}
	}
}

// referrerPolicy is the page's, by its meta element or its header.
func (p *Page) referrerPolicy() string {
	policy := lastPolicy(p.Header)
	for n := range p.nodes() {
		if n.Data == "meta" && strings.EqualFold(attr(n, "name"), "referrer") {
			if meta := lastPolicy(http.Header{"Referrer-Policy": {attr(n, "content")}}); meta != "" {
				policy = meta
			}
		}
	}
	return policy
}

// An Element is one element of a [Page].
type Element struct {
	node *html.Node
	page *Page
}

// Tag returns the element's name, in lower case.
func (e *Element) Tag() string { return e.node.Data }

// Attr returns an attribute, empty if it is absent.
func (e *Element) Attr(name string) string { return attr(e.node, name) }

// HasAttr says whether the attribute is there: "checked", "disabled" ...
func (e *Element) HasAttr(name string) bool { return hasAttr(e.node, name) }

// Text returns the text inside, white space collapsed.
func (e *Element) Text() string { return text(e.node) }

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Namespace == "" && a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func setAttr(n *html.Node, name, value string) {
	removeAttr(n, name)
	n.Attr = append(n.Attr, html.Attribute{Key: name, Val: value})
}

func removeAttr(n *html.Node, name string) {
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}
