package ui

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

// webURL returns s if it is an absolute http or https address, else "".
//
// An address with user info is refused although it is legal: in
// "https://bank.example@evil.example" people read the wrong host.
func webURL(s string) string {
	if !isPlainURL(s) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || !isWeb(u.Scheme) || u.User != nil || !isLinkHost(u.Hostname()) {
		return ""
	}
	return s
}

// isLinkHost accepts names, international ones too, and addresses. Package
// url lets quotes and angle brackets through, which no browser reads as it
// does.
func isLinkHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	for _, c := range host {
		if !unicode.In(c, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(".-_", c) {
			return false
		}
	}
	return host != ""
}

// localPath returns s if it is an absolute path of this origin, query and
// all, else "". "//host" and "/\host" name another origin, and browsers drop
// tabs and line breaks before they look: isPlainURL keeps those out.
func localPath(s string) string {
	if !isPlainURL(s) || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return ""
	}
	if _, err := url.Parse(s); err != nil {
		return ""
	}
	return s
}

// target returns s if it is a path of this origin or a web address: what
// the broker's own links and form actions may be.
func target(s string) string {
	if path := localPath(s); path != "" {
		return path
	}
	return webURL(s)
}

// isPlainURL refuses what URL parsers disagree about: control characters,
// blanks, backslashes.
func isPlainURL(s string) bool {
	if s == "" || len(s) > maxURL {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '\\' || c == 0x7f {
			return false
		}
	}
	return true
}
