package brokertest

import (
	"net/url"
	"strings"
)

// allowsFormAction applies the form-action directive of the page's Content
// Security Policies to a form's target, and to everything the answer
// redirects to, as Chromium does: a policy of 'self' alone keeps a consent
// page from ever reaching the application.
func (p *Page) allowsFormAction(target *url.URL, redirected bool) bool {
	for policy := range strings.SplitSeq(strings.Join(p.Header.Values("Content-Security-Policy"), ","), ",") {
		sources, found := directive(policy, "form-action")
		if found && !matchesAny(sources, p.URL, target, redirected) {
			return false
		}
	}
	return true
}

// directive returns the sources of the first directive of that name.
func directive(policy, name string) (sources []string, found bool) {
	for part := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(part)
		if len(words) > 0 && strings.EqualFold(words[0], name) {
			return words[1:], true
		}
	}
	return nil, false
}

func matchesAny(sources []string, self, target *url.URL, redirected bool) bool {
	for _, source := range sources {
		if matchesSource(source, self, target, redirected) {
			return true
		}
	}
	return false
}

// matchesSource compares one source expression (CSP Level 3, 6.7.2).
func matchesSource(source string, self, target *url.URL, redirected bool) bool {
	lower := strings.ToLower(source)
	switch {
	case lower == "'none'":
		return false
	case lower == "'self'":
		return origin(self) == origin(target) ||
			(self.Hostname() == target.Hostname() && self.Scheme == "http" && target.Scheme == "https")
	case lower == "*":
		return target.Scheme == "http" || target.Scheme == "https"
	case strings.HasSuffix(lower, ":") && !strings.Contains(lower, "/"):
		return matchesScheme(strings.TrimSuffix(lower, ":"), target.Scheme)
	}
	scheme, rest, found := strings.Cut(source, "://")
	if !found {
		scheme, rest = self.Scheme, source
	}
	host, path, _ := strings.Cut(rest, "/")
	host, wantPort, hasPort := strings.Cut(host, ":")
	if !matchesScheme(strings.ToLower(scheme), target.Scheme) || !matchesHost(strings.ToLower(host), target.Hostname()) {
		return false
	}
	if !hasPort {
		wantPort = port(&url.URL{Scheme: target.Scheme})
	}
	if wantPort != "*" && wantPort != port(target) {
		return false
	}
	return redirected || matchesPath(path, target.EscapedPath())
}

// matchesScheme lets http match https too.
func matchesScheme(want, got string) bool { return want == got || (want == "http" && got == "https") }

func matchesHost(want, got string) bool {
	got = strings.ToLower(got)
	if suffix, ok := strings.CutPrefix(want, "*"); ok {
		return strings.HasSuffix(got, suffix)
	}
	return want == got
}

// matchesPath: a trailing slash means everything below.
func matchesPath(want, got string) bool {
	if want == "" {
		return true
	}
	if strings.HasSuffix(want, "/") {
		return strings.HasPrefix(got, "/"+want)
	}
	return got == "/"+want
}
