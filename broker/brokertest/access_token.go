package brokertest

import (
	"maps"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// accessLifetime is Auth0's default.
const accessLifetime = 24 * time.Hour

// An accessToken is what userinfo knows about a token it has issued.
type accessToken struct {
	grant
	expires time.Time
}

// accessToken makes an opaque token, or a JWT if it is for an API, and
// remembers it for userinfo.
func (t *Tenant) accessToken(client Client, user User, g grant, api API) string {
	now := t.now()
	var value string
	if api.Identifier == "" {
		value = opaque(t.opts.Issuer, t.random)
	} else {
		value = t.apiToken(client, user, g, api, now)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.access[value] = accessToken{grant: g, expires: now.Add(accessLifetime)}
	return value
}

// apiToken is a JWT in one of Auth0's two profiles.
func (t *Tenant) apiToken(client Client, user User, g grant, api API, now time.Time) string {
	faults := t.faults.get()
	scope := grantedScope(g, api, client)
	claims := make(map[string]any)
	for name, value := range user.Claims {
		if strings.Contains(name, "://") {
			claims[name] = value
		}
	}
	maps.Copy(claims, user.AccessTokenClaims)
	maps.Copy(claims, map[string]any{
		"iss": t.opts.Issuer, "sub": user.Subject, "aud": api.Identifier,
		"iat": now.Unix(), "exp": now.Add(accessLifetime).Unix(), "scope": scope,
	})
	if strings.Contains(" "+scope+" ", " openid ") && !api.HS256 {
		claims["aud"] = []string{api.Identifier, t.opts.Issuer + "userinfo"}
	}
	if user.Permissions != nil {
		claims["permissions"] = user.Permissions
	}
	g.tellOrganization(claims)
	typ := "JWT"
	if api.RFC9068 {
		typ = "at+jwt"
		claims["client_id"], claims["jti"] = client.ID, t.random(16)
	} else {
		claims["azp"] = client.ID
	}
	edit(faults.EditAccessToken, claims)
	faults.AccessToken.spoilClaims(claims, now)
	s := t.signer(typ, client)
	if api.HS256 {
		// The API's own secret, which the application never sees.
		s.alg, s.secret = jose.HS256, t.random(32)
	}
	return faults.AccessToken.sign(s, claims)
}
