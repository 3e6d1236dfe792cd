package interop_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// The gallery is one installation that has everything a page can show: two
// providers and one that is out of order, clients with every word about
// them, gated sites. The tests of the pages and their pictures share it.
type gallery struct {
	acme, partner *brokertest.Server

	issuer string
	site   string // gated, for anybody
	home   string // gated, without a question
	shut   string // gated, for users of a provider that does not answer
	client string // where all clients live
	admin  string // a way to Caddy's admin endpoint that takes browsers

	// windows are those of Chromium that nobody looks at.
	windows chan context.Context
}

//go:embed testdata/gallery.Caddyfile
var galleryCaddyfile string

func openGallery(t *testing.T) *gallery {
	t.Helper()
	g := &gallery{issuer: "http://" + freeAddr(t), site: "http://" + freeAddr(t), home: "http://" + freeAddr(t), shut: "http://" + freeAddr(t)}
	tenant := func(connection string) *brokertest.Server {
		return brokertest.Start(t, brokertest.Options{Clients: []brokertest.Client{{
			ID: "broker", Secret: upstreamSecret, Callbacks: []string{g.issuer + "/oauth2/callback/" + connection},
		}}})
	}
	g.acme, g.partner = tenant("acme"), tenant("partner")
	client := httptest.NewServer(http.HandlerFunc(serveClient))
	t.Cleanup(client.Close)
	g.client = client.URL

	config := strings.NewReplacer(
		"@issuer@", g.issuer, "@site@", g.site, "@home@", g.home, "@shut@", g.shut, "@client@", g.client,
		"@acme@", g.acme.Domain(), "@partner@", g.partner.Issuer(), "@nowhere@", "http://"+freeAddr(t),
		"@app@", strings.TrimPrefix(g.client, "http://"),
	).Replace(galleryCaddyfile)
	c := startCaddy(t, strings.TrimPrefix(g.shut, "http://"), config,
		"UPSTREAM_SECRET="+upstreamSecret, "CLIENT_SECRET="+clientSecret)
	g.admin = adminForBrowsers(t, c.admin)
	g.openWindows(t)
	return g
}

// serveClient is an application: behind a gate, or a client's own site. Its
// page leads wherever it is told to.
func serveClient(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/logo.png" {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(logoPicture())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>App</title><main><h1 id="app">App</h1><p><a id="sign-out" href="/.auth/logout">Sign out</a></p><p><a id="away" href="%s">Away</a></p></main></html>`,
		html.EscapeString(r.URL.Query().Get("to")))
}

// logoPicture is a ring, which stands out from whatever it is laid upon.
func logoPicture() []byte {
	const size, center = 96, 47.5
	picture := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			dx, dy := float64(x)-center, float64(y)-center
			if d := dx*dx + dy*dy; d < 40*40 && d > 20*20 {
				picture.SetNRGBA(x, y, color.NRGBA{R: 0xc2, G: 0x4d, B: 0x2c, A: 0xff})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		panic(err) // memory takes everything
	}
	return out.Bytes()
}

// adminForBrowsers stands before Caddy's admin endpoint, which answers no
// browser that comes from an address bar.
func adminForBrowsers(t *testing.T, admin string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://"+admin+r.URL.RequestURI(), nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		request.Header.Set("Accept", r.Header.Get("Accept"))
		request.Header.Set("Accept-Language", r.Header.Get("Accept-Language"))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		_, _ = w.Write(body.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// authorize is the address of an authorization request, with the pairs of
// name and value on top. An empty value removes the parameter.
func (g *gallery) authorize(client string, changes ...string) string {
	params := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {g.client + "/callback"},
		"scope": {"openid profile email"}, "state": {"client-state"}, "nonce": {"client-nonce"},
		"code_challenge": {oauth.S256(galleryVerifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		params.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			params.Del(changes[i])
		}
	}
	return g.issuer + "/oauth2/authorize?" + params.Encode()
}

const galleryVerifier = "gallery-verifier-gallery-verifier-gallery-verifier"

// visit takes a tab that knows nothing of earlier visits, for a browser of that
// language. A window for each visit would be cleaner, and take most of the
// time that all this takes.
func (g *gallery) visit(t *testing.T, scripts bool, language string) *tab {
	t.Helper()
	window := <-g.windows
	ctx, cancel := context.WithTimeout(window, visitTimeout)
	t.Cleanup(func() {
		cancel()
		g.windows <- window
	})
	d := listen(t, ctx, scripts, g.acme.Issuer(), g.partner.Issuer())
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}}
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, headers); err != nil {
		t.Fatal(err)
	}
	return d
}

// openWindows starts Chromium with as many windows as tests run at once. Each
// has cookies of its own.
func (g *gallery) openWindows(t *testing.T) {
	t.Helper()
	browser := interop.NewChromium(t)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	n := runtime.GOMAXPROCS(0)
	g.windows = make(chan context.Context, n)
	for range n {
		window, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
		t.Cleanup(cancel)
		if err := chromedp.Do(window); err != nil {
			t.Fatalf("opening a window: %v", err)
		}
		g.windows <- window
	}
}

// How long one page may take with all that is looked at, on a busy machine.
const visitTimeout = 2 * time.Minute
