package ui

import "net/http"

// providerReasons are the failures of package provider, by its Reason.
func providerReasons() map[string]reason {
	return map[string]reason{
		"upstream_unreachable":   {http.StatusServiceUnavailable, "temporarily_unavailable", turnProvider},
		"upstream_rate_limited":  {http.StatusServiceUnavailable, "temporarily_unavailable", turnProvider},
		"upstream_error":         {http.StatusBadGateway, "temporarily_unavailable", turnProvider},
		"upstream_misconfigured": {http.StatusBadGateway, "temporarily_unavailable", turnAdministrator},
		"client_secret_rejected": {http.StatusBadGateway, "temporarily_unavailable", turnAdministrator},
		"code_rejected":          {http.StatusBadGateway, "temporarily_unavailable", turnVisitor},

		"upstream_denied":          {http.StatusForbidden, "access_denied", turnVisitor},
		"user_blocked":             {http.StatusForbidden, "access_denied", turnAdministrator},
		"interaction_required":     {http.StatusForbidden, "access_denied", turnVisitor},
		"organization_mismatch":    {http.StatusForbidden, "access_denied", turnVisitor},
		"reauthentication_missing": {http.StatusForbidden, "access_denied", turnProvider},

		"id_token_missing":          {http.StatusBadGateway, "temporarily_unavailable", turnProvider},
		"id_token_invalid":          {http.StatusBadGateway, "temporarily_unavailable", turnProvider},
		"clock_skew":                {http.StatusBadGateway, "temporarily_unavailable", turnAdministrator},
		"userinfo_failed":           {http.StatusBadGateway, "temporarily_unavailable", turnProvider},
		"userinfo_subject_mismatch": {http.StatusBadGateway, "temporarily_unavailable", turnProvider},
		"callback_malformed":        {http.StatusBadRequest, "temporarily_unavailable", turnProvider},
		"issuer_mismatch":           {http.StatusBadRequest, "temporarily_unavailable", turnProvider},
	}
}
