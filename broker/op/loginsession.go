package op

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// A loginSession is a login as a post-authentication application sees it.
// All members are always there; arrays and objects are empty rather than
// null. Nothing in it signs anybody in: no state, no nonce and no PKCE value
// of the client, no secret of ours, no token of the upstream.
type loginSession struct {
	ID       string `json:"id"`
	TenantID string `json:"tenant_id"` // always "default"
	ServerID string `json:"server_id"` // always "default"

	ClientID   string     `json:"client_id"`
	ClientInfo clientInfo `json:"client_info"`

	// Who signed in, where, when and how. The context is that of the
	// schema, with sub, idp_sub, amr and acr.
	IDPID      string         `json:"idp_id"`
	IDPSubject string         `json:"idp_subject"`
	Subject    string         `json:"subject"`
	AuthTime   time.Time      `json:"auth_time"`
	ACR        string         `json:"acr"`
	AMR        []string       `json:"amr"`
	Context    map[string]any `json:"authentication_context"`

	// The authorization request. CorrelationID is in our log and on our
	// error pages.
	CorrelationID        string               `json:"authorization_correlation_id"`
	AuthorizationDetails []any                `json:"authorization_details"`
	RequestURL           string               `json:"request_url"`
	RequestQueryParams   url.Values           `json:"request_query_params"`
	RequestedAt          time.Time            `json:"requested_at"`
	RequestedRedirectURI string               `json:"requested_redirect_uri"`
	RequestedGrantType   string               `json:"requested_grant_type"`
	RequestedScopes      []requestedScope     `json:"requested_scopes"`
	AllowedScopes        map[string]scopeInfo `json:"allowed_scopes"` // by name
	RequestedAudience    []string             `json:"requested_audience"`
	RequestedACR         string               `json:"requested_acr"`
	RequestedMaxAge      *int64               `json:"requested_max_age"` // seconds, or null
	MaxAge               *int64               `json:"max_age"`           // the one in effect
	RequestedClaims      requestedClaims      `json:"requested_claims"`
	ClaimsToConsent      []string             `json:"requested_claims_to_consent"`

	// How far the login has come: signed in, and not yet consented.
	GrantedScopes      []string    `json:"granted_scopes"`
	GrantedAudience    []string    `json:"granted_audience"`
	LoginApproved      bool        `json:"login_approved"`
	LoginRejected      bool        `json:"login_rejected"`
	ScopeGrantApproved bool        `json:"scope_grant_approved"`
	ScopeGrantRejected bool        `json:"scope_grant_rejected"`
	Error              *loginError `json:"error"` // null while there is none
}

type clientInfo struct {
	Name        string `json:"client_name"`
	URI         string `json:"client_uri"`
	Description string `json:"description"`
	LogoURI     string `json:"logo_uri"`
	PolicyURI   string `json:"policy_uri"`
	TOSURI      string `json:"tos_uri"`
}

// scopeInfo is what people read about a scope.
type scopeInfo struct {
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	Service     string `json:"service"`
}

type requestedScope struct {
	Name string `json:"requested_name"`
	scopeInfo
	AlreadyGranted bool `json:"already_granted"`
}

// requestedClaims has the two halves of the claims parameter.
type requestedClaims struct {
	IDToken  map[string]*oauth.ClaimRequest `json:"id_token"`
	Userinfo map[string]*oauth.ClaimRequest `json:"userinfo"`
}

type loginError struct {
	Error            string         `json:"error"`
	ErrorDescription string         `json:"error_description"`
	ErrorHint        string         `json:"error_hint"`
	Cause            string         `json:"cause"`
	StatusCode       int            `json:"status_code"`
	Details          map[string]any `json:"details"`
}

// loginSession describes a login that visits its application.
func (s *Server) loginSession(r *http.Request, l *login) (*loginSession, error) {
	client := s.Client(l.Request.ClientID)
	question, err := s.question(r, l, client)
	if err != nil {
		return nil, err
	}
	params := requestParams(l.Request)
	return &loginSession{
		ID: l.ID, TenantID: "default", ServerID: "default",

		ClientID: client.ID,
		ClientInfo: clientInfo{
			Name: client.DisplayName(), URI: client.URI, LogoURI: client.LogoURI,
			PolicyURI: client.PolicyURI, TOSURI: client.TOSURI,
		},

		IDPID: l.Connection, IDPSubject: l.Context.IDPSubject, Subject: l.Context.Subject,
		AuthTime: l.Context.AuthTime.UTC().Truncate(time.Second), ACR: l.Context.ACR, AMR: array(l.Context.AMR),
		Context: l.Context.View(nil),

		CorrelationID: l.Trace, AuthorizationDetails: []any{},
		RequestURL: s.url(PathAuthorize) + "?" + params.Encode(), RequestQueryParams: params,
		RequestedAt: l.started().UTC(), RequestedRedirectURI: l.Request.RedirectURI,
		RequestedGrantType: oauth.GrantAuthorizationCode,
		RequestedScopes:    s.requestedScopes(l, question), AllowedScopes: s.allowedScopes(client),
		RequestedAudience: []string{}, RequestedACR: l.Request.ACRValues,
		RequestedMaxAge: l.Request.MaxAge, MaxAge: l.Request.MaxAge,
		RequestedClaims: wantedClaims(l.Request.Claims), ClaimsToConsent: s.claimsToConsent(l, client, question),

		GrantedScopes: []string{}, GrantedAudience: []string{}, LoginApproved: true,
	}, nil
}

// requestParams are the parameters of the authorization request that are no
// secrets. They are written anew from what was read of the request, so what
// nobody read is not passed on either.
func requestParams(req *oauth.AuthorizeRequest) url.Values {
	params := url.Values{"client_id": {req.ClientID}, "redirect_uri": {req.RedirectURI}, "response_type": {"code"}}
	for name, value := range map[string]string{
		"scope": strings.Join(req.Scopes, " "), "prompt": strings.Join(req.Prompt, " "),
		"acr_values": req.ACRValues, "ui_locales": req.UILocales, "login_hint": req.LoginHint,
		"idp_hint": req.IDPHint, "purpose": req.Purpose,
	} {
		if value != "" {
			params.Set(name, value)
		}
	}
	if req.MaxAge != nil {
		params.Set("max_age", strconv.FormatInt(*req.MaxAge, 10))
	}
	if req.Claims != nil {
		// It came as JSON, so it can be written as such.
		raw, _ := json.Marshal(req.Claims)
		params.Set("claims", string(raw))
	}
	return params
}

func (s *Server) requestedScopes(l *login, q consent.Question) []requestedScope {
	out := make([]requestedScope, 0, len(l.Request.Scopes))
	for _, name := range l.Request.Scopes {
		out = append(out, requestedScope{
			Name: name, scopeInfo: infoOf(s.scope(name)), AlreadyGranted: slices.Contains(q.Granted.Scopes, name),
		})
	}
	return out
}

// allowedScopes are those that the client may ask for.
func (s *Server) allowedScopes(client *oauth.Client) map[string]scopeInfo {
	out := map[string]scopeInfo{}
	for _, name := range client.Scopes {
		out[name] = infoOf(s.scope(name))
	}
	return out
}

func infoOf(declared claims.Scope) scopeInfo {
	return scopeInfo{DisplayName: declared.Label(), Description: declared.Description, Service: declared.Service}
}

func wantedClaims(req *oauth.ClaimsRequest) requestedClaims {
	out := requestedClaims{IDToken: map[string]*oauth.ClaimRequest{}, Userinfo: map[string]*oauth.ClaimRequest{}}
	if req == nil {
		return out
	}
	if req.IDToken != nil {
		out.IDToken = req.IDToken
	}
	if req.Userinfo != nil {
		out.Userinfo = req.Userinfo
	}
	return out
}

// claimsToConsent are the claims that the consent page is going to ask for
// one by one.
func (s *Server) claimsToConsent(l *login, client *oauth.Client, q consent.Question) []string {
	out := []string{}
	for _, line := range s.claimLines(l, client, q) {
		if !line.Granted {
			out = append(out, line.Name)
		}
	}
	return out
}

// array returns list, which is empty rather than nil.
func array(list []string) []string { return append([]string{}, list...) }
