package ui

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// A blockage is something on a page that its Content-Security-Policy keeps
// from working. The policy is the same whoever writes the templates: a page
// that may run scripts is one on which a hostile client's name may, too.
type blockage struct {
	what string // as it stands on the page: <script>, or the attribute style
	cure string
	// place finds it in the text of a template.
	place *regexp.Regexp
}

func (b *blockage) Error() string {
	return b.what + ": the Content-Security-Policy of the pages blocks it; " + b.cure
}

// What to do instead.
const (
	cureScript = "no page needs JavaScript"
	cureStyle  = "write the rules into " + ownStyle
	cureSource = "pages consist of themselves and of pictures of their own origin"
)

// blocked returns the first such thing on a page, or nil.
func blocked(doc *html.Node) *blockage {
	for _, n := range elements(doc, "") {
		if cure := blockedElement(n); cure != "" {
			return &blockage{"<" + n.Data + ">", cure, regexp.MustCompile(`(?i)<` + n.Data + `\b[^>]*` + regexp.QuoteMeta(attr(n, "href")))}
		}
		for _, a := range n.Attr {
			if cure := blockedAttr(a); cure != "" {
				return &blockage{"the attribute " + a.Key, cure, regexp.MustCompile(`(?i)[\s"']` + regexp.QuoteMeta(a.Key) + `\s*=\s*["']?` + regexp.QuoteMeta(a.Val))}
			}
		}
	}
	return nil
}

func blockedElement(n *html.Node) (cure string) {
	switch n.Data {
	case "script":
		return cureScript
	case "style":
		return cureStyle
	case "base":
		return "write addresses in full"
	case "iframe", "frame", "object", "embed", "audio", "video":
		return cureSource
	case "link":
		if hasAttr(n, "href") && localPath(attr(n, "href")) == "" {
			return cureSource
		}
	}
	return ""
}

func blockedAttr(a html.Attribute) (cure string) {
	switch {
	case strings.HasPrefix(a.Key, "on"), strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
		return cureScript
	case a.Key == "style":
		return cureStyle
	case a.Key == "src" && localPath(a.Val) == "":
		return cureSource
	}
	return ""
}
