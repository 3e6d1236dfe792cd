package ui

import "net/http"

// LogoutConfirm asks whether to sign out.
//
// Ids: logout-form, logout-confirm. The form posts Hidden.
type LogoutConfirm struct {
	// Action receives the form: a path of this origin, http or https.
	Action string
	// Hidden are the fields sent along, the token against forged posts
	// among them.
	Hidden map[string]string
	// FormAction lists the origins that the answer to the post may
	// redirect to, such as the logout of the identity provider.
	FormAction []string

	// Locales are the languages that the sign-in asks for, before those of
	// the browser: the ui_locales of its request.
	Locales string
}

// SignedOut says that the visitor is signed out.
//
// Id: logout-done, whose text in English contains "signed out".
type SignedOut struct {
	// ContinueURL leads on: a path of this origin, http or https. Empty
	// leaves the link out.
	ContinueURL string

	// Locales are the languages that the sign-in asks for, before those of
	// the browser: the ui_locales of its request.
	Locales string
}

// LogoutConfirm writes the page, with status 200.
func (p *Pages) LogoutConfirm(w http.ResponseWriter, r *http.Request, v LogoutConfirm) {
	text := p.language(r, v.Locales)
	v.Action = target(v.Action)
	s := security{hasForm: true, formAction: v.FormAction}
	p.render(w, r, "logout_confirm", http.StatusOK, s, page{T: text, Heading: text.LogoutTitle, V: v})
}

// SignedOut writes the page, with status 200.
func (p *Pages) SignedOut(w http.ResponseWriter, r *http.Request, v SignedOut) {
	text := p.language(r, v.Locales)
	v.ContinueURL = target(v.ContinueURL)
	// The pages of the session that browsers keep ready behind the back
	// button, whatever no-store says, are not for whoever comes next.
	w.Header().Set("Clear-Site-Data", `"cache"`)
	p.render(w, r, "signed_out", http.StatusOK, security{}, page{T: text, Heading: text.SignedOutTitle, V: v})
}
