package ui

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// An asset is served under an address that changes with its content, so that
// browsers may keep it for good and still get a new one.
type asset struct {
	data    []byte
	media   string
	version string
	policy  string // Content-Security-Policy, if any
}

func newAsset(media string, data []byte) asset {
	sum := sha256.Sum256(data)
	return asset{data: data, media: media, version: hex.EncodeToString(sum[:8])}
}

// url returns the address of the asset at a path.
func (a asset) url(path string) string { return path + "?v=" + a.version }

// ServeHTTP answers GET and HEAD, other methods with 405.
func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	if a.policy != "" {
		h.Set("Content-Security-Policy", a.policy)
	}
	h.Set("Content-Type", a.media)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("ETag", `"`+a.version+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
}
