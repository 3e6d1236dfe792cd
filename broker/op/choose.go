package op

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// choose picks the connection, or sends the browser to the page that does.
func (s *Server) choose(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client) {
	candidates := s.candidates(client)
	switch {
	case len(candidates) == 0:
		s.page(w, r, failure{reason: "no_connections", login: l})
	case len(candidates) == 1:
		l.Connection = candidates[0].ID
		s.dispatch(w, r, l, client)
	case l.Request.HasPrompt("none"):
		s.toClient(w, r, l, &oauth.Error{Code: oauth.InteractionRequired, Description: "the user has to choose an identity provider"}, oauth.InteractionRequired)
	default:
		if s.keepPending(w, r, l) {
			redirect(w, r, s.url(PathLogin)+"?"+url.Values{"flow": {l.ID}}.Encode())
		}
	}
}

// Login is the connection chooser. Its choices are links back to itself
// that name a connection.
func (s *Server) Login(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if oerr := oauth.CheckParams(query); oerr != nil {
		s.page(w, r, failure{reason: oauth.InvalidRequest})
		return
	}
	p, err := s.readPending(r)
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	}
	l, err := s.get(r.Context(), p, query.Get("flow"))
	if err != nil && !errors.Is(err, errNoLogin) {
		s.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	}
	if err != nil {
		s.page(w, r, failure{reason: "stale_sign_in", err: err})
		return
	}
	client := s.Client(l.Request.ClientID)
	if client == nil {
		s.page(w, r, failure{reason: oauth.InvalidClient, login: l})
		return
	}
	chosen := query.Get("connection")
	if chosen == "" {
		s.chooser(w, r, l, client)
		return
	}
	if !s.Permits(client, chosen) {
		s.page(w, r, failure{reason: "unknown_connection", login: l})
		return
	}
	// Somebody may come back from one provider's page to try another. The
	// first one's answer does not count any more: its state names it.
	l.Connection, l.Private = chosen, nil
	s.dispatch(w, r, l, client)
}

func (s *Server) chooser(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client) {
	view := ui.Chooser{Client: clientView(client, l.Request.RedirectURI)}
	for _, conn := range s.candidates(client) {
		query := url.Values{"flow": {l.ID}, "connection": {conn.ID}}
		view.Connections = append(view.Connections, ui.Connection{
			ID: conn.ID, Name: conn.Name, URL: s.path(PathLogin) + "?" + query.Encode(),
		})
	}
	s.Pages.Chooser(w, r, view)
}

// clientView is what pages show of a client.
func clientView(c *oauth.Client, redirectURI string) ui.Client {
	v := ui.Client{Name: c.DisplayName(), URI: c.URI, PolicyURI: c.PolicyURI, TOSURI: c.TOSURI}
	if u, err := url.Parse(redirectURI); err == nil {
		v.RedirectHost = u.Host
		if u.Host == "" {
			v.RedirectHost = u.Scheme + ":"
		}
	}
	return v
}

// keepPending puts the login into the browser's cookie. On failure it has
// answered the request and returns false.
func (s *Server) keepPending(w http.ResponseWriter, r *http.Request, l *login) bool {
	p, err := s.readPending(r)
	if err == nil {
		err = s.put(r.Context(), p, l)
	}
	if err == nil {
		err = s.writePending(r.Context(), w, p)
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, errTooLarge):
		s.toClient(w, r, l, &oauth.Error{Code: oauth.InvalidRequest, Description: "the request is too long"}, oauth.InvalidRequest)
	default:
		s.toClientInternal(w, r, l, err)
	}
	return false
}
