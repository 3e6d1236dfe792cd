package op

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// newTrace returns a correlation id: on the error page, in the log, and in
// the error_description a client gets. 26 letters and digits.
func newTrace() string { return rand.Text() }

// A failure is an error that is shown as a page, because there is nowhere
// to send the browser to.
type failure struct {
	reason string // a key of the page's table
	code   string // the OAuth code, if not the reason's own
	status int
	login  *login
	way    wayBack // from where there is no login to tell
	err    error   // for the log
}

// ends says whether the login ended by the failure. It has not if it had
// ended before, or if another try can still finish it.
func (f failure) ends() bool {
	return !f.login.Decided && f.reason != "forged_form" && f.reason != "store_unavailable"
}

// page shows the error page and logs the failure once.
func (s *Server) page(w http.ResponseWriter, r *http.Request, f failure) {
	trace := newTrace()
	if f.login != nil {
		trace, f.way = f.login.Trace, s.wayBack(f.login)
		s.forgetFailed(w, r, f.login)
		if f.ends() {
			s.keepTrace(r.Context(), f.login, cmp.Or(f.code, f.reason), f.reason)
		}
	}
	s.Log.Warn("request refused", zap.String("trace", trace), zap.String("reason", f.reason),
		zap.String("path", r.URL.Path), zap.Error(f.err))
	retry, back := s.waysOn(r.Context(), f.way, f.reason)
	s.Pages.Error(w, r, ui.Error{
		Reason: f.reason, Code: f.code, Status: f.status, RetryURL: retry, BackURL: back, Trace: trace, Time: s.Now(),
		Locales: f.locales(r),
	})
}

// locales are the languages that the client asked for: of the login, or of
// the request that has not become one.
func (f failure) locales(r *http.Request) string {
	if f.login != nil {
		return f.login.Request.UILocales
	}
	return r.URL.Query().Get("ui_locales")
}

// toClient ends a login with an error at the client's redirect URI (RFC
// 6749, 4.1.2.1) and logs it.
func (s *Server) toClient(w http.ResponseWriter, r *http.Request, l *login, oerr *oauth.Error, reason string) {
	s.Log.Info("authorization refused", zap.String("trace", l.Trace), zap.String("client", l.Request.ClientID),
		zap.String("error", oerr.Code), zap.String("reason", reason))
	s.answerClient(w, r, l, oerr, reason)
}

// toClientInternal ends a login because of a fault of ours. The client
// learns the trace; the cause stays in the log. A session that has ended
// meanwhile is none: the user has signed out in another tab.
func (s *Server) toClientInternal(w http.ResponseWriter, r *http.Request, l *login, err error) {
	if errors.Is(err, session.ErrNoSession) {
		s.toClient(w, r, l, &oauth.Error{Code: oauth.LoginRequired, Description: "the session has ended"}, "session_ended")
		return
	}
	s.Log.Error("sign-in failed", zap.String("trace", l.Trace), zap.String("client", l.Request.ClientID), zap.Error(err))
	s.answerClient(w, r, l, &oauth.Error{Code: oauth.ServerError, Description: s.describe(oauth.ServerError, l.Trace)}, oauth.ServerError)
}

// answerClient sends the browser to the client with the error, which ends the
// login. The reason is the log's word for it.
func (s *Server) answerClient(w http.ResponseWriter, r *http.Request, l *login, oerr *oauth.Error, reason string) {
	s.forgetFailed(w, r, l)
	s.keepTrace(r.Context(), l, oerr.Code, reason)
	redirect(w, r, s.errorRedirect(l, oerr))
}

// errorRedirect is the error response (RFC 6749, 4.1.2.1).
func (s *Server) errorRedirect(l *login, oerr *oauth.Error) string {
	params := url.Values{"error": {oerr.Code}}
	if oerr.Description != "" {
		params.Set("error_description", oerr.Description)
	}
	return s.responseURL(l, params)
}

// responseURL is where the answer to an authorization request goes: to the
// client, with its state and our issuer (RFC 9207).
func (s *Server) responseURL(l *login, params url.Values) string {
	params.Set("iss", s.Issuer.String())
	if l.Request.State != "" {
		params.Set("state", l.Request.State)
	}
	return oauth.RedirectWith(l.Request.RedirectURI, params)
}

// describe is the error_description of a failure behind the client's back:
// a reason of our own table and where to look.
func (s *Server) describe(reason, trace string) string {
	return fmt.Sprintf("The sign-in failed (reason %s, trace %s)", reason, trace)
}

// writeJSON answers with v. Nothing that this package answers directly may
// be cached, unless the caller has said so.
func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
	}
	// An address in it stays one that can be copied: nobody reads this as
	// HTML, so nothing needs escaping for it.
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(raw.Bytes())
}

// writeError answers with an OAuth error as JSON (RFC 6749, 5.2).
func writeError(w http.ResponseWriter, oerr *oauth.Error) {
	body := map[string]string{"error": oerr.Code}
	if oerr.Description != "" {
		body["error_description"] = oerr.Description
	}
	writeJSON(w, oerr.HTTPStatus(), body)
}

// printable makes foreign text safe for a log line: one line, no control
// characters, at most n characters.
func printable(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}

// isForm says whether the request has a form body.
func isForm(r *http.Request) bool {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}
