package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// tokens are what the token endpoint gave. They live until Complete
// returns.
type tokens struct {
	access, id string

	// date is the provider's clock; zero if unknown.
	date time.Time
}

// exchange redeems code (RFC 6749, 4.1.3). It posts once, whatever happens:
// after a lost answer the code may be spent, and providers take a second
// use for theft. Errors are *provider.Error and hold nothing of the
// response's body.
func (p *Provider) exchange(ctx context.Context, md *metadata, code, redirectURI, verifier string) (*tokens, error) {
	client := *p.outbound.HTTP()
	seen := &tap{next: client.Transport}
	client.Transport = seen
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &client)

	assertion, err := p.clientAssertion()
	if err != nil {
		return nil, failure(provider.ReasonMisconfigured, err)
	}
	params := append(assertionParams(assertion), oauth2.VerifierOption(verifier))
	token, err := p.oauth2Config(md, redirectURI).Exchange(ctx, code, params...)
	if err != nil {
		if seen.bodyErr != nil {
			return nil, upstreamFailure(fmt.Errorf("reading the token response: %w", seen.bodyErr))
		}
		return nil, p.exchangeFailure(err, code, verifier, assertion)
	}
	if !strings.EqualFold(token.Type(), "Bearer") {
		return nil, failure(provider.ReasonUpstreamError, errors.New("token_type is not Bearer"))
	}
	t := &tokens{access: token.AccessToken}
	t.date, _ = http.ParseTime(seen.header.Get("Date"))
	if t.id, _ = token.Extra("id_token").(string); t.id == "" {
		e := failure(provider.ReasonNoIDToken, errors.New("the token response has no id_token"))
		e.Hint = p.cfg.Hints.NoIDToken
		return nil, e
	}
	return t, nil
}

// exchangeFailure sorts an error by its code rather than by its status:
// Auth0 answers a bad code with 403 and a wrong secret with access_denied.
// What was sent is sent no further, if the answer repeats it.
func (p *Provider) exchangeFailure(err error, sent ...string) *provider.Error {
	// *url.Error names method and address; the form is in neither.
	if _, ok := errors.AsType[*url.Error](err); ok {
		return upstreamFailure(fmt.Errorf("redeeming code: %w", err))
	}
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return failure(provider.ReasonUpstreamError, errors.New("the token response is cut off or not the JSON it should be"))
	}
	if repeats(answer.ErrorCode+" "+answer.ErrorDescription, append(sent, p.cfg.ClientSecret)...) {
		answer.ErrorCode, answer.ErrorDescription = "", ""
	}
	// Not %w: RetrieveError's text may be the whole body.
	status := answer.Response.StatusCode
	e := failure(provider.ReasonUpstreamError,
		fmt.Errorf("the token endpoint answered %d, %s", status, plainCode(answer.ErrorCode)))
	e.Detail = clip(answer.ErrorDescription)
	switch answer.ErrorCode {
	case "invalid_grant":
		e.Reason = provider.ReasonCodeRejected
	case "invalid_client", "access_denied":
		e.Reason, e.Hint = provider.ReasonClientRejected, p.wrongCredentials(answer.Response.Header)
	case "unauthorized_client", "unsupported_grant_type":
		e.Reason, e.Hint = provider.ReasonMisconfigured, p.cfg.Hints.GrantNotAllowed
	case "invalid_request", "invalid_scope":
		e.Reason = provider.ReasonMisconfigured
	case "too_many_requests":
		status = http.StatusTooManyRequests
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Reason, e.Hint = provider.ReasonRateLimited, ""
		e.RetryAfter = retryAfterHeader(answer.Response.Header, p.now())
	case status >= 500:
		e.Reason, e.Hint = provider.ReasonUnreachable, ""
		e.RetryAfter = retryAfterHeader(answer.Response.Header, p.now())
	case status == http.StatusUnauthorized && e.Reason == provider.ReasonUpstreamError:
		e.Reason, e.Hint = provider.ReasonClientRejected, p.wrongCredentials(answer.Response.Header)
	}
	return e
}

// wrongCredentials is the hint for a client that was not authenticated. An
// assertion lives by two clocks, so a difference of them is told first.
func (p *Provider) wrongCredentials(h http.Header) string {
	if p.cfg.AuthMethod != AuthPrivateKeyJWT {
		return p.cfg.Hints.WrongSecret
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		if hint := clockHint(p.now().Sub(date), assertionSkew); hint != "" {
			return hint
		}
	}
	return p.cfg.Hints.WrongKey + "; it is the " + p.cfg.SigningKey.String()
}

// repeats says whether text contains one of the secrets. Some servers quote
// the request in their description, which goes to the log.
func repeats(text string, secrets ...string) bool {
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			return true
		}
	}
	return false
}

// A tap keeps what x/oauth2 drops or turns into text: the response's
// header, and why its body broke off.
type tap struct {
	next    http.RoundTripper
	header  http.Header
	bodyErr error
}

// RoundTrip implements [http.RoundTripper].
func (t *tap) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.header = resp.Header
	resp.Body = &tappedBody{ReadCloser: resp.Body, err: &t.bodyErr}
	return resp, nil
}

type tappedBody struct {
	io.ReadCloser
	err *error
}

func (b *tappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		*b.err = err
	}
	return n, err
}
