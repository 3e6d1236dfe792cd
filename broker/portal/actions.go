package portal

import (
	"net/http"
	"net/url"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// ask is the page before an application loses all it has.
func (p *Portal) ask(w http.ResponseWriter, r *http.Request, a *authn.Authorization) {
	apps, err := p.Broker.Apps(r.Context(), a.Context.Subject)
	if err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	app, found := find(apps, r.URL.Query().Get("client"))
	if !found {
		p.fail(w, r, "not_found", nil)
		return
	}
	token, err := p.seal(r.Context(), formPurpose, a, formLifetime, "")
	if err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	p.Pages.Withdrawal(w, r, ui.Withdrawal{
		App: app, Action: p.Base + pathWithdraw, CancelURL: p.Base + "#apps",
		Hidden: map[string]string{"client": app.ID, "token": token},
	})
}

// withdraw takes back all that the application has, or one scope of it. What
// it does not have, as after a double click, is withdrawn already; and who
// tries again after a failure gets what is missing done.
func (p *Portal) withdraw(w http.ResponseWriter, r *http.Request, a *authn.Authorization, form url.Values) {
	done, scopes := ui.DoneWithdrawn, []string(nil)
	if scope := form.Get("scope"); scope != "" {
		done, scopes = ui.DoneScopeWithdrawn, []string{scope}
	}
	if err := p.Broker.Withdraw(r.Context(), a.Context.Subject, form.Get("client"), scopes...); err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	p.report(w, r, a, done, "apps")
}

// end ends one session of the user.
func (p *Portal) end(w http.ResponseWriter, r *http.Request, a *authn.Authorization, form url.Values) {
	sid := form.Get("session")
	if err := p.Broker.EndSession(r.Context(), a.Context.Subject, sid); err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	if sid == a.SID {
		p.redirect(w, p.SignOut)
		return
	}
	p.report(w, r, a, ui.DoneSessionEnded, "sessions")
}

// endAll ends everything, this session too. The gate's own page says that
// the user is signed out, and removes the cookie.
func (p *Portal) endAll(w http.ResponseWriter, r *http.Request, a *authn.Authorization, _ url.Values) {
	if err := p.Broker.EndAll(r.Context(), a.Context.Subject); err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	p.redirect(w, p.SignOut)
}
