package lineage

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"slices"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// A Page is the graph for a person who follows one attribute through it, or
// all that one client gets: a picture, and the same in words beneath.
type Page struct {
	Graph *Graph
	Focus Focus

	// Attribute and Client are the answers to the question that Focus asks,
	// for why something is not delivered. They may be nil.
	Attribute *AttributeAnswer
	Client    *ClientAnswer

	// Linked says that the page can be asked for others, by the parameters
	// attribute, client and connection. A page in a file cannot.
	Linked bool
}

// Page returns the page about f of a graph that [New] made. The error is
// ErrUnknown.
func (g *Graph) Page(f Focus) (*Page, error) {
	p := &Page{Graph: g, Focus: f, Linked: true}
	var err error
	switch {
	case f.Client != "":
		p.Client, err = g.What(f.Client)
	case f.Attribute != "":
		p.Attribute, err = g.Who(f.Attribute)
	}
	return p, err
}

// PagePolicy returns the Content-Security-Policy of a page. Its one style
// sheet is allowed by what it says, and nothing else at all: no script, no
// picture, no request to anywhere, no frame around it.
func PagePolicy() string { return policy(pageCSS) }

func policy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
}

// HTML returns the page as a document of its own. It has no script, and
// loads nothing. The error is ErrUnknown.
func (p *Page) HTML() ([]byte, error) {
	view, err := p.view()
	if err != nil {
		return nil, err
	}
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("parsing the lineage page: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, view); err != nil {
		return nil, fmt.Errorf("drawing the lineage page: %w", err)
	}
	return out.Bytes(), nil
}

// A pageView is what the template gets. All names in it come from elsewhere
// and are printable; escaping them is the work of the template.
type pageView struct {
	Style    template.CSS
	Title    string
	Linked   bool
	Chosen   bool
	Warnings []string
	Picture  *picture
	Columns  []listColumn
	Withheld []withheldLine
}

// A listColumn is a column of the picture in words.
type listColumn struct {
	Title, ID string
	Items     []listItem
}

type listItem struct {
	Name, Detail, Href string
	Dead               bool
	To                 []listTo
}

type listTo struct{ Name, Note string }

// A withheldLine tells of something that is not delivered.
type withheldLine struct{ What, Reason, Cure string }

func (p *Page) view() (*pageView, error) {
	part, err := p.Graph.Through(p.Focus)
	if err != nil {
		return nil, err
	}
	chosen := p.Focus != Focus{}
	whole := *p.Graph
	whole.seeds = part.seeds // drawn, even if it leads nowhere
	d := whole.draw()
	lit := d.light(part)
	v := &pageView{
		Style: template.CSS(pageCSS), //nolint:gosec // our own, embedded
		Title: p.title(), Linked: p.Linked, Chosen: chosen,
		Columns: d.lists(lit, p.href), Withheld: p.withheld(),
	}
	for _, w := range part.Warnings {
		v.Warnings = append(v.Warnings, printable(w.String()))
	}
	if !chosen {
		lit = nil
	}
	v.Picture = d.picture(lit, p.href)
	return v, nil
}

func (p *Page) title() string {
	switch {
	case p.Focus.Client != "":
		return "What " + printable(p.Focus.Client) + " gets"
	case p.Focus.Attribute != "":
		return "Who gets " + printable(p.Focus.Attribute)
	}
	return "Who gets which data"
}

// href leads to the page about a box. The address is made of a query alone,
// so that no name can make it one of another scheme or host.
func (p *Page) href(b box) string {
	query := url.Values{}
	switch {
	case !p.Linked:
		return ""
	case b.part != "":
		query.Set("connection", b.part)
	case b.focus.Client != "":
		query.Set("client", b.focus.Client)
	case b.focus.Attribute != "":
		query.Set("attribute", b.focus.Attribute)
	default:
		return ""
	}
	return "?" + query.Encode()
}

// light lights what is in the part of the graph.
func (d *drawing) light(part *Graph) *lighting {
	small := part.draw()
	nodes := map[string]bool{}
	for _, b := range small.boxes {
		nodes[b.node] = true
	}
	type ends struct{ from, to, note string }
	joined := map[ends]bool{}
	for _, l := range small.lines {
		joined[ends{small.boxes[l.from].node, small.boxes[l.to].node, l.note}] = true
	}
	lit := &lighting{}
	for _, b := range d.boxes {
		lit.boxes = append(lit.boxes, nodes[b.node])
	}
	for _, l := range d.lines {
		lit.lines = append(lit.lines, !l.dead && joined[ends{d.boxes[l.from].node, d.boxes[l.to].node, l.note}])
	}
	return lit
}

// lists are the lit boxes of the drawing, column by column, each with what
// it goes to.
func (d *drawing) lists(lit *lighting, href func(box) string) (out []listColumn) {
	for c := range columns {
		l := listColumn{Title: c.Title(), ID: "column-" + fmt.Sprint(int(c)+1)}
		for _, i := range d.in(c) {
			if lit.boxes[i] {
				b := d.boxes[i]
				item := listItem{Name: printable(b.name), Detail: printable(b.detail), Href: href(b), Dead: b.dead, To: d.leadsTo(i, lit)}
				if b.owner != "" {
					item.Detail = printable(b.owner) + ": " + item.Detail
				}
				l.Items = append(l.Items, item)
			}
		}
		out = append(out, l)
	}
	return out
}

// leadsTo is where the box at index i leads. That a provider has its
// attributes needs no words.
func (d *drawing) leadsTo(i int, lit *lighting) (out []listTo) {
	if d.boxes[i].column == providers {
		return nil
	}
	for n, l := range d.lines {
		if l.from == i && lit.lines[n] {
			out = append(out, listTo{Name: printable(d.boxes[l.to].name), Note: printable(l.note)})
		}
	}
	return out
}

// withheld tells what is not delivered of what the page is about.
func (p *Page) withheld() (out []withheldLine) {
	add := func(what, reason, cure string) {
		w := withheldLine{printable(what), printable(reason), printable(cure)}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	if p.Client != nil {
		for _, r := range p.Client.Receipts {
			if !r.Delivered() {
				add("claim "+r.Claim, string(r.Reason), r.Cure)
			}
		}
	}
	if p.Attribute != nil {
		for _, r := range p.Attribute.Receivers {
			if r.Reason != "" {
				add(r.Name+", claim "+r.Claim, string(r.Reason), r.Cure)
			}
		}
	}
	return out
}
