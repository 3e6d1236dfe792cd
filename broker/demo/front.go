package demo

import (
	"errors"
	"net/http"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// Parameters of the front page.
const (
	paramTab  = "tab"  // what to show of a sign-in
	paramNew  = "new"  // the options, also to somebody who is signed in
	paramLeft = "left" // the visitor has just logged out here

	paramRenewed = "renewed" // the refresh token has just been used
)

// Front shows what to ask for, or what a sign-in brought.
func (a *App) Front(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	v, err := a.visit(r)
	switch {
	case err != nil && !errors.Is(err, session.ErrNoSession):
		a.page(w, r, failure{reason: "store_unavailable", err: err})
	case err != nil:
		a.start(w, r, oauth.DefaultScopes, ui.DemoStart{SignedOut: query.Has(paramLeft)})
	case query.Has(paramNew):
		a.start(w, r, v.Asked, ui.DemoStart{BackURL: a.path(PathFront)})
	default:
		a.result(w, r, v, ui.DemoTab(query.Get(paramTab)))
	}
}

// start shows what to ask for, with these scopes ticked.
func (a *App) start(w http.ResponseWriter, r *http.Request, ticked []string, view ui.DemoStart) {
	view.Action = a.path(PathLogin)
	for _, s := range a.offered() {
		scope := demoScope(s)
		scope.Fixed, scope.Checked = s.Name == oauth.ScopeOpenID, slices.Contains(ticked, s.Name)
		view.Scopes = append(view.Scopes, scope)
	}
	w.Header().Add("Vary", "Cookie")
	a.Pages.DemoStart(w, r, view)
}

// result shows one tab of what the sign-in brought.
func (a *App) result(w http.ResponseWriter, r *http.Request, v *visit, tab ui.DemoTab) {
	view := ui.Demo{
		URL: a.path(PathFront), Tab: tab, Person: v.person(), Now: a.Now(),
		AgainURL:      a.path(PathFront) + "?" + paramNew + "=1",
		EverywhereURL: a.EverywhereURL,
		LogoutAction:  a.path(PathLogout),
		Hidden:        map[string]string{"token": session.FormToken(a.Cookies.Get(r, visitCookie), purposeLogout)},
	}
	if a.Now().Before(v.AccessExpires) {
		_, err := a.Origins(r.Context(), v.AccessToken)
		view.Refused = errors.Is(err, token.ErrInvalid)
	}
	for _, name := range v.Asked {
		if slices.Contains(v.Granted, name) {
			view.Granted = append(view.Granted, a.scope(name))
		} else {
			view.Withheld = append(view.Withheld, a.scope(name))
		}
	}
	switch tab {
	case ui.DemoAccessToken:
		// The audience of its access tokens is the broker itself.
		view.AccessToken = a.token(r.Context(), v.AccessToken, a.Issuer.String(), v.AccessExpires)
	case ui.DemoIDToken:
		view.IDToken = a.token(r.Context(), v.IDToken, ClientID, v.IDExpires)
	case ui.DemoRefreshToken:
		view.Refresh = a.refreshToken(r, v)
	default:
		view.Claims = a.rows(v)
	}
	w.Header().Add("Vary", "Cookie")
	a.Pages.Demo(w, r, view)
}

// scope returns what people read about a scope; of one that is not known any
// more, the name.
func (a *App) scope(name string) ui.DemoScope {
	i := slices.IndexFunc(a.Scopes, func(s claims.Scope) bool { return s.Name == name })
	if i < 0 {
		return ui.DemoScope{Name: name}
	}
	return demoScope(a.Scopes[i])
}

func demoScope(s claims.Scope) ui.DemoScope {
	return ui.DemoScope{Name: s.Name, DisplayName: s.DisplayName, Description: s.Description}
}
