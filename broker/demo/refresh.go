package demo

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// Refresh uses the refresh token, and keeps what it brings in place of what
// the demo had. If the broker refuses it, that is what the demo shows.
func (a *App) Refresh(w http.ResponseWriter, r *http.Request) {
	tab := a.path(PathFront) + "?" + paramTab + "=" + string(ui.DemoRefreshToken)
	v, err := a.visit(r)
	switch {
	case errors.Is(err, session.ErrNoSession):
		redirect(w, a.path(PathFront))
		return
	case err != nil:
		a.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	case !session.OwnForm(w, r, a.Cookies.Get(r, visitCookie), purposeRefresh):
		a.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden})
		return
	case v.RefreshToken == "":
		redirect(w, tab) // a second click, after the broker has refused it
		return
	}
	renewed, err := a.renew(r.Context(), v)
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode == oauth.InvalidGrant {
		v.RefreshToken, v.RefreshEnded = "", true
		renewed, err = v, nil
	}
	if err != nil {
		a.page(w, r, failure{reason: oauth.ServerError, err: err})
		return
	}
	if !renewed.RefreshEnded {
		tab += "&" + paramRenewed + "=1"
	}
	if a.keep(w, r, renewed) {
		redirect(w, tab)
	}
}

// renew uses the refresh token. What comes has to be about the same person
// (OpenID Connect Core, 12.2).
func (a *App) renew(ctx context.Context, old *visit) (*visit, error) {
	ctx = a.online(ctx)
	provider, err := a.discover(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := a.config(provider, nil).TokenSource(ctx, &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
	if err != nil {
		return nil, err
	}
	id, _, err := a.verified(ctx, provider, tokens)
	if err != nil {
		return nil, err
	}
	if id.Subject != old.subject() {
		return nil, errors.New("the ID token is about somebody else")
	}
	v := a.brings(tokens, id)
	v.Login, v.Asked, v.SID = old.Login, old.Asked, old.SID
	return v, a.complete(ctx, provider, tokens, id.Subject, v)
}

// subject is who signed in.
func (v *visit) subject() string {
	s, _ := payload(v.IDToken)["sub"].(string)
	return s
}

// refreshToken is what the page shows of it.
func (a *App) refreshToken(r *http.Request, v *visit) ui.DemoRefresh {
	out := ui.DemoRefresh{
		Raw: v.RefreshToken, Expires: v.RefreshExpires, Renewed: r.URL.Query().Has(paramRenewed) && v.RefreshToken != "",
		Action: a.path(PathRefresh),
		Hidden: map[string]string{"token": session.FormToken(a.Cookies.Get(r, visitCookie), purposeRefresh)},
	}
	switch {
	case v.RefreshEnded:
		out.Missing = ui.DemoEnded
	case slices.Contains(v.Asked, claims.ScopeOfflineAccess):
		out.Missing = ui.DemoWithheld
	}
	return out
}
