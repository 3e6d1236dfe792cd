package lineage

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"
)

//go:embed signin.html
var signInHTML string

//go:embed signin.css
var signInCSS string

// A SignInPage tells for a person what became of each claim in one sign-in.
// Everything in it is text of elsewhere, which the page shows as such.
type SignInPage struct {
	// About says which sign-in it was, in lines of name and text.
	About []SignInFact

	// Tokens are the kinds of token, as the columns of the claims.
	Tokens []string

	// Missing are the claims that some token lacks for a reason that lies in
	// this sign-in, Delivered all others.
	Missing, Delivered []SignInClaim

	Stages []SignInStage

	// Values are there only while a window is open, until then.
	Values      []SignInValues
	ValuesUntil time.Time

	// Linked says that the page is one of several, and can lead to them.
	Linked bool
}

// claimRows is a table of claims.
type claimRows struct {
	Tokens []string
	Claims []SignInClaim
}

// A SignInFact is a line about the sign-in.
type SignInFact struct{ Name, Text string }

// A SignInClaim is what became of one claim.
type SignInClaim struct {
	Name string

	// Tokens say for each kind of token whether it carries the claim, and if
	// not, why, by the reason's name.
	Tokens []SignInToken

	// Words say the same in a sentence, with file and line.
	Words string
}

// A SignInToken is one kind of token with regard to a claim.
type SignInToken struct {
	Carries bool
	Reason  string
}

// A SignInStage is what one stage did.
type SignInStage struct {
	Name    string
	Entries []SignInEntry
}

// A SignInEntry is what a stage did to one value.
type SignInEntry struct{ Name, From, Reason, Type, Origin string }

// SignInValues are the values after one stage, as JSON.
type SignInValues struct{ Name, JSON string }

// SignInPolicy returns the Content-Security-Policy of the pages about
// sign-ins. It is as strict as [PagePolicy].
func SignInPolicy() string { return policy(pageCSS + signInCSS) }

// HTML returns the page as a document of its own. It has no script, and loads
// nothing.
func (p *SignInPage) HTML() ([]byte, error) { return drawSignIns(signInView{One: p, Linked: p.Linked}) }

// A SignInList leads to the pages about the last sign-ins.
type SignInList struct {
	SignIns []SignInLine
	Linked  bool
}

// A SignInLine is one sign-in of the list.
type SignInLine struct {
	LoginID, Trace, Client, Connection, Outcome string
	Time                                        time.Time
}

// Href leads to the page about it. The address is a query alone.
func (l SignInLine) Href() string { return "?" + url.Values{"login": {l.LoginID}}.Encode() }

// HTML returns the list as a document of its own.
func (l *SignInList) HTML() ([]byte, error) {
	return drawSignIns(signInView{List: l, Linked: l.Linked})
}

// A signInView is what the template gets: one page or the list.
type signInView struct {
	Style  template.CSS
	One    *SignInPage
	List   *SignInList
	Linked bool
}

func drawSignIns(v signInView) ([]byte, error) {
	v.Style = template.CSS(pageCSS + signInCSS) //nolint:gosec // our own, embedded
	t, err := template.New("sign-in").Funcs(template.FuncMap{
		"printable": printable, "lines": lines, "moment": moment,
		"rows": func(tokens []string, claims []SignInClaim) claimRows { return claimRows{tokens, claims} },
	}).Parse(signInHTML)
	if err != nil {
		return nil, fmt.Errorf("parsing the page about sign-ins: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("drawing the page about sign-ins: %w", err)
	}
	return out.Bytes(), nil
}

// lines is printable, of text in lines.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i := range parts {
		parts[i] = printable(parts[i])
	}
	return strings.Join(parts, "\n")
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
