package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// Limits of an authorization response.
const (
	maxQuery = 16 << 10
	maxCode  = 2 << 10
)

// An answer is the authorization response the browser brought: a code or
// an error.
type answer struct {
	code        string
	errorCode   string
	description string
	issuer      string
	hasIssuer   bool
}

// parseAnswer reads the query (RFC 6749, 4.1.2). A parameter that comes
// twice is refused: whoever added one would decide which of them counts.
// Unknown parameters are ignored.
func parseAnswer(r *http.Request) (*answer, error) {
	malformed := func(text string) error {
		return failure(provider.ReasonResponseMalformed, errors.New(text))
	}
	if len(r.URL.RawQuery) > maxQuery {
		return nil, malformed("query is too large")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed("query is malformed")
	}
	for _, name := range []string{"code", "error", "error_description", "state", "iss"} {
		if len(query[name]) > 1 {
			return nil, malformed(name + " comes more than once")
		}
	}
	a := &answer{
		code:        query.Get("code"),
		errorCode:   query.Get("error"),
		description: query.Get("error_description"),
		issuer:      query.Get("iss"),
		hasIssuer:   query.Has("iss"),
	}
	switch {
	case a.code == "" && a.errorCode == "":
		return nil, malformed("neither code nor error")
	case query.Has("code") && query.Has("error"):
		return nil, malformed("both code and error")
	case len(a.code) > maxCode:
		return nil, malformed("code is too large")
	}
	return a, nil
}

// checkIssuer compares the response's "iss" (RFC 9207, 2.4). It is looked
// at whenever it is there, and must be there if the metadata says so: in a
// mix-up the code of an honest provider is sent to the attacker's.
func (p *Provider) checkIssuer(a *answer, md *metadata) error {
	switch {
	case a.hasIssuer && a.issuer != p.cfg.Issuer:
		return failure(provider.ReasonIssuerMismatch, fmt.Errorf("iss %q is not %q", clip(a.issuer), p.cfg.Issuer))
	case !a.hasIssuer && md.SendsIssuer:
		return failure(provider.ReasonIssuerMismatch, errors.New("iss is missing though the provider promises it"))
	}
	return nil
}

// refusal turns the error of a response into ours. The provider's text goes
// to the log alone, since it may repeat what a user or an attacker typed.
func (p *Provider) refusal(a *answer, req provider.Request) *provider.Error {
	e := failure(provider.ReasonUpstreamError, fmt.Errorf("provider answered %s", plainCode(a.errorCode)))
	e.Detail = clip(a.description)
	switch a.errorCode {
	case "access_denied":
		e.Code, e.Reason = codeAccessDenied, provider.ReasonDenied
		if strings.HasPrefix(a.description, "Service not found") {
			e.Hint = "audience names no API of the provider"
		}
	case "unauthorized":
		// Auth0's word for a blocked user.
		e.Code, e.Reason = codeAccessDenied, provider.ReasonBlocked
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		e.Code, e.Reason = codeAccessDenied, provider.ReasonInteraction
		if slices.Contains(req.Prompt, "none") {
			e.Code = a.errorCode
		}
	case "invalid_request", "invalid_scope", "unsupported_response_type", "request_not_supported":
		e.Reason = provider.ReasonMisconfigured
		e.Hint = "check the connection's organization, connection, audience and authorize_param settings"
	case "unauthorized_client":
		e.Reason, e.Hint = provider.ReasonMisconfigured, p.cfg.Hints.GrantNotAllowed
	case "too_many_requests":
		e.Reason = provider.ReasonRateLimited
	}
	return e
}

// plainCode returns an error code if it looks like one (RFC 6749, 4.1.2.1):
// it goes into messages, and anyone can send the browser here with another.
func plainCode(code string) string {
	odd := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }
	if code == "" || len(code) > 64 || strings.ContainsFunc(code, odd) {
		return "an unknown error"
	}
	return code
}
