//nolint:dupl // the same table in another language
package ui

// What more than one explanation says to do.
const (
	tellApplication   = "Go back to the application and start again. If it happens again, tell the people who run the application, and send them the details below."
	tellAdministrator = "Send the details below to the administrator of this site. Trying again will not help until the settings are corrected."
	startAgain        = "Start again from the application or page you wanted to open."
	waitAndRetry      = "Wait a minute, then try again. If it lasts, tell the administrator of this site, and send the details below."
	providerBroken    = "Try again. If it happens again, tell the administrator of this site, and send the details below."
	tryOther          = "Try another account. If this is the right one, ask the administrator of this site for access, and send the details below."
)

func englishReasons() map[string]explanation {
	return map[string]explanation{
		// The request that an application sent.

		"invalid_request": {
			"This sign-in link is not complete",
			"The application sent you here with a request that cannot be understood.",
			tellApplication,
		},
		"invalid_client": {
			"We do not know this application",
			"The application that sent you here is not registered with us, or no longer is. To protect you, we do not sign you in to it.",
			tellApplication,
		},
		"unauthorized_client": {
			"This application may not sign you in this way",
			"The application is known here, but it asked for a way of signing in that it is not registered for.",
			tellApplication,
		},
		"invalid_redirect_uri": {
			"The return address is not registered",
			"The application asked us to send you to an address that is not on its list. To protect you, we do not send you there.",
			tellApplication,
		},
		"invalid_scope": {
			"The application asked for too much",
			"It asked for data or permissions that it is not allowed to ask for.",
			tellApplication,
		},
		"unsupported_response_type": {
			"The application uses an unsupported way of signing in",
			"It asked for an answer in a form that we do not give, because that form is not safe or not known.",
			tellApplication,
		},
		"invalid_request_uri": {
			"This sign-in link has expired",
			"The application prepared this sign-in in advance. The link works once and for a short time only.",
			tellApplication,
		},
		"invalid_request_object": {
			"The application's request could not be verified",
			"The request carries a signature that is missing, wrong or too old.",
			tellApplication,
		},
		"unknown_connection": {
			"This way of signing in does not exist",
			"The link asks for an identity provider that is not set up here, or that is switched off.",
			tellApplication,
		},
		"invalid_id_token_hint": {
			"The sign-out request could not be verified",
			"The application did not prove whom it wants to sign out. You may still be signed in.",
			tellApplication,
		},
		"invalid_post_logout_redirect_uri": {
			"The return address is not registered",
			"The application asked us to send you, after signing out, to an address that is not on its list. To protect you, we do not send you there.",
			tellApplication,
		},
		"method_not_allowed": {
			"This page cannot be used in this way",
			"The address is right, but it was called by a method that it does not accept.",
			tellApplication,
		},

		// Between the visitor's browser and us.

		"access_denied": {
			"Access was not allowed",
			"The sign-in was cancelled, so nothing was shared with the application.",
			"If that was not what you wanted, start again and choose Allow access.",
		},
		"stale_sign_in": {
			"This sign-in took too long",
			"It was started more than a few minutes ago, or in another browser. Nothing is wrong with your account.",
			startAgain,
		},
		"replayed_callback": {
			"This sign-in is already finished",
			"The page you opened can be used only once. That happens after going back in the browser or reloading a page.",
			startAgain + " If you are signed in already, it opens at once.",
		},
		"cookies_missing": {
			"Your browser does not keep cookies",
			"Signing in needs a cookie for a few minutes, so that nobody else can finish it in your place.",
			"Allow cookies for this site in the settings of your browser, or leave private mode. Then start again.",
		},
		"loop_detected": {
			"Signing in keeps going round in circles",
			"You were sent back to the start several times in a row, so we stopped. Most often the browser does not keep our cookie, or an old one is in the way.",
			"Allow cookies for this site, delete the ones you have from it, and start again. If that does not help, send the details below to the administrator of this site.",
		},
		"forged_form": {
			"We could not accept what you sent",
			"It did not come from the page we showed you, or that page was too old. Nothing was changed.",
			"Go back, reload the page and send it again. If you were led here by a link on another site, do not trust that site.",
		},
		"not_found": {
			"There is nothing here",
			"The address is not right, or what it led to is gone by now. Nothing was changed.",
			"Go back and load that page again.",
		},
		"sign_in_required": {
			"Please sign in",
			"This page is only for people who are signed in. What you were sending was not kept.",
			"Sign in, then repeat what you were doing.",
		},
		"session_ended": {
			"Your session has ended",
			"You were away for a long time, or you signed out somewhere else.",
			"Sign in again.",
		},
		"header_too_large": {
			"Your browser sent too much at once",
			"The cookies or the address were longer than we accept.",
			"Delete the cookies of this site in your browser, then start again.",
		},
		"rate_limited": {
			"Too many attempts",
			"There were more requests from your network than we accept in a short time.",
			"Wait a minute, then try again.",
		},
		"consent_required": {
			"Your consent is needed",
			"The application asked for data that you have not yet agreed to share.",
			startAgain,
		},

		// Settings, rules and faults on this side.

		"no_connections": {
			"No identity providers configured",
			"There is no way of signing in that you could use here.",
			tellAdministrator,
		},
		"not_allowed": {
			"You do not have access to this",
			"You are signed in, but this account does not have the rights that are needed here.",
			"Use another account if you have one, or ask the administrator of this site for access.",
		},
		"attribute_missing": {
			"Your account lacks something that is needed",
			"The identity provider did not tell us something about you that is required here.",
			tellAdministrator,
		},
		"unmet_authentication_requirements": {
			"A stronger sign-in is needed",
			"The application needs more proof that it is you, such as a second factor, and you signed in without it.",
			"Start again and use the second factor. If you do not have one, ask the administrator of this site.",
		},
		"script_failed": {
			"Your sign-in could not be completed",
			"A step that this site runs after signing in has failed.",
			tellAdministrator,
		},
		"wrong_host": {
			"This is not the address for signing in",
			"Signing in works only at the one address that it was set up for.",
			"Start again from the application you wanted to open. If that leads here again, send the details below to the administrator of this site.",
		},
		"store_unavailable": {
			"Signing in is not possible at the moment",
			"The place where we keep sessions does not answer. Nothing is wrong with your account.",
			waitAndRetry,
		},
		"server_error": {
			"Something went wrong on our side",
			"The sign-in stopped because of a fault that we did not expect. Nothing is wrong with your account.",
			waitAndRetry,
		},

		// The identity provider; see package provider.

		"upstream_unreachable": {
			"The identity provider does not answer",
			"We could not reach the service you sign in with. Nothing is wrong with your account.",
			waitAndRetry,
		},
		"upstream_rate_limited": {
			"The identity provider is too busy",
			"The service you sign in with gets more requests than it accepts at the moment.",
			waitAndRetry,
		},
		"upstream_error": {
			"The identity provider reported a fault",
			"The service you sign in with could not finish the sign-in. Nothing was shared.",
			providerBroken,
		},
		"upstream_misconfigured": {
			"Sign-in is misconfigured",
			"The settings here and those at the identity provider do not fit together.",
			tellAdministrator,
		},
		"client_secret_rejected": {
			"Sign-in is misconfigured",
			"The identity provider no longer accepts this site. Nothing is wrong with your account.",
			tellAdministrator,
		},
		"code_rejected": {
			"The identity provider did not confirm the sign-in",
			"Its confirmation had expired or was used before. That happens after a slow connection, a reload or going back.",
			startAgain,
		},
		"upstream_denied": {
			"Sign-in was refused by your identity provider",
			"You cancelled there, or your account may not be used for this.",
			tryOther,
		},
		"user_blocked": {
			"Your account is blocked",
			"The identity provider does not let this account sign in.",
			"Contact your administrator, and send the details below.",
		},
		"interaction_required": {
			"The identity provider needs to hear from you",
			"It could not sign you in silently, because it has a question that only you can answer.",
			"Start again and answer what the identity provider asks.",
		},
		"organization_mismatch": {
			"This account belongs to another organization",
			"Only members of certain organizations can sign in here, and you signed in as a member of another one.",
			tryOther,
		},
		"reauthentication_missing": {
			"You were not asked to sign in again",
			"The application wants a fresh sign-in, but the identity provider used an earlier one.",
			"Sign out at the identity provider, then start again.",
		},
		"id_token_missing": {
			"The identity provider did not say who you are",
			"Its answer lacks the proof of who signed in, so we could not go on.",
			providerBroken,
		},
		"id_token_invalid": {
			"The identity provider's answer could not be verified",
			"We could not make sure that the answer is real and meant for us. To protect you, we did not use it.",
			providerBroken,
		},
		"clock_skew": {
			"The clocks do not agree",
			"The time here and the time at the identity provider are too far apart to trust its answer.",
			tellAdministrator,
		},
		"userinfo_failed": {
			"Your profile could not be read",
			"You signed in, but the identity provider did not hand over the details that are needed here.",
			providerBroken,
		},
		"userinfo_subject_mismatch": {
			"The identity provider's answers contradict each other",
			"It named one person at sign-in and another one in the profile. To protect you, we used neither.",
			providerBroken,
		},
		"callback_malformed": {
			"The identity provider sent an answer we do not understand",
			"It neither confirmed nor refused the sign-in.",
			providerBroken,
		},
		"issuer_mismatch": {
			"The answer came from somebody else",
			"You were to sign in at one identity provider, and the answer names another. To protect you, we did not use it.",
			startAgain,
		},
	}
}
