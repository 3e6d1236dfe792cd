package brokertest

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// hostPort is the host of a URL with its port, also if that is the default.
func hostPort(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return net.JoinHostPort(u.Hostname(), port(u))
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// origin is the URL's origin as browsers write it: no default port.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p := u.Port(); p != "" && (u.Scheme != "https" || p != "443") && (u.Scheme != "http" || p != "80") {
		host += ":" + p
	}
	return u.Scheme + "://" + host
}

// site is the URL's scheme and registrable domain: what SameSite compares.
func site(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if net.ParseIP(host) == nil {
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			host = domain
		}
	}
	return u.Scheme + "://" + host
}

// trustworthy says whether browsers send Sec-Fetch headers there.
func trustworthy(u *url.URL) bool { return u.Scheme == "https" || isLoopbackHost(u.Hostname()) }

// A relation is how a request's target relates to the page it comes from
// and to the addresses it was redirected through.
type relation int

const (
	typed relation = iota // comes from no page
	sameOrigin
	sameSite
	crossSite
)

// String is the value of Sec-Fetch-Site.
func (r relation) String() string {
	return [...]string{"none", "same-origin", "same-site", "cross-site"}[r]
}

// relate returns the most distant relation of target to any URL of chain.
func relate(target *url.URL, chain []*url.URL) relation {
	result := sameOrigin
	for _, u := range chain {
		switch {
		case origin(u) == origin(target):
		case site(u) == site(target):
			result = max(result, sameSite)
		default:
			return crossSite
		}
	}
	return result
}
