package auth0

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
)

const domainExample = "write domain <tenant>.<region>.auth0.com, or your custom domain"

// Issuer returns the issuer of the tenant at domain: "https://<domain>/",
// or "http://<domain>/" for a loopback name if allowHTTP. It equals "iss"
// in every token byte for byte.
//
// domain is host[:port]; ASCII is lower-cased and nothing else is changed:
// what is wrong is an error that shows the right line. Nothing is decided
// by the suffix auth0.com, since any name can be a custom domain. Names
// that cannot be public ones (address literals, localhost, .local, single
// labels) need allowLocal, or allowHTTP if they are loopback names.
func Issuer(domain string, allowHTTP, allowLocal bool) (string, error) {
	if err := checkSpelling(domain); err != nil {
		return "", err
	}
	domain = strings.ToLower(domain)
	host, err := splitDomain(domain)
	if err != nil {
		return "", err
	}
	loopback := outbound.Loopback(host)
	if isLocal(host) && !allowLocal && !(loopback && allowHTTP) {
		return "", fmt.Errorf("domain %s is not a public name: %s; for a local stand-in open it with outbound { allow <range> }",
			domain, domainExample)
	}
	if loopback && allowHTTP {
		return "http://" + domain + "/", nil
	}
	return "https://" + domain + "/", nil
}

// checkSpelling finds what people paste: the address of the dashboard, of
// the discovery document, a name with a blank.
func checkSpelling(domain string) error {
	if domain == "" {
		return errors.New("domain is missing: " + domainExample)
	}
	shown := " " + strconv.Quote(domain)
	if strings.Contains(domain, "@") {
		shown = "" // before an @ there may be a password
	}
	bare := bareHost(strings.Join(strings.Fields(domain), ""))
	switch {
	case strings.ContainsFunc(domain, func(r rune) bool { return r > 0x7f }):
		return fmt.Errorf("domain%s is not ASCII: write its xn-- form", shown)
	case bare == "" || strings.ContainsAny(bare, "*\x00\x7f"):
		return fmt.Errorf("domain%s is not a host name: %s", shown, domainExample)
	case bare != domain:
		return fmt.Errorf("domain%s is more than a host name: write domain %s", shown, bare)
	}
	return nil
}

// bareHost returns host[:port] of whatever URL, or part of one, s is.
func bareHost(s string) string {
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	s = strings.TrimLeft(s, "/")
	if i := strings.IndexAny(s, `/?#\`); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	s = strings.TrimSuffix(s, ":443")
	return strings.TrimRight(s, ".:")
}

// splitDomain checks host and port and returns the host without brackets.
func splitDomain(domain string) (string, error) {
	host := domain
	if strings.Contains(domain, ":") {
		var port string
		var err error
		host, port, err = net.SplitHostPort(domain)
		if n, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil || n == 0 || port[0] == '0' {
			return "", fmt.Errorf("domain %q is not host[:port]: %s", domain, domainExample)
		}
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
		return host, nil
	}
	for label := range strings.SplitSeq(host, ".") {
		if !validLabel(label) {
			return "", fmt.Errorf("domain %q is not a host name: %s", domain, domainExample)
		}
	}
	if len(host) > 253 {
		return "", fmt.Errorf("domain %.40q… is too long for a host name: %s", domain, domainExample)
	}
	return host, nil
}

// validLabel is a label of letters, digits and inner hyphens (RFC 1123, 2.1).
func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, c := range []byte(label) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// isLocal says whether host cannot be a tenant on the Internet.
func isLocal(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == host || last == "local" || last == "localhost" || last[0] <= '9' // 127.1
}
