package lineage

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// unreachable returns for each mapping why it can never fill its target, or
// nothing if it can. It tries: the mapper of the sign-in gets a value for
// the attribute of the mapping and for as little else as possible, and says
// what it did. If no value of any type gets through, none ever does.
func unreachable(attributes []claims.Attribute, mappings []claims.Mapping) []claims.Reason {
	reasons := make([]claims.Reason, len(mappings))
	mapper, err := claims.NewMapper(attributes, mappings)
	if err != nil {
		return reasons // no broker runs on these; nothing can be said
	}
	types := make(map[string]claims.Type, len(attributes))
	for _, a := range attributes {
		types[a.Name] = a.ValueType()
	}
	for i, m := range mappings {
		reasons[i] = attempt(mapper, m, position(mappings, i), trials(mappings, i, types))
	}
	return reasons
}

// position returns how many mappings to the same target come before.
func position(mappings []claims.Mapping, i int) (n int) {
	for _, m := range mappings[:i] {
		if m.To.Equal(mappings[i].To) {
			n++
		}
	}
	return n
}

// attempt returns the reason of the first trial, which has the values that
// are the likeliest, unless a trial succeeds.
func attempt(mapper *claims.Mapper, m claims.Mapping, position int, trials []map[string]any) (first claims.Reason) {
	for _, values := range trials {
		// That another target is required and absent is no matter here.
		_, steps, _, _ := mapper.Map(values)
		reason := outcome(steps, m.To, position)
		if reason == "" {
			return ""
		}
		if first == "" {
			first = reason
		}
	}
	return first
}

// outcome finds what became of the target's mapping at that position: each
// leaves one step.
func outcome(steps []claims.Step, target claims.Path, position int) claims.Reason {
	for _, s := range steps {
		if !s.Target.Equal(target) {
			continue
		}
		if position == 0 {
			return s.Reason
		}
		position--
	}
	return claims.AbsentUpstream
}

// trials are the values to try a mapping with. A verified flag is taken from
// the document of its value only, so it is tried together with each mapping
// that supplies the value.
func trials(mappings []claims.Mapping, i int, types map[string]claims.Type) (out []map[string]any) {
	for _, companion := range companions(mappings, i, types) {
		for _, own := range supplies(mappings[i], types) {
			values := maps.Clone(companion)
			maps.Copy(values, own)
			out = append(out, values)
		}
	}
	return out
}

func companions(mappings []claims.Mapping, i int, types map[string]claims.Type) (out []map[string]any) {
	for _, pair := range claims.VerifiedPairs() {
		if !mappings[i].To.Equal(claims.Key(pair.Flag)) {
			continue
		}
		for _, m := range mappings {
			if m.To.Equal(claims.Key(pair.Value)) {
				out = append(out, supplies(m, types)...)
			}
		}
	}
	return append(out, map[string]any{})
}

// supplies are the values that let a mapping work, the likeliest first: of
// the attribute's own type. A constant needs none.
func supplies(m claims.Mapping, types map[string]claims.Type) (out []map[string]any) {
	if m.From == "" {
		return []map[string]any{{}}
	}
	all := samples()
	if own := slices.IndexFunc(all, types[m.From].Matches); own > 0 {
		all[0], all[own] = all[own], all[0]
	}
	for _, v := range all {
		out = append(out, map[string]any{m.From: v})
	}
	return out
}

// samples has a value of every JSON type. The texts and numbers are such
// that they convert into each other and into a bool.
func samples() []any {
	one := json.Number("1")
	return []any{
		"1", one, true,
		map[string]any{},
		[]any{"1"},
		[]any{one},
		[]any{true},
		[]any{map[string]any{}},
		[]any{},
	}
}
