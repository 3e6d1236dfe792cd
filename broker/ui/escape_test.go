package ui

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"
)

// payloads try to leave the context they land in: text, a quoted attribute,
// a URL, the title, a comment, a template.
var payloads = []string{
	`<script>alert(1)</script>`,
	`<img src=x onerror=alert(1)>`,
	`"><svg onload=alert(1)>`,
	`' onfocus=alert(1) autofocus x='`,
	`" onmouseover="alert(1)`,
	"` onclick=alert(1) `",
	`x onclick=alert(1)`,
	`</title><script>alert(1)</script>`,
	`</style><style>*{}`,
	`</form><form action=https://evil.example>`,
	`<!-- `, `--><script>alert(1)</script>`, `]]>`, `<![CDATA[`,
	`javascript:alert(1)`, `JAVASCRIPT:alert(1)`, "java\tscript:alert(1)", `javascript&colon;alert(1)`,
	`data:text/html,<script>alert(1)</script>`, `vbscript:x`,
	`https://evil.example/"onmouseover="alert(1)`, `https://evil.example/'><script>alert(1)</script>`,
	`/path" onload="alert(1)`, `/path?"><script>`, `//evil.example`, `/\evil.example`,
	`https://a.example/<script>`,
	`{{.}}`, `{{template "layout"}}`, `&lt;script&gt;`, `&#x3c;script&#x3e;`, `&quot;`,
	"\x00<script>", "\xff\xfe<script>", "+ADw-script+AD4-", "\u2028<script>", `\u003cscript\u003e`,
}

type view struct {
	name string
	ptr  reflect.Value
	draw func(http.ResponseWriter, *http.Request)
}

// views returns fresh, full views with the call that draws each. The calls
// read the view when they are made, so a test may change a field before.
func views(p *Pages) []view {
	return []view{
		viewOf(p, "chooser", (*Pages).Chooser, fullChooser()),
		viewOf(p, "consent", (*Pages).Consent, fullConsent()),
		viewOf(p, "error", (*Pages).Error, fullError()),
		viewOf(p, "logout", (*Pages).LogoutConfirm, fullLogoutConfirm()),
		viewOf(p, "done", (*Pages).SignedOut, fullSignedOut()),
		viewOf(p, "portal", (*Pages).Portal, fullPortal()),
		viewOf(p, "withdrawal", (*Pages).Withdrawal, fullWithdrawal()),
		viewOf(p, "demo start", (*Pages).DemoStart, fullDemoStart()),
		viewOf(p, "demo forward", (*Pages).DemoForward, fullDemoForward()),
		viewOf(p, "demo claims", (*Pages).Demo, onTab(DemoClaims)),
		viewOf(p, "demo token", (*Pages).Demo, onTab(DemoAccessToken)),
		viewOf(p, "demo refresh", (*Pages).Demo, onTab(DemoRefreshToken)),
	}
}

// onTab is the demo with what the tab shows; the first has the frame, too.
func onTab(tab DemoTab) Demo {
	all := fullDemo(tab)
	one := Demo{URL: all.URL, Tab: tab, Now: all.Now}
	switch tab {
	case DemoAccessToken:
		one.AccessToken = all.AccessToken
	case DemoRefreshToken:
		one.Refresh = all.Refresh
	default:
		one = all
	}
	return one
}

func viewOf[V any](p *Pages, name string, draw func(*Pages, http.ResponseWriter, *http.Request, V), v V) view {
	return view{name, reflect.ValueOf(&v), func(w http.ResponseWriter, r *http.Request) { draw(p, w, r, v) }}
}

// A field is one string of a view, however deep, and how to replace it.
type field struct {
	name string
	set  func(string)
}

// fields lists every string in v: struct fields, elements, map keys, values.
func fields(name string, v reflect.Value) []field {
	var list []field
	switch v.Kind() {
	case reflect.Pointer:
		list = fields(name, v.Elem())
	case reflect.String:
		list = append(list, field{name, v.SetString})
	case reflect.Struct:
		if v.Type().PkgPath() != reflect.TypeFor[Pages]().PkgPath() {
			break // time.Time
		}
		for i := range v.NumField() {
			list = append(list, fields(name+"."+v.Type().Field(i).Name, v.Field(i))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			list = append(list, fields(name+"[]", v.Index(i))...)
		}
	case reflect.Interface: // a value of the visitor's, and one inside it
		list = append(list,
			field{name, func(s string) { v.Set(reflect.ValueOf(s)) }},
			field{name + " member", func(s string) { v.Set(reflect.ValueOf(map[string]any{s: []any{s}})) }})
	case reflect.Map:
		list = append(list,
			field{name + " key", func(s string) { v.Set(reflect.ValueOf(map[string]string{"csrf": "x", s: "x"})) }},
			field{name + " value", func(s string) { v.Set(reflect.ValueOf(map[string]string{"csrf": "x", "y": s})) }})
	}
	return list
}

// repeats tells which fields of a page are those of one more element.
func repeats(p *Pages, page int) (repeats []bool) {
	seen := map[string]bool{}
	v := views(p)[page]
	for _, f := range fields(v.name, v.ptr) {
		repeats = append(repeats, seen[f.name])
		seen[f.name] = true
	}
	return repeats
}

// drawWith draws view number page in a language, with its field number i set
// to s.
func drawWith(t testing.TB, p *Pages, lang string, page, i int, s string) (string, *html.Node) {
	t.Helper()
	v := views(p)[page]
	f := fields(v.name, v.ptr)[i]
	f.set(s)
	return f.name, parse(t, serve("GET", speaking(lang, v.draw)).Body.String())
}

// harmlessShapes returns the outlines that a page has with harmless values in
// its field number i, or with none.
func harmlessShapes(t testing.TB, p *Pages, lang string, page, i int) (shapes []string) {
	t.Helper()
	for _, harmless := range []string{"harmless", "/harmless", "https://harmless.example", ""} {
		_, doc := drawWith(t, p, lang, page, i, harmless)
		shapes = append(shapes, outline(doc))
	}
	return shapes
}

// checkNoMarkup asserts that the page with payload in one field has one of
// its harmless shapes: no element and no attribute came with the payload.
func checkNoMarkup(t testing.TB, p *Pages, lang string, harmless []string, page, i int, payload string) {
	t.Helper()
	name, doc := drawWith(t, p, lang, page, i, payload)
	if got := outline(doc); !slices.Contains(harmless, got) {
		t.Errorf("%s = %q changes the page in %s:\n%s", name, payload, lang, got)
	}
	checkLinks(t, name, payload, doc)
}

// checkLinks asserts that every address on the page leads to the web or to
// a path, as a browser reads it.
func checkLinks(t testing.TB, name, payload string, doc *html.Node) {
	t.Helper()
	for _, n := range elements(doc, "") {
		for _, a := range n.Attr {
			if a.Key != "href" && a.Key != "src" && a.Key != "action" {
				continue
			}
			if a.Val == "" {
				continue // the page itself
			}
			u, err := url.Parse(a.Val)
			if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
				t.Errorf("%s = %q: <%s %s=%q>", name, payload, n.Data, a.Key, a.Val)
			}
			if u != nil && u.Scheme == "" && (u.Host != "" || strings.HasPrefix(a.Val, "//") || strings.Contains(a.Val, `\`)) {
				t.Errorf("%s = %q: <%s %s=%q> leaves the origin", name, payload, n.Data, a.Key, a.Val)
			}
		}
	}
}

// Whoever controls one field of a page, a client's name, a link, a value
// reflected from the request, gets no markup into it. Class of
// CVE-2019-8400, CVE-2026-33758, CVE-2025-67495.
func TestR49_NoMarkupFromAnyField(t *testing.T) {
	p := newPages(t)
	var total atomic.Int64
	t.Run("on", func(t *testing.T) {
		for page, v := range views(p) {
			t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				for i, repeat := range repeats(p, page) {
					for n, lang := range Languages() {
						harmless := harmlessShapes(t, p, lang, page, i)
						for j, payload := range payloads {
							// Another language has other words in the same template,
							// another element goes through the same part of it.
							if (n > 0 || repeat) && j != i%len(payloads) {
								continue
							}
							checkNoMarkup(t, p, lang, harmless, page, i, payload)
							total.Add(1)
						}
					}
				}
			})
		}
	})
	if n := total.Load(); n < 1000 {
		t.Errorf("only %d combinations were tried", n)
	}
}

// The operator's title comes from the configuration, but it is drawn, too.
func TestR49_NoMarkupFromTheTitle(t *testing.T) {
	shape := outline(parse(t, serve("GET", allPages(newPages(t))["signed out"]).Body.String()))
	for _, payload := range payloads {
		p, err := New(Options{Title: payload, StylePath: "/style.css"})
		if err != nil {
			t.Fatal(err)
		}
		if got := outline(parse(t, serve("GET", allPages(p)["signed out"]).Body.String())); got != shape {
			t.Errorf("title %q changes the page:\n%s", payload, got)
		}
	}
}

func FuzzF13_Template(f *testing.F) {
	p := newPages(f)
	for page := range views(p) {
		for i, repeat := range repeats(p, page) {
			if !repeat {
				f.Add(uint8(page), uint8(i), payloads[i%len(payloads)])
			}
		}
	}
	type place struct {
		lang    string
		page, i int
	}
	shapes := map[place][]string{} // of what has been drawn
	f.Fuzz(func(t *testing.T, a, b uint8, payload string) {
		page := int(a) % len(views(p))
		i := int(b) % len(repeats(p, page))
		for _, lang := range Languages() {
			at := place{lang, page, i}
			if shapes[at] == nil {
				shapes[at] = harmlessShapes(t, p, lang, page, i)
			}
			checkNoMarkup(t, p, lang, shapes[at], page, i, payload)
		}
	})
}
