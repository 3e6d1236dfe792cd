// Package auth0 is the connection to an Auth0 tenant: the generic OpenID
// Connect connection of package oidc with Auth0's settings, so that a
// domain, a client id and a secret are all an operator has to write.
//
// What is special about Auth0: its issuer is "https://<domain>/", with the
// slash, for the domain actually used, be it a custom one. It tells
// auth_time only on request, so every request carries a max_age. It issues
// an opaque access token unless an audience is asked for, and no ID token
// at all to third-party applications.
package auth0

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// defaultMaxAge is sent where the client sent no max_age. Auth0's longest
// session lives 100 days, so it sends nobody to the login page.
const defaultMaxAge = 365 * 24 * time.Hour

// Config is one tenant's connection. Domain, ClientID and ClientSecret, or
// a SigningKey in its place, are required.
type Config struct {
	// Domain is the tenant's or a custom domain: a host name with an
	// optional port, without "https://". See [Issuer].
	Domain       string
	ClientID     string
	ClientSecret string

	// AuthMethod is "client_secret_post" (the default) or
	// "private_key_jwt", which takes an RSA key and no secret.
	AuthMethod string
	SigningKey *oidc.SigningKey

	// Scopes to ask for, "openid" among them. Default: openid profile
	// email. Auth0 filters claims by scope, even those an Action sets.
	Scopes []string

	// Audience names the API whose access token becomes the document
	// access_token. Without it Auth0's token is opaque.
	Audience string

	// Organization is an organization's id or name; Organizations are
	// the ids that may sign in (see [oidc.Config]).
	Organization  string
	Organizations []string

	// Connection is the name of an Auth0 connection, ScreenHint "signup"
	// shows the sign-up page first. Both are sent if set.
	Connection string
	ScreenHint string

	// Userinfo is off by default: Auth0 grants a user five calls a minute.
	Userinfo oidc.UserinfoMode

	// SendLoginHint passes the client's login_hint on.
	SendLoginHint bool

	// AuthorizeParams are further parameters, such as "ext-…" ones for
	// the login page or "connection_scope".
	AuthorizeParams url.Values

	// AllowHTTP and AllowLocal repeat what the outbound client allows:
	// plain http to loopback names, and local names or addresses.
	AllowHTTP  bool
	AllowLocal bool
}

// New returns the connection. It does no I/O. Errors are those of
// [Config.Validate], and an issuer that deps.Outbound refuses.
func New(cfg Config, deps oidc.Deps) (*oidc.Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	generic, err := cfg.generic()
	if err != nil {
		return nil, err
	}
	return oidc.New(generic, deps)
}

// Validate returns every fault of c, each naming the setting and what to
// write there.
func (c Config) Validate() error {
	var errs []error
	generic, err := c.generic()
	if err != nil {
		errs = append(errs, err)
		generic.Issuer = "https://tenant.example/" // to hear of the other faults
	}
	if strings.HasPrefix(c.ClientID, "tpc_") {
		errs = append(errs, errors.New("client_id is that of a third-party application, which gets no ID token: "+
			"create a Regular Web Application at Auth0 and write its client_id"))
	}
	if err := c.checkAuthMethod(); err != nil {
		errs = append(errs, err)
		generic.AuthMethod, generic.ClientSecret, generic.SigningKey = oidc.AuthNone, "", nil // likewise
	}
	for word, param := range map[string]string{"connection": "connection", "screen_hint": "screen_hint"} {
		if c.AuthorizeParams.Has(param) {
			errs = append(errs, fmt.Errorf("authorize_param %s: use the word %s", param, word))
		}
	}
	for _, id := range c.Organizations {
		if !oidc.IsOrganizationID(id) {
			// It would match nobody: only ids are compared with a list.
			errs = append(errs, fmt.Errorf("organizations: %q is no id: write the ids, which begin with org_", id))
		}
	}
	return errors.Join(append(errs, generic.Validate())...)
}

// checkAuthMethod narrows the generic methods down to those of Auth0. Basic
// works there too, but an application is set to one of them, and the
// dashboard's default for a Regular Web Application is Post.
func (c Config) checkAuthMethod() error {
	switch c.AuthMethod {
	case "", oidc.AuthPost:
		return nil
	case oidc.AuthPrivateKeyJWT:
		if c.SigningKey != nil && c.SigningKey.Algorithm() != "RS256" {
			return fmt.Errorf("authentication_method %s: Auth0 takes RSA keys, and this one is for %s: make one with "+
				"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem", c.AuthMethod, c.SigningKey.Algorithm())
		}
		return nil
	}
	return fmt.Errorf("authentication_method %q is none of Auth0's: write %s or %s",
		c.AuthMethod, oidc.AuthPost, oidc.AuthPrivateKeyJWT)
}

// Warnings returns what works, but not for ever or not for everybody, each
// naming the setting and what to write instead. The caller logs them at
// load. c must be valid.
func (c Config) Warnings() []string {
	generic, err := c.generic()
	if err != nil {
		return nil
	}
	warnings := generic.Warnings()
	if strings.HasPrefix(c.Connection, "con_") {
		warnings = append(warnings, fmt.Sprintf("connection %q looks like an id: write the connection's name", c.Connection))
	}
	return warnings
}

// generic returns c as a generic connection.
func (c Config) generic() (oidc.Config, error) {
	params := maps.Clone(c.AuthorizeParams)
	if params == nil {
		params = url.Values{}
	}
	for name, value := range map[string]string{"connection": c.Connection, "screen_hint": c.ScreenHint} {
		if value != "" {
			params.Set(name, value)
		}
	}
	issuer, err := Issuer(c.Domain, c.AllowHTTP, c.AllowLocal)
	return oidc.Config{
		Issuer:          issuer,
		ClientID:        c.ClientID,
		ClientSecret:    c.ClientSecret,
		AuthMethod:      cmp.Or(c.AuthMethod, oidc.AuthPost),
		SigningKey:      c.SigningKey,
		OmitKeyID:       true, // Auth0 makes ids of its own when a key is uploaded
		Scopes:          slices.Clone(c.Scopes),
		Algorithms:      []string{"RS256", "PS256"},
		AuthorizeParams: params,
		DefaultMaxAge:   defaultMaxAge,
		Audience:        c.Audience,
		Userinfo:        c.Userinfo,
		Organization:    c.Organization,
		Organizations:   slices.Clone(c.Organizations),
		SendLoginHint:   c.SendLoginHint,
		Hints:           hints,
	}, err
}

// hints name the places in Auth0's dashboard.
//
//nolint:gosec // G101: words about secrets, none of them one
var hints = oidc.Hints{
	NoIDToken: "Auth0 gives third-party applications no ID token: " +
		"use a first-party application of the type Regular Web Application, and the scope openid",
	SymmetricAlgorithm: "Auth0: Applications > Settings > Advanced > OAuth > JSON Web Token Signature Algorithm: RS256",
	OpaqueAccessToken:  "Auth0: audience must be the identifier of an API that signs with RS256 and does not encrypt",
	GrantNotAllowed:    "Auth0: Applications > Settings > Advanced > Grant Types: enable Authorization Code",
	WrongSecret:        "Auth0: check client_id and client_secret, and that the application authenticates by Post",
	WrongKey: "Auth0: check client_id, and that Applications > Credentials has Private Key JWT " +
		"with the public half of the signing key, for RS256",
}
