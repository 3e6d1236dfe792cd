package demo

import (
	"net/http"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// Logout forgets what a sign-in brought, and leaves the person signed in at
// the broker.
func (a *App) Logout(w http.ResponseWriter, r *http.Request) {
	handle := a.Cookies.Get(r, visitCookie)
	if handle == "" {
		redirect(w, a.path(PathFront)) // a second click
		return
	}
	if !session.OwnForm(w, r, handle, purposeLogout) {
		a.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden})
		return
	}
	if err := a.Sessions.EndApp(r.Context(), ClientID, handle); err != nil {
		a.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	}
	a.Cookies.Clear(w, visitCookie)
	redirect(w, a.path(PathFront)+"?"+paramLeft+"=1")
}

// What the forms of the application are for.
const (
	purposeLogout  = "logout"
	purposeRefresh = "refresh"
)
