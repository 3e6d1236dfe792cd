package brokertest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is how much of a page is read.
const maxBody = 16 << 20

// A navigation is a request on its way through redirects.
type navigation struct {
	method string
	url    *url.URL
	body   string // form-encoded
	from   *Page  // nil if the address was typed
	form   bool   // comes from a form: its page's form-action policy applies
	fetch  bool   // comes from a script
	policy string // referrer policy, as the last page or redirect set it
	chain  []*url.URL
}

// navigate follows n and shows the page it ends at.
func (b *Browser) navigate(n *navigation) (*Page, error) {
	page, err := b.follow(n)
	if err != nil {
		return nil, err
	}
	if b.page != nil {
		b.back = append(b.back, b.page)
	}
	b.page = page
	return page, nil
}

// follow sends n and goes where the answers point.
func (b *Browser) follow(n *navigation) (*Page, error) {
	if n.from != nil {
		n.policy = n.from.referrerPolicy()
	}
	for range b.profile.opts.MaxRedirects + 1 {
		if n.form && !n.from.allowsFormAction(n.url, len(n.chain) > 0) {
			return nil, fmt.Errorf("form-action policy of %s forbids %s", plainURL(n.from.URL), plainURL(n.url))
		}
		page, err := b.send(n)
		if err != nil {
			return nil, err
		}
		if page.Location == nil || b.stops(n, page.Location) {
			return page, nil
		}
		n.redirect(page)
	}
	return nil, fmt.Errorf("more than %d redirects, the last to %s", b.profile.opts.MaxRedirects, plainURL(n.url))
}

// stops says whether a redirect is not followed: to another program, out of
// a script's origin, or to where the test wants to have a look.
func (b *Browser) stops(n *navigation, target *url.URL) bool {
	switch {
	case target.Scheme != "http" && target.Scheme != "https":
		return true
	case n.fetch && origin(target) != origin(n.from.URL):
		return true
	}
	return b.StopBefore != "" && strings.HasPrefix(target.String(), b.StopBefore)
}

// redirect turns n into the request that the redirect asks for.
func (n *navigation) redirect(page *Page) {
	target := *page.Location
	if target.Fragment == "" {
		target.Fragment = n.url.Fragment
	}
	// Everything but 307 and 308 makes a POST a GET, as browsers do.
	if page.Status != http.StatusTemporaryRedirect && page.Status != http.StatusPermanentRedirect &&
		n.method != http.MethodHead {
		n.method, n.body = http.MethodGet, ""
	}
	if policy := lastPolicy(page.Header); policy != "" {
		n.policy = policy
	}
	n.chain = append(n.chain, n.url)
	n.url = &target
}

// send makes one request and keeps the cookies of its answer.
func (b *Browser) send(n *navigation) (*Page, error) {
	target := *n.url
	target.Fragment, target.User = "", nil
	req, err := http.NewRequestWithContext(b.t.Context(), n.method, target.String(), strings.NewReader(n.body))
	if err != nil {
		return nil, fmt.Errorf("requesting %s: %w", plainURL(n.url), err)
	}
	n.setHeaders(req.Header)
	for _, c := range b.cookiesFor(n) {
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
	}
	b.history = append(b.history, n.url.String())
	resp, err := b.profile.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("requesting %s: %w", plainURL(n.url), withoutURL(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", plainURL(n.url), err)
	}
	b.keepCookies(n, resp)
	return newPage(n.url, resp, body)
}

func (b *Browser) cookiesFor(n *navigation) []*http.Cookie {
	if n.fetch && n.relation() != sameOrigin {
		return nil
	}
	return b.profile.jar.cookies(n.url, n.reach())
}

// reach judges the whole way of a request, redirects included (RFC 6265bis,
// 5.2): stricter than Chromium, which looks at the two ends.
func (n *navigation) reach() reach {
	switch {
	case relate(n.url, n.way()) != crossSite:
		return fromSite
	case n.method == http.MethodGet || n.method == http.MethodHead:
		return byLink
	}
	return byPost
}

// way is where the request has been: its page, then the redirects.
func (n *navigation) way() []*url.URL {
	if n.from == nil {
		return n.chain
	}
	return append([]*url.URL{n.from.URL}, n.chain...)
}

func (b *Browser) keepCookies(n *navigation, resp *http.Response) {
	if n.fetch && n.relation() != sameOrigin {
		return
	}
	for _, line := range resp.Header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err == nil {
			err = b.profile.jar.set(n.url, c)
		}
		if err != nil {
			b.t.Logf("browser: refused a cookie of %s: %v", plainURL(n.url), err)
		}
	}
}

// relation is what Sec-Fetch-Site tells.
func (n *navigation) relation() relation {
	if n.from == nil {
		return typed
	}
	return relate(n.url, n.way())
}

func (n *navigation) setHeaders(h http.Header) {
	h.Set("User-Agent", "Mozilla/5.0 (brokertest)")
	h.Set("Accept-Language", "en")
	h.Set("Accept", "*/*")
	mode, dest := "cors", "empty"
	if !n.fetch {
		mode, dest = "navigate", "document"
		h.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
		h.Set("Upgrade-Insecure-Requests", "1")
	}
	if trustworthy(n.url) {
		h.Set("Sec-Fetch-Site", n.relation().String())
		h.Set("Sec-Fetch-Mode", mode)
		h.Set("Sec-Fetch-Dest", dest)
		if !n.fetch {
			h.Set("Sec-Fetch-User", "?1")
		}
	}
	if n.method == http.MethodPost {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if n.from == nil {
		return
	}
	if ref := referrer(n.policy, n.from.URL, n.url); ref != "" {
		h.Set("Referer", ref)
	}
	if n.method != http.MethodGet && n.method != http.MethodHead {
		h.Set("Origin", n.originHeader())
	}
}

// plainURL is a URL for error messages: queries hold codes and states.
func plainURL(u *url.URL) string { return origin(u) + u.EscapedPath() }

// withoutURL takes the wrapper off that net/http puts the whole URL into.
func withoutURL(err error) error {
	if e, ok := err.(*url.Error); ok {
		return e.Err
	}
	return err
}
