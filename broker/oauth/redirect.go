package oauth

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// ValidRedirectURI says why s cannot be registered as a redirect URI: it
// must be absolute, without fragment (RFC 6749, 3.1.2) or user information,
// and https, http on a loopback host, or a private-use scheme with a dot
// (RFC 8252, 7.1), which keeps out javascript:, data: and their like.
func ValidRedirectURI(s string) error {
	for _, c := range []byte(s) {
		if c <= 0x20 || c >= 0x7f || c == '\\' {
			return errors.New("must be printable ASCII without spaces and backslashes")
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return errors.New("must be an absolute address such as https://app.example.com/callback")
	}
	switch {
	case strings.Contains(s, "#"):
		return errors.New("must have no fragment")
	case u.User != nil:
		return errors.New("must have no user information")
	case strings.Contains(s, "*"):
		return errors.New("must be an exact address; wildcards are not supported")
	case holdsResponse(u.Query()):
		return errors.New("must not carry code, state, iss or error in its query; the broker adds them")
	case u.Scheme == "https" && u.Hostname() != "":
		return nil
	case u.Scheme == "http" && LoopbackHost(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("must be https; http is for loopback hosts only")
	case strings.Contains(u.Scheme, "."):
		return nil
	}
	return errors.New("must be https, http on a loopback host, or a private scheme such as com.example.app:/callback")
}

// holdsResponse says whether a query has a parameter of the authorization
// response: sent twice, client and library could each read another one.
func holdsResponse(query url.Values) bool {
	return slices.ContainsFunc([]string{"code", "state", "iss", "error", "error_description"}, query.Has)
}

// MatchRedirectURI says whether the client registered uri: byte for byte,
// without patterns or normalisation (RFC 9700, 4.1.3). The one exception is
// the port of a native client's loopback IP literal (RFC 8252, 7.3).
func (c *Client) MatchRedirectURI(uri string) bool {
	for _, registered := range c.RedirectURIs {
		if uri == registered {
			return true
		}
		if c.Native && equalButPort(uri, registered) {
			return true
		}
	}
	return false
}

func equalButPort(uri, registered string) bool {
	const scheme = "http://"
	hostA, restA, okA := cutLoopback(strings.TrimPrefix(uri, scheme))
	hostB, restB, okB := cutLoopback(strings.TrimPrefix(registered, scheme))
	return strings.HasPrefix(uri, scheme) && strings.HasPrefix(registered, scheme) &&
		okA && okB && hostA == hostB && restA == restB
}

// cutLoopback splits "127.0.0.1:4711/x" into host literal and path, and
// drops a well-formed port.
func cutLoopback(s string) (host, rest string, ok bool) {
	for _, literal := range []string{"127.0.0.1", "[::1]"} {
		after, found := strings.CutPrefix(s, literal)
		if !found {
			continue
		}
		if port, found := strings.CutPrefix(after, ":"); found {
			after = strings.TrimLeft(port, "0123456789")
			if digits := len(port) - len(after); digits == 0 || digits > 5 {
				return "", "", false
			}
		}
		if after == "" || after[0] == '/' || after[0] == '?' {
			return literal, after, true
		}
	}
	return "", "", false
}

// LoopbackHost says whether host (without port) names this machine:
// "localhost", a name below it, or a loopback address.
func LoopbackHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}
