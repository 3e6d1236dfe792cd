package brokertest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Defect is one way in which a signed token can be wrong. The zero value
// is no defect.
type Defect string

// Claims that are wrong, in a token whose signature is right.
const (
	WrongAudience      Defect = "aud is another application"
	ForeignParty       Defect = "several aud, azp is another application"
	WrongIssuer        Defect = "iss is another tenant"
	IssuerWithoutSlash Defect = "iss lacks the trailing slash"
	WrongNonce         Defect = "nonce is another"
	NoNonce            Defect = "nonce is missing"
	NoSubject          Defect = "sub is missing"
	EmptySubject       Defect = "sub is empty"
	NumericSubject     Defect = "sub is a number"
	Expired            Defect = "exp is an hour ago"
	NoExpiry           Defect = "exp is missing"
	NotYetValid        Defect = "nbf is in an hour"
	IssuedAhead        Defect = "iat is in two hours"
	NoIssuedAt         Defect = "iat is missing"
)

// Signatures that prove nothing.
const (
	AlgNone         Defect = "alg is none"
	HMACSecret      Defect = "HS256 with the client secret"
	HMACPublicKey   Defect = "HS256 with the public key as secret"
	EmbeddedKey     Defect = "signed with the key in its own jwk header"
	KeyURLs         Defect = "signed with a key that jku and x5u point to"
	OtherAlgorithm  Defect = "RS384 instead of RS256"
	BadSignature    Defect = "signature of a foreign key under a known kid"
	UnknownKey      Defect = "kid is not in the key set"
	TamperedPayload Defect = "claims changed after signing"
	Garbage         Defect = "not a token"
	TwoTokens       Defect = "two tokens in a row"
	Encrypted       Defect = "looks like a JWE"
)

// NoKeyID leaves "kid" out. It is the one defect a relying party may
// forgive, by trying the keys it knows.
const NoKeyID Defect = "kid is missing"

// Defects returns every defect that an ID token must be refused for.
func Defects() []Defect {
	return []Defect{
		WrongAudience, ForeignParty, WrongIssuer, IssuerWithoutSlash, WrongNonce, NoNonce,
		NoSubject, EmptySubject, NumericSubject, Expired, NoExpiry, NotYetValid, IssuedAhead, NoIssuedAt,
		AlgNone, HMACSecret, HMACPublicKey, EmbeddedKey, KeyURLs, OtherAlgorithm, BadSignature, UnknownKey,
		TamperedPayload, Garbage, TwoTokens, Encrypted,
	}
}

// spoilClaims applies a defect of the claims.
func (d Defect) spoilClaims(claims map[string]any, now time.Time) {
	ahead := func(by time.Duration) int64 { return now.Add(by).Unix() }
	switch d {
	case WrongAudience:
		claims["aud"] = "another-application"
	case ForeignParty:
		claims["aud"] = []any{claims["aud"], "another-application"}
		claims["azp"] = "another-application"
	case WrongIssuer:
		claims["iss"] = "https://another-tenant.example.com/"
	case IssuerWithoutSlash:
		claims["iss"] = strings.TrimSuffix(claims["iss"].(string), "/")
	case WrongNonce:
		if _, ok := claims["nonce"]; ok {
			claims["nonce"] = "another-nonce"
		}
	case NoNonce:
		delete(claims, "nonce")
	case NoSubject:
		delete(claims, "sub")
	case EmptySubject:
		claims["sub"] = ""
	case NumericSubject:
		claims["sub"] = 42
	case Expired:
		claims["iat"], claims["exp"] = ahead(-11*time.Hour), ahead(-time.Hour)
	case NoExpiry:
		delete(claims, "exp")
	case NotYetValid:
		claims["nbf"] = ahead(time.Hour)
	case IssuedAhead:
		claims["iat"] = ahead(2 * time.Hour)
	case NoIssuedAt:
		delete(claims, "iat")
	}
}

// sign makes a compact token of claims, right or with the defect.
func (d Defect) sign(s signer, claims map[string]any) string {
	switch d {
	case AlgNone:
		return segment(map[string]any{"alg": "none", "typ": s.typ}) + "." + segment(claims) + "."
	case HMACSecret:
		return s.hmac(claims, []byte(s.secret))
	case HMACPublicKey:
		return s.hmac(claims, publicPEM(s.key.Key.(*rsa.PrivateKey)))
	case EmbeddedKey:
		s.embed = true
		return s.withKey(foreignKey(), "").compact(claims)
	case KeyURLs:
		s.extra = map[string]any{
			"jku": "https://another-tenant.example.com/jwks.json",
			"x5u": "https://another-tenant.example.com/key.pem",
		}
		return s.withKey(foreignKey(), "foreign").compact(claims)
	case OtherAlgorithm:
		s.alg = jose.RS384
	case BadSignature:
		return s.withKey(foreignKey(), s.key.KeyID).compact(claims)
	case UnknownKey:
		return s.withKey(foreignKey(), "unknown-"+s.random(8)).compact(claims)
	case NoKeyID:
		return s.withKey(s.key.Key, "").compact(claims)
	case TamperedPayload:
		parts := strings.Split(s.compact(claims), ".")
		changed := maps.Clone(claims)
		changed["sub"] = "auth0|someone-else"
		return parts[0] + "." + segment(changed) + "." + parts[2]
	case Garbage:
		return "this is not a token"
	case TwoTokens:
		return s.compact(claims) + "." + s.compact(claims)
	case Encrypted:
		return opaque(s.issuer, s.random)
	}
	return s.compact(claims)
}

// foreignKey is the attacker's.
func foreignKey() *rsa.PrivateKey { return sharedKeys[len(sharedKeys)-1]() }

// publicPEM is the public key in the form that a confused verifier would
// use as an HMAC secret.
func publicPEM(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic("brokertest: encoding a public key: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func segment(document any) string {
	return base64.RawURLEncoding.EncodeToString(mustJSON(document))
}
