package ui

import (
	"maps"
	"net/http"
)

// A turn says who can do something about a failure.
type turn int

const (
	turnVisitor turn = iota
	turnApplication
	turnProvider
	turnAdministrator
	turnCount
)

// A reason is one row of the table of failures: what it means to programs
// and whose turn it is. What the error page says about it is the explanation
// of the same key in each catalogue.
type reason struct {
	Status int    // HTTP status, unless the caller knows better
	Code   string // OAuth error code, unless the caller knows better
	Turn   turn
}

// fallbackReason is what an unknown key shows.
const fallbackReason = "server_error"

// allReasons returns the whole table by key.
func allReasons() map[string]reason {
	table := requestReasons()
	maps.Copy(table, signInReasons())
	maps.Copy(table, brokerReasons())
	maps.Copy(table, providerReasons())
	return table
}

// requestReasons are faults of the request that an application sent.
func requestReasons() map[string]reason {
	return map[string]reason{
		"invalid_request":                  {http.StatusBadRequest, "invalid_request", turnApplication},
		"invalid_client":                   {http.StatusBadRequest, "invalid_client", turnApplication},
		"unauthorized_client":              {http.StatusBadRequest, "unauthorized_client", turnApplication},
		"invalid_redirect_uri":             {http.StatusBadRequest, "invalid_redirect_uri", turnApplication},
		"invalid_scope":                    {http.StatusBadRequest, "invalid_scope", turnApplication},
		"unsupported_response_type":        {http.StatusBadRequest, "unsupported_response_type", turnApplication},
		"invalid_request_uri":              {http.StatusBadRequest, "invalid_request_uri", turnApplication},
		"invalid_request_object":           {http.StatusBadRequest, "invalid_request_object", turnApplication},
		"unknown_connection":               {http.StatusBadRequest, "invalid_request", turnApplication},
		"invalid_id_token_hint":            {http.StatusBadRequest, "invalid_id_token_hint", turnApplication},
		"invalid_post_logout_redirect_uri": {http.StatusBadRequest, "invalid_post_logout_redirect_uri", turnApplication},
		"method_not_allowed":               {http.StatusMethodNotAllowed, "invalid_request", turnApplication},
	}
}

// signInReasons are what goes wrong between the visitor's browser and us.
func signInReasons() map[string]reason {
	return map[string]reason{
		"access_denied":     {http.StatusForbidden, "access_denied", turnVisitor},
		"stale_sign_in":     {http.StatusBadRequest, "invalid_request", turnVisitor},
		"replayed_callback": {http.StatusBadRequest, "invalid_request", turnVisitor},
		"cookies_missing":   {http.StatusBadRequest, "invalid_request", turnVisitor},
		"loop_detected":     {http.StatusBadRequest, "invalid_request", turnVisitor},
		"forged_form":       {http.StatusForbidden, "invalid_request", turnVisitor},
		"sign_in_required":  {http.StatusUnauthorized, "login_required", turnVisitor},
		"not_found":         {http.StatusNotFound, "invalid_request", turnVisitor},
		"session_ended":     {http.StatusUnauthorized, "login_required", turnVisitor},
		"header_too_large":  {http.StatusRequestHeaderFieldsTooLarge, "invalid_request", turnVisitor},
		"rate_limited":      {http.StatusTooManyRequests, "temporarily_unavailable", turnVisitor},
		"consent_required":  {http.StatusForbidden, "consent_required", turnVisitor},
	}
}

// brokerReasons are settings, rules and faults on this side.
func brokerReasons() map[string]reason {
	return map[string]reason{
		"no_connections":                    {http.StatusServiceUnavailable, "temporarily_unavailable", turnAdministrator},
		"not_allowed":                       {http.StatusForbidden, "access_denied", turnAdministrator},
		"attribute_missing":                 {http.StatusForbidden, "access_denied", turnAdministrator},
		"unmet_authentication_requirements": {http.StatusForbidden, "unmet_authentication_requirements", turnVisitor},
		"script_failed":                     {http.StatusInternalServerError, "server_error", turnAdministrator},
		"wrong_host":                        {http.StatusMisdirectedRequest, "invalid_request", turnAdministrator},
		"store_unavailable":                 {http.StatusServiceUnavailable, "temporarily_unavailable", turnAdministrator},
		"server_error":                      {http.StatusInternalServerError, "server_error", turnAdministrator},
	}
}
