package ui

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const svgLogo = `<?xml version="1.0"?><!-- drawn by hand --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 3"><script>alert(1)</script></svg>`

// withLogo returns pages of a theme with this picture, under a name that
// says nothing.
func withLogo(t *testing.T, data string) (*Pages, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "picture")
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	theme, err := NewTheme(Look{Logo: name})
	if err != nil {
		return nil, err
	}
	p, err := New(Options{Title: "Example Corp", StylePath: "/auth/oauth2/assets/style.css", Theme: theme})
	if err != nil {
		t.Fatal(err)
	}
	return p, nil
}

func getLogo(p *Pages, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.Logo().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestLogoIsWhatItsContentIs(t *testing.T) {
	for want, data := range map[string]string{
		"image/png":     "\x89PNG\x0d\x0a\x1a\x0a...",
		"image/jpeg":    "\xff\xd8\xff...",
		"image/gif":     "GIF89a...",
		"image/webp":    "RIFF\x00\x00\x00\x00WEBPVP...",
		"image/svg+xml": svgLogo,
	} {
		t.Run(want, func(t *testing.T) {
			p, err := withLogo(t, data)
			if err != nil {
				t.Fatal(err)
			}
			w := getLogo(p, "GET", p.logoURL)
			if got := w.Header().Get("Content-Type"); got != want || w.Body.String() != data {
				t.Errorf("type %q, %d bytes", got, w.Body.Len())
			}
		})
	}
	for name, data := range map[string]string{
		"nothing": "", "text": "a logo", "a page": "<!doctype html><script>alert(1)</script>", "a page with a picture": "<html><svg xmlns='http://www.w3.org/2000/svg'/></html>",
		"a bitmap": "BM....", "a PDF": "%PDF-1.7", "an SVG without its name space": "<svg/>", "an icon": "\x00\x00\x01\x00",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := withLogo(t, data); err == nil || !strings.HasPrefix(err.Error(), "logo: ") || !strings.HasSuffix(err.Error(), "is no PNG, JPEG, GIF, WebP or SVG picture") {
				t.Error(err)
			}
		})
	}
	t.Run("too large", func(t *testing.T) {
		if _, err := withLogo(t, "GIF89a"+strings.Repeat("x", maxFile)); err == nil || !strings.Contains(err.Error(), "is larger than 256 KiB") {
			t.Error(err)
		}
	})
}

// An SVG is a document. Opened by its address it belongs to the origin that
// the consent page is of, and a script in it would be on that page's side.
func TestLogoRunsNoScript(t *testing.T) {
	p, err := withLogo(t, svgLogo)
	if err != nil {
		t.Fatal(err)
	}
	h := getLogo(p, "GET", p.logoURL).Header()
	for header, want := range map[string]string{
		"Content-Security-Policy":      "sandbox; default-src 'none'; style-src 'unsafe-inline'",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "public, max-age=31536000, immutable",
	} {
		if got := h.Get(header); got != want {
			t.Errorf("%s = %q, want %q", header, got, want)
		}
	}
	if w := getLogo(p, "POST", p.logoURL); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", w.Code)
	}
	if got := getLogo(p, "GET", "/brand?v=0").Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("another version: Cache-Control %q", got)
	}
}

func TestLogoStandsInPlaceOfTheTitle(t *testing.T) {
	p, err := withLogo(t, svgLogo)
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range allPages(p) {
		doc := parse(t, serve("GET", page).Body.String())
		header := elements(doc, "header")[0]
		images := elements(header, "img")
		if len(images) != 1 || attr(images[0], "alt") != "Example Corp" || text(header) != "" {
			t.Fatalf("%s: %d pictures and the text %q", name, len(images), text(header))
		}
		if src := attr(images[0], "src"); !strings.HasPrefix(src, "/auth/oauth2/assets/brand?v=") || src != p.logoURL {
			t.Errorf("%s: picture at %q", name, src)
		}
		checkStructure(t, "en", serve("GET", page).Body.String())
	}
}

func TestWithoutLogoThereIsNone(t *testing.T) {
	p := newPages(t)
	if w := getLogo(p, "GET", "/oauth2/assets/brand"); w.Code != http.StatusNotFound {
		t.Errorf("status %d", w.Code)
	}
	header := elements(parse(t, serve("GET", allPages(p)["error"]).Body.String()), "header")[0]
	if len(elements(header, "img")) != 0 || text(header) != "Example Corp" {
		t.Errorf("header reads %q", text(header))
	}
}
