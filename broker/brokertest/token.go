package brokertest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"
)

// serveToken is the token endpoint, with Auth0's status codes: a bad code
// or refresh token is 403, where RFC 6749 has 400.
func (t *Tenant) serveToken(w http.ResponseWriter, r *http.Request) {
	client, ok := t.authenticateClient(w, r)
	t.recordToken(r)
	if !ok {
		t.log("token request refused", zap.String("error", "access_denied"))
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		t.redeemCode(w, r, client)
	case "refresh_token":
		t.redeemRefreshToken(w, r, client)
	default:
		tokenError(w, http.StatusForbidden, "unauthorized_client",
			"Grant type not allowed for the client.")
	}
}

// recordToken remembers the request for [Tenant.LastToken].
func (t *Tenant) recordToken(r *http.Request) {
	params := make(url.Values)
	for name, values := range r.PostForm {
		params[name] = slices.Clone(values)
	}
	for _, name := range []string{"client_secret", "client_assertion", "code", "code_verifier", "refresh_token"} {
		if params.Has(name) {
			params.Set(name, "present")
		}
	}
	if r.Header.Get("Authorization") != "" {
		params.Set("authorization", "present")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = params
}

// redeemCode spends the code whatever else is wrong with the request: a
// code that failed once has leaked or is being guessed at.
func (t *Tenant) redeemCode(w http.ResponseWriter, r *http.Request, client Client) {
	form := r.PostForm
	t.mu.Lock()
	c, ok := t.codes[form.Get("code")]
	delete(t.codes, form.Get("code"))
	t.mu.Unlock()

	switch {
	case !ok, c.client != client.ID, t.now().After(c.expires):
		t.refuseGrant(w, client, "Invalid authorization code")
	case c.redirectURI != form.Get("redirect_uri"):
		tokenError(w, http.StatusUnauthorized, "unauthorized_client",
			"The redirect URI is wrong. You sent "+form.Get("redirect_uri")+", and we expected "+c.redirectURI)
	case !verifies(form.Get("code_verifier"), c.challenge):
		t.refuseGrant(w, client, "Failed to verify code verifier")
	default:
		t.issue(w, client, c.grant, "")
	}
}

// verifies compares a code verifier with its challenge (RFC 7636, 4.6); one
// without the other is wrong as well.
func verifies(verifier, challenge string) bool {
	if verifier == "" || challenge == "" {
		return verifier == challenge
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

func (t *Tenant) refuseGrant(w http.ResponseWriter, client Client, description string) {
	t.log("token request refused", zap.String("client", client.ID), zap.String("error", "invalid_grant"))
	tokenError(w, http.StatusForbidden, "invalid_grant", description)
}

// issue answers with the tokens of a grant. A refresh token that is given
// goes out; otherwise offline_access makes the first of a family.
func (t *Tenant) issue(w http.ResponseWriter, client Client, g grant, refresh string) {
	user, ok := t.User(g.user)
	if !ok || user.Blocked {
		t.refuseGrant(w, client, "The user of this grant does not exist or is blocked.")
		return
	}
	api, _ := t.api(g.audience)
	faults := t.faults.get()
	answer := map[string]any{
		"access_token": t.accessToken(client, user, g, api),
		"token_type":   "Bearer",
		"expires_in":   int(accessLifetime / time.Second),
		"scope":        grantedScope(g, api, client),
	}
	// Third-party applications get no ID token, whatever they ask for.
	if slices.Contains(g.scopes, "openid") && !client.thirdParty() && !faults.NoIDToken {
		answer["id_token"] = t.idToken(client, user, g)
	}
	if refresh == "" && offline(g, api, client) {
		refresh = t.newFamily(g)
	}
	if refresh != "" {
		answer["refresh_token"] = refresh
	}
	edit(faults.EditTokenResponse, answer)
	writeJSON(w, http.StatusOK, answer)
}
