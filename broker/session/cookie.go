package session

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// Cookies names and writes the cookies of one origin.
//
// The __Host- prefix makes browsers refuse a cookie of that name set by a
// sub-domain or over http, which is how sessions are planted (RFC 6265bis,
// 4.1.3.2). Ports do not separate cookies, so names carry a port that is
// not the default. Plain http, allowed on loopback only, can have neither
// prefix nor Secure.
type Cookies struct {
	prefix string
	suffix string
	secure bool
}

// NewCookies returns the cookies of origin, an absolute URL.
func NewCookies(origin *url.URL) Cookies {
	c := Cookies{secure: origin.Scheme == "https"}
	if c.secure {
		c.prefix = "__Host-"
	}
	standard := map[string]string{"https": "443", "http": "80"}[origin.Scheme]
	if port := origin.Port(); port != "" && port != standard {
		c.suffix = "_" + port
	}
	return c
}

// SecureOrigin says whether the origin may set cookies at all: https, or
// http on a loopback host.
func SecureOrigin(origin *url.URL) bool {
	return origin.Scheme == "https" || origin.Scheme == "http" && oauth.LoopbackHost(origin.Hostname())
}

// Name returns the full name of the cookie called name.
func (c Cookies) Name(name string) string { return c.prefix + name + c.suffix }

// Reserved says whether name is that of a cookie of the broker or of a gate,
// of this origin or of another port. Browsers send all of a host's cookies
// to all of its ports, so an application there would get the sessions of its
// neighbour's visitors.
func Reserved(name string) bool {
	name = strings.TrimPrefix(name, "__Host-")
	return name == "auth_gate" || strings.HasPrefix(name, "auth_gate_") || strings.HasPrefix(name, "auth_broker_")
}

// HideBrokers removes the cookies of the broker, of this origin or of another
// port, from the request headers of an application that shares the issuer's
// host. Those of gates stay: whether one guards the application is theirs to
// see.
func HideBrokers(h http.Header) {
	lines := h["Cookie"]
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		var pairs []string
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			name, _, _ := strings.Cut(pair, "=")
			if pair != "" && !strings.HasPrefix(strings.TrimPrefix(name, "__Host-"), "auth_broker_") {
				pairs = append(pairs, pair)
			}
		}
		if pairs != nil {
			kept = append(kept, strings.Join(pairs, "; "))
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = kept
}

// Set sets a cookie; a maxAge of 0 lets it end with the browser session.
// Lax lets it come along when the identity provider redirects back, and
// keeps it from cross-site posts.
func (c Cookies) Set(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	//nolint:gosec // G124: not Secure on loopback addresses alone, see NewCookies
	http.SetCookie(w, &http.Cookie{
		Name:     c.Name(name),
		Value:    value,
		Path:     "/",
		MaxAge:   int(maxAge / time.Second),
		Secure:   c.secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// Clear removes a cookie.
func (c Cookies) Clear(w http.ResponseWriter, name string) {
	//nolint:gosec // G124: not Secure on loopback addresses alone, see NewCookies
	http.SetCookie(w, &http.Cookie{
		Name: c.Name(name), Path: "/", MaxAge: -1,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Get returns the value of a cookie, or "". With several of one name,
// somebody else's may be in front: then there is none.
func (c Cookies) Get(r *http.Request, name string) string {
	found := r.CookiesNamed(c.Name(name))
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}
