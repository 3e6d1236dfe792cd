package oauth

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// An AuthorizeRequest is a parsed authorization request (RFC 6749, 4.1.1;
// OpenID Connect Core, 3.1.2.1). Its JSON form is short because it waits in
// a cookie while the user is at the identity provider.
type AuthorizeRequest struct {
	ClientID    string   `json:"c"`
	RedirectURI string   `json:"r"`
	State       string   `json:"s,omitempty"`
	Nonce       string   `json:"n,omitempty"`
	Scopes      []string `json:"o,omitempty"`
	Challenge   string   `json:"h,omitempty"`
	Prompt      []string `json:"p,omitempty"`

	// MaxAge in seconds; nil where the client sent none.
	MaxAge *int64 `json:"m,omitempty"`

	ACRValues string `json:"a,omitempty"`
	UILocales string `json:"u,omitempty"`
	LoginHint string `json:"l,omitempty"`
	IDPHint   string `json:"i,omitempty"`

	// Claims asked for one by one; nil for none.
	Claims *ClaimsRequest `json:"d,omitempty"`

	// IDTokenHint says whom the client means. Subject is that user, once
	// the hint is verified, or the one that Claims asks for; empty for
	// anybody.
	IDTokenHint string `json:"-"`
	Subject     string `json:"b,omitempty"`

	// Purpose is the client's own reason for asking, for the consent page.
	Purpose string `json:"w,omitempty"`
}

// HasPrompt says whether the client sent the prompt value p.
func (r *AuthorizeRequest) HasPrompt(p string) bool { return slices.Contains(r.Prompt, p) }

// MaxAgeDuration returns MaxAge as a duration, nil where there is none.
func (r *AuthorizeRequest) MaxAgeDuration() *time.Duration {
	if r.MaxAge == nil {
		return nil
	}
	d := time.Duration(*r.MaxAge) * time.Second
	return &d
}

// ParseAuthorizeRequest reads everything but client_id and redirect_uri,
// whose faults must never redirect (OpenID Connect Core, 3.1.2.6), and
// checks it against the client. State and redirect URI are set even when it
// fails, so that the error can be sent to the client.
func ParseAuthorizeRequest(v url.Values, c *Client) (*AuthorizeRequest, *Error) {
	r := &AuthorizeRequest{
		ClientID:    c.ID,
		RedirectURI: v.Get("redirect_uri"),
		State:       v.Get("state"),
		Nonce:       v.Get("nonce"),
		ACRValues:   v.Get("acr_values"),
		UILocales:   v.Get("ui_locales"),
		LoginHint:   v.Get("login_hint"),
		IDPHint:     v.Get("idp_hint"),
		IDTokenHint: v.Get("id_token_hint"),
		Purpose:     v.Get("purpose"),
	}
	for _, check := range []func(url.Values, *Client) *Error{
		r.parseType, r.parsePrompt, r.parseMaxAge, r.parseScope, r.parsePKCE, r.parseDetails,
	} {
		if err := check(v, c); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *AuthorizeRequest) parseType(v url.Values, _ *Client) *Error {
	switch {
	case v.Get("request") != "":
		return newError(RequestNotSupported, "request objects are not supported")
	case v.Get("request_uri") != "":
		return newError(RequestURINotSupported, "request_uri is not supported")
	case v.Get("registration") != "":
		return newError(RegistrationUnsupported, "the registration parameter is not supported")
	case v.Get("response_type") == "":
		return newError(InvalidRequest, "response_type is missing")
	case v.Get("response_type") != "code":
		return newError(UnsupportedResponseType, "only response_type=code is supported")
	}
	if mode := v.Get("response_mode"); mode != "" && mode != "query" {
		return newError(InvalidRequest, "only response_mode=query is supported")
	}
	return nil
}

func (r *AuthorizeRequest) parsePrompt(v url.Values, _ *Client) *Error {
	r.Prompt = strings.Fields(v.Get("prompt"))
	for _, p := range r.Prompt {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, p) {
			return newError(InvalidRequest, "prompt must be none, login, consent or select_account")
		}
	}
	if r.HasPrompt("none") && len(r.Prompt) > 1 {
		return newError(InvalidRequest, "prompt=none cannot be combined with other values")
	}
	return nil
}

func (r *AuthorizeRequest) parseMaxAge(v url.Values, _ *Client) *Error {
	s := v.Get("max_age")
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<31 {
		return newError(InvalidRequest, "max_age must be a number of seconds")
	}
	r.MaxAge = &n
	return nil
}

func (r *AuthorizeRequest) parseScope(v url.Values, c *Client) *Error {
	scopes, err := ParseScope(v.Get("scope"))
	if err != nil {
		return err
	}
	if len(scopes) == 0 {
		return newError(InvalidScope, "scope is missing")
	}
	if !Subset(scopes, c.Scopes) {
		return newError(InvalidScope, "a requested scope is not among those configured for this client")
	}
	r.Scopes = scopes
	return nil
}

func (r *AuthorizeRequest) parsePKCE(v url.Values, c *Client) *Error {
	r.Challenge = v.Get("code_challenge")
	method := v.Get("code_challenge_method")
	switch {
	case r.Challenge == "" && method != "":
		return newError(InvalidRequest, "code_challenge is missing")
	case r.Challenge == "" && (c.Public || !c.PKCEOptional):
		return newError(InvalidRequest, "code_challenge is missing; this client must use PKCE with S256")
	case r.Challenge == "":
		return nil
	case method != "S256":
		return newError(InvalidRequest, "code_challenge_method must be S256")
	case !ValidChallenge(r.Challenge):
		return newError(InvalidRequest, "code_challenge must be the base64url form of a SHA-256 hash")
	}
	return nil
}

// maxPurpose is the longest purpose, in characters.
const maxPurpose = 300

func (r *AuthorizeRequest) parseDetails(v url.Values, _ *Client) *Error {
	if utf8.RuneCountInString(r.Purpose) > maxPurpose {
		return newError(InvalidRequest, "purpose must have 300 characters at most")
	}
	var err *Error
	r.Claims, err = parseClaims(v.Get("claims"))
	r.Subject = r.Claims.Subject()
	return err
}
