package gateway

import (
	"fmt"
	"net/url"
	"strings"
)

// publicPaths are the paths that need no sign-in.
type publicPaths struct {
	exact    map[string]bool
	prefixes []string // each ends in "/"
}

func parsePublic(patterns []string) (publicPaths, error) {
	p := publicPaths{exact: map[string]bool{}}
	for _, pattern := range patterns {
		prefix, isPrefix := strings.CutSuffix(pattern, "*")
		switch {
		case !plainPath(prefix):
			return p, fmt.Errorf("public %q: must be a plain path such as /healthz or /assets/*", pattern)
		case isPrefix && !strings.HasSuffix(prefix, "/"):
			return p, fmt.Errorf("public %q: the * must follow a slash; otherwise %s would open every path that begins so", pattern, prefix)
		case isPrefix:
			p.prefixes = append(p.prefixes, prefix)
		default:
			p.exact[pattern] = true
		}
	}
	return p, nil
}

// match says whether the path is public. Only a path that nobody can read
// in two ways can be: with an escape, a dot segment, a doubled slash, a
// backslash or a parameter in it, the application might serve something
// else than what we looked at.
func (p *publicPaths) match(u *url.URL) bool {
	if len(p.exact) == 0 && len(p.prefixes) == 0 || u.RawPath != "" || !plainPath(u.Path) {
		return false
	}
	if p.exact[u.Path] {
		return true
	}
	for _, prefix := range p.prefixes {
		if strings.HasPrefix(u.Path, prefix) {
			return true
		}
	}
	return false
}

// plainPath says whether s is an absolute path with one reading.
func plainPath(s string) bool {
	if s == "" || s[0] != '/' || strings.Contains(s, "//") || strings.Contains(s, "/./") || strings.Contains(s, "/../") ||
		strings.HasSuffix(s, "/.") || strings.HasSuffix(s, "/..") {
		return false
	}
	for _, c := range []byte(s) {
		if c <= 0x20 || c >= 0x7f || c == '%' || c == '\\' || c == ';' || c == '?' || c == '#' || c == '*' {
			return false
		}
	}
	return true
}
