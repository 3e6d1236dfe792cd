package ui

import "time"

// DemoRefresh is what the demo shows of its refresh token, and the form that
// uses it.
type DemoRefresh struct {
	// Raw is the token; empty for none. Expires is when the last of those
	// that follow it ends, not known where it is zero.
	Raw     string
	Expires time.Time

	// Renewed says that it has just come in place of another one.
	Renewed bool

	// Missing says why there is none.
	Missing DemoMissing

	// Action receives the form with Hidden: a path of this origin.
	Action string
	Hidden map[string]string
}

// DemoMissing is why the demo has no refresh token.
type DemoMissing string

// Reasons for having none.
const (
	DemoNotAsked DemoMissing = ""         // the demo did not ask
	DemoWithheld DemoMissing = "withheld" // the person did not grant it
	DemoEnded    DemoMissing = "ended"    // the broker has refused it
)

// demoRefresh is the token as the template sees it.
type demoRefresh struct {
	DemoRefresh
	Token *demoToken
	Why   string
}

func (d DemoRefresh) legible(now time.Time, text *catalogue) demoRefresh {
	d.Action = target(d.Action)
	token := DemoToken{Raw: d.Raw, Expires: d.Expires}
	return demoRefresh{DemoRefresh: d, Token: token.legible(now, text), Why: text.Demo.RefreshMissing[d.Missing]}
}
