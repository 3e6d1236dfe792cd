package ui

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// A DemoTab is a part of what the demo got.
type DemoTab string

// The tabs. Each is also the value of the parameter tab that shows it.
const (
	DemoClaims       DemoTab = "claims"
	DemoAccessToken  DemoTab = "access_token"
	DemoIDToken      DemoTab = "id_token"
	DemoRefreshToken DemoTab = "refresh_token"
)

// demoTabs returns the tabs in their order.
func demoTabs() []DemoTab {
	return []DemoTab{DemoClaims, DemoAccessToken, DemoIDToken, DemoRefreshToken}
}

// Demo is what a sign-in brought the demo application, a tab at a time.
//
// Ids: demo-user; demo-tabs with demo-tab-<tab> in it, the current one having
// aria-current; demo-claim-<name> is a row of the claims; token-raw, token-header,
// token-payload, token-signature and token-expires; refresh-none,
// refresh-renewed, demo-refresh-form and demo-refresh; demo-again,
// demo-logout-form, demo-logout and demo-logout-everywhere.
type Demo struct {
	// URL of this page: a path of this origin.
	URL string
	// Tab to show. An unknown one is DemoClaims.
	Tab DemoTab

	// Person is who signed in. Refused says that the broker takes the tokens
	// no more, before their time: access was withdrawn, or has been ended.
	Person  string
	Refused bool
	// Granted scopes, and those Withheld of what was asked for.
	Granted, Withheld []DemoScope

	Claims      []DemoClaim
	AccessToken DemoToken
	IDToken     DemoToken
	Refresh     DemoRefresh
	// Now is what expiry is measured by.
	Now time.Time

	// AgainURL leads to the options, EverywhereURL ends the session at the
	// broker. LogoutAction receives the form with Hidden that leaves the
	// demo alone.
	AgainURL      string
	EverywhereURL string
	LogoutAction  string
	Hidden        map[string]string
}

// A DemoClaim is one row of the claims.
type DemoClaim struct {
	// Name in the tokens, Path in the authentication context.
	Name, Path string
	// Value as text, of lists and objects as JSON.
	Value string
	// Sources are where the value was read; several for an object.
	Sources []DemoSource
	// In are the tokens that carry it: "id_token", "access_token",
	// "userinfo".
	In []string
}

// A DemoSource is where a value was read. Document and Claim are the
// provider's: "id_token" and "address.country".
type DemoSource struct {
	Origin          authn.OriginKind
	Document, Claim string
}

// A DemoToken is a token as it came and as it reads. The zero value is none.
type DemoToken struct {
	Raw string
	// Header and Payload are JSON, indented.
	Header, Payload string
	// Verified says that the signature is the broker's.
	Verified bool
	Expires  time.Time
}

// How much of a value and of a token the page shows, in characters.
const (
	maxValue = 2000
	maxRaw   = 64 << 10
)

// Demo writes the page, with status 200.
func (p *Pages) Demo(w http.ResponseWriter, r *http.Request, v Demo) {
	text := p.language(r, "")
	type tab struct {
		ID, URL, Label string
		Current        bool
	}
	if text.Demo.Tabs[v.Tab] == "" {
		v.Tab = DemoClaims
	}
	base := localPath(v.URL)
	tabs := make([]tab, 0, len(demoTabs()))
	for _, name := range demoTabs() {
		tabs = append(tabs, tab{string(name), base + "?tab=" + string(name), text.Demo.Tabs[name], name == v.Tab})
	}
	v.AgainURL, v.EverywhereURL, v.LogoutAction = target(v.AgainURL), target(v.EverywhereURL), target(v.LogoutAction)
	view := struct {
		Demo
		Title   string
		Tabs    []tab
		Active  string // the label of the tab
		Token   *demoToken
		Refresh demoRefresh
		About   string
	}{Demo: v, Title: fmt.Sprintf(text.Demo.SignedInAs, clean(v.Person, maxName)), Tabs: tabs, Active: text.Demo.Tabs[v.Tab]}
	view.Granted, view.Withheld = demoScopes(v.Granted, text), demoScopes(v.Withheld, text)
	view.Claims = demoClaims(v.Claims)
	switch v.Tab {
	case DemoAccessToken:
		view.Token, view.About = v.AccessToken.legible(v.Now, text), text.Demo.AccessAbout
	case DemoIDToken:
		view.Token, view.About = v.IDToken.legible(v.Now, text), text.Demo.IDAbout
	case DemoClaims: // those of all tokens
	case DemoRefreshToken:
		view.Refresh, view.About = v.Refresh.legible(v.Now, text), text.Demo.RefreshAbout
	}
	s := security{hasForm: true, isolated: true}
	p.render(w, r, "demo", http.StatusOK, s, page{T: text, Heading: text.Demo.Name + ": " + view.Active, Wide: true, V: view})
}

func demoScopes(scopes []DemoScope, text *catalogue) []DemoScope {
	out := make([]DemoScope, len(scopes))
	for i, s := range scopes {
		out[i] = s.clean(text)
	}
	return out
}

func demoClaims(claims []DemoClaim) []DemoClaim {
	out := make([]DemoClaim, len(claims))
	for i, c := range claims {
		c.Value = legible(c.Value, maxValue)
		out[i] = c
	}
	return out
}

// demoToken is a token as the template sees it.
type demoToken struct {
	DemoToken
	Parts  []string // of Raw, each but the last with its dot
	moment          // the expiry
	Left   string
}

// legible returns the token as the page shows it; nil for none.
func (d DemoToken) legible(now time.Time, text *catalogue) *demoToken {
	if d.Raw == "" {
		return nil
	}
	out := &demoToken{DemoToken: d, Parts: strings.SplitAfter(legible(d.Raw, maxRaw), ".")}
	out.Header, out.Payload = legible(d.Header, maxRaw), legible(d.Payload, maxRaw)
	if d.Expires.IsZero() {
		return out
	}
	out.moment = newMoment(d.Expires, text.TimeLayout)
	out.Left = text.Demo.Expired
	if left := d.Expires.Sub(now); left > 0 {
		out.Left = fmt.Sprintf(text.Demo.ExpiresIn, text.duration(roughly(left)))
	}
	return out
}

// roughly leaves out what nobody counts: minutes beside many hours, hours
// beside days.
func roughly(d time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return d.Truncate(day)
	case d >= 10*time.Hour:
		return d.Truncate(time.Hour)
	}
	return d
}

// legible returns at most limit characters of s, with its lines. What cannot
// be seen but steers the text around it is spelled out, as JSON does it:
// what is shown here is what came, and no other page but this one shows it.
func legible(s string, limit int) string {
	var b strings.Builder
	count := 0
	for _, c := range s {
		if count++; count > limit {
			return b.String() + "…"
		}
		switch {
		case c == '\n', c == '\t':
			b.WriteRune(c)
		case c == utf8.RuneError, unicode.IsControl(c), isInvisible(c):
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
