package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Consent modes of a client.
const (
	ConsentRemember = "remember" // ask for what is not granted yet
	ConsentAlways   = "always"   // ask every time
	ConsentTrusted  = "trusted"  // never ask
)

// Client authentication methods at the token endpoint (OpenID Connect Core,
// 9).
const (
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthNone  = "none"
)

// Grants that a client can be allowed (RFC 6749).
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// Grants returns the grants above.
func Grants() []string {
	return []string{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials}
}

// Subject types (OpenID Connect Core, 8).
const (
	SubjectPublic   = "public"
	SubjectPairwise = "pairwise"
)

// DefaultScopes are what a client may ask for when its configuration does
// not say.
var DefaultScopes = []string{ScopeOpenID, "profile", "email"}

// A Client is an application that gets tokens from the broker: registered
// in the configuration, or implied by a gated site.
type Client struct {
	ID   string
	Name string

	// Shown on the consent page: links and the logo's address.
	URI       string
	LogoURI   string
	PolicyURI string
	TOSURI    string

	// Public clients have no secret and prove themselves by PKCE alone.
	Public bool

	// Secrets are the SHA-256 of each live secret; two while one replaces
	// the other.
	Secrets [][sha256.Size]byte

	// AuthMethod is the only method the client may use; empty admits
	// client_secret_basic and client_secret_post.
	AuthMethod string

	// Grants the client may use; empty is GrantAuthorizationCode and, except
	// for a gate's client, GrantRefreshToken.
	Grants []string

	// RedirectURIs are compared byte by byte.
	RedirectURIs []string

	// Native clients may use any port on a loopback IP literal (RFC 8252,
	// 7.3).
	Native bool

	// Scopes the client may ask for, and those of them that the user
	// cannot withhold.
	Scopes         []string
	RequiredScopes []string

	// Connections the client's users may come from; empty means all.
	Connections []string

	// Consent is one of the modes above; empty is ConsentRemember.
	Consent string

	// PKCEOptional lets a confidential client ask without a challenge.
	PKCEOptional bool

	// IDTokenAlg signs its ID tokens; empty is RS256.
	IDTokenAlg string

	// Audience of its access tokens; empty is the issuer.
	Audience string

	// AccessLifetime and IDLifetime of its tokens; 0 is the broker's
	// default.
	AccessLifetime time.Duration
	IDLifetime     time.Duration

	// SubjectType is SubjectPublic, the default, or SubjectPairwise: users
	// then have names at this client that no other sector knows.
	// SectorIdentifierURI names the sector; without it the host of the
	// redirect URIs does.
	SubjectType         string
	SectorIdentifierURI string

	// Gate marks the implicit client of a gated site. It redeems its codes
	// in-process, so the token endpoint refuses it.
	Gate bool
}

// HashSecret returns the form in which a client's secret is kept.
func HashSecret(secret string) [sha256.Size]byte {
	return sha256.Sum256([]byte(secret))
}

// CheckSecret says whether secret is one of the client's, in a time that
// depends on neither.
func (c *Client) CheckSecret(secret string) bool {
	sum := HashSecret(secret)
	ok := 0
	for i := range c.Secrets {
		ok |= subtle.ConstantTimeCompare(sum[:], c.Secrets[i][:])
	}
	return ok == 1
}

// MayUse says whether users of the connection may sign in to the client.
func (c *Client) MayUse(connection string) bool {
	return len(c.Connections) == 0 || slices.Contains(c.Connections, connection)
}

// MayGrant says whether the client may use the grant.
func (c *Client) MayGrant(grant string) bool { return slices.Contains(c.Grants, grant) }

// DisplayName is what people are shown: the name, or the id without one.
func (c *Client) DisplayName() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}

// Validate completes the defaults and reports the first mistake, naming the
// field as the configuration does.
func (c *Client) Validate() error {
	if c.ID == "" || len(c.ID) > 128 {
		return fmt.Errorf("client: id must have 1 to 128 characters")
	}
	for _, b := range []byte(c.ID) {
		if b <= 0x20 || b > 0x7e {
			return fmt.Errorf("client %q: id must be printable ASCII without spaces", c.ID)
		}
	}
	if err := c.validateGrants(); err != nil {
		return err
	}
	if len(c.Scopes) == 0 {
		c.Scopes = slices.Clone(DefaultScopes)
	}
	for _, s := range c.Scopes {
		if !ValidScope(s) {
			return fmt.Errorf("client %s: scopes: %q is not a scope name", c.ID, s)
		}
	}
	if !Subset(c.RequiredScopes, c.Scopes) {
		return fmt.Errorf("client %s: required_scopes must be among scopes %v", c.ID, c.Scopes)
	}
	switch c.Consent {
	case "":
		c.Consent = ConsentRemember
	case ConsentRemember, ConsentAlways, ConsentTrusted:
	default:
		return fmt.Errorf("client %s: consent %q: use remember, always or trusted", c.ID, c.Consent)
	}
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = "RS256"
	}
	if c.IDTokenAlg != "RS256" && c.IDTokenAlg != "ES256" {
		return fmt.Errorf("client %s: id_token_signed_response_alg %q: use RS256 or ES256", c.ID, c.IDTokenAlg)
	}
	if err := c.validateSubject(); err != nil {
		return err
	}
	return c.validateAuthentication()
}

// validateGrants checks the grants, and the redirect URIs that one of them
// needs.
func (c *Client) validateGrants() error {
	if len(c.Grants) == 0 {
		c.Grants = []string{GrantAuthorizationCode}
		if !c.Gate {
			c.Grants = append(c.Grants, GrantRefreshToken)
		}
	}
	for _, g := range c.Grants {
		if !slices.Contains(Grants(), g) {
			return fmt.Errorf("client %s: grants: %q is unknown; use one or more of %s", c.ID, g, strings.Join(Grants(), ", "))
		}
	}
	if c.MayGrant(GrantRefreshToken) && !c.MayGrant(GrantAuthorizationCode) {
		return fmt.Errorf("client %s: grants: %s comes after %s; add that, or leave it out", c.ID, GrantRefreshToken, GrantAuthorizationCode)
	}
	if c.Public && c.MayGrant(GrantClientCredentials) {
		return fmt.Errorf("client %s: is public, so it has no credentials for the grant %s; give it a secret", c.ID, GrantClientCredentials)
	}
	if c.MayGrant(GrantAuthorizationCode) && len(c.RedirectURIs) == 0 {
		return fmt.Errorf("client %s: redirect_uris is missing; name at least one address the client may be sent back to", c.ID)
	}
	for _, u := range c.RedirectURIs {
		if err := ValidRedirectURI(u); err != nil {
			return fmt.Errorf("client %s: redirect_uris %q: %w", c.ID, u, err)
		}
	}
	return nil
}

func (c *Client) validateAuthentication() error {
	switch {
	case c.Gate:
		return nil
	case c.Public && len(c.Secrets) > 0:
		return fmt.Errorf("client %s: is public, so it cannot have a secret; remove one of the two", c.ID)
	case c.Public && c.PKCEOptional:
		return fmt.Errorf("client %s: is public, so pkce cannot be optional", c.ID)
	case c.Public:
		c.AuthMethod = AuthNone
		return nil
	case len(c.Secrets) == 0:
		return fmt.Errorf("client %s: secret is missing; give one by {env.NAME} or {file.PATH}, or write public", c.ID)
	case len(c.Secrets) > 2:
		return fmt.Errorf("client %s: secret: at most two can live at once", c.ID)
	}
	switch c.AuthMethod {
	case "", AuthBasic, AuthPost:
		return nil
	}
	return fmt.Errorf("client %s: token_endpoint_auth_method %q: use %s or %s", c.ID, c.AuthMethod, AuthBasic, AuthPost)
}
