// Package portal is where people see what is known about them, which
// applications they let have some of it, and where they are signed in, and
// where they take back and end what they no longer want.
//
// The portal is an application behind a gate of its own, on the issuer's
// origin: package gateway decides who its user is, and hands over the
// authorization. The portal shows what is in it and what [Broker] tells about
// its subject, and nothing of anybody else, whatever a request names. It has
// no token to show.
//
// Everything that changes something is a form that the portal itself has
// drawn for this user in this session (see form.go), and takes effect at
// once: what was withdrawn or ended is refused on its very next request.
package portal

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

const (
	// Path of the portal, below the issuer.
	Path = "/portal"

	// ClientID is the id of the portal among the clients of the broker.
	ClientID = "portal"
)

// Addresses below the portal's path.
const (
	pathWithdraw = "/withdraw"
	pathEnd      = "/sessions/end"
	pathEndAll   = "/sessions/end-all"
)

// A Broker is what the portal needs of the rest of the process. Subjects are
// those of contexts, not the pairwise ones of clients.
type Broker interface {
	// Apps returns the applications that subject has let have something,
	// and the administrator's where it has been, without the portal itself.
	// The portal adds the addresses of its own pages.
	Apps(ctx context.Context, subject string) ([]ui.PortalApp, error)

	// Withdraw takes back what subject let the client have, or the named
	// scopes of it; from a client that the administrator trusts, nothing.
	Withdraw(ctx context.Context, subject, client string, scopes ...string) error

	// Sessions returns the live sessions of subject, the last used first.
	Sessions(ctx context.Context, subject string) ([]session.UserSession, error)

	// EndSession ends one of them. Another user's it leaves alone, and
	// returns session.ErrNoSession.
	EndSession(ctx context.Context, subject, sid string) error

	// EndAll ends them all, and everything that was issued to subject.
	EndAll(ctx context.Context, subject string) error

	// Connection and Client return names for people.
	Connection(id string) string
	Client(id string) string

	// Attribute returns the name for people that the operator gave an
	// attribute of a connection, or "".
	Attribute(connection, name string) string
}

// A Portal serves the pages. All fields but Demo are required.
type Portal struct {
	// Base is the path of the portal, that of the issuer included. SignOut
	// is where its gate signs out.
	Base    string
	SignOut string

	// Demo is the address that signs in to the demo application; empty if
	// there is none.
	Demo string

	Broker Broker
	Fields []authn.Field // of the context, in the order to show
	Sealer *session.Sealer
	Pages  *ui.Pages
	Log    *zap.Logger
	Now    func() time.Time
}

// A page answers a GET, an action the form of a POST.
type (
	page   func(http.ResponseWriter, *http.Request, *authn.Authorization)
	action func(http.ResponseWriter, *http.Request, *authn.Authorization, url.Values)
)

// route returns what is at a path below the portal's.
func (p *Portal) route(path string) (page, action) {
	switch path {
	case "", "/":
		return p.show, nil
	case pathWithdraw:
		return p.ask, p.withdraw
	case pathEnd:
		return nil, p.end
	case pathEndAll:
		return nil, p.endAll
	}
	return nil, nil
}

// Serve answers a request of the user that the authorization is of.
func (p *Portal) Serve(w http.ResponseWriter, r *http.Request, a *authn.Authorization) {
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	page, action := p.route(strings.TrimPrefix(r.URL.Path, p.Base))
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case page == nil && action == nil:
		p.fail(w, r, "not_found", nil)
	case page != nil && reads:
		page(w, r, a)
	case action != nil && r.Method == http.MethodPost:
		form, err := p.readForm(w, r, a)
		if err != nil {
			p.fail(w, r, reasonOf(err), err)
			return
		}
		action(w, r, a, form)
	default:
		w.Header().Set("Allow", allow(page, action))
		p.fail(w, r, "method_not_allowed", nil)
	}
}

func allow(page page, action action) string {
	switch {
	case action == nil:
		return "GET, HEAD"
	case page == nil:
		return "POST"
	}
	return "GET, HEAD, POST"
}

// fail shows why a request was not served.
func (p *Portal) fail(w http.ResponseWriter, r *http.Request, reason string, err error) {
	trace := rand.Text()
	p.Log.Warn("portal request refused", zap.String("trace", trace), zap.String("reason", reason),
		zap.String("path", r.URL.Path), zap.Error(err))
	p.Pages.Error(w, r, ui.Error{Reason: reason, RetryURL: p.Base, Trace: trace, Time: p.Now()})
}

// redirect answers a form, so that reloading the page sends nothing again.
func (p *Portal) redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
