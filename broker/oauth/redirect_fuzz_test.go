package oauth

import (
	"net/url"
	"strings"
	"testing"
)

func FuzzF5_RedirectURI(f *testing.F) {
	for _, uri := range hostile {
		f.Add(registeredURI, uri, false)
	}
	f.Add("http://127.0.0.1/cb", "http://127.0.0.1:4711/cb", true)
	f.Add("http://[::1]:1/cb", "http://[::1]:2/cb", true)
	f.Add("http://127.0.0.1", "http://127.0.0.1:1@evil.example/", true)
	f.Fuzz(func(t *testing.T, registered, uri string, native bool) {
		if ValidRedirectURI(registered) != nil {
			return // would not have been registered
		}
		c := &Client{RedirectURIs: []string{registered}, Native: native}
		matched := c.MatchRedirectURI(uri)
		if matched != (uri == registered || native && loopbackTwin(t, registered, uri)) {
			t.Errorf("registered %q, native %v: MatchRedirectURI(%q) = %v", registered, native, uri, matched)
		}
	})
}

// loopbackTwin is the rule of RFC 8252, 7.3 by way of a URL parser: equal in
// all but the port of an IP literal.
func loopbackTwin(t *testing.T, registered, uri string) bool {
	a, errA := url.Parse(registered)
	b, errB := url.Parse(uri)
	if errA != nil || errB != nil || !strings.HasPrefix(registered, "http://") || !strings.HasPrefix(uri, "http://") {
		return false
	}
	host := a.Hostname()
	if host != "127.0.0.1" && host != "::1" || b.Hostname() != host || b.User != nil || len(a.Port()) > 5 || len(b.Port()) > 5 {
		return false
	}
	return strings.TrimPrefix(registered, "http://"+a.Host) == strings.TrimPrefix(uri, "http://"+b.Host) &&
		!strings.HasSuffix(a.Host, ":") && !strings.HasSuffix(b.Host, ":") && !strings.Contains(uri, "#")
}
