package brokertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"
)

// A signer turns claims into a compact token.
type signer struct {
	key    *jose.JSONWebKey // the tenant's current key
	alg    jose.SignatureAlgorithm
	typ    string
	secret string // the client's, for HS256
	issuer string
	random func(int) string

	material any // what to sign with, if not key
	embed    bool
	extra    map[string]any
}

func (t *Tenant) signer(typ string, c Client) signer {
	return signer{
		key: t.keys.signing(), alg: jose.RS256, typ: typ,
		secret: c.Secret, issuer: t.opts.Issuer, random: t.random,
	}
}

// as selects the algorithm a client is registered with.
func (s signer) as(alg string) signer {
	if alg != "" {
		s.alg = jose.SignatureAlgorithm(alg)
	}
	return s
}

// with signs by other means.
func (s signer) with(alg jose.SignatureAlgorithm, material any) signer {
	s.alg, s.material = alg, material
	return s
}

// withKey signs with another RSA key; an empty id leaves "kid" out.
func (s signer) withKey(key any, id string) signer {
	if id == "" {
		return s.with(s.alg, key)
	}
	return s.with(s.alg, jose.JSONWebKey{Key: key, KeyID: id})
}

func (s signer) compact(claims map[string]any) string {
	if s.alg == jose.HS256 {
		return s.hmac(claims, []byte(s.secret))
	}
	var material any = *s.key
	if s.material != nil {
		material = s.material
	}
	opts := (&jose.SignerOptions{EmbedJWK: s.embed}).WithType(jose.ContentType(s.typ))
	for name, value := range s.extra {
		opts = opts.WithHeader(jose.HeaderKey(name), value)
	}
	sig, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: material}, opts)
	if err != nil {
		panic("brokertest: preparing a signature: " + err.Error())
	}
	signed, err := sig.Sign(mustJSON(claims))
	if err != nil {
		panic("brokertest: signing: " + err.Error())
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		panic("brokertest: serializing a token: " + err.Error())
	}
	return compact
}

// hmac signs with HS256 by hand: go-jose refuses secrets as short as those
// people choose.
func (s signer) hmac(claims map[string]any, secret []byte) string {
	signed := segment(map[string]any{"alg": "HS256", "typ": s.typ}) + "." + segment(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// opaque is an access token without an audience: five parts and a readable
// header, so that a careless reader takes it for a JWT.
func opaque(issuer string, random func(int) string) string {
	header := segment(map[string]any{"alg": "dir", "enc": "A256GCM", "iss": issuer})
	return header + ".." + random(12) + "." + random(64) + "." + random(16)
}

// mustJSON encodes what a test put into a document. A value that JSON
// cannot hold is the test's mistake.
func mustJSON(document any) []byte {
	b, err := json.Marshal(document)
	if err != nil {
		panic("brokertest: encoding claims: " + err.Error())
	}
	return b
}
