package broker_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

const svgLogo = `<?xml version="1.0"?><!-- drawn by hand --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>`

func pngLogo() []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// A gallery is where logos come from: a web server of somebody else.
type gallery struct {
	*httptest.Server
	mu     sync.Mutex
	asked  map[string]int
	answer map[string]http.HandlerFunc
}

func newGallery(w *world) *gallery {
	g := &gallery{asked: map[string]int{}, answer: map[string]http.HandlerFunc{}}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked[r.URL.Path]++
		answer := g.answer[r.URL.Path]
		g.mu.Unlock()
		if answer == nil {
			http.NotFound(rw, r)
			return
		}
		answer(rw, r)
	}))
	g.TLS = &tls.Config{Certificates: []tls.Certificate{w.ca.Certificate("127.0.0.1")}, MinVersion: tls.VersionTLS12}
	g.StartTLS()
	w.Cleanup(g.Close)
	return g
}

// put puts a picture up.
func (g *gallery) put(path, media string, data []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answer[path] = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", media)
		_, _ = rw.Write(data)
	}
}

func (g *gallery) times(path string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[path]
}

// logoWorld has two connections, the first of which has a logo at path, and
// a client with another one.
func logoWorld(t *testing.T, path string) (*world, *gallery) {
	t.Helper()
	var g *gallery
	w := newWorld(t, options{config: func(w *world, c *broker.Config) {
		g = newGallery(w)
		twoConnections(w, c)
		c.Connections[0].LogoURI = g.URL + path
		c.Clients[0].LogoURI = g.URL + "/client.svg"
		c.Logos = w.outbound().HTTP()
	}})
	return w, g
}

// images are the addresses of the pictures on a page.
func images(t *testing.T, page *brokertest.Page) (list []string) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page.Body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "img" {
			for _, a := range n.Attr {
				if a.Key == "src" {
					list = append(list, a.Val)
				}
			}
		}
	}
	return list
}

func TestM86_LogoIsShownFromOurOwnOrigin(t *testing.T) {
	w, g := logoWorld(t, "/acme.png")
	g.put("/acme.png", "image/png", pngLogo())
	g.put("/client.svg", "image/svg+xml; charset=utf-8", []byte(svgLogo))
	b := w.newBrowser()
	page := b.Get(authorizeURL())
	shown := images(t, page)
	if len(shown) != 1 || !strings.HasPrefix(shown[0], "/oauth2/assets/logo/") {
		t.Fatalf("pictures on the chooser: %q", shown)
	}
	if g.times("/acme.png") != 0 {
		t.Error("drawing the page fetched the picture")
	}
	got := b.Fetch(shown[0])
	if got.Status != 200 || !bytes.Equal(got.Body, pngLogo()) {
		t.Errorf("%d, %d bytes", got.Status, len(got.Body))
	}
	checkLogoHeaders(t, got, "image/png")

	t.Run("the client's on the consent page", func(t *testing.T) {
		b.Click("connection-auth0")
		shown := images(t, b.SignIn("ada"))
		if len(shown) != 1 {
			t.Fatalf("pictures on the consent page: %q", shown)
		}
		got := b.Fetch(shown[0])
		if got.Status != 200 || string(got.Body) != svgLogo {
			t.Errorf("%d: %s", got.Status, got.Body)
		}
		checkLogoHeaders(t, got, "image/svg+xml")
	})
	t.Run("once an hour", func(t *testing.T) {
		w.clock.Advance(59 * time.Minute)
		b.Fetch(shown[0])
		if n := g.times("/acme.png"); n != 1 {
			t.Errorf("fetched %d times within the hour", n)
		}
		w.clock.Advance(2 * time.Minute)
		b.Fetch(shown[0])
		if n := g.times("/acme.png"); n != 2 {
			t.Errorf("fetched %d times after the hour", n)
		}
	})
}

// Somebody is lured to the address of a logo, which opens it as a document
// of our origin. Without the sandbox an SVG's script would act there with
// the visitor's session.
func checkLogoHeaders(t *testing.T, page *brokertest.Page, media string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type":            media,
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
		"Cache-Control":           "public, max-age=3600",

		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

// The host that a logo comes from is hostile, or was taken over.
func TestR64_HostileLogo(t *testing.T) {
	big := append(pngLogo(), make([]byte, 256<<10)...)
	for name, answer := range map[string]http.HandlerFunc{
		"too large":                serveAs("image/png", big),
		"a page":                   serveAs("text/html", []byte("<!doctype html><script>alert(1)</script>")),
		"a page called a picture":  serveAs("image/png", []byte("<!doctype html><script>alert(1)</script>")),
		"a page called an SVG":     serveAs("image/svg+xml", []byte("<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>")),
		"an SVG called a PNG":      serveAs("image/png", []byte(svgLogo)),
		"a picture called a page":  serveAs("text/html", pngLogo()),
		"a picture without a type": serveAs("", pngLogo()),
		"a GIF called a PNG":       serveAs("image/png", []byte("GIF89a\x01\x00\x01\x00")),
		"a bitmap":                 serveAs("image/bmp", []byte("BM\x00\x00\x00\x00")),
		"svg of no namespace":      serveAs("image/svg+xml", []byte("<svg><script>alert(1)</script></svg>")),
		"nothing":                  serveAs("image/png", nil),
		"an error that looks well": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "image/png")
			rw.WriteHeader(500)
			_, _ = rw.Write(pngLogo())
		},
		"a redirect": func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/client.svg", http.StatusFound) },
		"an answer that breaks off": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "image/png")
			rw.Header().Set("Content-Length", "5000")
			_, _ = rw.Write(pngLogo())
		},
		"a connection that is reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			w, g := logoWorld(t, "/hostile")
			g.put("/client.svg", "image/svg+xml", []byte(svgLogo))
			g.answer["/hostile"] = answer
			b := w.newBrowser()
			start := b.Get(authorizeURL()).URL.String()
			shown := images(t, b.Page())
			for range 3 {
				if got := b.Fetch(shown[0]); got.Status != 404 || bytes.Contains(got.Body, []byte("alert")) || got.Header.Get("Cache-Control") != "no-store" {
					t.Fatalf("%d %q", got.Status, got.Body)
				}
			}
			if n := g.times("/hostile"); n != 1 {
				t.Errorf("fetched %d times within a minute", n)
			}
			if n := g.times("/client.svg"); n != 0 {
				t.Error("the redirect was followed")
			}
			if got := images(t, b.Get(start)); len(got) != 0 {
				t.Errorf("the page shows %q instead of a monogram", got)
			}
			w.clock.Advance(61 * time.Second)
			if got := images(t, b.Get(start)); len(got) != 1 {
				t.Error("the picture is given up for ever")
			}
			if b.Fetch(shown[0]); g.times("/hostile") != 2 {
				t.Error("not tried again after a minute")
			}
		})
	}
}

func serveAs(media string, data []byte) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header()["Content-Type"] = []string{media}
		_, _ = rw.Write(data)
	}
}

// Somebody makes up addresses, to have us fetch what they like (a proxy), or
// many things at once.
func TestR64_OnlyConfiguredLogosAreFetched(t *testing.T) {
	w, g := logoWorld(t, "/acme.png")
	g.put("/acme.png", "image/png", pngLogo())
	g.put("/other.png", "image/png", pngLogo())
	key := func(uri string) string {
		sum := sha256.Sum256([]byte(uri))
		return "/oauth2/assets/logo/" + base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	b := w.newBrowser()
	b.Get(authorizeURL())
	if got := b.Fetch(key(g.URL+"/acme.png") + "?connection=auth0"); got.Status != 200 {
		t.Fatalf("the logo itself: %d", got.Status)
	}
	for name, path := range map[string]string{
		"address of no connection":      key(g.URL+"/other.png") + "?connection=auth0",
		"of another connection":         key(g.URL+"/acme.png") + "?connection=second",
		"of an unknown connection":      key(g.URL+"/acme.png") + "?connection=x",
		"of an unknown client":          key(g.URL+"/acme.png") + "?client=x",
		"of nobody":                     key(g.URL + "/acme.png"),
		"an address":                    "/oauth2/assets/logo/" + "https:%2F%2F127.0.0.1?connection=auth0",
		"no key":                        "/oauth2/assets/logo/?connection=auth0",
		"key of nothing, without logos": key("") + "?connection=second",
	} {
		if got := b.Fetch(path); got.Status != 404 {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
	if g.times("/other.png") != 0 {
		t.Error("fetched what no setting names")
	}

	t.Run("private addresses stay closed", func(t *testing.T) {
		w.newBroker(options{config: func(w *world, c *broker.Config) {
			twoConnections(w, c)
			c.Connections[0].LogoURI = "https://10.0.0.1/logo.png"
			c.Logos = w.outbound().HTTP()
		}})
		b.Get(authorizeURL())
		if got := b.Fetch(images(t, b.Page())[0]); got.Status != 404 || !strings.Contains(w.logs.String(), "outbound call refused") {
			t.Errorf("%d", got.Status)
		}
	})
	t.Run("without a client for logos there are monograms", func(t *testing.T) {
		w.newBroker(options{config: func(w *world, c *broker.Config) {
			twoConnections(w, c)
			c.Connections[0].LogoURI = g.URL + "/acme.png"
		}})
		if got := images(t, b.Get(authorizeURL())); len(got) != 0 {
			t.Errorf("pictures %q", got)
		}
		if got := b.Fetch(key(g.URL+"/acme.png") + "?connection=auth0"); got.Status != 404 {
			t.Errorf("%d", got.Status)
		}
	})
}

// A hundred people open the page while the logo's host is slow.
func TestLogoIsFetchedOnceAndHoldsNoPageUp(t *testing.T) {
	w, g := logoWorld(t, "/slow.png")
	release := make(chan struct{})
	asked := make(chan struct{}, 100)
	g.answer["/slow.png"] = func(rw http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-release
		serveAs("image/png", pngLogo())(rw, r)
	}
	b := w.newBrowser()
	b.Get(authorizeURL())
	address := issuer + images(t, b.Page())[0]
	results := make(chan int, 20)
	get := func() {
		rec := httptest.NewRecorder()
		w.broker.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, address, nil))
		results <- rec.Code
	}
	go get()
	<-asked
	for range 19 {
		go get()
	}
	if page := w.newBrowser().Get(authorizeURL()); !page.Has("login-form") { // while the host is silent
		t.Errorf("%d %s", page.Status, page.URL)
	}
	close(release)
	for range 20 {
		if status := <-results; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	if n := g.times("/slow.png"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}
