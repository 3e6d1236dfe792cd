package op

import (
	"net/http"
	"net/url"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// errClient is one answer for an unknown client and a wrong secret, so that
// client ids cannot be collected.
var errClient = &oauth.Error{
	Code: oauth.InvalidClient, Status: http.StatusUnauthorized,
	Description: "unknown client, wrong secret, or an authentication method that the client may not use",
}

// authenticateClient says which client a token request is from (RFC 6749,
// 2.3): by client_secret_basic or client_secret_post, or for a public
// client by its id alone.
func (s *Server) authenticateClient(r *http.Request, form url.Values) (*oauth.Client, *oauth.Error) {
	id, secret, method, oerr := credentials(r, form)
	if oerr != nil {
		return nil, oerr
	}
	client := s.Client(id)
	if client == nil || client.Gate {
		// The same work as for a known client: time must not tell them
		// apart (R59). A gated site has no business here at all.
		nobody.CheckSecret(secret)
		return nil, errClient
	}
	if client.Public {
		if method != oauth.AuthNone {
			return nil, errClient
		}
		return client, nil
	}
	if !client.CheckSecret(secret) || method == oauth.AuthNone ||
		client.AuthMethod != "" && client.AuthMethod != method {
		return nil, errClient
	}
	return client, nil
}

// nobody stands in for an unknown client.
var nobody = &oauth.Client{Secrets: [][32]byte{{}}}

// credentials reads the client's id and secret. Two methods in one request
// are an error (RFC 6749, 2.3).
func credentials(r *http.Request, form url.Values) (id, secret, method string, oerr *oauth.Error) {
	user, pass, basic := r.BasicAuth()
	switch {
	case r.Header.Get("Authorization") != "" && !basic:
		return "", "", "", errClient
	case basic && form.Has("client_secret"):
		return "", "", "", &oauth.Error{Code: oauth.InvalidRequest, Description: "two client authentication methods in one request"}
	case basic:
		// Both halves are form-encoded before they are joined (RFC 6749,
		// 2.3.1), which many clients forget; what does not decode is wrong.
		var err1, err2 error
		id, err1 = url.QueryUnescape(user)
		secret, err2 = url.QueryUnescape(pass)
		if err1 != nil || err2 != nil {
			return "", "", "", errClient
		}
		if given := form.Get("client_id"); given != "" && given != id {
			return "", "", "", &oauth.Error{Code: oauth.InvalidRequest, Description: "client_id differs from the one in the Authorization header"}
		}
		return id, secret, oauth.AuthBasic, nil
	case form.Has("client_secret"):
		return form.Get("client_id"), form.Get("client_secret"), oauth.AuthPost, nil
	case form.Get("client_id") == "":
		return "", "", "", errClient
	}
	return form.Get("client_id"), "", oauth.AuthNone, nil
}
