package ui

import (
	"net/http"
	"strings"
)

// security is what differs between the pages' headers.
type security struct {
	// hasForm says that the page posts back to us.
	hasForm bool
	// formAction lists origins and custom schemes that the answer to that
	// post may redirect to. Entries that formSource refuses are left out.
	formAction []string
	// isolated pages are not part of a sign-in: no window that opened them
	// keeps a hand on them.
	isolated bool
}

// set writes the headers that every page carries.
//
// The pages of a sign-in have no Cross-Origin-Opener-Policy: it would cut the
// tie to the window of a single-page application that signs in through a
// popup.
func (s security) set(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", s.policy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", s.referrer())
	if s.isolated {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
}

// referrer keeps the addresses of a sign-in, which carry one-time values,
// from other sites. On a page with a form "no-referrer" would make browsers
// send "Origin: null" with the post, and the check against forged posts has
// to refuse that.
func (s security) referrer() string {
	if s.hasForm {
		return "same-origin"
	}
	return "no-referrer"
}

// policy returns the Content-Security-Policy. It lets in no script at all,
// so markup that got past the escaping would still not run, and nobody may
// frame the page and have a visitor click "Allow access" unseen.
//
// Chromium applies form-action to the whole chain of redirects after a post.
// The application that gets the answer to a consent is therefore listed, or
// the browser would stop on the way to it.
func (s security) policy() string {
	var b strings.Builder
	b.WriteString("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'")
	for _, origin := range s.formAction {
		if source := formSource(origin); source != "" {
			b.WriteByte(' ')
			b.WriteString(source)
		}
	}
	b.WriteString("; frame-ancestors 'none'; base-uri 'none'; object-src 'none'")
	return b.String()
}
