// Package provider is the contract between the broker and the upstream
// identity providers it sends people to.
//
// A provider knows a protocol and one connection's settings. It returns
// what the upstream said, verified but untouched: reading attributes out
// of it belongs to package claims. It keeps no state between Begin and
// Complete; what it must remember travels as an opaque private state that
// the broker seals into the visitor's browser.
package provider

import (
	"context"
	"net/http"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Provider is one configured connection.
type Provider interface {
	// Begin returns the URL that starts a sign-in upstream, and the
	// private state (at most 200 bytes) that Complete needs. The broker
	// seals that state, binds it to the browser and hands it back once.
	Begin(ctx context.Context, req Request) (redirectURL string, private []byte, err error)

	// Complete verifies the answer that the browser brought to the
	// callback, redeems it and returns who signed in. The broker has
	// already checked the answer's state. Errors are *Error.
	Complete(ctx context.Context, private []byte, req Request, r *http.Request) (*Identity, error)
}

// A Checker is a Provider that can be asked whether it answers, without a
// sign-in. It is optional: of a provider that is none, only its failures
// tell.
//
// Begin cannot stand in for it. It starts sign-ins from metadata that was
// read up to an hour ago, which keeps them going while discovery is down,
// and for the same reason never notices that everything is.
type Checker interface {
	// Check makes at most one small request, and none while the provider
	// rests after a failure. It returns nil if the provider can take a
	// sign-in; errors are *Error. The caller bounds how often it asks.
	Check(ctx context.Context) error
}

// A Request is what the broker asks of the upstream. It carries nothing of
// the client's request but the parameters that are allowed to pass.
type Request struct {
	// RedirectURI is the broker's callback of this connection.
	RedirectURI string
	// State is the value the callback must bring back.
	State string

	// Prompt holds "none" and "login"; "consent" and "select_account"
	// are the broker's own business and never come here.
	Prompt []string
	// MaxAge is the client's max_age; nil means that it sent none.
	MaxAge *time.Duration
	// ACRValues, UILocales and LoginHint are passed on as they are.
	ACRValues string
	UILocales string
	LoginHint string

	// Started is when Begin was called: the reference of MaxAge.
	Started time.Time
}

// An Identity is who signed in upstream.
type Identity struct {
	// Issuer and Subject name the person: unique together, never empty.
	Issuer  string
	Subject string

	// SessionID is the upstream's session ("sid"), empty if unknown.
	SessionID string

	// AuthTime is when the upstream says the person authenticated; zero
	// if it did not say.
	AuthTime time.Time

	// AMR and ACR are the upstream's own, nil and empty if absent.
	AMR []string
	ACR string

	// Documents are the raw sources of attributes, verified.
	Documents claims.Documents
}

// A Reason is a stable word for why a sign-in failed, for logs, events and
// the error page's table. Reasons never carry upstream text.
type Reason string

// Reasons that the pages and tests rely on.
const (
	ReasonUnreachable       Reason = "upstream_unreachable"     // DNS, TLS, time-out, 5xx
	ReasonMisconfigured     Reason = "upstream_misconfigured"   // other issuer, bad endpoints, wrong client
	ReasonClientRejected    Reason = "client_secret_rejected"   // 401 or access_denied at the token endpoint
	ReasonCodeRejected      Reason = "code_rejected"            // invalid_grant
	ReasonRateLimited       Reason = "upstream_rate_limited"    // 429
	ReasonDenied            Reason = "upstream_denied"          // access_denied at the callback
	ReasonBlocked           Reason = "user_blocked"             // Auth0's "unauthorized"
	ReasonInteraction       Reason = "interaction_required"     // login_required and its kin
	ReasonUpstreamError     Reason = "upstream_error"           // any other error at the callback
	ReasonNoIDToken         Reason = "id_token_missing"         // no ID token in the answer
	ReasonIDTokenInvalid    Reason = "id_token_invalid"         // signature, iss, aud, azp, sub, nonce ...
	ReasonClock             Reason = "clock_skew"               // exp, nbf, iat beyond tolerance
	ReasonReauthentication  Reason = "reauthentication_missing" // auth_time older than max_age allows
	ReasonUserinfo          Reason = "userinfo_failed"
	ReasonUserinfoSubject   Reason = "userinfo_subject_mismatch"
	ReasonOrganization      Reason = "organization_mismatch"
	ReasonResponseMalformed Reason = "callback_malformed" // neither code nor error, or both
	ReasonIssuerMismatch    Reason = "issuer_mismatch"    // RFC 9207 iss at the callback
)

// An Error is the failure of a sign-in upstream.
type Error struct {
	// Code is the OAuth error the client of the broker receives:
	// "access_denied", "login_required", "temporarily_unavailable", ...
	Code string
	// Reason is for logs and the error page.
	Reason Reason
	// Hint tells the operator what to do, for the log alone.
	Hint string
	// Detail is upstream's own text, cut and escaped by the logger; it
	// never reaches a page or a client.
	Detail string
	// RetryAfter is how long to wait, zero if unknown.
	RetryAfter time.Duration
	// Err is the cause; it holds no secret, code or token.
	Err error
}

// Error returns reason, hint and cause.
func (e *Error) Error() string {
	s := string(e.Reason)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
