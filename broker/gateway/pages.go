package gateway

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// A failure is shown as a page of the site.
type failure struct {
	reason, code string
	status       int
	retry, trace string
	other        string // where to sign in as somebody else
	err          error
}

func (g *Gate) page(w http.ResponseWriter, r *http.Request, f failure) {
	if f.trace == "" {
		f.trace = rand.Text()
	}
	g.deps.Log.Warn("request refused", zap.String("trace", f.trace), zap.String("reason", f.reason),
		zap.String("host", r.Host), zap.String("path", r.URL.Path), zap.Error(f.err))
	g.deps.Pages.Error(w, r, ui.Error{
		Reason: f.reason, Code: f.code, Status: f.status, RetryURL: f.retry, OtherAccountURL: f.other, Trace: f.trace, Time: g.deps.Now(),
	})
}

// unavailable is the answer to a fault of ours: nobody passes.
func (g *Gate) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Retry-After", "2")
	g.page(w, r, failure{reason: "store_unavailable", status: http.StatusServiceUnavailable, err: err})
}

// failedIn is how the broker describes a failure to its clients.
var failedIn = regexp.MustCompile(`\(reason ([a-z_]{1,64}), trace ([A-Z0-9]{1,64})\)$`)

// errorCode is what OAuth errors look like; whatever else a link brings goes
// neither into the page nor into the log.
var errorCode = regexp.MustCompile(`^[a-z_]{1,64}$`)

// reasonOf returns why a sign-in failed: the broker's reason, or the OAuth
// error. Both are keys of the page's table; unknown ones show its fallback.
func reasonOf(query url.Values) (reason, trace string) {
	if m := failedIn.FindStringSubmatch(query.Get("error_description")); m != nil {
		return m[1], m[2]
	}
	if code := query.Get("error"); errorCode.MatchString(code) {
		return code, ""
	}
	return oauth.ServerError, ""
}

// me tells a script or a curious user who is signed in, and on demand where
// each claim comes from (M73). Never a token.
func (g *Gate) me(w http.ResponseWriter, r *http.Request, s *site, c cookies, explain bool) {
	v, err := g.visitor(r.Context(), s, c.session)
	if explain && err == nil {
		v, err = g.withOrigins(r.Context(), c.session, v)
	}
	if errors.Is(err, session.ErrNoSession) {
		g.loginRequired(w, s)
		return
	}
	if err != nil {
		g.unavailable(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	answer, out := map[string]any{"sub": v.Subject, "sid": v.SID, "claims": v.Claims()}, json.NewEncoder(w)
	if explain {
		answer["explanation"] = g.explain(v.authorization, v.Claims())
		out.SetIndent("", "  ") // for people
	}
	_ = out.Encode(answer)
}

// purposeLogout is that of the token in the form which signs out.
const purposeLogout = "logout"

// logout ends the browser's SSO session with all its gate sessions. A link
// on the site's own pages, or an address that a person typed, does it at
// once; whatever comes from elsewhere is asked first, so that no image on a
// stranger's page can sign people out.
func (g *Gate) logout(w http.ResponseWriter, r *http.Request, s *site, c cookies) {
	if r.Method == http.MethodPost {
		if !session.OwnForm(w, r, c.session, purposeLogout) {
			g.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden})
			return
		}
	} else if c.session != "" && !ownLink(r) {
		g.deps.Pages.LogoutConfirm(w, r, ui.LogoutConfirm{
			Action: s.logout, Hidden: map[string]string{"token": session.FormToken(c.session, purposeLogout)},
		})
		return
	}
	sess, err := g.deps.Sessions.SignOut(r.Context(), c.session)
	if err != nil && !errors.Is(err, session.ErrNoSession) {
		g.unavailable(w, r, err) // with the cookie left, so that another try can do it
		return
	}
	s.cookies.Clear(w, s.sessionBase)
	if f := readFlow(c.flow); len(f.completed) > 0 {
		s.setFlow(w, f.reset())
	}
	if sess != nil {
		g.deps.Log.Info("signed out", zap.String("client", s.Client.ID), zap.String("subject", sess.Authorization.Context.Subject))
	}
	g.deps.Pages.SignedOut(w, r, ui.SignedOut{ContinueURL: s.Home})
}

// ownLink says whether a GET comes from the site itself or from the address
// bar. An image that a user of the application posted in it does not count,
// although browsers call it same-origin.
func ownLink(r *http.Request) bool {
	from := r.Header.Get("Sec-Fetch-Site")
	return (from == "same-origin" || from == "none") && r.Header.Get("Sec-Fetch-Mode") != "no-cors"
}
