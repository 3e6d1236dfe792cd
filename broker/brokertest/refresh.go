package brokertest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

// refreshLifetime is counted from the sign-in: rotation does not extend it.
const refreshLifetime = 30 * 24 * time.Hour

// A refreshToken is one of a family that grows by rotation. Using any but
// the newest ends the family: a thief and the application cannot both hold
// it. The leeway is zero, as Auth0's is by default.
type refreshToken struct {
	family *refreshFamily
	used   bool
}

type refreshFamily struct {
	grant   grant
	expires time.Time
	revoked bool
}

// offline says whether the grant comes with a refresh token.
func offline(g grant, api API, client Client) bool {
	return slices.Contains(g.scopes, "offline_access") && !client.NoRefresh && !api.NoOfflineAccess
}

// grantedScope is the scope of the answer.
func grantedScope(g grant, api API, client Client) string {
	scopes := slices.Clone(g.scopes)
	if !offline(g, api, client) {
		scopes = slices.DeleteFunc(scopes, func(s string) bool { return s == "offline_access" })
	}
	return strings.Join(scopes, " ")
}

func (t *Tenant) newFamily(g grant) string {
	// A new ID token has no nonce, and no amr: nobody has just signed in.
	g.nonce, g.factor, g.tellAuthTime = "", false, false
	return t.addToFamily(&refreshFamily{grant: g, expires: t.now().Add(refreshLifetime)})
}

func (t *Tenant) addToFamily(f *refreshFamily) string {
	value := "v1." + t.random(33)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refresh[value] = &refreshToken{family: f}
	return value
}

func (t *Tenant) redeemRefreshToken(w http.ResponseWriter, r *http.Request, client Client) {
	family, ok := t.rotate(r.PostForm.Get("refresh_token"), client)
	if !ok {
		t.refuseGrant(w, client, "Unknown or invalid refresh token.")
		return
	}
	t.issue(w, client, family.grant, t.addToFamily(family))
}

// rotate spends a refresh token and returns its family.
func (t *Tenant) rotate(value string, client Client) (*refreshFamily, bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.refresh[value]
	if !ok || token.family.grant.client != client.ID || token.family.revoked || now.After(token.family.expires) {
		return nil, false
	}
	if token.used {
		token.family.revoked = true
		t.log("refresh token reused", zap.String("client", client.ID))
		return nil, false
	}
	token.used = true
	return token.family, true
}

// serveRevoke ends the family of a refresh token (RFC 7009): 200 also for
// one that is unknown.
func (t *Tenant) serveRevoke(w http.ResponseWriter, r *http.Request) {
	client, ok := t.authenticateClient(w, r)
	if !ok {
		return
	}
	t.mu.Lock()
	if token, ok := t.refresh[r.PostForm.Get("token")]; ok && token.family.grant.client == client.ID {
		token.family.revoked = true
	}
	t.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}
