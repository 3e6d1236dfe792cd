package token

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// ErrTooLarge is returned by Mint for an access token of more than 16 KiB. No
// endpoint of ours takes it, and it would not fit into the header that
// others read it from.
var ErrTooLarge = errors.New("the access token is too large")

// DefaultLifetime of access and ID tokens.
const DefaultLifetime = 10 * time.Minute

// A Minter mints tokens from authorizations. All fields are required but
// Lifetime.
type Minter struct {
	Issuer string
	Keys   *Keys
	Claims []claims.Claim
	Now    func() time.Time

	// Lifetime of access and ID tokens of clients that have none of their
	// own; 0 is DefaultLifetime.
	Lifetime time.Duration
}

// Tokens is what one authorization yields. IDToken is empty unless openid
// was granted.
type Tokens struct {
	AccessToken string
	IDToken     string
	ExpiresIn   time.Duration
	Expires     time.Time
}

// Mint returns fresh tokens for c. The access token's jti is jti; an empty
// one is made up.
//
// An access token that is too large is an [ErrTooLarge], for a client would
// learn only later that nobody takes it. A gate gets it all the same: it
// sends no header that is too long, and the visitor may still enter.
func (m *Minter) Mint(ctx context.Context, a *authn.Authorization, c *oauth.Client, jti string) (Tokens, error) {
	if jti == "" {
		jti = store.NewSecret()
	}
	now := m.Now()
	life := m.lifetime(c.AccessLifetime)
	t := Tokens{ExpiresIn: life, Expires: now.Add(life)}
	var err error
	if t.AccessToken, err = m.Keys.sign(ctx, ES256, typeAccessToken, m.accessClaims(a, c, now, life, jti)); err != nil {
		return Tokens{}, err
	}
	if n := len(t.AccessToken); n > maxToken && !c.Gate {
		return Tokens{}, fmt.Errorf("%w: %d bytes, at most %d; declare claims with large values for id_token or userinfo instead of access_token", ErrTooLarge, n, maxToken)
	}
	if !oauth.Subset([]string{oauth.ScopeOpenID}, a.Scopes) {
		return t, nil
	}
	idClaims := m.idClaims(a, c, now, m.lifetime(c.IDLifetime))
	idClaims["at_hash"] = atHash(t.AccessToken)
	if t.IDToken, err = m.Keys.sign(ctx, c.IDTokenAlg, typeJWT, idClaims); err != nil {
		return Tokens{}, err
	}
	return t, nil
}

func (m *Minter) lifetime(own time.Duration) time.Duration {
	switch {
	case own > 0:
		return own
	case m.Lifetime > 0:
		return m.Lifetime
	}
	return DefaultLifetime
}

// accessClaims is the payload of RFC 9068, 2.2. Nothing of the user is in
// it unless a claim is declared for access tokens.
func (m *Minter) accessClaims(a *authn.Authorization, c *oauth.Client, now time.Time, life time.Duration, jti string) map[string]any {
	out := m.common(a, now, life)
	for name, v := range claims.Release(a.View(), a.Scopes, claims.AccessToken, m.Claims, nil) {
		setOnce(out, name, v)
	}
	out["aud"] = m.Audience(c)
	out["client_id"] = a.ClientID
	out["nbf"] = now.Unix()
	out["jti"] = jti
	out["scope"] = strings.Join(a.Scopes, " ")
	out["idp"] = a.Context.Connection
	return out
}

// idClaims is the payload of OpenID Connect Core, 2. It has no claim of our
// own beside the user's.
func (m *Minter) idClaims(a *authn.Authorization, c *oauth.Client, now time.Time, life time.Duration) map[string]any {
	out := m.common(a, now, life)
	for name, v := range claims.Release(a.View(), a.Scopes, claims.IDToken, m.Claims, a.Claims.IDToken) {
		setOnce(out, name, v)
	}
	out["aud"] = a.ClientID
	out["jti"] = store.NewSecret()
	out["sid"] = a.SID
	if a.Nonce != "" {
		out["nonce"] = a.Nonce
	}
	return out
}

func (m *Minter) common(a *authn.Authorization, now time.Time, life time.Duration) map[string]any {
	out := map[string]any{
		"iss":       m.Issuer,
		"sub":       a.Subject,
		"iat":       now.Unix(),
		"exp":       now.Add(life).Unix(),
		"auth_time": a.Context.AuthTime.Unix(),
	}
	if len(a.Context.AMR) > 0 {
		out["amr"] = a.Context.AMR
	}
	if a.Context.ACR != "" {
		out["acr"] = a.Context.ACR
	}
	return out
}

// setOnce keeps a declared claim from replacing a protocol claim.
func setOnce(out map[string]any, name string, v any) {
	if _, taken := out[name]; !taken {
		out[name] = v
	}
}

// Audience is who a client's access tokens are for: the origin of a gated
// site, else the issuer.
func (m *Minter) Audience(c *oauth.Client) string {
	if c.Audience != "" {
		return c.Audience
	}
	return m.Issuer
}

// UserClaims is the answer of the userinfo endpoint for a, but for "sub".
func (m *Minter) UserClaims(a *authn.Authorization) map[string]any {
	return claims.Release(a.View(), a.Scopes, claims.Userinfo, m.Claims, a.Claims.Userinfo)
}

// IntrospectionClaims are the declared claims that the introspection endpoint
// tells of a (RFC 7662, 2.2).
func (m *Minter) IntrospectionClaims(a *authn.Authorization) map[string]any {
	return claims.Release(a.View(), a.Scopes, claims.Introspection, m.Claims, nil)
}

// atHash ties an ID token to the access token issued beside it (OpenID
// Connect Core, 3.1.3.6). All our algorithms hash with SHA-256.
func atHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
