package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
)

// A UserinfoMode says whether the userinfo endpoint is asked, once per
// sign-in, and what its failure means.
type UserinfoMode string

// The modes. A userinfo answer about another subject ends the sign-in in
// each of them.
const (
	UserinfoOff      UserinfoMode = ""         // no call
	UserinfoOn       UserinfoMode = "on"       // a failure ends the sign-in
	UserinfoOptional UserinfoMode = "optional" // a failure leaves the document absent
)

// Config is one connection.
type Config struct {
	// Issuer is the provider's identifier, byte for byte as it calls
	// itself: with or without a trailing slash. Required.
	Issuer string

	// ClientID is required; ClientSecret too, unless AuthMethod is
	// "private_key_jwt" or "none", where it must be empty.
	ClientID     string
	ClientSecret string

	// AuthMethod is "client_secret_basic" (the default),
	// "client_secret_post", "private_key_jwt" or "none". It is never
	// guessed: a guess that fails posts the code twice.
	AuthMethod string

	// SigningKey belongs to "private_key_jwt" and is required there. Its
	// public half is registered at the provider. See [ParseSigningKey].
	SigningKey *SigningKey

	// OmitKeyID leaves kid out of the assertions, for a provider that
	// names keys by itself. By default it is [SigningKey.ID].
	OmitKeyID bool

	// Scopes to ask for, "openid" among them. Default: openid profile
	// email.
	Scopes []string

	// Algorithms a token may be signed with; the provider's own list is
	// not consulted. Default: RS256 ES256 PS256 EdDSA.
	Algorithms []string

	// AuthorizeParams are added to the authorization request, one value
	// each. Names that belong to the protocol or to another setting are
	// an error. "acr_values" and "ui_locales" apply where the client
	// sent none.
	AuthorizeParams url.Values

	// DefaultMaxAge is sent as max_age where the client sent none; 0
	// sends nothing. Set it, to a span no session outlives, for a
	// provider that tells auth_time only on request. Such a provider is
	// then held to prompt=login, too (see maxAge).
	DefaultMaxAge time.Duration

	// Audience is sent as "audience" and makes the access token, if it
	// is a JWT for this audience, the document access_token.
	Audience string

	// Userinfo is off by default.
	Userinfo UserinfoMode

	// Organization is sent as "organization" and must come back: as
	// org_id if it begins with "org_", else as org_name.
	Organization string

	// Organizations, if any, lists the org_id values that may sign in.
	Organizations []string

	// SendLoginHint passes the client's login_hint on. Off by default:
	// it tells the provider an address that the user did not type there.
	SendLoginHint bool

	// Hints are shown to the operator where the provider's kind has a
	// better one than OpenID Connect in general.
	Hints Hints
}

// Hints are words for the log, by failure.
type Hints struct {
	NoIDToken          string // the token response had none
	SymmetricAlgorithm string // the ID token is signed with the client secret
	OpaqueAccessToken  string // Audience is set, the access token is no JWT
	GrantNotAllowed    string // the client may not use the code flow
	WrongSecret        string // the client was not authenticated
	WrongKey           string // it was not, with AuthMethod "private_key_jwt"
}

// asymmetric are the algorithms that a configuration may name. The HMAC
// ones are missing on purpose: whoever holds the client secret could sign.
var asymmetric = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// lockedParams are set by the protocol or by another setting, which the
// value names.
var lockedParams = map[string]string{
	"response_type":         "",
	"response_mode":         "",
	"client_id":             "client_id",
	"client_secret":         "client_secret",
	"redirect_uri":          "",
	"state":                 "",
	"nonce":                 "",
	"code_challenge":        "",
	"code_challenge_method": "",
	"request":               "",
	"request_uri":           "",
	"id_token_hint":         "",
	"prompt":                "",
	"max_age":               "",
	"login_hint":            "send_login_hint",
	"scope":                 "scopes",
	"audience":              "audience",
	"organization":          "organization",
}

// withDefaults returns c with its defaults filled in.
func (c Config) withDefaults() Config {
	if c.AuthMethod == "" {
		c.AuthMethod = AuthBasic
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile", "email"}
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{"RS256", "ES256", "PS256", "EdDSA"}
	}
	fill(&c.Hints.NoIDToken, "ask for the scope openid, and register the client as a confidential web application")
	fill(&c.Hints.SymmetricAlgorithm, "let the provider sign ID tokens with RS256 or ES256")
	fill(&c.Hints.OpaqueAccessToken, "check that audience names an API whose tokens are signed JWTs")
	fill(&c.Hints.GrantNotAllowed, "allow the client the grant type authorization_code at the provider")
	fill(&c.Hints.WrongSecret, "check client_id, client_secret and authentication_method")
	fill(&c.Hints.WrongKey, "check client_id, and that the provider has the public half of the signing key for it")
	return c
}

func fill(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// Validate returns every fault of c, each naming the setting and what to
// write there. It does no I/O.
func (c Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if err := checkIssuer(c.Issuer); err != nil {
		errs = append(errs, err)
	}
	if c.ClientID == "" {
		fail("client_id is missing: write client_id <the id the provider gave>")
	}
	if err := c.checkCredentials(); err != nil {
		errs = append(errs, err)
	}
	if len(c.Scopes) > 0 && !slices.Contains(c.Scopes, "openid") {
		fail("scopes lacks openid, without which there is no ID token: write scopes openid %s", strings.Join(c.Scopes, " "))
	}
	for _, alg := range c.Algorithms {
		if !slices.Contains(asymmetric, alg) {
			fail("algorithms: %q is not allowed: write one or more of %s", alg, strings.Join(asymmetric, " "))
		}
	}
	switch c.Userinfo {
	case UserinfoOff, UserinfoOn, UserinfoOptional:
	default:
		fail("userinfo %q is unknown: write userinfo or userinfo optional", string(c.Userinfo))
	}
	if c.DefaultMaxAge < 0 {
		fail("max_age is negative")
	}
	errs = append(errs, checkParams(c.AuthorizeParams)...)
	return errors.Join(errs...)
}

// checkIssuer checks the form of an issuer (OpenID Connect Discovery, 3).
func checkIssuer(issuer string) error {
	const wellKnown = "/.well-known/openid-configuration"
	if issuer == "" {
		return errors.New("issuer is missing: write issuer https://idp.example.com")
	}
	if base, ok := strings.CutSuffix(issuer, wellKnown); ok {
		return fmt.Errorf("issuer %q is the address of the discovery document: write issuer %s", issuer, base)
	}
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return fmt.Errorf("issuer %q is not a URL: write issuer https://idp.example.com", issuer)
	case u.User != nil:
		return fmt.Errorf("issuer carries user information: write issuer %s://%s%s", u.Scheme, u.Host, u.Path)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(issuer, "#"):
		return fmt.Errorf("issuer %q has a query or fragment: write issuer %s://%s%s", issuer, u.Scheme, u.Host, u.Path)
	case u.Scheme != "https" && (u.Scheme != "http" || !outbound.Loopback(u.Hostname())):
		return fmt.Errorf("issuer %q is not https: write issuer https://%s%s", issuer, u.Host, u.Path)
	}
	return nil
}

func checkParams(params url.Values) (errs []error) {
	for name, values := range params {
		word, locked := lockedParams[name]
		switch {
		case locked && word != "":
			errs = append(errs, fmt.Errorf("authorize_param %s: use the word %s", name, word))
		case locked:
			errs = append(errs, fmt.Errorf("authorize_param %s: the broker sets it; remove the line", name))
		case name == "" || len(values) != 1:
			errs = append(errs, fmt.Errorf("authorize_param %q: write a name and exactly one value", name))
		}
	}
	return errs
}
