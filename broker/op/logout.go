package op

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// PathLogout is where people sign out, and where upstream logouts return to.
const PathLogout = "/oauth2/logout"

// purposeLogout is that of the form's token.
const purposeLogout = "logout"

// Logout asks whether to sign out, and does it: the browser's SSO session
// ends with everything below it, gate sessions and unspent codes included.
//
// It is the logout endpoint of OpenID Connect RP-Initiated Logout 1.0 for
// requests that prove nothing (section 2: "the OP MUST ask"). No parameter is
// looked at but ui_locales, so the browser is never sent anywhere: a
// post_logout_redirect_uri that nobody checks would be an open redirector.
func (s *Server) Logout(w http.ResponseWriter, r *http.Request) {
	handle := s.Cookies.Get(r, ssoCookie)
	if r.Method == http.MethodPost {
		s.signOut(w, r, handle)
		return
	}
	_, err := s.Sessions.Known(r.Context(), handle)
	switch {
	case errors.Is(err, session.ErrNoSession):
		s.signedOut(w, r)
	case err != nil:
		s.page(w, r, failure{reason: "store_unavailable", err: err})
	default:
		s.Pages.LogoutConfirm(w, r, ui.LogoutConfirm{
			Action:  s.path(PathLogout),
			Hidden:  map[string]string{"token": session.FormToken(handle, purposeLogout)},
			Locales: r.URL.Query().Get("ui_locales"),
		})
	}
}

// signOut takes the form of the page.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, handle string) {
	known, err := s.Sessions.Known(r.Context(), handle)
	if errors.Is(err, session.ErrNoSession) { // a second click, or another tab was faster
		if new(http.CrossOriginProtection).Check(r) != nil {
			s.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden})
			return
		}
		s.signedOut(w, r)
		return
	}
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	}
	if !session.OwnForm(w, r, handle, purposeLogout) {
		s.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden})
		return
	}
	if err := s.Sessions.End(r.Context(), known.SID); err != nil {
		s.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	}
	for connection, login := range known.Logins {
		s.Log.Info("signed out", zap.String("connection", connection), zap.String("subject", login.Subject))
	}
	s.signedOut(w, r)
}

// signedOut says so, and makes the browser forget its handle, which no
// session has any more.
func (s *Server) signedOut(w http.ResponseWriter, r *http.Request) {
	if s.Cookies.Get(r, ssoCookie) != "" {
		s.Cookies.Clear(w, ssoCookie)
	}
	s.Pages.SignedOut(w, r, ui.SignedOut{Locales: r.URL.Query().Get("ui_locales")})
}
