package ui

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
)

var errNotPicture = errors.New("is no PNG, JPEG, GIF, WebP or SVG picture")

// readLogo reads the file of a logo.
func readLogo(name string) (*asset, error) {
	data, err := readBounded(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; name a picture that Caddy can read", name, err)
	}
	logo, err := newLogo(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return logo, nil
}

// newLogo returns the operator's logo, which stands at the top of every page
// in place of the title. What it is shows in the content, whatever the name
// of the file says.
func newLogo(data []byte) (*asset, error) {
	media := http.DetectContentType(data)
	if isSVG(data) {
		media = "image/svg+xml"
	}
	if !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}, media) {
		return nil, errNotPicture
	}
	logo := newAsset(media, data)
	logo.policy = logoPolicy
	return &logo, nil
}

// isSVG says whether the root element of the document is that of an SVG.
func isSVG(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if root, ok := token.(xml.StartElement); ok {
			return root.Name == xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}
		}
	}
}

// logoPolicy keeps a picture from being more than that. Opened by itself, an
// SVG is a document of our origin, and a script that came in with it, from
// whoever drew it, would run beside the consent page.
const logoPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

// LogoName is the last segment of the logo's address. The others are those of
// the style sheet's.
const LogoName = "brand"

// Logo serves the theme's logo, whatever the path it is mounted at; 404 if
// there is none. Other methods than GET and HEAD get 405.
func (p *Pages) Logo() http.Handler {
	if p.theme.logo == nil {
		return http.NotFoundHandler()
	}
	return *p.theme.logo
}
