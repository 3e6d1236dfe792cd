package caddymodule

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// Client is an application that signs its users in by OpenID Connect.
type Client struct {
	// The client_id. Required.
	ID string `json:"id,omitempty"`

	// What people read on the consent page. Default: the id.
	Name string `json:"name,omitempty"`

	// One secret, or two while one replaces the other, as {env.NAME} or
	// {file.PATH}. Required unless the client is public.
	Secrets []string `json:"secrets,omitempty"`

	// The client cannot keep a secret, as a browser or phone application,
	// and proves itself by PKCE alone.
	Public bool `json:"public,omitempty"`

	// How the client may get tokens: "authorization_code", for users that
	// sign in; "refresh_token", for those that let it have the scope
	// offline_access; and "client_credentials", for itself. Default: the
	// first two.
	Grants []string `json:"grants,omitempty"`

	// The exact addresses the client may be sent back to, compared byte by
	// byte. At least one is required, except for a client that has no
	// users.
	RedirectURIs []string `json:"redirect_uris,omitempty"`

	// What the client may ask for. Default: openid, profile and email.
	Scopes []string `json:"scopes,omitempty"`

	// Scopes that the user cannot withhold.
	RequiredScopes []string `json:"required_scopes,omitempty"`

	// The connections that the client's users may come from. Default: all.
	Providers []string `json:"providers,omitempty"`

	// When the consent page is shown: "remember" (the default), for what
	// is not granted yet; "always"; or "trusted": never, meant for
	// applications of the same organisation only.
	Consent string `json:"consent,omitempty"`

	// "required" (the default) or "optional": whether a client with a
	// secret must send a PKCE challenge.
	PKCE string `json:"pkce,omitempty"`

	// The algorithm of its ID tokens: "RS256" (the default) or "ES256".
	IDTokenSignedResponseAlg string `json:"id_token_signed_response_alg,omitempty"`

	// The only way the client may prove itself: "client_secret_basic" or
	// "client_secret_post". Default: either.
	TokenEndpointAuthMethod string `json:"token_endpoint_auth_method,omitempty"`

	// "web" (the default), or "native": a loopback redirect URI may then
	// have any port (RFC 8252, 7.3).
	ApplicationType string `json:"application_type,omitempty"`

	// "public" (the default), or "pairwise": its users have names that no
	// other client knows, unless it shares the sector (OpenID Connect
	// Core, 8).
	SubjectType string `json:"subject_type,omitempty"`

	// The https address whose host is the sector of a pairwise client.
	// Default: the host of its redirect URIs.
	SectorIdentifierURI string `json:"sector_identifier_uri,omitempty"`

	// Links and the logo on the consent page.
	ClientURI string `json:"client_uri,omitempty"`
	LogoURI   string `json:"logo_uri,omitempty"`
	PolicyURI string `json:"policy_uri,omitempty"`
	TOSURI    string `json:"tos_uri,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// client makes the broker's client.
func (c *Client) client(r resolver, path string, connections []broker.Connection) (oauth.Client, error) {
	origin := at(c.Origin, path)
	place := origin + "client " + c.ID
	out := oauth.Client{
		ID: c.ID, Name: c.Name, URI: c.ClientURI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TOSURI: c.TOSURI,
		Public: c.Public, AuthMethod: c.TokenEndpointAuthMethod, Scopes: c.Scopes, RequiredScopes: c.RequiredScopes,
		Connections: c.Providers, Consent: c.Consent, IDTokenAlg: c.IDTokenSignedResponseAlg,
		Grants: c.Grants, SubjectType: c.SubjectType, SectorIdentifierURI: c.SectorIdentifierURI,
	}
	var err error
	if out.Secrets, err = c.secrets(r, place); err != nil {
		return out, err
	}
	if out.RedirectURIs, err = r.texts(place, "redirect_uris", c.RedirectURIs); err != nil {
		return out, err
	}
	if out.PKCEOptional, err = either(c.PKCE, "required", "optional"); err != nil {
		return out, fmt.Errorf("%s: pkce %w", place, err)
	}
	if out.Native, err = either(c.ApplicationType, "web", "native"); err != nil {
		return out, fmt.Errorf("%s: application_type %w", place, err)
	}
	if err := checkProviders(c.Providers, connections); err != nil {
		return out, fmt.Errorf("%s: %w", place, err)
	}
	if err := out.Validate(); err != nil {
		return out, fmt.Errorf("%s%w", origin, err)
	}
	return out, nil
}

func (c *Client) secrets(r resolver, place string) ([][sha256.Size]byte, error) {
	var out [][sha256.Size]byte
	for _, s := range c.Secrets {
		s, err := r.secret(place, "secret", s)
		if err != nil {
			return nil, err
		}
		if s == "" {
			return nil, fmt.Errorf("%s: secret is empty; use {env.NAME} or {file.PATH}", place)
		}
		out = append(out, oauth.HashSecret(s))
	}
	return out, nil
}

// either says whether value is the second word and not the first, which is
// the default.
func either(value, first, second string) (bool, error) {
	switch cmp.Or(value, first) {
	case first:
		return false, nil
	case second:
		return true, nil
	}
	return false, fmt.Errorf("%q is unknown; use %s or %s", value, first, second)
}

// checkProviders says whether all names are connections.
func checkProviders(names []string, connections []broker.Connection) error {
	for _, name := range names {
		if slices.ContainsFunc(connections, func(c broker.Connection) bool { return c.ID == name }) {
			continue
		}
		ids := make([]string, 0, len(connections))
		for _, c := range connections {
			ids = append(ids, c.ID)
		}
		return fmt.Errorf("provider %q is not configured; use one of: %s", name, strings.Join(ids, ", "))
	}
	return nil
}
