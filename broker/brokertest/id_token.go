package brokertest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// idTokenLifetime is Auth0's default: far longer than any session of ours
// should take it for.
const idTokenLifetime = 10 * time.Hour

// scopeClaims are the claims that a scope tells beyond the one it names:
// Auth0's profile is shorter than OpenID Connect's, and a claim can be
// asked for by its own name.
var scopeClaims = map[string][]string{
	"profile": {"name", "family_name", "given_name", "middle_name", "nickname", "picture", "updated_at"},
	"email":   {"email", "email_verified"},
	"phone":   {"phone_number", "phone_number_verified"},
	"address": {"address"},
}

// told returns the claims about the user that the scopes allow. Claims with
// a URL for a name were set by an Action and always pass.
func told(user User, scopes []string) map[string]any {
	out := make(map[string]any)
	for name, value := range user.Claims {
		// "profile" is a claim too, but the scope of that name hides it.
		_, isScope := scopeClaims[name]
		if strings.Contains(name, "://") || (slices.Contains(scopes, name) && !isScope) {
			out[name] = value
		}
	}
	for _, scope := range scopes {
		for _, name := range scopeClaims[scope] {
			if value, ok := user.Claims[name]; ok {
				out[name] = value
			}
		}
	}
	return out
}

func (t *Tenant) idToken(client Client, user User, g grant) string {
	now, faults := t.now(), t.faults.get()
	claims := told(user, g.scopes)
	maps.Copy(claims, user.IDTokenClaims)
	maps.Copy(claims, map[string]any{
		"iss": t.opts.Issuer, "sub": user.Subject, "aud": client.ID,
		"iat": now.Unix(), "exp": now.Add(idTokenLifetime).Unix(), "sid": g.sid,
	})
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if g.tellAuthTime {
		claims["auth_time"] = g.authTime.Unix()
	}
	if g.factor {
		claims["amr"], claims["acr"] = []string{"mfa"}, MultiFactor
	}
	g.tellOrganization(claims)
	edit(faults.EditIDToken, claims)
	faults.IDToken.spoilClaims(claims, now)
	return faults.IDToken.sign(t.signer("JWT", client).as(client.SigningAlg), claims)
}

func (g grant) tellOrganization(claims map[string]any) {
	if g.organization.ID == "" {
		return
	}
	claims["org_id"] = g.organization.ID
	if g.organization.Name != "" {
		claims["org_name"] = strings.ToLower(g.organization.Name)
	}
}

// LogoutToken returns a back-channel logout token as Auth0 makes it: typed
// "JWT", not "logout+jwt", and good for two minutes. Subject or sid may be
// empty. The tenant itself never calls applications; a test posts the token
// where it wants. Change, if not nil, may spoil the claims, and a Defect
// the signature.
func (t *Tenant) LogoutToken(clientID, subject, sid string, defect Defect, change func(claims map[string]any)) string {
	client, _ := t.client(clientID)
	now := t.now()
	claims := map[string]any{
		"iss": t.opts.Issuer, "aud": clientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"jti": t.random(18), "trace_id": t.random(8),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if subject != "" {
		claims["sub"] = subject
	}
	if sid != "" {
		claims["sid"] = sid
	}
	edit(change, claims)
	defect.spoilClaims(claims, now)
	return defect.sign(t.signer("JWT", client), claims)
}
