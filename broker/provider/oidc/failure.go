package oidc

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// OAuth errors the client of the broker may receive.
const (
	codeAccessDenied  = "access_denied"
	codeLoginRequired = "login_required"
	codeUnavailable   = "temporarily_unavailable"
)

// failure returns the error of a sign-in that ended through no decision of
// the user or the provider's rules: all of those look alike to the client.
func failure(reason provider.Reason, err error) *provider.Error {
	return &provider.Error{Code: codeUnavailable, Reason: reason, Err: err}
}

// denial returns the error of a sign-in that such a decision ended.
func denial(reason provider.Reason, err error) *provider.Error {
	return &provider.Error{Code: codeAccessDenied, Reason: reason, Err: err}
}

// upstreamFailure says why a call upstream yielded nothing.
func upstreamFailure(err error) *provider.Error {
	if known, ok := errors.AsType[*provider.Error](err); ok {
		return known
	}
	e := failure(provider.ReasonUnreachable, err)
	if status, ok := errors.AsType[*statusError](err); ok {
		e.RetryAfter = status.retryAfter
		switch {
		case status.status == http.StatusTooManyRequests:
			e.Reason = provider.ReasonRateLimited
		case status.status < 500:
			e.Reason = provider.ReasonMisconfigured
			e.Hint = "check the issuer or domain"
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		e.Hint = "the name is not found; check the domain or issuer, and this machine's name service"
	} else if _, ok := errors.AsType[*net.OpError](err); ok {
		e.Hint = "no connection; check the domain or issuer, and that this machine may reach it"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Hint = "the certificate does not verify; a private authority goes into outbound { trusted_roots }"
	}
	switch {
	case errors.Is(err, errMisconfigured), errors.Is(err, outbound.ErrBlocked), errors.Is(err, outbound.ErrRedirect):
		e.Reason = provider.ReasonMisconfigured
	}
	return e
}
