package op

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

// Page returns the sign-in for a person: the same that Explain says of each
// claim, and what every stage did. The time is until when values are shown.
func (s *SignIn) Page(until time.Time) *lineage.SignInPage {
	p := &lineage.SignInPage{About: s.about(), Stages: s.stages(), Values: s.valueTexts(), ValuesUntil: until}
	for _, typ := range claims.TokenTypes() {
		p.Tokens = append(p.Tokens, tokenTitle(typ))
	}
	for _, name := range s.claimNames() {
		c := s.claimRow(name)
		if _, missing, from := s.outcome(name); lacks(missing, from) {
			p.Missing = append(p.Missing, c)
		} else {
			p.Delivered = append(p.Delivered, c)
		}
	}
	return p
}

// SignInList is the list for a person.
func SignInList(kept []TraceSummary) *lineage.SignInList {
	l := &lineage.SignInList{}
	for _, t := range kept {
		l.SignIns = append(l.SignIns, lineage.SignInLine{
			LoginID: t.LoginID, Trace: t.Trace, Client: t.Client, Connection: t.Connection, Outcome: t.ending(), Time: t.Time,
		})
	}
	return l
}

// ending is the outcome with the log's word for it.
func (t *TraceSummary) ending() string {
	if t.Reason == "" || t.Reason == t.Outcome {
		return t.Outcome
	}
	return t.Outcome + " (" + t.Reason + ")"
}

func (s *SignIn) about() []lineage.SignInFact {
	list := func(i TraceItems) string { return cmp.Or(strings.Join(i.names(), " "), "nothing") }
	return []lineage.SignInFact{
		{Name: "App", Text: s.Client},
		{Name: "Provider", Text: s.Connection},
		{Name: "Time", Text: s.Time.UTC().Format("2006-01-02 15:04:05 UTC")},
		{Name: "Outcome", Text: s.ending()},
		{Name: "Asked for", Text: list(s.Requested)},
		{Name: "Granted", Text: list(s.Granted)},
		{Name: "Correlation id", Text: s.Trace},
		{Name: "Login id", Text: s.LoginID},
	}
}

// claimNames are those of all declared claims, each once.
func (s *SignIn) claimNames() (names []string) {
	for _, name := range s.declared() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (s *SignIn) claimRow(name string) lineage.SignInClaim {
	c := lineage.SignInClaim{Name: name, Words: s.Explain(name)}
	for _, typ := range claims.TokenTypes() {
		t := lineage.SignInToken{Reason: string(claims.ClaimNotDeclared)}
		if d := delivery(s.Deliveries[typ], name); d != nil {
			t = lineage.SignInToken{Carries: d.Reason == "", Reason: string(d.Reason)}
		}
		c.Tokens = append(c.Tokens, t)
	}
	return c
}

func tokenTitle(t claims.TokenType) string {
	name := tokenName(t)
	return strings.ToUpper(name[:1]) + name[1:]
}

// stageTitles are the stages in their order.
var stageTitles = []struct {
	stage authn.Stage
	title string
}{
	{authn.StageUpstream, "Told by the provider, and not declared"},
	{authn.StageAttribute, "Attributes of the provider"},
	{authn.StageMapping, "Mappings into the context"},
	{authn.StageAMR, "How the person signed in"},
	{authn.StageScript, "Post-authentication script"},
	{authn.StageApplication, "Post-authentication application"},
	{authn.StageCache, "Taken from an earlier sign-in"},
	{StageTokens, "Tokens"},
}

func (s *SignIn) stages() (out []lineage.SignInStage) {
	for _, t := range stageTitles {
		stage := lineage.SignInStage{Name: t.title}
		for _, e := range s.Entries {
			if e.Stage == t.stage {
				stage.Entries = append(stage.Entries, entryRow(e))
			}
		}
		if stage.Entries != nil {
			out = append(out, stage)
		}
	}
	return out
}

func entryRow(e authn.Entry) lineage.SignInEntry {
	row := lineage.SignInEntry{Name: cmp.Or(e.Name, "–"), From: e.From, Reason: string(e.Reason), Origin: e.Origin}
	if e.Type != "" {
		row.Type = e.Type
		if e.Size > 0 {
			row.Type += fmt.Sprintf(", %d bytes", e.Size)
		}
		if e.Want != "" {
			row.Type += ", want " + string(e.Want)
		}
	}
	return row
}

// valueTexts are the values that are shown, stage by stage.
func (s *SignIn) valueTexts() (out []lineage.SignInValues) {
	if s.Values == nil {
		return nil
	}
	for _, v := range s.Values.Stages {
		var text bytes.Buffer
		if json.Indent(&text, v.Values, "", "  ") == nil {
			out = append(out, lineage.SignInValues{Name: valuesTitle(v.Stage), JSON: text.String()})
		}
	}
	for _, stage := range s.Values.Cut {
		out = append(out, lineage.SignInValues{Name: valuesTitle(stage), JSON: "too large to be kept"})
	}
	return out
}

func valuesTitle(stage authn.Stage) string {
	switch stage {
	case authn.StageUpstream:
		return "What the provider told"
	case authn.StageMapping:
		return "The context after the mappings"
	case authn.StageScript:
		return "The context after the script"
	case authn.StageApplication:
		return "The context after the application"
	default:
		return "What the tokens carry"
	}
}
