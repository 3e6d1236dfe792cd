package op

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// Token is the token endpoint (RFC 6749, 3.2): POST, parameters in the body
// alone.
func (s *Server) Token(w http.ResponseWriter, r *http.Request) {
	if client, form, ok := s.clientRequest(w, r, "token endpoint"); ok {
		s.grantTokens(w, r, client, form)
	}
}

// clientRequest reads a request that a client makes by itself: a form in the
// body, each parameter once, and who sends it. Otherwise it has answered.
func (s *Server) clientRequest(w http.ResponseWriter, r *http.Request, realm string) (*oauth.Client, url.Values, bool) {
	form, oerr := readForm(w, r)
	if oerr == nil {
		oerr = oauth.CheckParams(form)
	}
	if oerr == nil && r.URL.RawQuery != "" {
		// What is in the address ends up in logs.
		oerr = &oauth.Error{Code: oauth.InvalidRequest, Description: "parameters belong into the body"}
	}
	if oerr != nil {
		writeError(w, oerr)
		return nil, nil, false
	}
	client, oerr := s.authenticateClient(r, form)
	if oerr != nil {
		if r.Header.Get("Authorization") != "" && oerr.Code == oauth.InvalidClient {
			w.Header().Set("WWW-Authenticate", `Basic realm="`+realm+`"`)
		}
		writeError(w, oerr)
		return nil, nil, false
	}
	return client, form, true
}

// errUnauthorizedClient is for a grant that works, but not for this client
// (RFC 6749, 4.1.2.1 and 5.2).
var errUnauthorizedClient = &oauth.Error{Code: oauth.UnauthorizedClient, Description: "this client may not use the grant"}

// grantTokens answers by the grant type.
func (s *Server) grantTokens(w http.ResponseWriter, r *http.Request, client *oauth.Client, form url.Values) {
	switch grantType := form.Get("grant_type"); {
	case grantType == "":
		writeError(w, &oauth.Error{Code: oauth.InvalidRequest, Description: "grant_type is missing"})
	case !slices.Contains(oauth.Grants(), grantType):
		writeError(w, &oauth.Error{Code: oauth.UnsupportedGrantType, Description: "grant_type must be one of: " + strings.Join(oauth.Grants(), ", ")})
	case !client.MayGrant(grantType):
		writeError(w, errUnauthorizedClient)
	case grantType == oauth.GrantClientCredentials:
		s.clientCredentials(w, r, client, form)
	case grantType == oauth.GrantRefreshToken:
		s.refresh(w, r, client, form)
	default:
		s.exchange(w, r, Redemption{
			Client:      client,
			Code:        form.Get("code"),
			RedirectURI: form.Get("redirect_uri"),
			Verifier:    form.Get("code_verifier"),
		})
	}
}

// issued is what a user's grant brings a client.
type issued struct {
	authorization *authn.Authorization
	tokens        token.Tokens
	refresh       *refreshToken // nil: none
}

func (s *Server) exchange(w http.ResponseWriter, r *http.Request, in Redemption) {
	a, refresh, err := s.redeem(r.Context(), in)
	if err != nil {
		s.tokenError(w, in.Client, err)
		return
	}
	t, err := s.Minter.Mint(r.Context(), a, in.Client, a.ID)
	if err != nil {
		s.tokenError(w, in.Client, err)
		return
	}
	s.Log.Info("tokens issued", zap.String("client", in.Client.ID), zap.String("subject", a.Context.Subject), zap.Strings("scopes", a.Scopes))
	s.writeTokens(w, &issued{a, t, refresh})
}

// writeTokens answers with tokens (RFC 6749, 5.1). That of a refresh token
// tells when the last of its family ends, which no use puts off.
func (s *Server) writeTokens(w http.ResponseWriter, out *issued) {
	body := map[string]any{
		"access_token": out.tokens.AccessToken,
		"token_type":   "Bearer",
		"expires_in":   int64(out.tokens.ExpiresIn / time.Second),
		"scope":        strings.Join(out.authorization.Scopes, " "),
	}
	if out.tokens.IDToken != "" {
		body["id_token"] = out.tokens.IDToken
	}
	if out.refresh != nil {
		body["refresh_token"] = out.refresh.text
		body["refresh_token_expires_in"] = int64(out.refresh.expires.Sub(s.Now()) / time.Second)
	}
	writeJSON(w, http.StatusOK, body)
}

// tokenError answers err: as it is if it is a protocol error, else as a
// fault of ours whose cause only the log knows.
func (s *Server) tokenError(w http.ResponseWriter, client *oauth.Client, err error) {
	var oerr *oauth.Error
	if !errors.As(err, &oerr) {
		trace := newTrace()
		s.Log.Error("token request failed", zap.String("trace", trace), zap.String("client", client.ID), zap.Error(err))
		oerr = &oauth.Error{Code: oauth.ServerError, Status: http.StatusInternalServerError, Description: s.describe(oauth.ServerError, trace)}
	}
	writeError(w, oerr)
}

func (s *Server) logReuse(g *grant) {
	s.Log.Warn("code used twice; what it brought is revoked", zap.String("client", g.ClientID), zap.String("subject", g.Context.Subject))
}

// accessLifetime of the client's tokens; a client that is gone keeps the
// default.
func (s *Server) accessLifetime(clientID string) time.Duration {
	if c := s.Client(clientID); c != nil && c.AccessLifetime > 0 {
		return c.AccessLifetime
	}
	if s.Minter.Lifetime > 0 {
		return s.Minter.Lifetime
	}
	return token.DefaultLifetime
}
