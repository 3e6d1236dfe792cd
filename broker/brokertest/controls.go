package brokertest

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// fields are what a form sends, in document order.
type fields []struct{ name, value string }

func (f *fields) add(name, value string) {
	if name != "" {
		*f = append(*f, struct{ name, value string }{name, value})
	}
}

// encode is application/x-www-form-urlencoded with line breaks as CRLF.
func (f fields) encode() string {
	var parts []string
	for _, field := range f {
		parts = append(parts, escape(field.name)+"="+escape(field.value))
	}
	return strings.Join(parts, "&")
}

func escape(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return url.QueryEscape(strings.ReplaceAll(s, "\n", "\r\n"))
}

// formOf returns the form that owns a control.
func (p *Page) formOf(n *html.Node) *html.Node {
	if id := attr(n, "form"); id != "" {
		if e := p.ByID(id); e != nil && e.Tag() == "form" {
			return e.node
		}
		return nil
	}
	for a := range n.Ancestors() {
		if a.Type == html.ElementNode && a.Data == "form" {
			return a
		}
	}
	return nil
}

// controls returns the controls of a form.
func (p *Page) controls(form *html.Node) []*html.Node {
	var out []*html.Node
	for n := range p.nodes() {
		switch n.Data {
		case "input", "button", "select", "textarea":
			if n.Type == html.ElementNode && p.formOf(n) == form {
				out = append(out, n)
			}
		}
	}
	return out
}

// successful collects what is sent when button is pressed (HTML, 4.10.22.4).
func (p *Page) successful(form, button *html.Node) fields {
	var out fields
	for _, n := range p.controls(form) {
		name := attr(n, "name")
		switch {
		case isDisabled(n), n.Data == "button" && n != button:
		case isSubmit(n):
			if n == button {
				out.add(name, attr(n, "value"))
			}
		case isCheckable(n):
			if hasAttr(n, "checked") {
				out.add(name, checkedValue(n))
			}
		case n.Data == "select":
			if option := chosen(n); option != nil {
				out.add(name, optionValue(option))
			}
		default:
			out.add(name, controlValue(n))
		}
	}
	return out
}

// missing names a required field that is empty, as browsers check before
// they send.
func (p *Page) missing(form, button *html.Node) string {
	if hasAttr(form, "novalidate") || (button != nil && hasAttr(button, "formnovalidate")) {
		return ""
	}
	for _, n := range p.controls(form) {
		if !hasAttr(n, "required") || isDisabled(n) {
			continue
		}
		if (isCheckable(n) && !hasAttr(n, "checked")) || (!isCheckable(n) && controlValue(n) == "") {
			return attr(n, "name")
		}
	}
	return ""
}

// check ticks or unticks n; ticking a radio button unticks its group.
func (p *Page) check(n *html.Node, on bool) {
	if !on {
		removeAttr(n, "checked")
		return
	}
	if inputType(n) == "radio" {
		for _, other := range p.controls(p.formOf(n)) {
			if inputType(other) == "radio" && attr(other, "name") == attr(n, "name") {
				removeAttr(other, "checked")
			}
		}
	}
	setAttr(n, "checked", "")
}

// fill sets the value of a control and says whether it takes it.
func fill(n *html.Node, value string) bool {
	if isDisabled(n) || hasAttr(n, "readonly") || isSubmit(n) || isCheckable(n) {
		return false
	}
	switch n.Data {
	case "input":
		setAttr(n, "value", value)
		return true
	case "textarea":
		for n.FirstChild != nil {
			n.RemoveChild(n.FirstChild)
		}
		n.AppendChild(&html.Node{Type: html.TextNode, Data: value})
		return true
	case "select":
		return choose(n, value)
	}
	return false
}

func choose(sel *html.Node, value string) bool {
	found := false
	for n := range sel.Descendants() {
		if n.Data != "option" {
			continue
		}
		removeAttr(n, "selected")
		if !found && !hasAttr(n, "disabled") && optionValue(n) == value {
			setAttr(n, "selected", "")
			found = true
		}
	}
	return found
}

// chosen is the selected option, else the first.
func chosen(sel *html.Node) (option *html.Node) {
	for n := range sel.Descendants() {
		if n.Data != "option" || hasAttr(n, "disabled") {
			continue
		}
		if option == nil || hasAttr(n, "selected") {
			option = n
		}
	}
	return option
}

func controlValue(n *html.Node) string {
	switch n.Data {
	case "select":
		if option := chosen(n); option != nil {
			return optionValue(option)
		}
		return ""
	case "textarea":
		var b strings.Builder
		for d := range n.Descendants() {
			b.WriteString(d.Data)
		}
		return b.String()
	}
	return attr(n, "value")
}

func optionValue(n *html.Node) string {
	if hasAttr(n, "value") {
		return attr(n, "value")
	}
	return text(n)
}

func checkedValue(n *html.Node) string {
	if hasAttr(n, "value") {
		return attr(n, "value")
	}
	return "on"
}

func inputType(n *html.Node) string {
	if n.Data != "input" {
		return ""
	}
	return strings.ToLower(attr(n, "type"))
}

func isCheckable(n *html.Node) bool { return inputType(n) == "checkbox" || inputType(n) == "radio" }

func isSubmit(n *html.Node) bool {
	if n.Data == "button" {
		kind := strings.ToLower(attr(n, "type"))
		return kind != "button" && kind != "reset"
	}
	return inputType(n) == "submit"
}

// isDisabled also looks for a disabled fieldset around the control.
func isDisabled(n *html.Node) bool {
	if hasAttr(n, "disabled") {
		return true
	}
	for a := range n.Ancestors() {
		if a.Data == "fieldset" && hasAttr(a, "disabled") {
			return true
		}
	}
	return false
}
