package op

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// Authorize is the authorization endpoint (RFC 6749, 3.1; OpenID Connect
// Core, 3.1.2), by GET or POST.
func (s *Server) Authorize(w http.ResponseWriter, r *http.Request) {
	params, oerr := readAuthorize(w, r)
	if oerr != nil {
		s.page(w, r, failure{reason: oauth.InvalidRequest, code: oerr.Code, status: oerr.HTTPStatus()})
		return
	}
	client, oerr := s.authorizeClient(params)
	if oerr != nil {
		s.page(w, r, failure{reason: oerr.Code, code: oerr.Code, status: oerr.HTTPStatus()})
		return
	}
	req, oerr := oauth.ParseAuthorizeRequest(params, client)
	l := s.newLogin(req)
	if !client.MayGrant(oauth.GrantAuthorizationCode) {
		oerr = errUnauthorizedClient
	}
	if oerr != nil {
		s.toClient(w, r, l, oerr, oerr.Code)
		return
	}
	if oerr, err := s.readHint(r, req); err != nil {
		s.toClientInternal(w, r, l, err)
		return
	} else if oerr != nil {
		s.toClient(w, r, l, oerr, "invalid_id_token_hint")
		return
	}
	if hint := req.IDPHint; hint != "" {
		if !s.Permits(client, hint) {
			s.toClient(w, r, l, &oauth.Error{Code: oauth.InvalidRequest, Description: "idp_hint names no connection of this client"}, "unknown_connection")
			return
		}
		l.Connection = hint
	}
	s.dispatch(w, r, l, client)
}

// readHint finds out whom an id_token_hint means (OpenID Connect Core,
// 3.1.2.1). If another user signs in, or is signed in, the client gets
// login_required.
func (s *Server) readHint(r *http.Request, req *oauth.AuthorizeRequest) (*oauth.Error, error) {
	if req.IDTokenHint == "" {
		return nil, nil
	}
	id, err := s.Minter.VerifyHint(r.Context(), req.IDTokenHint, req.ClientID)
	if errors.Is(err, token.ErrInvalid) || err == nil && req.Subject != "" && req.Subject != id.Subject {
		return &oauth.Error{Code: oauth.InvalidRequest, Description: "id_token_hint is no ID token of ours for this client, or means another user than the claims parameter"}, nil
	}
	if err != nil {
		return nil, err
	}
	req.Subject = id.Subject
	return nil, nil
}

// readAuthorize returns the parameters: of the query, and for POST of the
// body too.
func readAuthorize(w http.ResponseWriter, r *http.Request) (url.Values, *oauth.Error) {
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		form, oerr := readForm(w, r)
		if oerr != nil {
			return nil, oerr
		}
		// A parameter that stands in the address and in the body is given
		// twice, as far as any check is concerned.
		for name, values := range form {
			params[name] = append(params[name], values...)
		}
	}
	return params, oauth.CheckParams(params)
}

// authorizeClient checks what must be right before anybody is redirected
// (OpenID Connect Core, 3.1.2.6): with a wrong client or address the error
// would be delivered to an attacker's page.
func (s *Server) authorizeClient(params url.Values) (*oauth.Client, *oauth.Error) {
	client := s.Client(params.Get("client_id"))
	if client == nil {
		return nil, &oauth.Error{Code: oauth.InvalidClient}
	}
	if !client.MatchRedirectURI(params.Get("redirect_uri")) {
		if !client.MayGrant(oauth.GrantAuthorizationCode) {
			// It has no such address; that is not what is wrong with it.
			return nil, &oauth.Error{Code: oauth.UnauthorizedClient}
		}
		return nil, &oauth.Error{Code: oauth.InvalidRedirectURI}
	}
	return client, nil
}

// dispatch looks at the login and takes the next step. It is the only place
// that knows their order. The answer to the consent page ends a login, so
// that one does not come back here.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client) {
	if l.Connection == "" {
		s.choose(w, r, l, client)
		return
	}
	conn := s.connection(l.Connection)
	if conn == nil || !s.Permits(client, l.Connection) {
		// Disabled or removed while the user was away (R30).
		s.page(w, r, failure{reason: "unknown_connection", login: l})
		return
	}
	if l.Context == nil {
		if err := s.recall(w, r, l, conn, client); err != nil {
			s.toClientInternal(w, r, l, err)
			return
		}
	}
	switch {
	case l.Context == nil:
		s.beginUpstream(w, r, l, conn)
	case !l.Finished && conn.Application != nil:
		s.beginApplication(w, r, l, conn)
	case !l.Finished:
		s.finishContext(w, r, l, conn, client)
	default:
		s.consent(w, r, l, client)
	}
}

// consent asks the user, if there is something to ask.
func (s *Server) consent(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client) {
	question, err := s.question(r, l, client)
	switch {
	case err != nil:
		s.toClientInternal(w, r, l, err)
	case question.Due && l.Request.HasPrompt("none"):
		s.toClient(w, r, l, &oauth.Error{Code: oauth.ConsentRequired, Description: "the user has to consent"}, oauth.ConsentRequired)
	case question.Due:
		s.askConsent(w, r, l)
	default:
		s.finish(w, r, l, client)
	}
}

// readForm reads a form body: of the one media type there is, within
// bounds.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *oauth.Error) {
	const maxBody = 64 << 10
	if !isForm(r) {
		return nil, &oauth.Error{Code: oauth.InvalidRequest, Description: "the body must be application/x-www-form-urlencoded"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &oauth.Error{Code: oauth.InvalidRequest, Description: "the body is too large", Status: http.StatusRequestEntityTooLarge}
		}
		return nil, &oauth.Error{Code: oauth.InvalidRequest, Description: "the body is not a readable form"}
	}
	return r.PostForm, nil
}
