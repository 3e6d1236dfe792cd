package brokertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// BrowserOptions describe a [Browser]. All fields may be left out.
type BrowserOptions struct {
	// Resolve says where host names live: "app.example.com" or
	// "app.example.com:443" to "127.0.0.1:8443". Other names than
	// localhost and loopback addresses are not found.
	Resolve map[string]string

	// RootCAs are trusted for https. Default: the system's.
	RootCAs *x509.CertPool

	// MaxRedirects is how many redirects in a row are followed. Default
	// 20, as in Chromium.
	MaxRedirects int

	// BlockCookies refuses all cookies.
	BlockCookies bool

	// Now decides when cookies expire. Default time.Now.
	Now func() time.Time

	// Timeout of one request, in real time. Default 30 s.
	Timeout time.Duration
}

// A Browser is one tab of a browser without scripts. Its methods belong to
// one goroutine; tabs of one browser, from [Browser.NewTab], may be used
// concurrently and share cookies.
//
// Methods that return only a page end the test when there is none to
// return. In a goroutine of its own that ends the goroutine, so signal its
// end by defer.
type Browser struct {
	// StopBefore makes redirects to addresses with this prefix end at the
	// redirect: the page then has a 3xx Status and a Location. A test can
	// look at, change or copy what would have been sent.
	StopBefore string

	t       testing.TB
	profile *profile
	page    *Page
	back    []*Page
	history []string
}

// A profile is what the tabs of a browser share.
type profile struct {
	opts   BrowserOptions
	jar    *jar
	client *http.Client
}

// NewBrowser opens a browser with one tab and no cookies.
func NewBrowser(t testing.TB, opts BrowserOptions) *Browser {
	t.Helper()
	if opts.MaxRedirects == 0 {
		opts.MaxRedirects = 20
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	p := &profile{opts: opts, jar: &jar{now: opts.Now, blocked: opts.BlockCookies}}
	transport := &http.Transport{
		DialContext:       p.dial,
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: opts.RootCAs, MinVersion: tls.VersionTLS12},
	}
	p.client = &http.Client{
		Transport:     transport,
		Timeout:       opts.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &Browser{t: t, profile: p}
}

// dial finds the loopback address of a host name. It refuses all others: a
// test must not reach a network because a name was forgotten.
func (p *profile) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	target, ok := p.opts.Resolve[addr]
	if !ok {
		target, ok = p.opts.Resolve[host]
	}
	if !ok {
		target = addr
		if !isLoopbackHost(host) {
			return nil, fmt.Errorf("brokertest: host %q is not in BrowserOptions.Resolve", host)
		}
		if strings.HasSuffix(host, "localhost") {
			target = net.JoinHostPort("127.0.0.1", port)
		}
	}
	targetHost, _, err := net.SplitHostPort(target)
	if err != nil || !isLoopbackHost(targetHost) {
		return nil, fmt.Errorf("brokertest: host %q resolves to %q; want a loopback address with a port", host, target)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, target)
}

// NewTab opens an empty tab that shares cookies with this one.
func (b *Browser) NewTab() *Browser { return &Browser{t: b.t, profile: b.profile} }

// Disconnect closes the connections that are kept alive, as a server that
// goes away does. A browser that has not noticed yet would fail on one.
func (b *Browser) Disconnect() { b.profile.client.CloseIdleConnections() }

// Page returns the page the tab shows, nil if none.
func (b *Browser) Page() *Page { return b.page }

// History returns the addresses the tab has requested, redirects included.
func (b *Browser) History() []string { return slices.Clone(b.history) }

// Get goes to an address as if it had been typed.
func (b *Browser) Get(rawURL string) *Page {
	b.t.Helper()
	p, err := b.Visit(rawURL)
	if err != nil {
		b.t.Fatalf("visiting a page: %v", err)
	}
	return p
}

// Visit is Get for tests that expect a failure: no connection, a redirect
// loop, a form action that the page's policy forbids.
func (b *Browser) Visit(rawURL string) (*Page, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	return b.navigate(&navigation{method: http.MethodGet, url: u})
}

// Reload requests the page's address again, by GET.
func (b *Browser) Reload() *Page {
	b.t.Helper()
	page := b.mustPage()
	return b.Get(page.URL.String())
}

// Back shows the previous page again, as it was, without a request: its
// forms can be sent a second time.
func (b *Browser) Back() *Page {
	b.t.Helper()
	if len(b.back) == 0 {
		b.t.Fatalf("going back: there is no earlier page")
	}
	last := len(b.back) - 1
	b.page, b.back = b.back[last], b.back[:last]
	return b.page
}

// Fetch sends what a script of the page would: a GET that wants no document
// and whose redirects stay within the origin. The tab keeps its page.
func (b *Browser) Fetch(rawURL string) *Page {
	b.t.Helper()
	page := b.mustPage()
	u, err := page.URL.Parse(rawURL)
	if err != nil {
		b.t.Fatalf("fetching: %v", err)
	}
	p, err := b.follow(&navigation{method: http.MethodGet, url: u, from: page, fetch: true})
	if err != nil {
		b.t.Fatalf("fetching: %v", err)
	}
	return p
}

// Cookie returns the stored cookie of that name that would be sent to
// rawURL, with its attributes, nil if there is none.
func (b *Browser) Cookie(rawURL, name string) *http.Cookie {
	for _, c := range b.Cookies(rawURL) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Cookies returns all cookies that a typed address would be sent.
func (b *Browser) Cookies(rawURL string) []*http.Cookie {
	b.t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		b.t.Fatalf("reading cookies: %v", err)
	}
	return b.profile.jar.cookies(u, fromSite)
}

// SetCookie stores a cookie as if rawURL had set it, by the same rules.
func (b *Browser) SetCookie(rawURL string, c *http.Cookie) {
	b.t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		b.t.Fatalf("setting a cookie: %v", err)
	}
	if err := b.profile.jar.set(u, c); err != nil {
		b.t.Fatalf("setting a cookie: %v", err)
	}
}

// ClearCookies forgets all cookies.
func (b *Browser) ClearCookies() { b.profile.jar.clear() }

func (b *Browser) mustPage() *Page {
	b.t.Helper()
	if b.page == nil {
		b.t.Fatal("the tab shows no page yet: call Get first")
	}
	return b.page
}

// SignIn signs in at the stand-in tenant whose login page the tab shows, as
// the user with that name, and goes on through the tenant's further pages.
// It returns the first page that is not the tenant's.
func (b *Browser) SignIn(user string) *Page {
	b.t.Helper()
	b.Click("tenant-user-" + user)
	return b.PassTenant()
}

// PassTenant says yes to every page of the stand-in tenant that asks for no
// password, and returns the first other page.
func (b *Browser) PassTenant() *Page {
	b.t.Helper()
	for range 5 {
		i := slices.IndexFunc(tenantConsents, b.mustPage().Has)
		if i < 0 {
			break
		}
		b.Click(tenantConsents[i])
	}
	return b.page
}

// tenantConsents are the buttons that say yes.
var tenantConsents = []string{"tenant-mfa-confirm", "tenant-confirm", "tenant-consent-allow", "tenant-continue"}
