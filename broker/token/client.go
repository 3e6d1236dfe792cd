package token

import (
	"context"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// MintClient returns an access token that c gets for itself (RFC 6749, 4.4;
// RFC 9068, 2.2): there is no user and so no ID token, no time and no method
// of a sign-in. Its subject is the client.
func (m *Minter) MintClient(ctx context.Context, c *oauth.Client, scopes []string) (Tokens, error) {
	now := m.Now()
	life := m.lifetime(c.AccessLifetime)
	raw, err := m.Keys.sign(ctx, ES256, typeAccessToken, map[string]any{
		"iss":       m.Issuer,
		"sub":       c.ID,
		"aud":       m.Audience(c),
		"client_id": c.ID,
		"iat":       now.Unix(),
		"nbf":       now.Unix(),
		"exp":       now.Add(life).Unix(),
		"jti":       store.NewSecret(),
		"scope":     strings.Join(scopes, " "),
	})
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{AccessToken: raw, ExpiresIn: life, Expires: now.Add(life)}, nil
}

// Has says whether the token was issued with the scope.
func (a *Access) Has(scope string) bool {
	return slices.Contains(strings.Fields(a.Scope), scope)
}

// Own says whether the token is the client's own, from MintClient, and not
// one that acts for a user.
//
// The attacker is a user who arranges to be called like a client, which
// subjects in the upstream's own format may allow. A subject alone is no
// proof therefore (RFC 9068, 5): every token of a user names the connection
// the user came through, and none of a client does.
func (a *Access) Own() bool { return a.Connection == "" && a.Subject == a.ClientID }
