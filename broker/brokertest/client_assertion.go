package brokertest

import (
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Auth0's limits for client assertions.
const (
	assertionSize     = 2048
	assertionLifetime = 5 * time.Minute
	assertionLeeway   = 10 * time.Second
)

// clientAssertion are the claims of an assertion. An array for an audience
// does not decode: Auth0 wants one string.
type clientAssertion struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ID        string `json:"jti"`
	Expiry    int64  `json:"exp"`
	NotBefore int64  `json:"nbf"`
}

// proveAssertion applies Auth0's rules for private_key_jwt (RFC 7523, 3):
// iss and sub are the application, aud is the issuer, slash included; the
// assertion lives at most five minutes, and its jti works once.
func (t *Tenant) proveAssertion(assertion, clientID string) (Client, bool) {
	if len(assertion) > assertionSize {
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
	var claims clientAssertion
	verified := slices.ContainsFunc(c.Keys.Keys, func(k jose.JSONWebKey) bool {
		return credentialFits(k, token.Headers[0]) && token.Claims(k, &claims) == nil
	})
	now := t.now()
	if !verified || claims.Issuer != c.ID || claims.Audience != t.opts.Issuer || claims.ID == "" || !claims.timely(now) {
		return Client{}, false
	}
	return c, t.spendAssertion(c.ID+"\x00"+claims.ID, time.Unix(claims.Expiry, 0), now)
}

// credentialFits says whether an assertion with this header may be verified
// with a registered key: a credential is for one algorithm, and a kid that
// is sent must be its name.
func credentialFits(k jose.JSONWebKey, h jose.Header) bool {
	return (k.Algorithm == "" || k.Algorithm == h.Algorithm) && (h.KeyID == "" || h.KeyID == k.KeyID)
}

func (c clientAssertion) timely(now time.Time) bool {
	expiry, start := time.Unix(c.Expiry, 0), time.Unix(c.NotBefore, 0)
	return !now.After(expiry.Add(assertionLeeway)) && !expiry.After(now.Add(assertionLifetime+assertionLeeway)) &&
		!start.After(now.Add(assertionLeeway))
}

// spendAssertion says whether the jti is seen for the first time, and
// forgets those that have expired anyway.
func (t *Tenant) spendAssertion(id string, expiry, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for old, end := range t.assertions {
		if now.After(end.Add(assertionLeeway)) {
			delete(t.assertions, old)
		}
	}
	_, seen := t.assertions[id]
	t.assertions[id] = expiry
	return !seen
}
