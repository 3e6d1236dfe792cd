package oidc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
)

// A SigningKey proves this client to the provider (AuthMethod
// "private_key_jwt"). It prints as its algorithm and id, however it is
// printed: the private half has no way out.
type SigningKey struct {
	private   crypto.Signer
	algorithm jose.SignatureAlgorithm
	id        string
}

// ParseSigningKey reads the one private key of a PEM text: PKCS#8
// ("PRIVATE KEY"), PKCS#1 ("RSA PRIVATE KEY") or SEC 1 ("EC PRIVATE KEY").
// It is an RSA key of 2048 to 8192 bits, which signs RS256, an EC key on
// P-256 or P-384 (ES256, ES384) or an Ed25519 key (EdDSA). Errors say what
// the text is instead, and the command that helps; they hold none of it.
func ParseSigningKey(text []byte) (*SigningKey, error) {
	block, err := onlyBlock(text)
	if err != nil {
		return nil, err
	}
	private, err := parsePrivateKey(block)
	if err != nil {
		return nil, err
	}
	algorithm, err := signingAlgorithm(private.Public())
	if err != nil {
		return nil, err
	}
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("naming the signing key: %w", err)
	}
	return &SigningKey{private, algorithm, base64.RawURLEncoding.EncodeToString(thumbprint)}, nil
}

// onlyBlock returns the PEM block that is the key. "openssl ecparam" puts
// the curve's parameters in front of it, which say nothing new. A second
// key or a certificate beside it is refused: nobody should have to guess
// which of two keys is registered at the provider.
func onlyBlock(text []byte) (*pem.Block, error) {
	var found *pem.Block
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case block.Type == "EC PARAMETERS":
		case found != nil:
			return nil, fmt.Errorf("the text holds a second block (%s beside %s): leave one private key in it, and nothing else",
				blockName(block), blockName(found))
		default:
			found = block
		}
	}
	switch {
	case found != nil:
		return found, nil
	case bytes.Contains(text, []byte(`\n`)):
		return nil, errors.New(`the key has "\n" where PEM has line breaks: put them in, or name a file with {file.path}`)
	case bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")):
		return nil, errors.New("the key is JSON, not PEM: write it as -----BEGIN PRIVATE KEY----- (PKCS#8)")
	}
	return nil, errors.New("no PEM block is found: the key begins with -----BEGIN PRIVATE KEY----- and stands on lines of its own")
}

// blockName is the block's type in words that may be shown: a text that an
// operator mixed up can have anything there.
func blockName(block *pem.Block) string {
	known := []string{
		"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY",
		"PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "CERTIFICATE REQUEST",
	}
	if slices.Contains(known, block.Type) {
		return block.Type
	}
	return "unknown block"
}

func parsePrivateKey(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the key is encrypted, and the server starts without anybody to type a passphrase: " +
			"write it in plain with openssl pkey -in key.pem -out plain.pem, readable to the server alone")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "CERTIFICATE", "CERTIFICATE REQUEST":
		return nil, errors.New("this is a certificate: write the private key that belongs to it")
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return nil, errors.New("this is a public key, which goes to the provider: write the private one")
	case "OPENSSH PRIVATE KEY":
		return nil, errors.New("the key is in OpenSSH's form: convert it with ssh-keygen -p -m PKCS8 -f <file>")
	default:
		return nil, errors.New("the PEM block is no private key: it begins with -----BEGIN PRIVATE KEY-----")
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		// Not %w: what the parser says may quote what it read.
		return nil, fmt.Errorf("the %s cannot be read: it is damaged, or of another kind than %s", blockName(block), keyKinds)
	}
	return signer, nil
}

// keyKinds are the keys that ParseSigningKey takes.
const keyKinds = "RSA, EC (P-256, P-384) and Ed25519"

// signingAlgorithm returns the algorithm for a key, of which each kind has
// one: the choice is made with the key and nowhere else.
func signingAlgorithm(public crypto.PublicKey) (jose.SignatureAlgorithm, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); {
		case bits < minRSABits:
			return "", fmt.Errorf("an RSA key of %d bits is too weak: make one with "+
				"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem", bits)
		case bits > maxRSABits:
			return "", fmt.Errorf("an RSA key of %d bits is too large: use at most %d", bits, maxRSABits)
		}
		return jose.RS256, nil
	case *ecdsa.PublicKey:
		switch key.Curve.Params().Name {
		case "P-256":
			return jose.ES256, nil
		case "P-384":
			return jose.ES384, nil
		}
		return "", fmt.Errorf("an EC key on %s is not supported: use P-256 or P-384", key.Curve.Params().Name)
	case ed25519.PublicKey:
		return jose.EdDSA, nil
	}
	return "", fmt.Errorf("a key of this kind is not supported: use one of %s", keyKinds)
}

// signer returns what signs under the given kid, or without one.
func (k *SigningKey) signer(kid string) (jose.Signer, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: k.algorithm, Key: jose.JSONWebKey{Key: k.private, KeyID: kid}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("preparing the signing key: %w", err)
	}
	return signer, nil
}

// ID is the key's thumbprint (RFC 7638, SHA-256, base64url): 43 characters.
// The assertions bear it as "kid".
func (k *SigningKey) ID() string { return k.id }

// Algorithm is what the key signs with: "RS256", "ES256", "ES384" or
// "EdDSA".
func (k *SigningKey) Algorithm() string { return string(k.algorithm) }

// PublicJWK returns the public key as a JSON Web Key (RFC 7517) with kid,
// use and alg, to be registered at the provider.
func (k *SigningKey) PublicJWK() ([]byte, error) {
	return json.Marshal(jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: k.Algorithm(), Use: "sig"})
}

// PublicPEM returns the public key as a PEM block "PUBLIC KEY" (RFC 7468,
// 13), which Auth0 wants.
func (k *SigningKey) PublicPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// String returns algorithm and id.
func (k *SigningKey) String() string { return k.Algorithm() + " key " + k.id }

// GoString is String, for "%#v".
func (k *SigningKey) GoString() string { return k.String() }
