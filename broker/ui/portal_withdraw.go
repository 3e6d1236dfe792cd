package ui

import (
	"fmt"
	"net/http"
)

// Withdrawal asks whether to take everything back from an application.
//
// Ids: withdraw-form, withdraw-confirm, withdraw-cancel. The form posts
// Hidden.
type Withdrawal struct {
	App PortalApp

	// Action receives the form: a path of this origin, http or https.
	Action string
	// Hidden are the fields sent along, the token against forged posts
	// among them.
	Hidden map[string]string
	// CancelURL leads back: a path of this origin, http or https.
	CancelURL string
}

// Withdrawal writes the page, with status 200.
func (p *Pages) Withdrawal(w http.ResponseWriter, r *http.Request, v Withdrawal) {
	text := p.language(r, "")
	v.Action, v.CancelURL = target(v.Action), target(v.CancelURL)
	v.App.Client = v.App.Client.clean(text)
	lines := make([]portalGrant, 0, len(v.App.Grants))
	for _, g := range v.App.Grants {
		lines = append(lines, newPortalGrant(g, v.App.Client.Name, text))
	}
	title := fmt.Sprintf(text.Portal.WithdrawTitle, v.App.Client.Name)
	p.render(w, r, "portal_withdraw", http.StatusOK, security{hasForm: true, isolated: true}, page{T: text, Heading: title, V: struct {
		Withdrawal
		Lines []portalGrant
	}{v, lines}})
}
