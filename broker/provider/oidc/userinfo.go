package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// maxUserinfo bounds a userinfo answer.
const maxUserinfo = 256 << 10

// userinfo returns the claims of the userinfo endpoint for subject, or nil
// where the connection does not ask, or does not insist. It makes one call,
// or none: Auth0 grants a user five a minute. Errors are *provider.Error.
func (p *Provider) userinfo(ctx context.Context, md *metadata, accessToken, subject string) (claimSet, error) {
	if p.cfg.Userinfo == UserinfoOff {
		return nil, nil
	}
	set, err := p.fetchUserinfo(ctx, md, accessToken)
	if err == nil && set.text("sub") != subject {
		// The access token could be another person's, put in by whoever
		// controls the response; so "optional" does not excuse it
		// (OpenID Connect Core, 5.3.2).
		return nil, denial(provider.ReasonUserinfoSubject, errors.New("userinfo is about another subject than the ID token"))
	}
	if err != nil && p.cfg.Userinfo == UserinfoOptional {
		p.log.Warn("userinfo failed, going on without it", zap.Error(err))
		return nil, nil
	}
	if err != nil {
		return nil, userinfoFailure(err)
	}
	return set, nil
}

func userinfoFailure(err error) *provider.Error {
	e := failure(provider.ReasonUserinfo, fmt.Errorf("calling userinfo: %w", err))
	e.RetryAfter = retryAfter(err)
	status, ok := errors.AsType[*statusError](err)
	switch {
	case ok && status.status == http.StatusTooManyRequests:
		e.Reason = provider.ReasonRateLimited
		e.Hint = "write userinfo optional if no attribute from there is required"
	case errors.Is(err, errMisconfigured):
		e.Reason = provider.ReasonMisconfigured
	}
	return e
}

func (p *Provider) fetchUserinfo(ctx context.Context, md *metadata, accessToken string) (claimSet, error) {
	if md.UserinfoEndpoint == "" {
		return nil, fmt.Errorf("%w: the metadata names no userinfo_endpoint", errMisconfigured)
	}
	doc, err := p.fetch(ctx, md.UserinfoEndpoint, accessToken, maxUserinfo)
	if err != nil {
		return nil, err
	}
	return p.parseUserinfo(ctx, doc)
}

// parseUserinfo reads both forms: JSON, and a JWT signed by the issuer for
// this client (OpenID Connect Core, 5.3.2). The form is taken from the
// media type, so that an HTML error page is not searched for claims.
func (p *Provider) parseUserinfo(ctx context.Context, doc *document) (claimSet, error) {
	switch {
	case doc.mediaType == "application/jwt":
		h, payload, err := p.keys.verify(ctx, string(doc.body))
		if err != nil {
			return nil, err
		}
		set, err := decodeClaims(payload)
		if err != nil {
			return nil, fmt.Errorf("signed userinfo is %w", err)
		}
		return set, p.checkSigned(h, set, p.cfg.ClientID, "jwt", "userinfo+jwt")
	case doc.mediaType == "application/json" || strings.HasSuffix(doc.mediaType, "+json"):
		set, err := decodeClaims(doc.body)
		if err != nil {
			return nil, fmt.Errorf("userinfo is %w", err)
		}
		return set, nil
	}
	return nil, fmt.Errorf("userinfo has the media type %.100q", doc.mediaType)
}

// checkSigned checks what any signed document of the issuer must say,
// whether or not times are in it: its kind, issuer and audience. An ID
// token of another client, or a logout token, bears the same signature.
func (p *Provider) checkSigned(h *header, set claimSet, audience string, types ...string) error {
	now := p.now()
	exp, hasExp := set.instant("exp")
	nbf, hasNBF := set.instant("nbf")
	switch {
	case !h.isType(types...):
		return fmt.Errorf("%w: typ %.50q is another kind of token", errToken, h.typ)
	case set.text("iss") != p.cfg.Issuer:
		return fmt.Errorf("%w: iss is not the issuer", errToken)
	case !set.isFor(audience):
		return fmt.Errorf("%w: aud does not name %q", errToken, audience)
	case hasExp && !now.Before(exp.Add(clockSkew)), hasNBF && now.Add(clockSkew).Before(nbf):
		return fmt.Errorf("%w: outside its time", errToken)
	}
	return nil
}
