package lineage

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func pageOf(t testing.TB, g *Graph, f Focus) string {
	t.Helper()
	p, err := g.Page(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func document(t testing.TB, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func elements(doc *html.Node, tag string) (found []*html.Node) {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func content(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return out.String()
}

// lit are the titles of the boxes that are highlighted.
func lit(doc *html.Node) (titles []string) {
	for _, g := range elements(doc, "g") {
		if strings.HasSuffix(attr(g, "class"), " lit") {
			titles = append(titles, content(elements(g, "title")[0]))
		}
	}
	return titles
}

func TestM73_PageFollowsAnAttribute(t *testing.T) {
	doc := document(t, pageOf(t, New(world(t)), Focus{Attribute: "acme/teams"}))
	want := []string{
		"Provider: Acme staff, auth0",
		`Attribute of acme: Teams, id_token https://example\.com/groups`,
		"Context: groups, Groups of the user",
		"Claim: groups, id_token, access_token",
		"App: Grafana, client grafana",
		"App: Back office, site gate:admin.example.com",
	}
	if diff := cmp.Diff(want, lit(doc)); diff != "" {
		t.Errorf("highlighted (-want +got):\n%s", diff)
	}
	if !strings.Contains(content(doc), "its users come from other connections") && !strings.Contains(content(doc), "add teams to the scopes of notes") {
		t.Error("nothing says why notes does not get it")
	}
}

func TestM73_PageFollowsAClient(t *testing.T) {
	doc := document(t, pageOf(t, New(world(t)), Focus{Client: "notes"}))
	for _, title := range lit(doc) {
		if strings.HasPrefix(title, "Provider") && title != "Provider: Partner, oidc, hidden" || strings.HasPrefix(title, "App") && title != "App: notes, client notes" {
			t.Errorf("highlighted: %s", title)
		}
	}
	if text := content(doc); !strings.Contains(text, "add teams to the scopes of notes") {
		t.Error("nothing says why groups are not delivered")
	}
}

// An attribute that leads nowhere is still there when it is asked for.
func TestPageOfADefaultThatLeadsNowhere(t *testing.T) {
	if got := lit(document(t, pageOf(t, New(world(t)), Focus{Attribute: "acme/address.region"}))); !slices.Contains(got, "Attribute of acme: Region, id_token address.region (leads nowhere)") {
		t.Errorf("highlighted: %q", got)
	}
}

func TestPageOfSomethingUnknown(t *testing.T) {
	for _, f := range []Focus{{Attribute: "nobody"}, {Client: "nobody"}} {
		if _, err := New(world(t)).Page(f); !errors.Is(err, ErrUnknown) {
			t.Errorf("%+v: error %v", f, err)
		}
	}
}

// TestS43_PagePolicyAllowsItsStyleAlone proves that the hash in the policy
// is that of the style element, and that the page needs nothing else.
func TestS43_PagePolicyAllowsItsStyleAlone(t *testing.T) {
	page := pageOf(t, New(world(t)), Focus{})
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(PagePolicy(), want) {
		t.Errorf("policy %q does not hold %s", PagePolicy(), want)
	}
	doc := document(t, page)
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "style" || a.Key == "src" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
			}
		}
	}
	for _, tag := range []string{"script", "img", "link", "iframe", "form", "object"} {
		if len(elements(doc, tag)) > 0 {
			t.Errorf("the page has a <%s>", tag)
		}
	}
	if m := regexp.MustCompile(`(?i)url\(|@import|https?:`).FindString(pageCSS); m != "" {
		t.Errorf("the style sheet holds %q", m)
	}
}

// shape is all of a page but its text: elements and names of attributes.
func shape(doc *html.Node) (out []string) {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode || n.Type == html.CommentNode {
			s := n.Data
			for _, a := range n.Attr {
				s += " " + a.Key
			}
			out = append(out, s)
		}
	}
	return out
}

func TestF13_HostileNamesAddNoMarkup(t *testing.T) {
	for _, f := range []func(name string) Focus{
		func(string) Focus { return Focus{} },
		func(name string) Focus { return Focus{Client: name} },
		func(name string) Focus { return Focus{Attribute: name} },
	} {
		harmless := shape(document(t, pageOf(t, New(renamed(t, "harmless")), f("harmless"))))
		for _, name := range hostile {
			doc := document(t, pageOf(t, New(renamed(t, name)), f(name)))
			if diff := cmp.Diff(harmless, shape(doc)); diff != "" {
				t.Errorf("name %q (-harmless +hostile):\n%s", name, diff)
			}
			for _, a := range elements(doc, "a") {
				if href := attr(a, "href"); !strings.HasPrefix(href, "?") {
					t.Errorf("name %q makes a link to %q", name, href)
				}
			}
		}
	}
}

// A page in a file has nobody to ask.
func TestPageInAFileHasNoLinks(t *testing.T) {
	p, err := New(world(t)).Page(Focus{Client: "grafana"})
	if err != nil {
		t.Fatal(err)
	}
	p.Linked = false
	raw, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(elements(document(t, string(raw)), "a")); n > 0 {
		t.Errorf("%d links", n)
	}
}

// Who does not see the picture has the same in headings, lists and links.
func TestPageWithoutThePicture(t *testing.T) {
	doc := document(t, pageOf(t, New(world(t)), Focus{}))
	var linked, listed []string
	for _, a := range elements(elements(doc, "svg")[0], "a") {
		if len(elements(a, "title")) != 1 {
			t.Errorf("the link to %s has no name", attr(a, "href"))
		}
		linked = append(linked, attr(a, "href"))
	}
	for _, section := range elements(doc, "section") {
		for _, a := range elements(section, "a") {
			listed = append(listed, attr(a, "href"))
		}
	}
	// The picture goes by where things are, the lists by what they are called.
	slices.Sort(linked)
	slices.Sort(listed)
	if diff := cmp.Diff(linked, listed); diff != "" {
		t.Errorf("links (-picture +lists):\n%s", diff)
	}
	ids := map[string]bool{}
	for n := range doc.Descendants() {
		if i := attr(n, "id"); i != "" {
			if ids[i] {
				t.Errorf("two elements have the id %s", i)
			}
			ids[i] = true
		}
	}
	for n := range doc.Descendants() {
		if by := attr(n, "aria-labelledby"); by != "" && !ids[by] {
			t.Errorf("nothing has the id %s", by)
		}
	}
}

// The boxes of a column do not cover each other, and none is cut off.
func TestPictureHasRoomForEveryBox(t *testing.T) {
	for name, in := range map[string]Input{"small": small(t), "world": world(t), "empty": {}} {
		g := New(in)
		p := g.draw().picture(nil, func(box) string { return "" })
		last := map[int][]int{}
		for _, b := range p.Boxes {
			if b.X < 0 || b.Y < headHeight || b.X+b.Width > p.Width || b.Y+b.Height > p.Height {
				t.Errorf("%s: %s is cut off", name, b.Title)
			}
			for _, y := range last[b.X] {
				if max(y-b.Y, b.Y-y) < b.Height {
					t.Errorf("%s: %s covers another box", name, b.Title)
				}
			}
			last[b.X] = append(last[b.X], b.Y)
		}
	}
}
