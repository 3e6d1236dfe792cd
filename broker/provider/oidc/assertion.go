package oidc

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// assertionLifetime is how long a client assertion may be used. It is made
// for one call, so that it only has to outlast the way there and the
// difference of two clocks.
const assertionLifetime = time.Minute

// assertionSkew is how far two clocks may differ before that is the likely
// cause of a refusal: Auth0 grants ten seconds.
const assertionSkew = 10 * time.Second

// assertionSigner returns the signer of the connection's assertions, nil
// where it uses another method.
func (c Config) assertionSigner() (jose.Signer, error) {
	switch {
	case c.AuthMethod != AuthPrivateKeyJWT:
		return nil, nil
	case c.OmitKeyID:
		return c.SigningKey.signer("")
	}
	return c.SigningKey.signer(c.SigningKey.ID())
}

// clientAssertion returns what proves this client at the token endpoint by
// its signing key (RFC 7523, 2.2; OpenID Connect Core, 9), or "" where the
// connection uses another method.
//
// The audience is the issuer, as one string, though RFC 7523 suggests the
// token endpoint's URL. That URL comes from the metadata: a malicious
// provider can name the token endpoint of an honest one there, take the
// assertion it is sent, and log in as this client with it. The issuer is
// the operator's own word, and Auth0 accepts nothing else.
func (p *Provider) clientAssertion() (string, error) {
	if p.signer == nil {
		return "", nil
	}
	var id [16]byte
	if _, err := io.ReadFull(p.rand, id[:]); err != nil {
		return "", fmt.Errorf("drawing the assertion's id: %w", err)
	}
	now := p.now()
	claims, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		IssuedAt int64  `json:"iat"`
		Expiry   int64  `json:"exp"`
	}{
		Issuer:   p.cfg.ClientID,
		Subject:  p.cfg.ClientID,
		Audience: p.cfg.Issuer,
		ID:       base64.RawURLEncoding.EncodeToString(id[:]),
		IssuedAt: now.Unix(),
		Expiry:   now.Add(assertionLifetime).Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("encoding the client assertion: %w", err)
	}
	signed, err := p.signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("signing the client assertion: %w", err)
	}
	return signed.CompactSerialize()
}

// assertionParams returns the parameters that carry an assertion.
func assertionParams(assertion string) []oauth2.AuthCodeOption {
	if assertion == "" {
		return nil
	}
	return []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
		oauth2.SetAuthURLParam("client_assertion", assertion),
	}
}
