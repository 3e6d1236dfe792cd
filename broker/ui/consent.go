package ui

import (
	"fmt"
	"net/http"
	"time"
)

// Consent asks what an application may see.
//
// Ids: consent-form, scope-<name> and claim-<name>, consent-allow,
// consent-deny, consent-portal. The form posts Hidden, scope=<name> and claim=<name> for each
// box that is ticked, and decision=allow or decision=deny. What is fixed or
// was granted earlier has no box and is not posted: what must be granted is
// the receiver's knowledge, never the browser's.
type Consent struct {
	// Action receives the form: a path of this origin, http or https.
	Action string
	// Hidden are the fields sent along, the token against forged posts
	// among them.
	Hidden map[string]string
	// RedirectOrigin is where the answer to the post redirects to, as
	// FormTarget returns it. A value that a policy must not hold is left
	// out, and Chromium then stops before that redirect.
	RedirectOrigin string
	// FormAction lists further such origins, which the application's own
	// callback redirects onward to.
	FormAction []string

	// Account says who is signed in.
	Account string
	Client  Client

	// Scopes in the order to show; those of one service are put together.
	Scopes []Scope
	// Claims asked for one by one (OpenID Connect Core, 5.5).
	Claims []Claim

	// Purpose is the application's own reason for asking, shown as a
	// quotation. It comes out of the request.
	Purpose string
	// Lifetime of the grant; 0 says that it lasts until withdrawn.
	Lifetime time.Duration
	// PortalURL is where the visitor can withdraw it: a path of this origin.
	// Empty leaves the link out.
	PortalURL string

	// Locales are the languages that the sign-in asks for, before those of
	// the browser: the ui_locales of its request.
	Locales string
}

// A Scope is one line of the consent page.
type Scope struct {
	// Name is the protocol's, and the value of the field.
	Name string
	// DisplayName and Description are what people read, those of the
	// default scopes in the page's language. Without a DisplayName the Name
	// is shown.
	DisplayName string
	Description string
	// Service is the heading that the scope stands under; may be empty.
	Service string
	// Fixed scopes cannot be withheld: the line says so and has no box.
	Fixed bool
	// Why a fixed scope is fixed, in words. Default: a sentence for openid,
	// another one for the rest.
	Why string
	// Granted scopes were allowed earlier; they are listed for reading.
	Granted bool
}

// A Claim is one single datum on the consent page.
type Claim struct {
	// Name is the protocol's, and the value of the field.
	Name string
	// DisplayName and Description as for a Scope.
	DisplayName string
	Description string
	// Granted claims were allowed earlier.
	Granted bool
}

// Consent writes the page, with status 200.
func (p *Pages) Consent(w http.ResponseWriter, r *http.Request, v Consent) {
	text := p.language(r, v.Locales)
	v.Action = target(v.Action)
	v.PortalURL = localPath(v.PortalURL)
	v.Account = clean(v.Account, maxName)
	v.Purpose = clean(v.Purpose, maxAbout)
	v.Client = v.Client.clean(text)
	lasts := text.UntilWithdrawn
	if v.Lifetime > 0 {
		lasts = text.duration(v.Lifetime)
	}

	s := security{hasForm: true, formAction: append([]string{v.RedirectOrigin}, v.FormAction...)}
	title := fmt.Sprintf(text.ConsentTitle, v.Client.Name)
	groups, shared := consentLines(v, text)
	p.render(w, r, "consent", http.StatusOK, s, page{T: text, Heading: title, V: struct {
		Consent
		Groups []consentGroup
		Shared []consentLine
		Lasts  string
	}{v, groups, shared, lasts}})
}
