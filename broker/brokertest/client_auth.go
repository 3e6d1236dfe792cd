package brokertest

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

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

// proveAssertion applies Auth0's rules for private_key_jwt: the audience is
// the issuer, slash included, as one string; it lives at most five minutes,
// with ten seconds of leeway, in at most 2048 bytes; and a jti works once.
func (t *Tenant) proveAssertion(assertion, clientID string) (Client, bool) {
	if len(assertion) > 2048 {
		return Client{}, false
	}
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.PS256})
	if err != nil {
		return Client{}, false
	}
	var unverified struct {
		Subject string `json:"sub"`
	}
	if err := token.UnsafeClaimsWithoutVerification(&unverified); err != nil {
		return Client{}, false
	}
	c, ok := t.client(unverified.Subject)
	if !ok || c.Keys == nil || (clientID != "" && clientID != c.ID) {
		return Client{}, false
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"` // an array does not decode
		ID       string `json:"jti"`
		Expiry   int64  `json:"exp"`
	}
	verified := slices.ContainsFunc(c.Keys.Keys, func(k jose.JSONWebKey) bool { return token.Claims(k, &claims) == nil })
	now, expiry := t.now(), time.Unix(claims.Expiry, 0)
	const leeway = 10 * time.Second
	if !verified || claims.Issuer != c.ID || claims.Audience != t.opts.Issuer || claims.ID == "" ||
		now.After(expiry.Add(leeway)) || expiry.After(now.Add(5*time.Minute+leeway)) {
		return Client{}, false
	}
	return c, t.spendAssertion(c.ID+"\x00"+claims.ID, expiry)
}

// spendAssertion says whether the jti is seen for the first time.
func (t *Tenant) spendAssertion(id string, expiry time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, seen := t.assertions[id]
	t.assertions[id] = expiry
	return !seen
}

// tokenError answers in the shape of RFC 6749, 5.2.
func tokenError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
