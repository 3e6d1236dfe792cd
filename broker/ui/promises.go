package ui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// promises lists what a page has to keep, whoever wrote its template, as
// what-it-is and how-it-is. The built-in page is the measure: each of its
// ids, which tests and automation rely on; where its links lead; what its
// forms post. An id that only ties a description to its element is nobody
// else's business.
func promises(doc *html.Node) map[string]string {
	private := map[string]bool{}
	for _, n := range elements(doc, "") {
		for _, a := range []string{"aria-describedby", "aria-labelledby"} {
			for id := range strings.FieldsSeq(attr(n, a)) {
				private[id] = true
			}
		}
	}
	out := map[string]string{}
	for _, n := range elements(doc, "") {
		id := attr(n, "id")
		if id == "" || private[id] {
			continue
		}
		out["the element with the id "+id] = essence(n)
		if n.Data == "form" {
			out["what the form "+id+" posts"] = strings.Join(controls(doc, n), ", ")
		}
	}
	return out
}

// essence is what matters about an element: of one that can be operated, what
// it does; of one that shows a value, the value; of others, that it is there.
func essence(n *html.Node) string {
	switch n.Data {
	case "a", "form", "button", "input", "select", "textarea":
		return control(n)
	case "bdi", "code":
		return "showing " + text(n)
	}
	return ""
}

// control spells what an element does.
func control(n *html.Node) string {
	var b strings.Builder
	b.WriteString("<" + n.Data)
	for _, name := range []string{"type", "name", "value", "href", "method", "action", "formaction"} {
		if hasAttr(n, name) {
			fmt.Fprintf(&b, " %s=%q", name, attr(n, name))
		}
	}
	if hasAttr(n, "checked") {
		b.WriteString(" checked")
	}
	b.WriteString(">")
	return b.String()
}

// controls spells whatever can get into what a form posts, sorted.
//
// Fields that an override adds count, too: a hidden twin of a check box would
// share what the visitor has unticked.
func controls(doc, form *html.Node) []string {
	var out []string
	for _, n := range elements(doc, "") {
		if attr(n, "name") == "" || !slices.Contains([]string{"button", "input", "select", "textarea"}, n.Data) {
			continue
		}
		if ofForm(n, form) {
			out = append(out, control(n))
		}
	}
	slices.Sort(out)
	return out
}

func ofForm(n, form *html.Node) bool {
	if hasAttr(n, "form") {
		return attr(n, "form") == attr(form, "id")
	}
	for a := range n.Ancestors() {
		if a == form {
			return true
		}
	}
	return false
}

// keeps says which promises of the built-in page another one breaks.
func keeps(ours, theirs *html.Node) error {
	want, got := promises(ours), promises(theirs)
	var missing []string
	for _, what := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[what]; !ok {
			missing = append(missing, strings.TrimPrefix(what, "the element with the id "))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the page lacks what programs and tests look for: %s; take the elements with these ids over from the built-in template", strings.Join(missing, ", "))
	}
	for _, what := range slices.Sorted(maps.Keys(want)) {
		if got[what] != want[what] {
			return fmt.Errorf("on a page with made-up content, %s has to be %s, and is %s", what, cmp.Or(want[what], "nothing"), cmp.Or(got[what], "nothing"))
		}
	}
	return nil
}
