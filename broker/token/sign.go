package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Token types of the JOSE header. An access token is never taken for an ID
// token, nor the reverse, because each reader asks for its own type (RFC
// 9068, 2.1).
const (
	typeJWT         = "JWT"
	typeAccessToken = "at+jwt"
)

func newSigner(alg, kid string, key crypto.Signer) *signer {
	head := func(typ string) string {
		// Alg and kid are our own, of safe characters.
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q,"typ":%q,"kid":%q}`, alg, typ, kid)) + "."
	}
	return &signer{key: key, kid: kid, jwt: head(typeJWT), accessToken: head(typeAccessToken)}
}

// sign returns the compact serialisation of claims under the active key of
// alg (RFC 7515, 7.1).
func (k *Keys) sign(ctx context.Context, alg, typ string, claims map[string]any) (string, error) {
	set, err := k.load(ctx)
	if err != nil {
		return "", err
	}
	s := set.signers[alg]
	if s == nil {
		return "", fmt.Errorf("signing token: no key for %s", alg)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("signing token: encoding claims: %w", err)
	}
	head := s.jwt
	if typ == typeAccessToken {
		head = s.accessToken
	}
	enc := base64.RawURLEncoding
	out := make([]byte, 0, len(head)+enc.EncodedLen(len(payload))+enc.EncodedLen(256)+1)
	out = append(out, head...)
	out = enc.AppendEncode(out, payload)
	sig, err := s.signature(out)
	if err != nil {
		return "", fmt.Errorf("signing token: %w", err)
	}
	out = append(out, '.')
	return string(enc.AppendEncode(out, sig)), nil
}

func (s *signer) signature(input []byte) ([]byte, error) {
	sum := sha256.Sum256(input)
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		r, v, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			return nil, err
		}
		// JWS wants r and s side by side, each 32 bytes (RFC 7518, 3.4).
		sig := make([]byte, 64)
		r.FillBytes(sig[:32])
		v.FillBytes(sig[32:])
		return sig, nil
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	}
	return nil, fmt.Errorf("key type %T cannot sign", s.key)
}
