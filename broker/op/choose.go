package op

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// choose picks the connection, or sends the browser to the page that does.
func (s *Server) choose(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client) {
	candidates := s.candidates(client)
	conn, err := s.preselect(r, l, client, candidates)
	switch {
	case err != nil:
		s.toClientInternal(w, r, l, err)
	case conn != nil:
		l.Connection = conn.ID
		s.dispatch(w, r, l, client)
	case len(candidates) == 0:
		s.page(w, r, failure{reason: "no_connections", login: l})
	case l.Request.HasPrompt("none"):
		s.toClient(w, r, l, &oauth.Error{Code: oauth.InteractionRequired, Description: "the user has to choose an identity provider"}, oauth.InteractionRequired)
	default:
		if s.keepPending(w, r, l) {
			redirect(w, r, s.chooserAddress(l))
		}
	}
}

// preselect returns the connection that nobody has to be asked for, nil if
// there is none: the one that the address in login_hint leads to, the only
// one, one that the browser is signed in at, or the one to remember.
func (s *Server) preselect(r *http.Request, l *login, client *oauth.Client, candidates []*Connection) (*Connection, error) {
	if len(candidates) > 1 && l.Request.HasPrompt("select_account") {
		return nil, nil
	}
	if owner := s.domainOwner(client, l.Request.LoginHint); owner != nil {
		return owner, nil
	}
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	kept := s.rememberedChoice(r, candidates)
	live, err := s.signedIn(r, l, client, candidates, kept)
	if err != nil || live != nil {
		return live, err
	}
	if kept != nil && !l.Request.HasPrompt("none") && s.stuck(r, l, kept) {
		return nil, nil
	}
	return kept, nil
}

// signedIn returns a candidate whose cached context answers the login: the
// preferred one if it does, else the one where the latest sign-in was; nil
// if there is none.
func (s *Server) signedIn(r *http.Request, l *login, client *oauth.Client, candidates []*Connection, preferred *Connection) (*Connection, error) {
	var latest *Connection
	var when time.Time
	for _, conn := range candidates {
		found, _, err := s.cached(r, l, conn, client)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		if conn == preferred {
			return conn, nil
		}
		if made := found.Expires.Add(-conn.CacheTTL); latest == nil || made.After(when) {
			latest, when = conn, made
		}
	}
	return latest, nil
}

// Login is the connection chooser. Its choices are links back to itself
// that name a connection; its one form asks for an e-mail address.
func (s *Server) Login(w http.ResponseWriter, r *http.Request) {
	params, ok := s.loginParams(w, r)
	if !ok {
		return
	}
	l := s.pendingLogin(w, r, params)
	if l == nil {
		return
	}
	client := s.Client(l.Request.ClientID)
	switch chosen := params.Get("connection"); {
	case client == nil:
		s.page(w, r, failure{reason: oauth.InvalidClient, login: l})
	case r.Method == http.MethodPost:
		s.takeAddress(w, r, l, client, params)
	case chosen == "":
		s.chooser(w, r, l, client, params.Get("remember"))
	case !s.Permits(client, chosen):
		s.page(w, r, failure{reason: "unknown_connection", login: l})
	default:
		if params.Get("remember") == remember {
			s.keepChoice(w, r, s.candidates(client), chosen)
		}
		// Somebody may come back from one provider's page to try another.
		// The first one's answer does not count any more: its state names
		// it.
		l.Connection, l.Private, l.Unavailable = chosen, nil, ""
		s.dispatch(w, r, l, client)
	}
}

// loginParams reads the parameters of the chooser. On failure it has
// answered the request and returns false.
func (s *Server) loginParams(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		if err := new(http.CrossOriginProtection).Check(r); err != nil {
			s.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden, err: err})
			return nil, false
		}
		form, oerr := readForm(w, r)
		if oerr != nil {
			s.page(w, r, failure{reason: "forged_form", code: oerr.Code, status: http.StatusForbidden})
			return nil, false
		}
		params = form
	}
	if oerr := oauth.CheckParams(params); oerr != nil {
		s.page(w, r, failure{reason: oauth.InvalidRequest})
		return nil, false
	}
	return params, true
}

// pendingLogin returns the login of this browser that the parameters name. On
// failure it has answered the request and returns nil.
func (s *Server) pendingLogin(w http.ResponseWriter, r *http.Request, params url.Values) *login {
	way := wayBackOf(params)
	p, err := s.readPending(r)
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", way: way, err: err})
		return nil
	}
	l, err := s.get(r.Context(), p, params.Get("flow"))
	switch {
	case errors.Is(err, errNoLogin):
		if !s.startOver(w, r, p, params) {
			s.page(w, r, *s.lostOrSpent(r, params.Get("flow"), way, err))
		}
		return nil
	case err != nil:
		s.page(w, r, failure{reason: "store_unavailable", way: way, err: err})
		return nil
	}
	return l
}

// chooser shows the page with all choices. The parameter switched is the
// "Remember my choice" of the link that was followed, empty for none.
func (s *Server) chooser(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client, switched string) {
	candidates := s.candidates(client)
	remembering := switched == remember
	switch switched {
	case "":
		remembering = s.rememberedChoice(r, candidates) != nil
	case doNotRemember:
		s.forget(w, r, candidates)
	}
	view := s.chooserView(l, client, candidates, remembering)
	if s.hasDomains(client) {
		view.Email = s.emailField(l, remembering)
	}
	s.Pages.Chooser(w, r, view)
	s.lookAt(r.Context(), candidates)
}

func (s *Server) chooserView(l *login, client *oauth.Client, choices []*Connection, remembering bool) ui.Chooser {
	view := ui.Chooser{
		Client:      s.clientView(client, l.Request.RedirectURI),
		Unavailable: s.unavailableName(l),
		RememberURL: s.chooserURL(l, "", switchTo(!remembering)),
		Remembering: remembering,
		Locales:     l.Request.UILocales,
	}
	for _, conn := range choices {
		view.Connections = append(view.Connections, ui.Connection{
			ID: conn.ID, Name: conn.Name, URL: s.chooserURL(l, conn.ID, switchTo(remembering)),
			LogoURL: s.logoURL("connection", conn.ID, conn.LogoURI),
			Down:    s.health.down(conn.ID, s.Now()),
		})
	}
	return view
}

// chooserAddress is where the browser finds the chooser.
func (s *Server) chooserAddress(l *login) string {
	return s.url(PathLogin) + "?" + s.addWayBack(url.Values{"flow": {l.ID}}, l).Encode()
}

// chooserURL is a link of the chooser back to itself: to choose the
// connection, or to show the page again where that is empty.
func (s *Server) chooserURL(l *login, connection, switched string) string {
	params := s.addWayBack(url.Values{"flow": {l.ID}, "remember": {switched}}, l)
	if connection != "" {
		params.Set("connection", connection)
	}
	return s.path(PathLogin) + "?" + params.Encode()
}

// clientView is what pages show of a client.
func (s *Server) clientView(c *oauth.Client, redirectURI string) ui.Client {
	v := ui.Client{
		Name: c.DisplayName(), URI: c.URI, PolicyURI: c.PolicyURI, TOSURI: c.TOSURI,
		LogoURL: s.logoURL("client", c.ID, c.LogoURI),
	}
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
