package brokertest

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// A jar keeps cookies by the rules of RFC 6265bis, the strict ones: Secure
// means https, also on loopback; prefixes must be true; SameSite defaults
// to Lax, without the two minutes' grace that Chromium grants to posts.
type jar struct {
	now     func() time.Time
	blocked bool

	mu     sync.Mutex
	made   int
	stored []storedCookie
}

type storedCookie struct {
	cookie   http.Cookie
	domain   string
	hostOnly bool
	path     string
	expires  time.Time // zero: lasts as long as the browser
	order    int
}

// A reach is where a request comes from, as SameSite sees it.
type reach int

const (
	fromSite reach = iota // this site, or the address was typed
	byLink                // another site, with a safe method
	byPost                // another site, with another method
)

// maxCookie is how long name and value may be together.
const maxCookie = 4096

// set stores or deletes a cookie that u wants to set.
func (j *jar) set(u *url.URL, c *http.Cookie) error {
	if j.blocked {
		return nil
	}
	s, err := admit(u, c)
	if err != nil {
		return fmt.Errorf("cookie %q: %w", c.Name, err)
	}
	s.expires = expiry(c, j.now())
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.replace(s, u.Scheme == "https")
}

// admit says whether u may set c at all, and for where.
func admit(u *url.URL, c *http.Cookie) (storedCookie, error) {
	host := strings.ToLower(u.Hostname())
	secure := u.Scheme == "https"
	s := storedCookie{cookie: *c, domain: host, hostOnly: true, path: c.Path}
	if len(c.Name)+len(c.Value) > maxCookie {
		return s, fmt.Errorf("is longer than %d bytes", maxCookie)
	}
	if domain := strings.ToLower(strings.TrimPrefix(c.Domain, ".")); domain != "" && domain != host {
		if !domainMatches(host, domain) {
			return s, fmt.Errorf("domain %q is not of host %q", domain, host)
		}
		if suffix, _ := publicsuffix.PublicSuffix(domain); suffix == domain {
			return s, fmt.Errorf("domain %q is a public suffix", domain)
		}
		s.domain, s.hostOnly = domain, false
	} else if domain != "" {
		s.hostOnly = net.ParseIP(host) != nil
	}
	if !strings.HasPrefix(s.path, "/") {
		s.path = defaultPath(u.Path)
	}
	name := strings.ToLower(c.Name)
	switch {
	case c.Secure && !secure:
		return s, errors.New("is Secure, but comes over http")
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return s, errors.New("SameSite=None needs Secure")
	case strings.HasPrefix(name, "__secure-") && !c.Secure:
		return s, errors.New("__Secure- needs Secure")
	case strings.HasPrefix(name, "__host-") && (!c.Secure || c.Domain != "" || c.Path != "/"):
		return s, errors.New("__Host- needs Secure, Path=/ and no Domain")
	}
	return s, nil
}

// replace puts s in the place of its namesake; an expired one just goes.
func (j *jar) replace(s storedCookie, secure bool) error {
	for _, old := range j.stored {
		if old.cookie.Secure && !secure && old.cookie.Name == s.cookie.Name &&
			(domainMatches(old.domain, s.domain) || domainMatches(s.domain, old.domain)) {
			return fmt.Errorf("cookie %q: would overlay a Secure one", s.cookie.Name)
		}
	}
	same := func(o storedCookie) bool {
		return o.cookie.Name == s.cookie.Name && o.domain == s.domain && o.hostOnly == s.hostOnly && o.path == s.path
	}
	j.made++
	s.order = j.made
	if i := slices.IndexFunc(j.stored, same); i >= 0 {
		s.order = j.stored[i].order
	}
	j.stored = slices.DeleteFunc(j.stored, same)
	if s.expires.IsZero() || s.expires.After(j.now()) {
		j.stored = append(j.stored, s)
	}
	return nil
}

// cookies returns what a request of that kind to u carries, longest path
// first, then oldest.
func (j *jar) cookies(u *url.URL, from reach) []*http.Cookie {
	now := j.now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stored = slices.DeleteFunc(j.stored, func(s storedCookie) bool {
		return !s.expires.IsZero() && !s.expires.After(now)
	})
	var matching []storedCookie
	for _, s := range j.stored {
		if s.matches(u) && s.allows(from) {
			matching = append(matching, s)
		}
	}
	slices.SortFunc(matching, func(a, b storedCookie) int {
		return cmp.Or(cmp.Compare(len(b.path), len(a.path)), cmp.Compare(a.order, b.order))
	})
	out := make([]*http.Cookie, len(matching))
	for i, s := range matching {
		c := s.cookie
		out[i] = &c
	}
	return out
}

func (j *jar) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stored = nil
}

func (s storedCookie) matches(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if host != s.domain && (s.hostOnly || !domainMatches(host, s.domain)) {
		return false
	}
	if s.cookie.Secure && u.Scheme != "https" {
		return false
	}
	path := u.Path
	if path == "" {
		path = "/"
	}
	return path == s.path || (strings.HasPrefix(path, s.path) &&
		(strings.HasSuffix(s.path, "/") || path[len(s.path)] == '/'))
}

// allows applies SameSite.
func (s storedCookie) allows(from reach) bool {
	switch s.cookie.SameSite {
	case http.SameSiteNoneMode:
		return true
	case http.SameSiteStrictMode:
		return from == fromSite
	}
	return from != byPost
}

// expiry is when the cookie ends; Max-Age wins over Expires.
func expiry(c *http.Cookie, now time.Time) time.Time {
	switch {
	case c.MaxAge < 0:
		return now
	case c.MaxAge > 0:
		return now.Add(time.Duration(c.MaxAge) * time.Second)
	}
	return c.Expires
}

func domainMatches(host, domain string) bool {
	return host == domain || (strings.HasSuffix(host, "."+domain) && net.ParseIP(host) == nil)
}

// defaultPath is the folder of the request's path (RFC 6265, 5.1.4).
func defaultPath(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return "/"
	}
	return path[:i]
}
