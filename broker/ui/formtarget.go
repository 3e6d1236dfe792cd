package ui

import (
	"net/netip"
	"net/url"
	"strings"
)

// FormTarget returns what Consent.RedirectOrigin wants for a redirect URI:
// "https://app.example.com:8443" for a web address, "com.example.app:" for a
// custom scheme (RFC 8252, 7.1), and "" for anything that must not be listed
// in a policy.
func FormTarget(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil {
		return ""
	}
	target := u.Scheme + ":"
	if isWeb(u.Scheme) {
		target = u.Scheme + "://" + strings.ToLower(u.Host)
	}
	if formSource(target) == "" {
		return ""
	}
	return target
}

// formSource returns s as a source of the form-action directive, or "" if s
// is neither scheme://host[:port] nor a custom scheme with its colon.
//
// Attacker: whoever registers a client. Move: a redirect URI with a space,
// a semicolon, a quote or a wildcard in it, or the scheme "https:" alone.
// Harm: a directive of the attacker's choice in the policy of the consent
// page, or a policy that lists the whole web. So every byte is checked
// against what may stand there, instead of searching for what may not.
func formSource(s string) string {
	if scheme, ok := strings.CutSuffix(s, ":"); ok {
		if isCustomScheme(scheme) {
			return s
		}
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || !isWeb(u.Scheme) || s != u.Scheme+"://"+u.Host {
		return ""
	}
	if port := u.Port(); port == "" && strings.HasSuffix(u.Host, ":") || !isDigits(port) {
		return ""
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		return loopbackSource(u.Scheme, ip)
	}
	if !isHostName(host) {
		return ""
	}
	return s
}

// loopbackSource is for the [::1] of a native application. A policy has no
// way to spell an IPv6 address (CSP 3, 2.3.1: browsers skip such a source),
// so the scheme stands in for it. That is wider than the address, but the
// page holds one form, whose action is ours.
func loopbackSource(scheme string, ip netip.Addr) string {
	if scheme != "http" || !ip.IsLoopback() || ip.Zone() != "" {
		return ""
	}
	return "http:"
}

func isWeb(scheme string) bool { return scheme == "http" || scheme == "https" }

// isCustomScheme accepts the schemes of applications. The ones a browser
// handles by itself are refused: they either mean the whole web or run
// content in the page that navigates to them.
func isCustomScheme(s string) bool {
	switch s {
	case "http", "https", "ws", "wss", "ftp", "file", "filesystem", "blob", "data",
		"javascript", "vbscript", "about", "view-source":
		return false
	}
	if s == "" || len(s) > 128 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return containsOnly(s, "abcdefghijklmnopqrstuvwxyz0123456789+.-")
}

// isHostName accepts names and IPv4 addresses in the form browsers send:
// lower case, and an internationalised name as its "xn--" form.
func isHostName(s string) bool {
	return s != "" && len(s) <= 253 && containsOnly(s, "abcdefghijklmnopqrstuvwxyz0123456789.-_")
}

func isDigits(s string) bool { return containsOnly(s, "0123456789") }

func containsOnly(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}
