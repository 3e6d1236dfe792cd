package op

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A wayBack is where a sign-in began. The addresses of its pages carry it, so
// that somebody who comes back to a tab of yesterday, when the sign-in itself
// is long gone, finds the way to the application that it was for.
//
// Except in the upstream's state it is not sealed: it has to be of use when
// the key is lost, too. Whoever forges one chooses which registered client's
// own address stands behind a link, and what a page says about time; he could
// have sent the address itself.
type wayBack struct {
	client string

	// state is that of a gated site, which has sealed its page into it.
	state string

	started time.Time
}

// Parameters of a way back; the first two are those of the request.
const (
	paramClient  = "client_id"
	paramState   = "state"
	paramStarted = "started"
)

// wayBack is the login's.
func (s *Server) wayBack(l *login) wayBack {
	way := wayBack{client: l.Request.ClientID, started: l.started()}
	if c := s.Client(way.client); c != nil && c.Gate {
		way.state = l.Request.State
	}
	return way
}

// wayBackOf reads what addWayBack has set.
func wayBackOf(params url.Values) wayBack {
	started, _ := strconv.ParseInt(params.Get(paramStarted), 10, 64)
	return wayBack{client: params.Get(paramClient), state: params.Get(paramState), started: time.Unix(started, 0)}
}

// addWayBack adds the login's way back to the parameters of an address.
func (s *Server) addWayBack(params url.Values, l *login) url.Values {
	for name, value := range s.wayBackFields(l) {
		params.Set(name, value)
	}
	return params
}

// wayBackFields are the login's way back as parameters, or as fields of a form.
func (s *Server) wayBackFields(l *login) map[string]string {
	way := s.wayBack(l)
	fields := map[string]string{paramClient: way.client, paramStarted: strconv.FormatInt(l.Started, 10)}
	if way.state != "" {
		fields[paramState] = way.state
	}
	return fields
}

// waysOn returns the links of an error page: to try again, at a gated site,
// or back to any other application.
func (s *Server) waysOn(ctx context.Context, way wayBack, reason string) (retry, back string) {
	c := s.Client(way.client)
	switch {
	case c == nil:
		return "", ""
	case !c.Gate:
		return "", c.URI
	case reason == "no_connections":
		return "", "" // the site would lead here again
	case s.Resume != nil:
		if page, ok := s.Resume(ctx, c.ID, way.state); ok {
			return page, ""
		}
	}
	return c.URI, ""
}

// lost is the failure of a sign-in that this browser does not have: it took
// too long, or the browser has never kept our cookie. A browser without any
// had one if the sign-in is old, because cookies end, too.
func (s *Server) lost(r *http.Request, way wayBack, err error) *failure {
	f := stale(err)
	f.way = way
	if s.Cookies.Get(r, pendingCookie) == "" && s.Now().Sub(way.started) <= pendingLifetime {
		f.reason = "cookies_missing"
	}
	return f
}

// lostOrSpent is lost for a sign-in that may have been taken out of the browser by
// its callback: then the person has gone back, or reloaded.
func (s *Server) lostOrSpent(r *http.Request, id string, way wayBack, err error) *failure {
	f := s.lost(r, way, err)
	if _, err := s.Store.Get(r.Context(), store.SecretKey(spentKind, id)); err == nil {
		f.reason = "replayed_callback"
	}
	return f
}

// startOver begins a sign-in anew that is past its chooser: the back button has
// led from the consent page to the choice of the provider. What the person
// chooses there counts; the sign-in before stays what it was until it ends.
// On false there is no such sign-in, and nothing has been answered.
func (s *Server) startOver(w http.ResponseWriter, r *http.Request, p *pending, params url.Values) bool {
	before, err := s.loadLogin(r.Context(), params.Get("flow"), p.Binding)
	if err != nil || before.Decided || s.Client(before.Request.ClientID) == nil {
		return false
	}
	l := s.newLogin(before.Request)
	if s.keepPending(w, r, l) {
		redirect(w, r, s.chooserURL(l, params.Get("connection"), params.Get("remember")))
	}
	return true
}
