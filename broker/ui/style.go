package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed styles/*.css
var styles embed.FS

// styleSources are the parts of the one style sheet, in their order.
var styleSources = []string{"base.css"}

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

// A stylesheet is the style sheet under the address of its content, so that
// browsers may keep it for good and still get a new one with a new version.
type stylesheet struct {
	css     []byte
	version string
	url     string
}

func newStylesheet(path string) stylesheet {
	css := styleCSS()
	sum := sha256.Sum256(css)
	version := hex.EncodeToString(sum[:8])
	return stylesheet{css: css, version: version, url: path + "?v=" + version}
}

// Style serves the style sheet, whatever the path it is mounted at. Other
// methods than GET and HEAD get 405.
func (p *Pages) Style() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Type", "text/css; charset=utf-8")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("ETag", `"`+p.style.version+`"`)
		h.Set("Cache-Control", "no-cache")
		if r.URL.Query().Get("v") == p.style.version {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.style.css))
	})
}
