package ui

import (
	"bytes"
	"embed"
	"net/http"
)

//go:embed styles/*.css
var styles embed.FS

// styleSources are the parts of the one style sheet, in their order.
var styleSources = []string{"base.css", "portal.css", "demo.css"}

// styleCSS returns the style sheet that all pages share.
func styleCSS() []byte {
	var all bytes.Buffer
	for _, name := range styleSources {
		css, err := styles.ReadFile("styles/" + name)
		if err != nil {
			panic(err) // a name in the list above that is not embedded
		}
		all.Write(css)
	}
	return all.Bytes()
}

// Style serves the style sheet, whatever the path it is mounted at. Other
// methods than GET and HEAD get 405.
func (p *Pages) Style() http.Handler { return p.theme.style }
