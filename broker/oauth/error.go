package oauth

import (
	"net/http"
	"net/url"
)

// Error codes of RFC 6749 (4.1.2.1, 5.2), OpenID Connect Core (3.1.2.6) and
// RFC 6750 (3.1). The last one is ours: it names what an error page, which
// never redirects, is about.
const (
	InvalidRequest          = "invalid_request"
	InvalidClient           = "invalid_client"
	InvalidGrant            = "invalid_grant"
	InvalidScope            = "invalid_scope"
	InvalidToken            = "invalid_token"
	InsufficientScope       = "insufficient_scope"
	UnsupportedGrantType    = "unsupported_grant_type"
	UnsupportedResponseType = "unsupported_response_type"
	AccessDenied            = "access_denied"
	ServerError             = "server_error"
	LoginRequired           = "login_required"
	InteractionRequired     = "interaction_required"
	ConsentRequired         = "consent_required"
	RequestNotSupported     = "request_not_supported"
	RequestURINotSupported  = "request_uri_not_supported"
	RegistrationUnsupported = "registration_not_supported"
	UnauthorizedClient      = "unauthorized_client"
	TemporarilyUnavailable  = "temporarily_unavailable"

	// UnsupportedTokenType is of RFC 7009, 2.2.1.
	UnsupportedTokenType = "unsupported_token_type"

	// UnmetAuthenticationRequirements is of OpenID Connect Unmet
	// Authentication Requirements 1.0.
	UnmetAuthenticationRequirements = "unmet_authentication_requirements"

	InvalidRedirectURI = "invalid_redirect_uri"
)

// An Error is a protocol error: what the other side is told. Its
// description is our own printable ASCII text, never an echo of input.
type Error struct {
	Code        string
	Description string

	// Status is the HTTP status where the error is answered directly;
	// 0 means 400.
	Status int
}

// Error returns code and description.
func (e *Error) Error() string {
	if e.Description == "" {
		return e.Code
	}
	return e.Code + ": " + e.Description
}

// HTTPStatus returns Status, or 400 where none is set.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// newError returns an Error with the default status.
func newError(code, description string) *Error {
	return &Error{Code: code, Description: description}
}

// RedirectWith returns redirectURI with params added to its query (RFC 6749,
// 4.1.2). What the registered URI carries in its own query stays, in front
// and byte for byte.
func RedirectWith(redirectURI string, params url.Values) string {
	sep := "?"
	for i := range len(redirectURI) {
		if redirectURI[i] == '?' {
			sep = "&"
			break
		}
	}
	return redirectURI + sep + params.Encode()
}
