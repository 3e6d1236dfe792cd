package brokertest

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MultiFactor is the acr value that asks for a second factor and tells of
// one (OpenID PAPE).
const MultiFactor = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"

// An authorizeRequest is an authorization request that the tenant has
// understood. Its redirect URI is registered for its client.
type authorizeRequest struct {
	clientID, redirectURI, responseMode string
	state, nonce, challenge             string

	scopes       []string
	audience     string
	prompt       []string
	maxAge       time.Duration
	hasMaxAge    bool
	acrValues    []string
	loginHint    string
	organization Organization
	connection   string
	signUp       bool
}

func (a authorizeRequest) prompts(word string) bool { return slices.Contains(a.prompt, word) }

// A refusal is an error in the words of the protocol.
type refusal struct{ code, description string }

// serveAuthorize begins a sign-in. Without a known client and a registered
// callback the answer is a page: a redirect to anywhere else would make the
// tenant a tool of whoever wrote the link.
func (t *Tenant) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		t.showError(w, http.StatusBadRequest, "invalid_request", "The request cannot be read.")
		return
	}
	params := r.Form
	t.recordAuthorize(params)
	if uri := params.Get("request_uri"); uri != "" {
		pushed, ok := t.takePushed(uri, params.Get("client_id"))
		if !ok {
			t.showError(w, http.StatusBadRequest, "invalid_request_uri", "The request_uri is unknown, used or expired.")
			return
		}
		params = pushed
		t.recordAuthorize(params)
	}
	client, page := t.knownCallback(params)
	if page != nil {
		t.showError(w, http.StatusForbidden, page.code, page.description)
		return
	}
	req, refused := t.understand(client, params)
	tx := t.begin(r, req)
	if refused != nil {
		t.refuse(w, r, tx, *refused)
		return
	}
	t.advance(w, r, tx)
}

// recordAuthorize remembers the request for [Tenant.LastAuthorize].
func (t *Tenant) recordAuthorize(params url.Values) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.authorize = maps.Clone(params)
}

// knownCallback returns the client of a request whose callback it has
// registered, or what the error page says.
func (t *Tenant) knownCallback(params url.Values) (Client, *refusal) {
	for name, values := range params {
		if len(values) > 1 {
			return Client{}, &refusal{"invalid_request", "The parameter " + name + " is repeated."}
		}
	}
	client, ok := t.client(params.Get("client_id"))
	if !ok {
		return Client{}, &refusal{"unauthorized_client", "Unknown client: " + params.Get("client_id")}
	}
	if !slices.Contains(client.Callbacks, params.Get("redirect_uri")) {
		return Client{}, &refusal{"callback_mismatch", "Callback URL mismatch. The provided redirect_uri is not in " +
			"the list of allowed callback URLs of the application."}
	}
	return client, nil
}

// understand checks everything that may be answered at the callback. The
// request it returns holds enough for that, also beside a refusal.
func (t *Tenant) understand(client Client, params url.Values) (authorizeRequest, *refusal) {
	req := authorizeRequest{
		clientID:     client.ID,
		redirectURI:  params.Get("redirect_uri"),
		state:        params.Get("state"),
		responseMode: params.Get("response_mode"),
		nonce:        params.Get("nonce"),
		challenge:    params.Get("code_challenge"),
		scopes:       strings.Fields(params.Get("scope")),
		audience:     params.Get("audience"),
		prompt:       strings.Fields(params.Get("prompt")),
		acrValues:    strings.Fields(params.Get("acr_values")),
		loginHint:    params.Get("login_hint"),
		connection:   params.Get("connection"),
		signUp:       params.Get("screen_hint") == "signup",
	}
	for _, check := range []func(*authorizeRequest, Client, url.Values) *refusal{
		checkResponse, checkChallenge, checkPrompt, checkMaxAge,
		t.checkAudience, t.checkOrganization, t.checkConnection,
	} {
		if refused := check(&req, client, params); refused != nil {
			return req, refused
		}
	}
	if client.thirdParty() {
		req.scopes = slices.DeleteFunc(req.scopes, func(s string) bool { return s == "openid" })
	}
	return req, nil
}

func checkResponse(req *authorizeRequest, _ Client, params url.Values) *refusal {
	if mode := req.responseMode; mode != "" && mode != "query" && mode != "form_post" {
		req.responseMode = ""
		return &refusal{"invalid_request", "response_mode must be query or form_post"}
	}
	switch params.Get("response_type") {
	case "code":
		return nil
	case "":
		return &refusal{"invalid_request", "Missing required parameter: response_type"}
	}
	return &refusal{"unsupported_response_type", "This stand-in supports response_type code only"}
}

func checkChallenge(req *authorizeRequest, client Client, params url.Values) *refusal {
	if req.challenge == "" {
		if client.AuthMethod == "none" {
			return &refusal{"invalid_request", "Parameter code_challenge is required"}
		}
		return nil
	}
	digest, err := base64.RawURLEncoding.Strict().DecodeString(req.challenge)
	if params.Get("code_challenge_method") != "S256" || err != nil || len(digest) != 32 {
		return &refusal{"invalid_request", "Parameter code_challenge must be made with S256"}
	}
	return nil
}

func checkPrompt(req *authorizeRequest, _ Client, _ url.Values) *refusal {
	for _, word := range req.prompt {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, word) {
			return &refusal{"invalid_request", "Unsupported prompt value"}
		}
	}
	if req.prompts("none") && len(req.prompt) > 1 {
		return &refusal{"invalid_request", "prompt none cannot be combined"}
	}
	return nil
}

func checkMaxAge(req *authorizeRequest, _ Client, params url.Values) *refusal {
	value := params.Get("max_age")
	if value == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return &refusal{"invalid_request", "max_age must be a number of seconds"}
	}
	req.maxAge, req.hasMaxAge = time.Duration(seconds)*time.Second, true
	return nil
}

func (t *Tenant) checkAudience(req *authorizeRequest, _ Client, _ url.Values) *refusal {
	if req.audience == "" {
		req.audience = t.opts.DefaultAudience
	}
	if _, ok := t.api(req.audience); !ok && req.audience != "" {
		return &refusal{"access_denied", "Service not found: " + req.audience}
	}
	return nil
}

func (t *Tenant) checkOrganization(req *authorizeRequest, client Client, params url.Values) *refusal {
	name := params.Get("organization")
	switch {
	case name == "" && client.OrganizationUsage == "require":
		return &refusal{"invalid_request", "parameter organization is required for this client"}
	case name == "":
		return nil
	case client.OrganizationUsage == "deny":
		return &refusal{"invalid_request", "parameter organization is not allowed for this client"}
	}
	for _, org := range t.opts.Organizations {
		if org.ID == name || org.Name == name {
			req.organization = org
			return nil
		}
	}
	return &refusal{"invalid_request", "parameter organization is invalid"}
}

func (t *Tenant) checkConnection(req *authorizeRequest, _ Client, _ url.Values) *refusal {
	if req.connection != "" && !slices.Contains(t.opts.Connections, req.connection) {
		return &refusal{"invalid_request", "the connection was not found"}
	}
	return nil
}

func (t *Tenant) api(identifier string) (API, bool) {
	for _, api := range t.opts.APIs {
		if api.Identifier == identifier {
			return api, true
		}
	}
	return API{}, false
}
