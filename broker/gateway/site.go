package gateway

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// A Site is one origin behind the gate, or a part of one, and its client.
//
// The last three fields are for what shares its origin with something else
// that has sessions of its own: then paths and cookies must differ.
type Site struct {
	Origin *url.URL // scheme and host; no path
	Client *oauth.Client

	// Reserved is the path below which the gate itself answers, complete
	// and with a slash at its end. Default: "/.auth/".
	Reserved string

	// Cookie is the base name of the cookie that holds the handle of the
	// session, and the beginning of that of the other one. It must be a
	// name that no application gets to see, see [session.Reserved].
	// Default: "auth_gate".
	Cookie string

	// Home is the page that a sign-in ends at if it has none to return to,
	// and that people may go to after signing out. Default: "/".
	Home string
}

const (
	defaultReserved = "/.auth/"
	defaultCookie   = "auth_gate"

	// flowSuffix makes the name of the cookie that holds the flow.
	flowSuffix = "_flow"

	// The gate's own addresses, below the reserved path.
	stylePath    = "assets/style.css"
	brandPath    = "assets/" + ui.LogoName
	loginPath    = "login"
	callbackPath = "callback"
	logoutPath   = "logout"
	mePath       = "me"

	// PathStyle is where a site without settings of its own serves the
	// style sheet of its pages.
	PathStyle = defaultReserved + stylePath
)

// ClientID returns the id of the implicit client of a gated origin.
func ClientID(origin *url.URL) string { return "gate:" + strings.ToLower(origin.Host) }

// CallbackURL returns the redirect URI of a gated origin.
func CallbackURL(origin *url.URL) string { return Site{Origin: origin}.CallbackURL() }

// CallbackURL returns the redirect URI that the site's client must have.
func (s Site) CallbackURL() string {
	return s.origin() + cmp.Or(s.Reserved, defaultReserved) + callbackPath
}

// origin is the text of the site's origin.
func (s Site) origin() string { return s.Origin.Scheme + "://" + strings.ToLower(s.Origin.Host) }

// site is a Site with everything that a request needs made ready.
type site struct {
	Site
	cookies  session.Cookies
	callback string // redirect URI

	// Addresses of the gate.
	style, brand, login, callbackAt, logout, me string

	// The base names of the two cookies, and the full ones.
	sessionBase, flowBase string
	session, flow         string
}

// newSite fills in the defaults. Errors name what is wrong.
func newSite(s Site) (*site, error) {
	s.Reserved = cmp.Or(s.Reserved, defaultReserved)
	s.Cookie = cmp.Or(s.Cookie, defaultCookie)
	s.Home = cmp.Or(s.Home, "/")
	switch {
	case !session.SecureOrigin(s.Origin):
		return nil, fmt.Errorf("site %s must be https; http is for loopback hosts only", s.Origin)
	case !plainPath(s.Reserved) || s.Reserved == "/" || !strings.HasSuffix(s.Reserved, "/"):
		return nil, fmt.Errorf("site %s: the reserved path %q must be a plain path with a slash at both ends", s.Origin, s.Reserved)
	case !plainPath(s.Home) || strings.HasPrefix(s.Home, s.Reserved):
		return nil, fmt.Errorf("site %s: the page to return to %q must be a plain path outside of %s", s.Origin, s.Home, s.Reserved)
	case !session.Reserved(s.Cookie) || !session.Reserved(s.Cookie+flowSuffix):
		return nil, fmt.Errorf("site %s: applications would get to see the cookie %q", s.Origin, s.Cookie)
	}
	jar := session.NewCookies(s.Origin)
	return &site{
		Site: s, cookies: jar, callback: s.CallbackURL(),
		style: s.Reserved + stylePath, brand: s.Reserved + brandPath, login: s.Reserved + loginPath, callbackAt: s.Reserved + callbackPath,
		logout: s.Reserved + logoutPath, me: s.Reserved + mePath,
		sessionBase: s.Cookie, flowBase: s.Cookie + flowSuffix,
		session: jar.Name(s.Cookie), flow: jar.Name(s.Cookie + flowSuffix),
	}, nil
}

// returnTo returns to if it is a path on this site, else the site's home.
// The result is only ever used behind our own origin, so nothing in it can
// name another host; still, what browsers might read differently is refused.
//
// Nor may it lead to the gate's own addresses: a link that makes one sign-in
// follow the other would trip the loop breaker.
func (s *site) returnTo(to string) string {
	if to == "" || len(to) > maxReturn || to[0] != '/' || strings.HasPrefix(to, "//") {
		return s.Home
	}
	for _, c := range []byte(to) {
		if c <= 0x20 || c >= 0x7f || c == '\\' {
			return s.Home
		}
	}
	escaped := to
	if end := strings.IndexAny(to, "?#"); end >= 0 {
		escaped = to[:end]
	}
	plain, err := url.PathUnescape(escaped)
	if err != nil || strings.HasPrefix(plain, "//") || strings.Contains(plain, "\\") ||
		hasDots(plain) || strings.HasPrefix(path.Clean(plain)+"/", s.Reserved) {
		return s.Home
	}
	return to
}

// hasDots says whether there is a dot segment in the path.
func hasDots(s string) bool {
	for segment := range strings.SplitSeq(s, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
