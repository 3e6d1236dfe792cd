package ui

import "net/http"

// What more than one row of a provider says to do.
const (
	providerBroken = "Try again. If it happens again, tell the administrator of this site, and send the details below."
	tryOther       = "Try another account. If this is the right one, ask the administrator of this site for access, and send the details below."
)

// providerReasons are the failures of package provider, by its Reason.
func providerReasons() map[string]reason {
	return map[string]reason{
		"upstream_unreachable": {
			http.StatusServiceUnavailable, "temporarily_unavailable", turnProvider,
			"The identity provider does not answer",
			"We could not reach the service you sign in with. Nothing is wrong with your account.",
			waitAndRetry,
		},
		"upstream_rate_limited": {
			http.StatusServiceUnavailable, "temporarily_unavailable", turnProvider,
			"The identity provider is too busy",
			"The service you sign in with gets more requests than it accepts at the moment.",
			waitAndRetry,
		},
		"upstream_error": {
			http.StatusBadGateway, "temporarily_unavailable", turnProvider,
			"The identity provider reported a fault",
			"The service you sign in with could not finish the sign-in. Nothing was shared.",
			providerBroken,
		},
		"upstream_misconfigured": {
			http.StatusBadGateway, "temporarily_unavailable", turnAdministrator,
			"Sign-in is misconfigured",
			"The settings here and those at the identity provider do not fit together.",
			tellAdministrator,
		},
		"client_secret_rejected": {
			http.StatusBadGateway, "temporarily_unavailable", turnAdministrator,
			"Sign-in is misconfigured",
			"The identity provider no longer accepts this site. Nothing is wrong with your account.",
			tellAdministrator,
		},
		"code_rejected": {
			http.StatusBadGateway, "temporarily_unavailable", turnVisitor,
			"The identity provider did not confirm the sign-in",
			"Its confirmation had expired or was used before. That happens after a slow connection, a reload or going back.",
			startAgain,
		},

		"upstream_denied": {
			http.StatusForbidden, "access_denied", turnVisitor,
			"Sign-in was refused by your identity provider",
			"You cancelled there, or your account may not be used for this.",
			tryOther,
		},
		"user_blocked": {
			http.StatusForbidden, "access_denied", turnAdministrator,
			"Your account is blocked",
			"The identity provider does not let this account sign in.",
			"Contact your administrator, and send the details below.",
		},
		"interaction_required": {
			http.StatusForbidden, "access_denied", turnVisitor,
			"The identity provider needs to hear from you",
			"It could not sign you in silently, because it has a question that only you can answer.",
			"Start again and answer what the identity provider asks.",
		},
		"organization_mismatch": {
			http.StatusForbidden, "access_denied", turnVisitor,
			"This account belongs to another organization",
			"Only members of certain organizations can sign in here, and you signed in as a member of another one.",
			tryOther,
		},
		"reauthentication_missing": {
			http.StatusForbidden, "access_denied", turnProvider,
			"You were not asked to sign in again",
			"The application wants a fresh sign-in, but the identity provider used an earlier one.",
			"Sign out at the identity provider, then start again.",
		},

		"id_token_missing": {
			http.StatusBadGateway, "temporarily_unavailable", turnProvider,
			"The identity provider did not say who you are",
			"Its answer lacks the proof of who signed in, so we could not go on.",
			providerBroken,
		},
		"id_token_invalid": {
			http.StatusBadGateway, "temporarily_unavailable", turnProvider,
			"The identity provider's answer could not be verified",
			"We could not make sure that the answer is real and meant for us. To protect you, we did not use it.",
			providerBroken,
		},
		"clock_skew": {
			http.StatusBadGateway, "temporarily_unavailable", turnAdministrator,
			"The clocks do not agree",
			"The time here and the time at the identity provider are too far apart to trust its answer.",
			tellAdministrator,
		},
		"userinfo_failed": {
			http.StatusBadGateway, "temporarily_unavailable", turnProvider,
			"Your profile could not be read",
			"You signed in, but the identity provider did not hand over the details that are needed here.",
			providerBroken,
		},
		"userinfo_subject_mismatch": {
			http.StatusBadGateway, "temporarily_unavailable", turnProvider,
			"The identity provider's answers contradict each other",
			"It named one person at sign-in and another one in the profile. To protect you, we used neither.",
			providerBroken,
		},
		"callback_malformed": {
			http.StatusBadRequest, "temporarily_unavailable", turnProvider,
			"The identity provider sent an answer we do not understand",
			"It neither confirmed nor refused the sign-in.",
			providerBroken,
		},
		"issuer_mismatch": {
			http.StatusBadRequest, "temporarily_unavailable", turnProvider,
			"The answer came from somebody else",
			"You were to sign in at one identity provider, and the answer names another. To protect you, we did not use it.",
			startAgain,
		},
	}
}
