package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// ErrInvalid is returned for every token that is not what it should be, and
// ours; which check failed is nobody's business but the log's.
var ErrInvalid = errors.New("invalid token")

// maxToken bounds what is parsed at all, and what is issued as an access
// token.
const maxToken = 16 << 10

// Access is a verified access token.
type Access struct {
	ID       string   `json:"jti"`
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	ClientID string   `json:"client_id"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"`
	Issued   int64    `json:"iat"`

	// Scope is the list of scopes, separated by spaces; Connection is where
	// the user came from, empty in a token that is the client's own.
	Scope      string `json:"scope"`
	Connection string `json:"idp"`
}

// audience reads both forms of "aud" (RFC 7519, 4.1.3).
type audience []string

// UnmarshalJSON takes a string or an array of strings.
func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}

// canonical says whether raw is spelled as sign spells it. Base64 decoders
// skip line breaks and ignore spare bits, so one signature would fit many
// texts, and whoever tells tokens apart by their text (a deny list, a cache)
// could be shown a twin.
func canonical(raw string) bool {
	for part := range strings.SplitSeq(raw, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return false
		}
	}
	return !strings.ContainsAny(raw, "\r\n")
}

// VerifyAccess checks that raw is an access token signed by us, for the
// audience, and not expired (RFC 9068, 4). A token with another type, such
// as an ID token, is refused even though its signature is ours.
func (m *Minter) VerifyAccess(ctx context.Context, raw, aud string) (*Access, error) {
	a, err := m.VerifyIssued(ctx, raw)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(a.Audience, aud) {
		return nil, ErrInvalid
	}
	return a, nil
}

// VerifyIssued is VerifyAccess for whatever audience. It is for endpoints that
// tell about tokens; a token that is to open something must be for it.
func (m *Minter) VerifyIssued(ctx context.Context, raw string) (*Access, error) {
	payload, err := m.verify(ctx, raw, typeAccessToken, jose.ES256)
	if err != nil {
		return nil, err
	}
	a := new(Access)
	if json.Unmarshal(payload, a) != nil || a.Issuer != m.Issuer || a.ID == "" || a.Subject == "" ||
		len(a.Audience) == 0 || !m.Now().Before(time.Unix(a.Expires, 0)) {
		return nil, ErrInvalid
	}
	return a, nil
}

// Identity is a verified ID token that a client shows as a hint.
type Identity struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	SID      string   `json:"sid"`
}

// VerifyHint checks that raw is an ID token signed by us for the client. It
// may have expired: it says whom the client means, and not that anybody is
// signed in (OpenID Connect Core, 3.1.2.1).
func (m *Minter) VerifyHint(ctx context.Context, raw, clientID string) (*Identity, error) {
	payload, err := m.verify(ctx, raw, typeJWT, jose.RS256, jose.ES256)
	if err != nil {
		return nil, err
	}
	id := new(Identity)
	if json.Unmarshal(payload, id) != nil || id.Issuer != m.Issuer || id.Subject == "" || !slices.Contains(id.Audience, clientID) {
		return nil, ErrInvalid
	}
	return id, nil
}

// verify returns the payload of a token of the type that one of our keys has
// signed.
func (m *Minter) verify(ctx context.Context, raw, typ string, algs ...jose.SignatureAlgorithm) ([]byte, error) {
	if len(raw) > maxToken || !canonical(raw) {
		return nil, ErrInvalid
	}
	set, err := m.Keys.load(ctx)
	if err != nil {
		return nil, err
	}
	jws, err := jose.ParseSignedCompact(raw, algs)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, ErrInvalid
	}
	head := jws.Signatures[0].Protected
	if got, _ := head.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return nil, ErrInvalid
	}
	keys := set.public.Key(head.KeyID)
	if len(keys) != 1 {
		return nil, ErrInvalid
	}
	payload, err := jws.Verify(keys[0])
	if err != nil {
		return nil, ErrInvalid
	}
	return payload, nil
}
