package op

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A ValueStep is the value that a claim has at one stage of its way.
type ValueStep struct {
	// Stage is in words, Place where the value is there.
	Stage, Place string

	// Value is JSON on one line, without what a terminal would obey, and
	// cut; empty where there is none.
	Value string
}

// Follow returns the values of a claim along its way: what the upstream told
// that is mapped to it, the context after each stage, and the tokens. It is
// nil if no values are kept.
func (s *SignIn) Follow(claim string) []ValueStep {
	if s.Values == nil {
		return nil
	}
	place := s.place(claim)
	var out []ValueStep
	for _, stage := range s.Values.Stages {
		values := decoded(stage.Values)
		switch stage.Stage {
		case authn.StageUpstream:
			out = append(out, s.told(place, values)...)
		case StageTokens:
			for _, typ := range claims.TokenTypes() {
				token, _ := values[string(typ)].(map[string]any)
				out = append(out, ValueStep{tokenName(typ), claim, shown(token[claim])})
			}
		default:
			v, _ := place.Lookup(values)
			out = append(out, ValueStep{stageName(stage.Stage), place.String(), shown(v)})
		}
	}
	return out
}

// place is where the claim is read from in the context.
func (s *SignIn) place(claim string) claims.Path {
	for _, typ := range claims.TokenTypes() {
		if d := delivery(s.Deliveries[typ], claim); d != nil {
			return d.From
		}
	}
	return claims.Key(claim)
}

// told are the values of the attributes that are mapped to the place.
func (s *SignIn) told(place claims.Path, documents map[string]any) (out []ValueStep) {
	for _, m := range s.Entries {
		to, err := claims.ParsePath(m.Name)
		if m.Stage != authn.StageMapping || err != nil || !to.Within(place) && !place.Within(to) {
			continue
		}
		i := slices.IndexFunc(s.Entries, func(e authn.Entry) bool { return e.Stage == authn.StageAttribute && e.Name == m.From })
		if i < 0 {
			continue // a constant
		}
		source, path, _ := strings.Cut(s.Entries[i].From, " ")
		from, err := claims.ParsePath(path)
		if err != nil {
			continue
		}
		document, _ := documents[source].(map[string]any)
		v, _ := from.Lookup(document)
		out = append(out, ValueStep{stageName(authn.StageUpstream), s.Entries[i].From, shown(v)})
	}
	return out
}

func stageName(stage authn.Stage) string {
	switch stage {
	case authn.StageUpstream:
		return "provider"
	case authn.StageMapping:
		return "mapped"
	default:
		return string(stage)
	}
}

func decoded(raw json.RawMessage) (out map[string]any) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	_ = decoder.Decode(&out) // what is no object has no values
	return out
}

// maxShown is where a value is cut, in characters.
const maxShown = 200

func shown(v any) string {
	if v == nil {
		return ""
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.TrimSpace(out.String()))
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return text
}
