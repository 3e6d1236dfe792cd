package oidc

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"
)

// block encodes der as PEM.
func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// pkcs8 encodes a private key as people keep it.
func pkcs8(t *testing.T, private any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func sec1(t *testing.T, private *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return block("EC PRIVATE KEY", der)
}

// signingKey is k as an operator gives it.
func signingKey(t *testing.T, k testKey) *SigningKey {
	t.Helper()
	key, err := ParseSigningKey(pkcs8(t, k.private))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestParseSigningKey(t *testing.T) {
	p384 := newEC("", elliptic.P384()).private.(*ecdsa.PrivateKey)
	p521 := newEC("", elliptic.P521()).private
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private := rsaKey().private.(*rsa.PrivateKey)
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := pkcs8(t, private)
	join := func(texts ...[]byte) []byte { return bytes.Join(texts, nil) }
	encrypted := pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: []byte("not-a-secret"),
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"},
	})
	cases := []struct {
		name string
		text []byte
		want string // the algorithm, or part of the error
	}{
		{"RSA, PKCS#8", good, "RS256"},
		{"RSA, PKCS#1", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)), "RS256"},
		{"P-256, PKCS#8", pkcs8(t, ecKey().private), "ES256"},
		{"P-256, SEC 1", sec1(t, ecKey().private.(*ecdsa.PrivateKey)), "ES256"},
		{"P-384, SEC 1", sec1(t, p384), "ES384"},
		{"SEC 1 behind its parameters", join(block("EC PARAMETERS", []byte{6, 0}), sec1(t, p384)), "ES384"},
		{"Ed25519", pkcs8(t, edKey().private), "EdDSA"},
		{"Windows line breaks", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), "RS256"},
		{"no line break at the end, as {file.path} gives it", bytes.TrimSpace(good), "RS256"},
		{"text in front", join([]byte("Bag Attributes\n"), good), "RS256"},

		{"nothing", nil, "no PEM block is found: the key begins with -----BEGIN PRIVATE KEY-----"},
		{"a path", []byte("/run/secrets/key.pem"), "no PEM block is found"},
		{"written-out line breaks", bytes.ReplaceAll(good, []byte("\n"), []byte(`\n`)), `has "\n" where PEM has line breaks`},
		{"one line", bytes.ReplaceAll(good, []byte("\n"), []byte(" ")), "stands on lines of its own"},
		{"a JWK", []byte(` {"kty":"RSA","d":"not-a-secret"}`), "is JSON, not PEM"},
		{"a certificate", block("CERTIFICATE", []byte("x")), "is a certificate: write the private key"},
		{"a certificate beside it", join(good, block("CERTIFICATE", []byte("x"))), "(CERTIFICATE beside PRIVATE KEY)"},
		{"two keys", join(good, pkcs8(t, ecKey().private)), "(PRIVATE KEY beside PRIVATE KEY)"},
		{"the public key", block("PUBLIC KEY", public), "is a public key, which goes to the provider"},
		{"the public key, PKCS#1", block("RSA PUBLIC KEY", []byte("x")), "is a public key"},
		{"encrypted, PKCS#8", block("ENCRYPTED PRIVATE KEY", []byte("x")), "is encrypted"},
		{"encrypted, PKCS#1", encrypted, "is encrypted"},
		{"OpenSSH", block("OPENSSH PRIVATE KEY", []byte("x")), "ssh-keygen -p -m PKCS8"},
		{"another block", block("not-a-secret", []byte("x")), "is no private key"},
		{"damaged", block("PRIVATE KEY", []byte("not-a-secret")), "the PRIVATE KEY cannot be read: it is damaged"},
		{"called by another name", block("EC PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)), "the EC PRIVATE KEY cannot be read"},
		{"RSA, 1024 bits", pkcs8(t, weakRSA().private), "an RSA key of 1024 bits is too weak"},
		{"P-521", pkcs8(t, p521), "P-521 is not supported: use P-256 or P-384"},
		{"X25519, which cannot sign", pkcs8(t, x25519), "cannot be read"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			key, err := ParseSigningKey(c.text)
			if err == nil {
				if key.Algorithm() != c.want {
					t.Errorf("got %s, want %s", key.Algorithm(), c.want)
				}
				return
			}
			wantText(t, err.Error(), c.want)
			if key != nil {
				t.Error("a key came back beside the error")
			}
			for line := range strings.Lines(string(c.text) + "\nnot-a-secret") {
				line = strings.TrimSpace(line)
				if len(line) > 8 && !strings.Contains(line, "-----") && strings.Contains(err.Error(), line) {
					t.Errorf("the error quotes the text: %v", err)
				}
			}
		})
	}
}

// The id is the RFC 7638 thumbprint, computed here by hand, and what an
// operator registers is the public key under that id, in either form.
func TestSigningKeyIsNamedByItsThumbprint(t *testing.T) {
	point := func(k testKey) (x, y []byte) {
		raw, err := k.private.Public().(*ecdsa.PublicKey).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return raw[1:33], raw[33:]
	}
	b64 := base64.RawURLEncoding.EncodeToString
	x, y := point(ecKey())
	members := map[*SigningKey]string{
		signingKey(t, ecKey()): fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, b64(x), b64(y)),
		signingKey(t, rsaKey()): fmt.Sprintf(`{"e":"AQAB","kty":"RSA","n":%q}`,
			b64(rsaKey().private.Public().(*rsa.PublicKey).N.Bytes())),
	}
	for key, canonical := range members {
		t.Run(key.Algorithm(), func(t *testing.T) {
			sum := sha256.Sum256([]byte(canonical))
			if key.ID() != b64(sum[:]) {
				t.Errorf("id %q, want %q", key.ID(), b64(sum[:]))
			}
			raw, err := key.PublicJWK()
			if err != nil {
				t.Fatal(err)
			}
			var jwk jose.JSONWebKey
			if err := json.Unmarshal(raw, &jwk); err != nil {
				t.Fatal(err)
			}
			if !jwk.IsPublic() || jwk.KeyID != key.ID() || jwk.Use != "sig" || jwk.Algorithm != key.Algorithm() {
				t.Errorf("JWK %s", raw)
			}
			text, err := key.PublicPEM()
			if err != nil {
				t.Fatal(err)
			}
			decoded, _ := pem.Decode(text)
			public, err := x509.ParsePKIXPublicKey(decoded.Bytes)
			if err != nil || !public.(interface{ Equal(crypto.PublicKey) bool }).Equal(jwk.Key) {
				t.Errorf("PEM holds %v, %v; want the key of the JWK", public, err)
			}
		})
	}
}

// A configuration that is printed, in whatever way, shows no private key.
func TestM33_SigningKeyPrintsItsNameOnly(t *testing.T) {
	key := signingKey(t, edKey())
	asJSON, err := json.Marshal(key) //nolint:staticcheck // SA9005: that nothing comes of it is the point
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, key); got != "EdDSA key "+key.ID() {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if string(asJSON) != "{}" {
		t.Errorf("as JSON: %s", asJSON)
	}
}
