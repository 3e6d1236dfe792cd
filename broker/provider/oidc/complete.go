package oidc

import (
	"context"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// completeTimeout bounds a callback; each call in it has the outbound
// client's own limit.
const completeTimeout = 15 * time.Second

// Complete implements [provider.Provider]. req is the request that Begin
// got: what it demanded (prompt, max_age) is checked here. All errors are
// *provider.Error.
func (p *Provider) Complete(ctx context.Context, private []byte, req provider.Request, r *http.Request) (*provider.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()

	secrets, err := openSeed(private)
	if err != nil {
		return nil, failure(provider.ReasonResponseMalformed, err)
	}
	answer, err := parseAnswer(r)
	if err != nil {
		return nil, err
	}
	md, err := p.metadata.get(ctx)
	if err != nil {
		return nil, upstreamFailure(err)
	}
	if err := p.checkIssuer(answer, md); err != nil {
		return nil, err
	}
	if answer.errorCode != "" {
		return nil, p.refusal(answer, req)
	}
	tokens, err := p.exchange(ctx, md, answer.code, req.RedirectURI, secrets.verifier())
	if err != nil {
		return nil, err
	}
	return p.identify(ctx, md, tokens, expectation{
		nonce:       secrets.nonce(),
		accessToken: tokens.access,
		authAfter:   p.authAfter(req),
		silent:      slices.Contains(req.Prompt, "none"),
		date:        tokens.date,
	})
}

// identify verifies the tokens and reads the documents out of them.
func (p *Provider) identify(ctx context.Context, md *metadata, t *tokens, want expectation) (*provider.Identity, error) {
	idToken, err := p.verifyIDToken(ctx, t.id, want)
	if err != nil {
		return nil, err
	}
	if err := p.checkOrganization(idToken); err != nil {
		return nil, err
	}
	subject := idToken.text("sub")
	documents := claims.Documents{claims.IDToken: idToken}

	userinfo, err := p.userinfo(ctx, md, t.access, subject)
	if err != nil {
		return nil, err
	}
	if userinfo != nil {
		documents[claims.Userinfo] = userinfo
	}
	if access := p.accessTokenClaims(ctx, t.access, subject); access != nil {
		documents[claims.AccessToken] = access
	}

	authTime, _ := idToken.instant("auth_time")
	return &provider.Identity{
		Issuer:    p.cfg.Issuer,
		Subject:   subject,
		SessionID: idToken.text("sid"),
		AuthTime:  authTime,
		AMR:       p.methods(idToken),
		ACR:       idToken.text("acr"),
		Documents: documents,
	}, nil
}

// methods returns "amr" as [authn.ParseAMR] reads it. What is dropped is
// counted, not shown: it came from outside.
func (p *Provider) methods(set claimSet) []string {
	methods, dropped := authn.ParseAMR(set["amr"])
	if dropped > 0 {
		p.log.Warn("amr has elements that are no method names", zap.Int("dropped", dropped))
	}
	return methods
}
