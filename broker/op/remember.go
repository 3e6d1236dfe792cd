package op

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// rememberCookie holds what people picked while "Remember my choice" was on.
//
// A choice belongs to a browser and to a set of connections to choose from:
// applications that offer the same ones share it, and where the operator
// adds or removes one, people are asked anew. It is no authority. What it
// names counts only while it is among the candidates, so the cookie needs no
// seal: who can write it can click as well.
//
// A choice must never lock anybody in. It ends when a sign-in fails
// (forgetFailed), it is not followed when sign-ins do not come back (stuck),
// and prompt=select_account always shows the page with the switch.
const rememberCookie = "auth_broker_choice"

const (
	rememberLifetime = 180 * 24 * time.Hour

	// maxChoices of one browser live at once; the oldest goes first.
	maxChoices = 8
)

// Values of the parameter that the chooser's switch reloads the page with.
const (
	remember      = "1"
	doNotRemember = "0"
)

func switchTo(on bool) string {
	if on {
		return remember
	}
	return doNotRemember
}

// A choice is the connection picked from a set.
type choice struct{ set, connection string }

// setKey names a set of connections, whatever their order.
func setKey(candidates []*Connection) string {
	ids := make([]string, 0, len(candidates))
	for _, conn := range candidates {
		ids = append(ids, conn.ID)
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, " ")))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// choices reads the cookie: <set>~<connection> joined by dots, oldest first.
func (s *Server) choices(r *http.Request) (list []choice) {
	for part := range strings.SplitSeq(s.Cookies.Get(r, rememberCookie), ".") {
		if set, connection, ok := strings.Cut(part, "~"); ok && len(list) < maxChoices {
			list = append(list, choice{set, connection})
		}
	}
	return list
}

// rememberedChoice returns the candidate that this browser takes without asking,
// or nil.
func (s *Server) rememberedChoice(r *http.Request, candidates []*Connection) *Connection {
	key := setKey(candidates)
	for _, c := range s.choices(r) {
		i := slices.IndexFunc(candidates, func(conn *Connection) bool { return conn.ID == c.connection })
		if c.set == key && i >= 0 {
			return candidates[i]
		}
	}
	return nil
}

// keepChoice remembers the connection id as the choice from the candidates.
// A hidden one, which an e-mail address led to, only ends an earlier choice:
// it is not among them.
func (s *Server) keepChoice(w http.ResponseWriter, r *http.Request, candidates []*Connection, id string) {
	list := append(s.otherChoices(r, candidates), choice{setKey(candidates), id})
	s.writeChoices(w, list[max(0, len(list)-maxChoices):])
}

// forget removes the choice from the candidates, also one that this very
// answer sets.
func (s *Server) forget(w http.ResponseWriter, r *http.Request, candidates []*Connection) {
	if s.Cookies.Get(r, rememberCookie) != "" || s.setsChoices(w) {
		s.writeChoices(w, s.otherChoices(r, candidates))
	}
}

// forgetFailed makes the chooser come back after a sign-in that failed.
// Otherwise whoever tries again is sent to where it failed, with no page in
// between to choose another connection. Failures with prompt=none are
// ordinary and change nothing.
func (s *Server) forgetFailed(w http.ResponseWriter, r *http.Request, l *login) {
	client := s.Client(l.Request.ClientID)
	if l.Connection == "" || l.Request.HasPrompt("none") || client == nil {
		return
	}
	candidates := s.candidates(client)
	kept := s.rememberedChoice(r, candidates)
	if kept != nil && kept.ID == l.Connection || s.setsChoices(w) {
		s.forget(w, r, candidates)
	}
}

// stuck says whether this browser has begun the client's sign-in at the
// connection twice within minutes and not come back. A provider that fails
// on a page of its own tells us nothing, and going there a third time would
// show the same page.
func (s *Server) stuck(r *http.Request, l *login, conn *Connection) bool {
	p, err := s.readPending(r)
	if err != nil {
		return true // the page says what is wrong
	}
	begun := 0
	for _, e := range p.Logins {
		if e.Login != nil && e.Login.Connection == conn.ID && sameClient(e.Login.Request, l.Request) &&
			s.Now().Sub(e.Login.started()) <= pendingLifetime {
			begun++
		}
	}
	return begun >= 2
}

func sameClient(a, b *oauth.AuthorizeRequest) bool { return a != nil && a.ClientID == b.ClientID }

// otherChoices are those from other sets than the candidates.
func (s *Server) otherChoices(r *http.Request, candidates []*Connection) []choice {
	key := setKey(candidates)
	return slices.DeleteFunc(s.choices(r), func(c choice) bool { return c.set == key })
}

// writeChoices sets the cookie, in place of one that the answer already
// sets: one name must not come twice (RFC 6265, 4.1.1).
func (s *Server) writeChoices(w http.ResponseWriter, list []choice) {
	if s.setsChoices(w) {
		h := w.Header()
		h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], s.isChoiceCookie)
	}
	if len(list) == 0 {
		s.Cookies.Clear(w, rememberCookie)
		return
	}
	var parts []string
	for _, c := range list {
		parts = append(parts, c.set+"~"+c.connection)
	}
	s.Cookies.Set(w, rememberCookie, strings.Join(parts, "."), rememberLifetime)
}

func (s *Server) setsChoices(w http.ResponseWriter) bool {
	return slices.ContainsFunc(w.Header()["Set-Cookie"], s.isChoiceCookie)
}

func (s *Server) isChoiceCookie(line string) bool {
	return strings.HasPrefix(line, s.Cookies.Name(rememberCookie)+"=")
}
