package op

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// PathLogout is where people sign out, and where upstream logouts return to.
const PathLogout = "/oauth2/logout"

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
			Hidden:  map[string]string{"token": logoutToken(handle)},
			Locales: r.URL.Query().Get("ui_locales"),
		})
	}
}

// signOut takes the form of the page.
//
// The attacker is any page that the person visits. It posts here unseen, and
// signs the person out of everything, over and over (R51). So the post has to
// come from our own page, and to carry what only that page knows.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, handle string) {
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		s.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden, err: err})
		return
	}
	form, oerr := readForm(w, r)
	if oerr != nil {
		s.page(w, r, failure{reason: "forged_form", code: oerr.Code, status: http.StatusForbidden})
		return
	}
	ended, err := s.Sessions.Known(r.Context(), handle)
	if err == nil {
		if subtle.ConstantTimeCompare([]byte(form.Get("token")), []byte(logoutToken(handle))) != 1 {
			s.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden})
			return
		}
		ended, err = s.Sessions.SignOutSSO(r.Context(), handle)
	}
	switch {
	case errors.Is(err, session.ErrNoSession): // a second click, or another tab was faster
	case err != nil:
		s.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	default:
		for connection, login := range ended.Logins {
			s.Log.Info("signed out", zap.String("connection", connection), zap.String("subject", login.Subject))
		}
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

// logoutToken is bound to the session and needs no memory.
func logoutToken(handle string) string {
	mac := hmac.New(sha256.New, []byte(handle))
	mac.Write([]byte("logout"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
