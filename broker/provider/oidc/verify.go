package oidc

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// Tolerances between two clocks (S30).
const (
	clockSkew  = time.Minute     // exp, nbf, auth_time
	issuedSkew = 5 * time.Minute // iat ahead of us
)

// maxSubject bounds "sub" in bytes (OpenID Connect Core, 2).
const maxSubject = 255

// An expectation is what the ID token of one sign-in must say.
type expectation struct {
	nonce       string
	accessToken string

	// authAfter is the earliest auth_time that will do; zero if the
	// request did not demand a recent one.
	authAfter time.Time

	// silent is set if the client sent prompt=none, and may be told to
	// ask the user.
	silent bool

	// date is the provider's clock, from the Date header of the token
	// response; zero if it had none.
	date time.Time
}

// verifyIDToken verifies raw (OpenID Connect Core, 3.1.3.7, and S30) and
// returns its claims. Errors are *provider.Error.
func (p *Provider) verifyIDToken(ctx context.Context, raw string, want expectation) (claimSet, error) {
	h, payload, err := p.keys.verify(ctx, raw)
	if err != nil {
		return nil, p.signatureFailure(err)
	}
	if !h.isType("jwt", "id_token+jwt") {
		return nil, invalid("typ %.50q is another kind of token", h.typ)
	}
	set, err := decodeClaims(payload)
	if err != nil {
		return nil, invalid("payload is %w", err)
	}
	if err := p.checkParties(set); err != nil {
		return nil, err
	}
	if err := p.checkTimes(set, want); err != nil {
		return nil, err
	}
	nonce := set.text("nonce")
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(want.nonce)) != 1 {
		// An attacker who got hold of a victim's code or token replays
		// it in a sign-in of his own; only the nonce tells.
		return nil, invalid("nonce is missing or of another sign-in")
	}
	if err := p.readAgain(ctx, raw, payload, want.accessToken); err != nil {
		return nil, err
	}
	return set, nil
}

// signatureFailure tells a bad token from missing keys.
func (p *Provider) signatureFailure(err error) *provider.Error {
	if !errors.Is(err, errToken) {
		return upstreamFailure(err)
	}
	e := failure(provider.ReasonIDTokenInvalid, err)
	switch {
	case errors.Is(err, errSymmetric):
		e.Hint = p.cfg.Hints.SymmetricAlgorithm
	case errors.Is(err, errEncrypted):
		e.Hint = "switch ID token encryption off at the provider"
	}
	return e
}

// checkParties checks who the token is from, for and about.
func (p *Provider) checkParties(set claimSet) error {
	aud := set.audience()
	_, hasAZP := set["azp"]
	switch sub := set.text("sub"); {
	case set.text("iss") != p.cfg.Issuer:
		return invalid("iss %q is not %q", clip(set.text("iss")), p.cfg.Issuer)
	case !set.isFor(p.cfg.ClientID):
		return invalid("aud %.200q does not name this client", aud)
	case (len(aud) > 1 || hasAZP) && set.text("azp") != p.cfg.ClientID:
		// Without azp a token for several audiences may have been
		// handed to any of them, who now presents it here.
		return invalid("azp %q is not this client", clip(set.text("azp")))
	case sub == "":
		return invalid("sub is missing")
	case len(sub) > maxSubject:
		return invalid("sub is larger than %d bytes", maxSubject)
	}
	return nil
}

// checkTimes checks the token's times against our clock.
func (p *Provider) checkTimes(set claimSet, want expectation) error {
	now := p.now()
	exp, hasExp := set.instant("exp")
	nbf, hasNBF := set.instant("nbf")
	iat, hasIAT := set.instant("iat")
	_, sentNBF := set["nbf"]
	switch {
	case !hasExp:
		return invalid("exp is missing")
	case !hasIAT:
		return invalid("iat is missing")
	case sentNBF && !hasNBF:
		return invalid("nbf is not a time")
	case !now.Before(exp.Add(clockSkew)):
		return p.clockFailure(want, "exp is %s ago", now.Sub(exp))
	case hasNBF && now.Add(clockSkew).Before(nbf):
		return p.clockFailure(want, "nbf is %s ahead", nbf.Sub(now))
	case iat.After(now.Add(issuedSkew)):
		return p.clockFailure(want, "iat is %s ahead", iat.Sub(now))
	}
	return p.checkAuthTime(set, want)
}

// checkAuthTime refuses an older authentication than the request demanded.
// The demand travels in a URL that the user can edit: only the signed
// auth_time shows that the provider saw it.
func (p *Provider) checkAuthTime(set claimSet, want expectation) error {
	at, ok := set.instant("auth_time")
	switch {
	case ok && at.After(p.now().Add(issuedSkew)):
		return p.clockFailure(want, "auth_time is %s ahead", at.Sub(p.now()))
	case want.authAfter.IsZero():
		return nil
	case !ok:
		return want.tooOld(errors.New("auth_time is missing though max_age was sent"))
	case at.Before(want.authAfter.Add(-clockSkew)):
		return want.tooOld(fmt.Errorf("auth_time is %s older than max_age allows", want.authAfter.Sub(at).Round(time.Second)))
	}
	return nil
}

func (want expectation) tooOld(err error) *provider.Error {
	e := denial(provider.ReasonReauthentication, err)
	if want.silent {
		e.Code = codeLoginRequired
	}
	return e
}

// readAgain has go-oidc read the token too. It repeats the checks of
// issuer, audience and expiry with code that is not ours, and compares
// at_hash if the token has one (OpenID Connect Core, 3.1.3.6). Its clock
// is set back by the tolerance it does not have.
func (p *Provider) readAgain(ctx context.Context, raw string, payload []byte, accessToken string) error {
	verifier := goidc.NewVerifier(p.cfg.Issuer, verifiedPayload(payload), &goidc.Config{
		ClientID:             p.cfg.ClientID,
		SupportedSigningAlgs: p.cfg.Algorithms,
		Now:                  func() time.Time { return p.now().Add(-clockSkew) },
	})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return invalid("%s", clip(err.Error()))
	}
	if token.AccessTokenHash != "" && token.VerifyAccessToken(accessToken) != nil {
		return invalid("at_hash does not match the access token")
	}
	return nil
}

// verifiedPayload is a key set for a token whose signature has been
// verified a moment ago.
type verifiedPayload []byte

func (v verifiedPayload) VerifySignature(context.Context, string) ([]byte, error) { return v, nil }

func invalid(format string, args ...any) *provider.Error {
	return failure(provider.ReasonIDTokenInvalid, fmt.Errorf(format, args...))
}

// clockFailure tells whose clock is to blame, as far as the provider's Date
// header shows.
func (p *Provider) clockFailure(want expectation, format string, by time.Duration) *provider.Error {
	e := failure(provider.ReasonClock, fmt.Errorf(format, by.Round(time.Second)))
	e.Hint = "compare this host's clock with the provider's"
	if !want.date.IsZero() {
		e.Hint = cmp.Or(clockHint(p.now().Sub(want.date), clockSkew/2), "this host's clock agrees with the provider's")
	}
	return e
}

// clockHint says how far this host's clock is ahead of the provider's, or
// behind; "" if by less than tolerance.
func clockHint(offset, tolerance time.Duration) string {
	switch offset = offset.Round(time.Second); {
	case offset >= tolerance:
		return fmt.Sprintf("this host's clock is %s ahead of the provider's", offset)
	case offset <= -tolerance:
		return fmt.Sprintf("this host's clock is %s behind the provider's", -offset)
	}
	return ""
}
