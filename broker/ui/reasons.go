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

// A reason is one row of the table of failures: everything the error page
// says about it. Each text stands on its own and none takes a parameter.
type reason struct {
	Status int    // HTTP status, unless the caller knows better
	Code   string // OAuth error code, unless the caller knows better
	Turn   turn
	What   string // the heading: what failed
	Why    string // one or two sentences: what that means
	Do     string // what to do now
}

// fallbackReason is what an unknown key shows.
const fallbackReason = "server_error"

// englishReasons returns the whole table by key.
func englishReasons() map[string]reason {
	table := requestReasons()
	maps.Copy(table, signInReasons())
	maps.Copy(table, brokerReasons())
	maps.Copy(table, providerReasons())
	return table
}

// What more than one row says to do.
const (
	tellApplication   = "Go back to the application and start again. If it happens again, tell the people who run the application, and send them the details below."
	tellAdministrator = "Send the details below to the administrator of this site. Trying again will not help until the settings are corrected."
	startAgain        = "Start again from the application or page you wanted to open."
	waitAndRetry      = "Wait a minute, then try again. If it lasts, tell the administrator of this site, and send the details below."
)

// requestReasons are faults of the request that an application sent.
func requestReasons() map[string]reason {
	return map[string]reason{
		"invalid_request": {
			http.StatusBadRequest, "invalid_request", turnApplication,
			"This sign-in link is not complete",
			"The application sent you here with a request that cannot be understood.",
			tellApplication,
		},
		"invalid_client": {
			http.StatusBadRequest, "invalid_client", turnApplication,
			"We do not know this application",
			"The application that sent you here is not registered with us, or no longer is. To protect you, we do not sign you in to it.",
			tellApplication,
		},
		"unauthorized_client": {
			http.StatusBadRequest, "unauthorized_client", turnApplication,
			"This application may not sign you in this way",
			"The application is known here, but it asked for a way of signing in that it is not registered for.",
			tellApplication,
		},
		"invalid_redirect_uri": {
			http.StatusBadRequest, "invalid_redirect_uri", turnApplication,
			"The return address is not registered",
			"The application asked us to send you to an address that is not on its list. To protect you, we do not send you there.",
			tellApplication,
		},
		"invalid_scope": {
			http.StatusBadRequest, "invalid_scope", turnApplication,
			"The application asked for too much",
			"It asked for data or permissions that it is not allowed to ask for.",
			tellApplication,
		},
		"unsupported_response_type": {
			http.StatusBadRequest, "unsupported_response_type", turnApplication,
			"The application uses an unsupported way of signing in",
			"It asked for an answer in a form that we do not give, because that form is not safe or not known.",
			tellApplication,
		},
		"invalid_request_uri": {
			http.StatusBadRequest, "invalid_request_uri", turnApplication,
			"This sign-in link has expired",
			"The application prepared this sign-in in advance. The link works once and for a short time only.",
			tellApplication,
		},
		"invalid_request_object": {
			http.StatusBadRequest, "invalid_request_object", turnApplication,
			"The application's request could not be verified",
			"The request carries a signature that is missing, wrong or too old.",
			tellApplication,
		},
		"unknown_connection": {
			http.StatusBadRequest, "invalid_request", turnApplication,
			"This way of signing in does not exist",
			"The link asks for an identity provider that is not set up here, or that is switched off.",
			tellApplication,
		},
		"invalid_id_token_hint": {
			http.StatusBadRequest, "invalid_id_token_hint", turnApplication,
			"The sign-out request could not be verified",
			"The application did not prove whom it wants to sign out. You may still be signed in.",
			tellApplication,
		},
		"invalid_post_logout_redirect_uri": {
			http.StatusBadRequest, "invalid_post_logout_redirect_uri", turnApplication,
			"The return address is not registered",
			"The application asked us to send you, after signing out, to an address that is not on its list. To protect you, we do not send you there.",
			tellApplication,
		},
		"method_not_allowed": {
			http.StatusMethodNotAllowed, "invalid_request", turnApplication,
			"This page cannot be used in this way",
			"The address is right, but it was called by a method that it does not accept.",
			tellApplication,
		},
	}
}

// signInReasons are what goes wrong between the visitor's browser and us.
func signInReasons() map[string]reason {
	return map[string]reason{
		"access_denied": {
			http.StatusForbidden, "access_denied", turnVisitor,
			"Access was not allowed",
			"The sign-in was cancelled, so nothing was shared with the application.",
			"If that was not what you wanted, start again and choose Allow access.",
		},
		"stale_sign_in": {
			http.StatusBadRequest, "invalid_request", turnVisitor,
			"This sign-in took too long",
			"It was started more than a few minutes ago, or in another browser. Nothing is wrong with your account.",
			startAgain,
		},
		"replayed_callback": {
			http.StatusBadRequest, "invalid_request", turnVisitor,
			"This sign-in is already finished",
			"The page you opened can be used only once. That happens after going back in the browser or reloading a page.",
			startAgain + " If you are signed in already, it opens at once.",
		},
		"cookies_missing": {
			http.StatusBadRequest, "invalid_request", turnVisitor,
			"Your browser does not keep cookies",
			"Signing in needs a cookie for a few minutes, so that nobody else can finish it in your place.",
			"Allow cookies for this site in the settings of your browser, or leave private mode. Then start again.",
		},
		"loop_detected": {
			http.StatusBadRequest, "invalid_request", turnVisitor,
			"Signing in keeps going round in circles",
			"You were sent back to the start several times in a row, so we stopped. Most often the browser does not keep our cookie, or an old one is in the way.",
			"Allow cookies for this site, delete the ones you have from it, and start again. If that does not help, send the details below to the administrator of this site.",
		},
		"forged_form": {
			http.StatusForbidden, "invalid_request", turnVisitor,
			"We could not accept what you sent",
			"It did not come from the page we showed you, or that page was too old. Nothing was changed.",
			"Go back, reload the page and send it again. If you were led here by a link on another site, do not trust that site.",
		},
		"sign_in_required": {
			http.StatusUnauthorized, "login_required", turnVisitor,
			"Please sign in",
			"This page is only for people who are signed in. What you were sending was not kept.",
			"Sign in, then repeat what you were doing.",
		},
		"session_ended": {
			http.StatusUnauthorized, "login_required", turnVisitor,
			"Your session has ended",
			"You were away for a long time, or you signed out somewhere else.",
			"Sign in again.",
		},
		"header_too_large": {
			http.StatusRequestHeaderFieldsTooLarge, "invalid_request", turnVisitor,
			"Your browser sent too much at once",
			"The cookies or the address were longer than we accept.",
			"Delete the cookies of this site in your browser, then start again.",
		},
		"rate_limited": {
			http.StatusTooManyRequests, "temporarily_unavailable", turnVisitor,
			"Too many attempts",
			"There were more requests from your network than we accept in a short time.",
			"Wait a minute, then try again.",
		},
		"consent_required": {
			http.StatusForbidden, "consent_required", turnVisitor,
			"Your consent is needed",
			"The application asked for data that you have not yet agreed to share.",
			startAgain,
		},
	}
}

// brokerReasons are settings, rules and faults on this side.
func brokerReasons() map[string]reason {
	return map[string]reason{
		"no_connections": {
			http.StatusServiceUnavailable, "temporarily_unavailable", turnAdministrator,
			"No identity providers configured",
			"There is no way of signing in that you could use here.",
			tellAdministrator,
		},
		"not_allowed": {
			http.StatusForbidden, "access_denied", turnAdministrator,
			"You do not have access to this",
			"You are signed in, but this account does not have the rights that are needed here.",
			"Use another account if you have one, or ask the administrator of this site for access.",
		},
		"attribute_missing": {
			http.StatusForbidden, "access_denied", turnAdministrator,
			"Your account lacks something that is needed",
			"The identity provider did not tell us something about you that is required here.",
			tellAdministrator,
		},
		"unmet_authentication_requirements": {
			http.StatusForbidden, "unmet_authentication_requirements", turnVisitor,
			"A stronger sign-in is needed",
			"The application needs more proof that it is you, such as a second factor, and you signed in without it.",
			"Start again and use the second factor. If you do not have one, ask the administrator of this site.",
		},
		"script_failed": {
			http.StatusInternalServerError, "server_error", turnAdministrator,
			"Your sign-in could not be completed",
			"A step that this site runs after signing in has failed.",
			tellAdministrator,
		},
		"wrong_host": {
			http.StatusMisdirectedRequest, "invalid_request", turnAdministrator,
			"This is not the address for signing in",
			"Signing in works only at the one address that it was set up for.",
			"Start again from the application you wanted to open. If that leads here again, send the details below to the administrator of this site.",
		},
		"store_unavailable": {
			http.StatusServiceUnavailable, "temporarily_unavailable", turnAdministrator,
			"Signing in is not possible at the moment",
			"The place where we keep sessions does not answer. Nothing is wrong with your account.",
			waitAndRetry,
		},
		"server_error": {
			http.StatusInternalServerError, "server_error", turnAdministrator,
			"Something went wrong on our side",
			"The sign-in stopped because of a fault that we did not expect. Nothing is wrong with your account.",
			waitAndRetry,
		},
	}
}
