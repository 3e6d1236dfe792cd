package portal

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// show is the portal itself.
func (p *Portal) show(w http.ResponseWriter, r *http.Request, a *authn.Authorization) {
	ctx, subject := r.Context(), a.Context.Subject
	apps, err := p.Broker.Apps(ctx, subject)
	if err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	sessions, err := p.Broker.Sessions(ctx, subject)
	if err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	token, err := p.seal(ctx, formPurpose, a, formLifetime, "")
	if err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	for i := range apps {
		apps[i].WithdrawURL = p.withdrawURL(apps[i].ID)
	}
	p.Pages.Portal(w, r, ui.Portal{
		Account: account(a.Context), SignOutURL: p.SignOut, DemoURL: p.Demo,
		WithdrawURL: p.Base + pathWithdraw, EndURL: p.Base + pathEnd, EndAllURL: p.Base + pathEndAll, Token: token,
		Done: p.reported(r, a), Apps: apps, Data: p.data(a.Context), SignIn: p.signIn(a.Context), Sessions: p.sessions(sessions, a.SID),
	})
}

func (p *Portal) withdrawURL(client string) string {
	return p.Base + pathWithdraw + "?" + url.Values{"client": {client}}.Encode()
}

func (p *Portal) signIn(c *authn.Context) ui.SignIn {
	return ui.SignIn{Connection: p.Broker.Connection(c.Connection), Time: c.AuthTime, Methods: c.AMR}
}

// sessions returns the sessions as people see them, with names for ids.
func (p *Portal) sessions(all []session.UserSession, current string) []ui.PortalSession {
	out := make([]ui.PortalSession, 0, len(all))
	for _, s := range all {
		v := ui.PortalSession{
			SID: s.SID, Current: s.SID == current, Device: s.Device,
			Created: s.Created, Used: s.Used, Expires: s.Expires,
		}
		for _, id := range s.Connections {
			v.Connections = append(v.Connections, p.Broker.Connection(id))
		}
		for _, id := range s.Clients {
			if id != ClientID { // the page that they are looking at
				v.Sites = append(v.Sites, p.Broker.Client(id))
			}
		}
		out = append(out, v)
	}
	return out
}

// find returns the application of that id that subject can take something
// back from.
func find(apps []ui.PortalApp, id string) (ui.PortalApp, bool) {
	i := slices.IndexFunc(apps, func(app ui.PortalApp) bool { return app.ID == id && !app.Trusted })
	if i < 0 {
		return ui.PortalApp{}, false
	}
	return apps[i], true
}
