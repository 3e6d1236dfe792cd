package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A flow is what a browser holds of its sign-ins at a site, in one cookie
// for any number of tabs: a random value that ties them to the browser, and
// when the latest ones were completed.
//
// Syntax:
//
//	flow = binding *3( "." seconds )
//
// The times are the browser's own word, which is enough: whoever changes them
// stops, or does not stop, nobody but himself.
type flow struct {
	binding   string
	completed []int64 // Unix seconds, oldest first
}

const (
	// A browser that has completed loopLimit sign-ins within loopWindow,
	// and still comes without a session, would go on so for ever: an
	// upstream with a session of its own answers without asking. Something
	// between the browser and us loses the cookie, and nobody would see
	// more of it than a page that does not load (S20).
	loopLimit  = 3
	loopWindow = time.Minute
)

// readFlow reads the cookie. What it cannot read counts as absent.
func readFlow(cookie string) (f flow) {
	binding, times, timed := strings.Cut(cookie, ".")
	f.binding = binding
	if !timed {
		return f
	}
	for text := range strings.SplitSeq(times, ".") {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || len(f.completed) == loopLimit {
			f.completed = nil
			return f
		}
		f.completed = append(f.completed, seconds)
	}
	return f
}

// String is the cookie's value.
func (f flow) String() string {
	var out strings.Builder
	out.WriteString(f.binding)
	for _, seconds := range f.completed {
		out.WriteByte('.')
		out.WriteString(strconv.FormatInt(seconds, 10))
	}
	return out.String()
}

// bound returns f with a binding, a new one if it has none of ours.
func (f flow) bound() flow {
	if fresh := store.NewSecret(); len(f.binding) != len(fresh) {
		return flow{binding: fresh}
	}
	return f
}

// complete returns f after another sign-in.
func (f flow) complete(now time.Time) flow {
	times := append(slices.Clip(f.completed), now.Unix())
	f.completed = times[max(len(times)-loopLimit, 0):]
	return f
}

// reset returns f without the sign-ins that it remembers.
func (f flow) reset() flow { return flow{binding: f.binding} }

// loops says whether another sign-in would lead nowhere.
func (f flow) loops(now time.Time) bool {
	recent := 0
	for _, seconds := range f.completed {
		if now.Sub(time.Unix(seconds, 0)).Abs() < loopWindow {
			recent++
		}
	}
	return recent >= loopLimit
}

// bindingHash is what a state parameter says of the browser that it is for.
func (f flow) bindingHash() string {
	sum := sha256.Sum256([]byte(f.binding))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// setFlow writes the cookie.
func (s *site) setFlow(w http.ResponseWriter, f flow) {
	s.cookies.Set(w, s.flowBase, f.String(), signInLifetime)
}

// startOver is the parameter of the login address by which a person who has
// read the explanation tries again.
const startOver = "start_over"

// otherAccount is the parameter of the login address by which a person whom
// the provider or the operator turns away signs in as somebody else.
const otherAccount = "other_account"

// loop stops a browser that goes round in circles, and offers another go.
func (g *Gate) loop(w http.ResponseWriter, r *http.Request, s *site, to string) {
	s.cookies.Clear(w, s.sessionBase) // whatever it is, it does not work
	again := url.Values{startOver: {"1"}, "return_to": {s.returnTo(to)}}
	g.page(w, r, failure{reason: "loop_detected", status: http.StatusBadRequest, retry: s.origin() + s.login + "?" + again.Encode()})
}

// login begins a sign-in for somebody who asks for one. An image that a user
// of the application posted in it asks, too, and must neither sign people
// out nor use up their tries; and who is signed in needs no more than the page.
func (g *Gate) login(w http.ResponseWriter, r *http.Request, s *site, query url.Values, c cookies) {
	if !isNavigation(r) {
		g.loginRequired(w, s)
		return
	}
	to := query.Get("return_to")
	switch _, err := g.visitor(r.Context(), s, c.session); {
	case err == nil:
		redirect(w, s.origin()+s.returnTo(to))
		return
	case !errors.Is(err, session.ErrNoSession):
		g.unavailable(w, r, err)
		return
	}
	if query.Has(startOver) {
		c.flow = readFlow(c.flow).reset().String()
	}
	var more url.Values
	if query.Has(otherAccount) {
		more = url.Values{"prompt": {"select_account"}}
	}
	g.begin(w, r, s, c, to, more)
}

// loginAs is where to sign in as somebody else. An upstream that knows the
// browser would answer another try with the same person.
func (s *site) loginAs(to string) string {
	return s.origin() + s.login + "?" + url.Values{otherAccount: {"1"}, "return_to": {s.returnTo(to)}}.Encode()
}
