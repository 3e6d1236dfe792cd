package demo

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// told is what the broker told about the person, by the kind of token.
type told struct {
	in     claims.TokenType
	claims map[string]any
}

func (v *visit) told() []told {
	return []told{
		{claims.IDToken, payload(v.IDToken)},
		{claims.AccessToken, payload(v.AccessToken)},
		{claims.Userinfo, object(v.Userinfo)},
	}
}

// rows are the claims about the person that came, in the order in which the
// broker declares them. One that comes from two places has two rows.
func (a *App) rows(v *visit) []ui.DemoClaim {
	all := v.told()
	rows := []ui.DemoClaim{{
		Name: "sub", Path: "sub", Sources: []ui.DemoSource{{Origin: authn.FromBroker}},
	}}
	every := claims.Claim{Name: "sub", Types: claims.TokenTypes()}
	rows[0].In, rows[0].Value = carriers(every, all)
	for _, c := range a.Claims {
		in, value := carriers(c, all)
		if in == nil {
			continue
		}
		path := c.Place().String()
		same := func(row ui.DemoClaim) bool { return row.Name == c.Name && row.Path == path }
		if i := slices.IndexFunc(rows, same); i >= 0 {
			rows[i].In = inOrder(append(rows[i].In, in...))
			continue
		}
		rows = append(rows, ui.DemoClaim{Name: c.Name, Path: path, Value: value, In: in, Sources: sources(v.Origins, c.Place())})
	}
	return rows
}

// carriers returns which tokens have a claim that is declared for them, and
// its value there.
func carriers(c claims.Claim, all []told) (in []string, value string) {
	for _, t := range all {
		v, present := t.claims[c.Name]
		if !present || !c.In(t.in) {
			continue
		}
		if in == nil {
			value = text(v)
		}
		in = append(in, string(t.in))
	}
	return in, value
}

// inOrder returns the names of tokens in the order in which they are told,
// each once.
func inOrder(names []string) (out []string) {
	for _, t := range claims.TokenTypes() {
		if t != claims.Introspection && slices.Contains(names, string(t)) {
			out = append(out, string(t))
		}
	}
	return out
}

// text returns a value as people read it: strings as they are, others as
// JSON.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if short, err := json.Marshal(v); err == nil && len(short) <= 40 {
		return string(short)
	}
	return indented(v)
}

// sources returns where the value at place was read.
func sources(origins authn.Origins, place claims.Path) (out []ui.DemoSource) {
	for _, o := range origins.At(place) {
		document, claim := o.Read()
		source := ui.DemoSource{Origin: o.Kind(), Document: document, Claim: claim}
		if !slices.Contains(out, source) {
			out = append(out, source)
		}
	}
	if out == nil {
		out = []ui.DemoSource{{Origin: authn.FromUnknown}}
	}
	return out
}

// person is how the tokens name who signed in.
func (v *visit) person() string {
	for _, name := range []string{"name", "preferred_username", "nickname", "email", "sub"} {
		for _, t := range v.told() {
			if s, _ := t.claims[name].(string); strings.TrimSpace(s) != "" {
				return s
			}
		}
	}
	return ""
}
