package brokertest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Click follows the link, or presses the submit button, with that id.
func (b *Browser) Click(id string) *Page {
	b.t.Helper()
	page := b.mustPage()
	e := page.ByID(id)
	switch {
	case e == nil:
		b.t.Fatalf("clicking %q: not on %v; there are %q", id, page, page.IDs())
	case e.Tag() == "a" && e.HasAttr("href"):
		return b.open(&navigation{method: http.MethodGet, url: b.resolve(page, e.Attr("href")), from: page})
	case isSubmit(e.node):
		if e.HasAttr("disabled") {
			b.t.Fatalf("clicking %q on %v: it is disabled", id, page)
		}
		form := page.formOf(e.node)
		if form == nil {
			b.t.Fatalf("clicking %q on %v: it is in no form", id, page)
		}
		return b.submit(page, form, e.node)
	}
	b.t.Fatalf("clicking %q on %v: a <%s> is neither a link nor a submit button", id, page, e.Tag())
	return nil
}

// Fill types a value into the input or text area with that id, or chooses
// that option of a select.
func (b *Browser) Fill(id, value string) {
	b.t.Helper()
	page := b.mustPage()
	e := page.ByID(id)
	if e == nil {
		b.t.Fatalf("filling %q: not on %v; there are %q", id, page, page.IDs())
	}
	if !fill(e.node, value) {
		b.t.Fatalf("filling %q on %v: a <%s> does not take that value", id, page, e.Tag())
	}
}

// Check ticks the check box or radio button with that id, or unticks it.
func (b *Browser) Check(id string, on bool) {
	b.t.Helper()
	page := b.mustPage()
	e := page.ByID(id)
	if e == nil || !isCheckable(e.node) || e.HasAttr("disabled") {
		b.t.Fatalf("checking %q on %v: no check box or radio button that can be changed", id, page)
	}
	page.check(e.node, on)
}

// Submit sends the form with that id, as its first submit button does,
// after setting the named fields. A field the form lacks is a failure: a
// test that wants to send more than a page offers is an attack and says so
// with [Browser.Post].
func (b *Browser) Submit(formID string, values map[string]string) *Page {
	b.t.Helper()
	page := b.mustPage()
	e := page.ByID(formID)
	if e == nil || e.Tag() != "form" {
		b.t.Fatalf("submitting %q: no such form on %v; there are %q", formID, page, page.IDs())
	}
	var button *html.Node
	for _, n := range page.controls(e.node) {
		if button == nil && isSubmit(n) {
			button = n
		}
	}
	for name, value := range values {
		i := slices.IndexFunc(page.controls(e.node), func(n *html.Node) bool {
			return attr(n, "name") == name && !isSubmit(n)
		})
		if i < 0 || !fill(page.controls(e.node)[i], value) {
			b.t.Fatalf("submitting %q on %v: no field %q that takes the value", formID, page, name)
		}
	}
	return b.submit(page, e.node, button)
}

// Post sends values to an address as a form of the tab's page would; with
// an empty tab, as no page at all.
func (b *Browser) Post(rawURL string, values url.Values) *Page {
	b.t.Helper()
	n := &navigation{method: http.MethodPost, body: values.Encode(), from: b.page, form: b.page != nil}
	if b.page != nil {
		n.url = b.resolve(b.page, rawURL)
		return b.open(n)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		b.t.Fatalf("posting: %v", err)
	}
	n.url = u
	return b.open(n)
}

// submit sends form as button does; nil is the Enter key in a form without
// buttons.
func (b *Browser) submit(page *Page, form, button *html.Node) *Page {
	b.t.Helper()
	if name := page.missing(form, button); name != "" {
		b.t.Fatalf("submitting a form on %v: the required field %q is empty", page, name)
	}
	method, action := attr(form, "method"), attr(form, "action")
	if button != nil && hasAttr(button, "formmethod") {
		method = attr(button, "formmethod")
	}
	if button != nil && hasAttr(button, "formaction") {
		action = attr(button, "formaction")
	}
	target := b.resolve(page, action)
	fields := page.successful(form, button).encode()
	n := &navigation{method: http.MethodGet, url: target, from: page, form: true}
	if strings.EqualFold(method, http.MethodPost) {
		n.method, n.body = http.MethodPost, fields
	} else {
		target.RawQuery = fields
	}
	return b.open(n)
}

func (b *Browser) open(n *navigation) *Page {
	b.t.Helper()
	page, err := b.navigate(n)
	if err != nil {
		b.t.Fatalf("leaving %v: %v", n.from, err)
	}
	return page
}

func (b *Browser) resolve(page *Page, reference string) *url.URL {
	b.t.Helper()
	u, err := page.URL.Parse(strings.TrimSpace(reference))
	if err != nil {
		b.t.Fatalf("an address on %v cannot be read", page)
	}
	if reference == "" {
		u.Fragment = ""
	}
	return u
}
