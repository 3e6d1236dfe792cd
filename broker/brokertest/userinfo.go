package brokertest

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// serveUserinfo tells the present claims of the token's user. Its refusals
// are plain text, as Auth0's are.
func (t *Tenant) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	t.mu.Lock()
	token, ok := t.access[value]
	t.mu.Unlock()
	user, exists := t.User(token.user)
	if !ok || !exists || !strings.EqualFold(scheme, "Bearer") || t.now().After(token.expires) ||
		!slices.Contains(token.scopes, "openid") {
		unauthorized(w)
		return
	}
	if !t.spend(w, userinfoLimit, user.Subject) {
		return
	}
	claims := told(user, token.scopes)
	maps.Copy(claims, user.UserinfoClaims)
	claims["sub"] = user.Subject
	faults := t.faults.get()
	edit(faults.EditUserinfo, claims)
	if !t.opts.SignedUserinfo {
		writeJSON(w, http.StatusOK, claims)
		return
	}
	client, _ := t.client(token.client)
	claims["iss"], claims["aud"] = t.opts.Issuer, client.ID
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = io.WriteString(w, t.signer("JWT", client).compact(claims))
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("WWW-Authenticate", "Bearer")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, "Unauthorized")
}
