// Package auth0 is a connection to an Auth0 tenant: an OpenID Connect
// connection with the settings that Auth0 needs filled in.
//
//   - The issuer is https://<domain>/, with the slash, also for a custom
//     domain. Nothing is decided by *.auth0.com.
//   - The client authenticates by client_secret_post.
//   - Every request carries max_age, because Auth0 tells auth_time only then.
//   - Tokens are signed with RS256 or PS256; HS256, an old setting, is
//     refused with a hint.
package auth0

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// defaultMaxAge is longer than any session of Auth0 lives, so it forces
// nobody to sign in again.
const defaultMaxAge = 365 * 24 * time.Hour

// Config is one tenant. Domain, ClientID and ClientSecret are required.
type Config struct {
	// Domain is the tenant's host name, with a port if need be:
	// "acme.eu.auth0.com", or a custom domain.
	Domain string

	// ClientID and ClientSecret are those of a Regular Web Application.
	ClientID     string
	ClientSecret string

	// Scopes to ask for. Default: openid profile email.
	Scopes []string

	// Userinfo is off by default: Auth0 limits it per user.
	Userinfo oidc.UserinfoMode

	// Audience names the API whose access token to ask for; without one
	// the access token is opaque.
	Audience string

	// Organization the sign-in is for; Organizations lists the ids that
	// may sign in.
	Organization  string
	Organizations []string

	// Connection is the name of the tenant's own connection to use, and
	// ScreenHint the page to begin with ("signup").
	Connection string
	ScreenHint string

	// SendLoginHint passes the client's login_hint on.
	SendLoginHint bool

	// AuthorizeParams are added to the authorization request.
	AuthorizeParams url.Values
}

// New returns the connection. It does no I/O. Errors name the setting and
// the right value.
func New(c Config, d oidc.Deps) (*oidc.Provider, error) {
	if d.Outbound == nil {
		return nil, errors.New("auth0: Deps.Outbound is nil")
	}
	if strings.HasPrefix(c.ClientID, "tpc_") {
		return nil, errors.New("client_id begins with tpc_: that is a third-party application, which gets no ID token; create a first-party Regular Web Application")
	}
	issuer, err := c.issuer(d.Outbound)
	if err != nil {
		return nil, err
	}
	params, err := c.params()
	if err != nil {
		return nil, err
	}
	return oidc.New(oidc.Config{
		Issuer:          issuer,
		ClientID:        c.ClientID,
		ClientSecret:    c.ClientSecret,
		AuthMethod:      oidc.AuthPost,
		Scopes:          c.Scopes,
		Algorithms:      []string{"RS256", "PS256"},
		AuthorizeParams: params,
		DefaultMaxAge:   defaultMaxAge,
		Audience:        c.Audience,
		Userinfo:        c.Userinfo,
		Organization:    c.Organization,
		Organizations:   c.Organizations,
		SendLoginHint:   c.SendLoginHint,
		Hints: oidc.Hints{
			NoIDToken:          "the application must be a first-party Regular Web Application that asks for openid",
			SymmetricAlgorithm: "set Applications -> Advanced -> OAuth -> JSON Web Token Signature Algorithm to RS256",
			OpaqueAccessToken:  "check that audience names an API of the tenant that signs with RS256",
			GrantNotAllowed:    "enable Authorization Code in Applications -> Advanced -> Grant Types",
			WrongSecret:        "copy client_id and client_secret again from the application's settings",
		},
	}, d)
}

// params adds Auth0's own parameters to those configured.
func (c Config) params() (url.Values, error) {
	params := url.Values{}
	for name, values := range c.AuthorizeParams {
		params[name] = values
	}
	for name, value := range map[string]string{"connection": c.Connection, "screen_hint": c.ScreenHint} {
		if value == "" {
			continue
		}
		if params.Has(name) {
			return nil, fmt.Errorf("authorize_param %s: is set by %s already; remove one of the two", name, name)
		}
		params.Set(name, value)
	}
	return params, nil
}

// issuer checks the domain and makes the issuer of it: https, or http to a
// loopback name where outbound allows that.
func (c Config) issuer(out *outbound.Client) (string, error) {
	domain := strings.ToLower(c.Domain)
	if err := checkDomain(c.Domain); err != nil {
		return "", err
	}
	host := (&url.URL{Host: domain}).Hostname()
	plain := &url.URL{Scheme: "http", Host: domain, Path: "/"}
	if outbound.Loopback(host) && out.CheckURL(plain) == nil {
		return plain.String(), nil
	}
	if local(host) && !outbound.Loopback(host) {
		return "", fmt.Errorf("domain %s: is a local name; write the tenant's public domain, such as acme.eu.auth0.com", domain)
	}
	return (&url.URL{Scheme: "https", Host: domain, Path: "/"}).String(), nil
}

// checkDomain says what is wrong with the text of a domain. Nothing is
// stripped silently: what stands in the configuration is what is used.
func checkDomain(s string) error {
	if s == "" {
		return errors.New("domain is missing; write the tenant's host name, such as acme.eu.auth0.com")
	}
	if right := bare(s); right != s {
		if right == "" {
			return fmt.Errorf("domain %q: is not a host name; write one such as acme.eu.auth0.com", s)
		}
		return fmt.Errorf("domain %q: must be the host name only; write domain %s", s, right)
	}
	for _, b := range []byte(s) {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && !strings.ContainsRune("-.:[]", rune(b)) {
			return fmt.Errorf("domain %q: holds a character that host names cannot have; write an international name in its xn-- form", s)
		}
	}
	u, err := url.Parse("https://" + s + "/")
	if err != nil || u.Hostname() == "" || strings.Contains(u.Hostname(), "..") || strings.HasPrefix(u.Hostname(), ".") {
		return fmt.Errorf("domain %q: is not a host name; write one such as acme.eu.auth0.com", s)
	}
	return nil
}

// bare is what is left of s without all that people paste along with a host
// name.
func bare(s string) string {
	s = strings.TrimSpace(s)
	if _, after, found := strings.Cut(s, "://"); found {
		s = after
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimPrefix(s, "*.")
	return strings.TrimSuffix(strings.TrimSuffix(s, ":443"), ".")
}

// local says whether host is a name that means nothing on the Internet.
func local(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".localhost")
}
