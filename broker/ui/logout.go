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
}

// SignedOut says that the visitor is signed out.
//
// Id: logout-done, whose text contains "signed out".
type SignedOut struct {
	// ContinueURL leads on: a path of this origin, http or https. Empty
	// leaves the link out.
	ContinueURL string
}

// LogoutConfirm writes the page, with status 200.
func (p *Pages) LogoutConfirm(w http.ResponseWriter, r *http.Request, v LogoutConfirm) {
	v.Action = target(v.Action)
	s := security{hasForm: true, formAction: v.FormAction}
	p.render(w, r, p.logoutConfirm, http.StatusOK, s, p.text.LogoutTitle, v)
}

// SignedOut writes the page, with status 200.
func (p *Pages) SignedOut(w http.ResponseWriter, r *http.Request, v SignedOut) {
	v.ContinueURL = target(v.ContinueURL)
	p.render(w, r, p.signedOut, http.StatusOK, security{}, p.text.SignedOutTitle, v)
}
