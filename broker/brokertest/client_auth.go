package brokertest

import (
	"crypto/subtle"
	"net/http"
	"net/url"
)

// authenticateClient returns the application that sent the request, or
// answers as Auth0 does: 401 with access_denied, not invalid_client.
func (t *Tenant) authenticateClient(w http.ResponseWriter, r *http.Request) (Client, bool) {
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request", "The request cannot be read.")
		return Client{}, false
	}
	c, method, proven := t.prove(r)
	if !proven || (c.AuthMethod != "" && c.AuthMethod != method) || (c.AuthMethod == "" && method == "none") {
		tokenError(w, http.StatusUnauthorized, "access_denied", "Unauthorized")
		return Client{}, false
	}
	return c, true
}

// prove finds out how the client authenticated and whether that holds.
func (t *Tenant) prove(r *http.Request) (c Client, method string, ok bool) {
	form := r.PostForm
	if form.Has("client_assertion") && (form.Has("client_secret") || r.Header.Get("Authorization") != "") {
		return Client{}, "", false // one method a request (RFC 6749, 2.3)
	}
	if id, secret, basic := r.BasicAuth(); basic {
		// Both are form-encoded first (RFC 6749, 2.3.1).
		id, errID := url.QueryUnescape(id)
		secret, errSecret := url.QueryUnescape(secret)
		c, ok = t.client(id)
		return c, "client_secret_basic", ok && errID == nil && errSecret == nil && equal(c.Secret, secret)
	}
	if form.Get("client_assertion_type") == assertionType {
		c, ok = t.proveAssertion(form.Get("client_assertion"), form.Get("client_id"))
		return c, "private_key_jwt", ok
	}
	c, ok = t.client(form.Get("client_id"))
	if form.Has("client_secret") {
		return c, "client_secret_post", ok && equal(c.Secret, form.Get("client_secret"))
	}
	return c, "none", ok
}

func equal(want, got string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}

// tokenError answers in the shape of RFC 6749, 5.2.
func tokenError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
