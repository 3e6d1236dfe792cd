package brokertest

import (
	"net/http"
	"net/url"
	"strings"
)

const defaultPolicy = "strict-origin-when-cross-origin"

// lastPolicy returns the last known word of the Referrer-Policy header,
// empty if there is none.
func lastPolicy(h http.Header) string {
	policy := ""
	for word := range strings.SplitSeq(strings.Join(h.Values("Referrer-Policy"), ","), ",") {
		switch word = strings.ToLower(strings.TrimSpace(word)); word {
		case "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
			"origin-when-cross-origin", defaultPolicy, "unsafe-url":
			policy = word
		}
	}
	return policy
}

// referrer is the value of the Referer header, empty for none (W3C Referrer
// Policy, 8.3).
func referrer(policy string, from, to *url.URL) string {
	full := *from
	full.User, full.Fragment, full.RawFragment = nil, "", ""
	same := origin(from) == origin(to)
	downgrade := from.Scheme == "https" && !trustworthy(to)
	bare := origin(from) + "/"
	switch policy {
	case "no-referrer":
		return ""
	case "same-origin":
		if !same {
			return ""
		}
		return full.String()
	case "origin":
		return bare
	case "strict-origin":
		if downgrade {
			return ""
		}
		return bare
	case "origin-when-cross-origin":
		if same {
			return full.String()
		}
		return bare
	case "no-referrer-when-downgrade":
		if downgrade {
			return ""
		}
		return full.String()
	case "unsafe-url":
		return full.String()
	}
	switch {
	case same:
		return full.String()
	case downgrade:
		return ""
	}
	return bare
}

// originHeader is the Origin of a form post: "null" where the policy hides
// the page, and once a redirect has crossed origins (Fetch, 3.1).
func (n *navigation) originHeader() string {
	own := origin(n.from.URL)
	for i, u := range n.chain {
		next := n.url
		if i+1 < len(n.chain) {
			next = n.chain[i+1]
		}
		if origin(u) != own && origin(next) != origin(u) {
			return "null"
		}
	}
	if n.fetch {
		return own
	}
	switch n.policy {
	case "no-referrer":
		return "null"
	case "same-origin":
		if own != origin(n.url) {
			return "null"
		}
	case "", "strict-origin", defaultPolicy, "no-referrer-when-downgrade":
		if n.from.URL.Scheme == "https" && n.url.Scheme != "https" {
			return "null"
		}
	}
	return own
}
