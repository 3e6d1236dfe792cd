package broker_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// The look is the same on the issuer's pages and on those of a gated site,
// and each origin serves what its pages show: their policy allows nothing
// from elsewhere.
func TestThemeReachesEveryOrigin(t *testing.T) {
	logo := filepath.Join(t.TempDir(), "logo.svg")
	if err := os.WriteFile(logo, []byte(svgLogo), 0o600); err != nil {
		t.Fatal(err)
	}
	theme, err := ui.NewTheme(ui.Look{Logo: logo, Accent: "#b3261e"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) { c.Title, c.Theme = "Example Corp", theme }})
	for _, tt := range []struct{ origin, page, assets string }{
		{issuer, "/oauth2/authorize?client_id=unknown", "/oauth2/assets/"},
		{gatedSite, "/.auth/callback?state=foreign&code=x", "/.auth/assets/"},
	} {
		t.Run(tt.origin, func(t *testing.T) {
			b := w.newBrowser()
			page := b.Get(tt.origin + tt.page)
			if !page.Has("error-code") {
				t.Fatalf("no error page: %s", page.Body)
			}
			linked := func(before, after string) *brokertest.Page {
				_, rest, _ := strings.Cut(string(page.Body), before)
				address, _, found := strings.Cut(rest, after)
				if !found || !strings.HasPrefix(address, tt.assets) {
					t.Fatalf("%s%s: not below %s", before, address, tt.assets)
				}
				return b.Fetch(tt.origin + address)
			}
			logo := linked(`<img src="`, `" alt="Example Corp">`)
			if logo.Status != http.StatusOK || logo.Header.Get("Content-Type") != "image/svg+xml" || string(logo.Body) != svgLogo {
				t.Errorf("logo: status %d, type %q", logo.Status, logo.Header.Get("Content-Type"))
			}
			if logo.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.HasPrefix(logo.Header.Get("Content-Security-Policy"), "sandbox;") {
				t.Errorf("logo: headers %v", logo.Header)
			}
			if style := linked(`<link rel="stylesheet" href="`, `">`); !strings.Contains(string(style.Body), "--accent: #b3261e;") {
				t.Error("the style sheet lacks the accent")
			}
		})
	}
}
