package ui

import (
	"net/http"
	"time"
)

// Error says why a sign-in stopped, whose turn it is and what to do.
//
// Ids: error-code, whose text is the code alone, and error-trace, whose text
// is the correlation id alone; error-retry, error-back, error-other-account
// and error-sign-out, the links.
type Error struct {
	// Reason is a key of the table of failures. An unknown one is shown as
	// "server_error".
	Reason string
	// Code is the OAuth error code to show. Default, also for a code that
	// no specification knows: the one of the reason.
	Code string
	// Status of the answer, 400 to 599. Default: the one of the reason.
	Status int

	// RetryURL starts over, where that can help. BackURL leads to the
	// application that the sign-in was for: only http and https become a
	// link, since it comes from a registration. OtherAccountURL starts
	// over with another account, SignOutURL ends the session at the
	// identity provider. Each is a path of this origin, http or https;
	// empty leaves the link out.
	RetryURL        string
	BackURL         string
	OtherAccountURL string
	SignOutURL      string

	// Trace is the correlation id that log and audit event carry, at most
	// 128 letters, digits and "._:-". Anything else is not shown.
	Trace string
	// Time of the failure; zero leaves it out.
	Time time.Time

	// Locales are the languages that the sign-in asks for, before those of
	// the browser: the ui_locales of its request.
	Locales string
}

// Error writes the page.
func (p *Pages) Error(w http.ResponseWriter, r *http.Request, v Error) {
	if _, ok := p.reasons[v.Reason]; !ok {
		v.Reason = fallbackReason
	}
	text := p.language(r, v.Locales)
	reason, words := p.reasons[v.Reason], text.Reasons[v.Reason]
	if !isErrorCode(v.Code) {
		v.Code = reason.Code
	}
	if v.Status < 400 || v.Status > 599 {
		v.Status = reason.Status
	}
	if !isTrace(v.Trace) {
		v.Trace = ""
	}
	v.RetryURL = target(v.RetryURL)
	v.BackURL = webURL(v.BackURL)
	v.OtherAccountURL = target(v.OtherAccountURL)
	v.SignOutURL = target(v.SignOutURL)

	type failure struct {
		Error
		What, Why, Do string
		Turn          string
		moment
	}
	view := failure{
		Error:  v,
		What:   words.What,
		Why:    words.Why,
		Do:     words.Do,
		Turn:   text.turn(reason.Turn),
		moment: newMoment(v.Time, text.TimeLayout),
	}
	p.render(w, r, "error", v.Status, security{}, page{T: text, Heading: words.What, V: view})
}

// isTrace keeps sentences out of a field that is meant to be copied: the id
// may have come in with the request.
func isTrace(s string) bool {
	return len(s) <= 128 &&
		containsOnly(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")
}
