package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Portal shows people what is known about them, which applications they let
// have some of it, and where they are signed in.
//
// Ids: portal-app-<client> is each application; withdraw-<client> leads to
// the page that takes everything back, and portal-scope-<client>-<scope> takes
// back one scope; portal-sign-out, portal-end-<n> for the nth session that is
// not this browser's, portal-end-all, demo-login; the sections apps, data and
// sessions.
type Portal struct {
	// Account says who is signed in.
	Account string

	// SignOutURL ends the session of this browser; DemoURL leads to the
	// demo application, empty leaves the link out. Each is a path of this
	// origin, http or https, as those below.
	SignOutURL string
	DemoURL    string

	// WithdrawURL receives client=<id> and scope=<name>, EndURL
	// session=<sid>, EndAllURL nothing more; all three get Token as token.
	WithdrawURL string
	EndURL      string
	EndAllURL   string
	Token       string

	// Done is what the visitor has just done; may be empty.
	Done Done

	// Apps in the order to show; those of the administrator are put apart.
	Apps []PortalApp

	// Data in the order to show, and how they came here.
	Data   []Datum
	SignIn SignIn

	// Sessions in the order to show; that of this browser comes first.
	Sessions []PortalSession
}

// Done is something that the portal reports to be done.
type Done string

// What can be done in the portal. Ending all sessions ends the page, too.
const (
	DoneWithdrawn      Done = "withdrawn"
	DoneScopeWithdrawn Done = "scope_withdrawn"
	DoneSessionEnded   Done = "session_ended"
)

// A PortalApp is an application that the visitor uses.
type PortalApp struct {
	// ID of the client.
	ID     string
	Client Client

	// Gone ones are not configured any more.
	Gone bool

	// Trusted ones are allowed by the administrator: nothing of theirs can
	// be withdrawn.
	Trusted bool

	// WithdrawURL leads to the page that asks whether to withdraw all.
	WithdrawURL string

	// Grants are what the visitor let it have.
	Grants []PortalGrant

	// Used is when the visitor last signed in there; zero if unknown.
	Used time.Time
}

// A PortalGrant is one scope or single claim that an application may have.
type PortalGrant struct {
	// Scope is the name of the scope, empty for a claim. A claim cannot be
	// withdrawn by itself.
	Scope string

	// Name is the protocol's. DisplayName and Description are what people
	// read, those of the default scopes in the page's language. Without a
	// DisplayName the Name is shown.
	Name        string
	DisplayName string
	Description string

	// Given and Expires may be zero: unknown, and never.
	Given, Expires time.Time
}

// A SignIn is how the visitor came in.
type SignIn struct {
	// Connection is its name for people.
	Connection string
	Time       time.Time
	// Methods are those of RFC 8176; others are shown as they are.
	Methods []string
}

// A PortalSession is one browser that the visitor is signed in with.
type PortalSession struct {
	SID string

	// Current marks the browser that gets the page.
	Current bool

	// Device is what the browser calls itself; may be empty.
	Device string

	// Connections and Sites by their names for people.
	Connections []string
	Sites       []string

	Created, Used, Expires time.Time
}

// Portal writes the page, with status 200.
func (p *Pages) Portal(w http.ResponseWriter, r *http.Request, v Portal) {
	text := p.language(r, "")
	v.Account = clean(v.Account, maxName)
	for _, url := range []*string{&v.SignOutURL, &v.DemoURL, &v.WithdrawURL, &v.EndURL, &v.EndAllURL} {
		*url = target(*url)
	}
	own, trusted := portalApps(v.Apps, text)
	p.render(w, r, "portal", http.StatusOK, security{hasForm: true, isolated: true}, page{
		T: text, Heading: text.Portal.Title, Wide: true, V: struct {
			Portal
			Notice       string
			Own, Trusted []portalApp
			SignIn       signInLine
			Data         []dataLine
			Sessions     []portalSession
		}{v, text.Portal.Done[v.Done], own, trusted, text.signIn(v.SignIn), text.dataLines(v.Data), portalSessions(v.Sessions, text)},
	})
}

// A moment is a time, for programs and for people; both are empty for the
// zero time.
type moment struct{ Machine, Humane string }

func newMoment(at time.Time, layout string) moment {
	if at.IsZero() {
		return moment{}
	}
	at = at.UTC()
	return moment{at.Format(time.RFC3339), at.Format(layout)}
}

// A portalApp is an application as the template sees it.
type portalApp struct {
	PortalApp
	Used         moment
	May          string
	WithdrawFrom string
	Lines        []portalGrant
}

// A portalGrant is a scope or claim as the template sees it.
type portalGrant struct {
	Scope          string
	Label          string
	Description    string
	Given, Expires moment
	Withdraw       string
}

// portalApps sorts the administrator's applications out.
func portalApps(apps []PortalApp, t *catalogue) (own, trusted []portalApp) {
	for _, app := range apps {
		app.Client = app.Client.clean(t)
		app.WithdrawURL = target(app.WithdrawURL)
		line := portalApp{
			PortalApp: app, Used: newMoment(app.Used, t.Portal.DateLayout),
			May: t.Portal.May.say(int64(len(app.Grants))), WithdrawFrom: fmt.Sprintf(t.Portal.WithdrawFrom, app.Client.Name),
		}
		if app.Trusted {
			trusted = append(trusted, line)
			continue
		}
		for _, g := range app.Grants {
			line.Lines = append(line.Lines, newPortalGrant(g, app.Client.Name, t))
		}
		own = append(own, line)
	}
	return own, trusted
}

func newPortalGrant(g PortalGrant, app string, t *catalogue) portalGrant {
	label := cmp.Or(clean(t.translate(g.DisplayName), maxName), clean(g.Name, maxName))
	return portalGrant{
		Scope: g.Scope, Label: label, Description: clean(t.translate(g.Description), maxAbout),
		Given: newMoment(g.Given, t.Portal.DateLayout), Expires: newMoment(g.Expires, t.Portal.DateLayout),
		Withdraw: fmt.Sprintf(t.Portal.WithdrawOne, label, app),
	}
}

// A portalSession is a session as the template sees it.
type portalSession struct {
	PortalSession
	Number                 int // among those that are not this browser's
	Created, Used, Expires moment
	EndOf                  string
}

func portalSessions(sessions []PortalSession, t *catalogue) (lines []portalSession) {
	sessions = slices.Clone(sessions)
	slices.SortStableFunc(sessions, func(a, b PortalSession) int {
		rank := map[bool]int{true: 0, false: 1}
		return cmp.Compare(rank[a.Current], rank[b.Current])
	})
	number := 0
	for _, s := range sessions {
		if !s.Current {
			number++
		}
		s.Device = cmp.Or(clean(s.Device, maxName), t.Portal.UnknownDevice)
		s.Connections, s.Sites = cleanAll(s.Connections), cleanAll(s.Sites)
		lines = append(lines, portalSession{
			PortalSession: s, Number: number,
			Created: newMoment(s.Created, t.Portal.MinuteLayout), Used: newMoment(s.Used, t.Portal.MinuteLayout),
			Expires: newMoment(s.Expires, t.Portal.MinuteLayout), EndOf: fmt.Sprintf(t.Portal.EndOf, s.Device),
		})
	}
	return lines
}

func cleanAll(names []string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, clean(name, maxName))
	}
	return out
}
