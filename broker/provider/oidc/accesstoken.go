package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"
)

// accessTokenClaims returns the claims of the access token if it is a JWT
// for the configured audience, signed by the issuer, given to this client
// and about subject. Otherwise nil: an access token is its API's to read,
// and one that we cannot read ends no sign-in.
//
// Without Audience the token is not looked at. Auth0's opaque one is a
// five-part JWE that resembles a JWT.
func (p *Provider) accessTokenClaims(ctx context.Context, token, subject string) claimSet {
	if p.cfg.Audience == "" {
		return nil
	}
	if dots := strings.Count(token, "."); dots != 2 {
		p.log.Warn("the access token is opaque; attributes from it are absent",
			zap.String("hint", p.cfg.Hints.OpaqueAccessToken))
		return nil
	}
	set, err := p.readAccessToken(ctx, token, subject)
	if err != nil {
		p.log.Warn("the access token is not used; attributes from it are absent", zap.Error(err),
			zap.String("hint", p.cfg.Hints.OpaqueAccessToken))
		return nil
	}
	return set
}

func (p *Provider) readAccessToken(ctx context.Context, token, subject string) (claimSet, error) {
	h, payload, err := p.keys.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	set, err := decodeClaims(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: payload is %w", errToken, err)
	}
	if err := p.checkSigned(h, set, p.cfg.Audience, "jwt", "at+jwt"); err != nil {
		return nil, err
	}
	// RFC 9068 calls it client_id, Auth0's own profile azp.
	client := set.text("client_id")
	if client == "" {
		client = set.text("azp")
	}
	switch _, hasExp := set.instant("exp"); {
	case !hasExp:
		return nil, errors.New("exp is missing")
	case client != p.cfg.ClientID:
		return nil, errors.New("it was given to another client")
	case set.text("sub") != subject:
		return nil, errors.New("it is about another subject than the ID token")
	}
	return set, nil
}
