package ui

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func getStyle(p *Pages, method, target string, header http.Header) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, target, nil)
	maps.Copy(r.Header, header)
	p.Style().ServeHTTP(w, r)
	return w
}

func TestStyle(t *testing.T) {
	p := newPages(t)
	link := elements(parse(t, serve("GET", allPages(p)["error"]).Body.String()), "link")[0]
	address := attr(link, "href")
	if attr(link, "rel") != "stylesheet" || !strings.HasPrefix(address, "/oauth2/assets/style.css?v=") {
		t.Fatalf("link to %q", address)
	}

	w := getStyle(p, "GET", address, nil)
	t.Run("is served with its type and may be kept for good", func(t *testing.T) {
		for header, want := range map[string]string{
			"Content-Type":                 "text/css; charset=utf-8",
			"X-Content-Type-Options":       "nosniff",
			"Cache-Control":                "public, max-age=31536000, immutable",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s = %q, want %q", header, got, want)
			}
		}
		if w.Code != http.StatusOK || w.Body.String() != string(styleCSS()) {
			t.Errorf("status %d, %d bytes", w.Code, w.Body.Len())
		}
	})
	t.Run("without its version it is asked for again", func(t *testing.T) {
		for _, other := range []string{"/oauth2/assets/style.css", "/oauth2/assets/style.css?v=0"} {
			if got := getStyle(p, "GET", other, nil).Header().Get("Cache-Control"); got != "no-cache" {
				t.Errorf("%s: Cache-Control = %q", other, got)
			}
		}
	})
	t.Run("is not sent twice", func(t *testing.T) {
		again := getStyle(p, "GET", address, http.Header{"If-None-Match": {w.Header().Get("ETag")}})
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("status %d, %d bytes", again.Code, again.Body.Len())
		}
	})
	t.Run("HEAD", func(t *testing.T) {
		head := getStyle(p, "HEAD", address, nil)
		if head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("status %d, %d bytes", head.Code, head.Body.Len())
		}
	})
	t.Run("other methods", func(t *testing.T) {
		post := getStyle(p, "POST", address, nil)
		if post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("status %d, Allow %q", post.Code, post.Header().Get("Allow"))
		}
	})
}

func TestStyleIsSmallAndLoadsNothing(t *testing.T) {
	if n := len(styleCSS()); n > 16<<10 {
		t.Errorf("%d bytes, want at most 16 KiB", n)
	}
	if m := regexp.MustCompile(`(?i)url\(|@import|https?:|//|expression|behavior`).Find(styleCSS()); m != nil {
		t.Errorf("style sheet holds %q", m)
	}
	for _, want := range []string{":focus-visible", "prefers-color-scheme: dark", "min-height: 2.75rem"} {
		if !strings.Contains(string(styleCSS()), want) {
			t.Errorf("style sheet lacks %q", want)
		}
	}
}

// WCAG 2.2 AA: 4.5 to 1 for text (1.4.3), 3 to 1 for what shows where a
// control is (1.4.11), in both colour schemes.
func TestS51_Contrast(t *testing.T) {
	checkContrast(t, styleCSS())
}

// checkContrast looks at the last colour that css gives each name in each
// scheme, as a browser does.
func checkContrast(t interface{ Errorf(string, ...any) }, css []byte) {
	pairs := []struct {
		front, back string
		atLeast     float64
	}{
		{"text", "card", 4.5},
		{"text", "ground", 4.5},
		{"text", "tint", 4.5},
		{"quiet", "card", 4.5},
		{"quiet", "ground", 4.5},
		{"quiet", "tint", 4.5},
		{"accent", "card", 4.5},
		{"accent", "ground", 4.5},
		{"accent", "tint", 4.5},
		{"accent-strong", "card", 4.5},
		{"accent-strong", "ground", 4.5},
		{"accent-strong", "tint", 4.5},
		{"on-accent", "accent", 4.5},
		{"on-accent", "accent-strong", 4.5},
		{"on-note", "note", 4.5},
		{"edge", "card", 3},
		{"edge", "ground", 3},
		{"edge", "tint", 3},
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(blocks)%2 != 0 {
		t.Errorf("%d blocks of colours, want them in pairs, light and dark", len(blocks))
	}
	for i, scheme := range []string{"light", "dark"} {
		colours := map[string]string{}
		for ; i < len(blocks); i += 2 {
			for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(blocks[i][1], -1) {
				colours[m[1]] = m[2]
			}
		}
		for _, p := range pairs {
			got, err := wcagContrast(colours[p.front], colours[p.back])
			if err != nil || got < p.atLeast {
				t.Errorf("%s: %s %s on %s %s has %.2f (%v), want %v", scheme, p.front, colours[p.front], p.back, colours[p.back], got, err, p.atLeast)
			}
		}
	}
}

// wcagContrast is the contrast ratio of WCAG 2.2, worked out apart from the
// code that is tested with it.
func wcagContrast(a, b string) (float64, error) {
	la, err := wcagLuminance(a)
	if err != nil {
		return 0, err
	}
	lb, err := wcagLuminance(b)
	if err != nil {
		return 0, err
	}
	return (max(la, lb) + .05) / (min(la, lb) + .05), nil
}

func wcagLuminance(colour string) (float64, error) {
	if len(colour) != 7 {
		return 0, fmt.Errorf("colour %q is not #rrggbb", colour)
	}
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return 0, err
		}
		c := float64(n) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum, nil
}
