package brokertest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// How long the SSO session lasts: Auth0's limits outside its largest plan.
const (
	sessionIdle     = 3 * 24 * time.Hour
	sessionLifetime = 30 * 24 * time.Hour
)

// sessionCookie returns the name of the cookie that holds the handle of the
// SSO session: "auth0", with the port unless it is the usual one. Browsers
// send a cookie to every port of a host, and two tenants of one test are
// both on localhost.
func (t *Tenant) sessionCookie() string {
	if u, err := url.Parse(t.opts.Issuer); err == nil && u.Port() != "" {
		return "auth0_" + u.Port()
	}
	return "auth0"
}

// A session is the tenant's own single sign-on session with one browser. All
// applications see the same sid.
type session struct {
	sid      string
	user     string
	authTime time.Time // when the password was last typed
	started  time.Time
	used     time.Time
}

// session returns the handle and the live session of a browser.
func (t *Tenant) session(r *http.Request) (string, session, bool) {
	cookie, err := r.Cookie(t.sessionCookie())
	if err != nil {
		return "", session{}, false
	}
	s, ok := t.useSession(cookie.Value)
	return cookie.Value, s, ok
}

// useSession returns a session that is still alive, and keeps it so.
func (t *Tenant) useSession(handle string) (session, bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.sessions[handle]
	if !ok {
		return session{}, false
	}
	if now.Sub(s.used) > sessionIdle || now.Sub(s.started) > sessionLifetime || t.userIndex(s.user) < 0 {
		delete(t.sessions, handle)
		return session{}, false
	}
	s.used = now
	t.sessions[handle] = s
	return s, true
}

// signIn starts a session, or renews the browser's if it is the same
// person's: a re-authentication keeps the sid.
func (t *Tenant) signIn(w http.ResponseWriter, r *http.Request, user string) (handle string) {
	now := t.now()
	old, s, live := t.session(r)
	if !live || s.user != user {
		s = session{sid: t.random(18), user: user, started: now}
	}
	s.authTime, s.used = now, now
	handle = t.random(24)
	t.mu.Lock()
	delete(t.sessions, old)
	t.sessions[handle] = s
	t.mu.Unlock()
	http.SetCookie(w, t.cookie(handle))
	return handle
}

// signOut ends the session with that handle and clears the cookie.
func (t *Tenant) signOut(w http.ResponseWriter, handle string) {
	t.mu.Lock()
	delete(t.sessions, handle)
	t.mu.Unlock()
	gone := t.cookie("")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
}

// cookie is sent across sites as Auth0's is, for silent sign-in in frames.
func (t *Tenant) cookie(value string) *http.Cookie {
	c := &http.Cookie{Name: t.sessionCookie(), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if strings.HasPrefix(t.opts.Issuer, "https:") {
		c.Secure, c.SameSite = true, http.SameSiteNoneMode
	}
	return c
}

// EndSessions ends the SSO sessions of the user, as an administrator can.
func (t *Tenant) EndSessions(user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for handle, s := range t.sessions {
		if s.user == user {
			delete(t.sessions, handle)
		}
	}
}

// SessionID returns the sid of a live SSO session of the user, empty if
// there is none.
func (t *Tenant) SessionID(user string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.sessions {
		if s.user == user {
			return s.sid
		}
	}
	return ""
}
