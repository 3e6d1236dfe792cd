package authn

import (
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Bounds of what is told of claims that nobody declared: an upstream, and
// with it whoever can edit a profile there, chooses their names.
const (
	maxUndeclared     = 200
	maxUndeclaredName = 100 // characters
)

// undeclared names the claims at the top of the documents that no attribute
// reads, to be found by the operator who misses one. Those that make up the
// protocol are not about the person.
func (p *Pipeline) undeclared(docs claims.Documents) Trace {
	var trace Trace
	for _, source := range claims.Sources() {
		read := make(map[string]bool)
		for _, a := range p.attributes {
			if a.Source == source {
				read[a.Path.Top()] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(docs[source])) {
			if read[name] || protocol(name) || !printable(name) {
				continue
			}
			if len(trace) == maxUndeclared {
				return trace
			}
			e := Entry{Stage: StageUpstream, Name: cut(name), From: string(source), Reason: claims.NotDeclared}
			trace = append(trace, measured(e, docs[source][name]))
		}
	}
	return trace
}

// protocol reports whether an upstream's claim is part of its protocol.
func protocol(name string) bool {
	return claims.Reserved(name) || name == "c_hash" || name == "s_hash"
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return s != ""
}

// cut returns the first characters of a name.
func cut(name string) string {
	n := 0
	for i := range name {
		if n++; n > maxUndeclaredName {
			return name[:i]
		}
	}
	return name
}

// received has an entry for every attribute.
func (p *Pipeline) received(values map[string]any, drops []claims.Drop) Trace {
	reasons := reasonsOf(drops)
	trace := make(Trace, 0, len(p.attributes))
	for _, a := range p.attributes {
		e := Entry{
			Stage: StageAttribute, Name: a.Name, From: string(a.Source) + " " + a.Path.String(),
			Reason: reasons[a.Name], Origin: a.Origin,
		}
		if v, arrived := values[a.Name]; arrived {
			e = measured(e, v)
		}
		trace = append(trace, e)
	}
	return trace
}

// mapped has an entry for every mapping and for every attribute that was
// received in vain. The drops are those of the attributes and of the
// mappings.
func mapped(attributes map[string]any, steps []claims.Step, absent, lost []claims.Drop) Trace {
	reasons := reasonsOf(absent)
	trace := make(Trace, 0, len(steps))
	for _, s := range steps {
		e := Entry{Stage: StageMapping, Name: s.Target.String(), From: s.Attribute, Reason: s.Reason, Origin: s.Origin}
		if s.Reason == claims.AbsentUpstream {
			e.Reason = reasons[s.Attribute]
		}
		if v, arrived := s.Target.Lookup(attributes); arrived && s.Reason == "" {
			e = measured(e, v)
		}
		if s.Reason == claims.TypeMismatch {
			e.Type, e.Want = mismatch(s, lost)
		}
		trace = append(trace, e)
	}
	for _, d := range lost {
		if d.Reason == claims.NotMapped {
			trace = append(trace, Entry{Stage: StageMapping, From: d.Attribute, Reason: d.Reason, Origin: d.Origin})
		}
	}
	return trace
}

// mismatch returns the types of a step that failed for them.
func mismatch(s claims.Step, lost []claims.Drop) (got string, want claims.Type) {
	for _, d := range lost {
		if d.Reason == claims.TypeMismatch && d.Attribute == s.Attribute && d.Target.Equal(s.Target) {
			return d.Got, d.Want
		}
	}
	return "", ""
}

// reasonsOf returns the reasons by attribute.
func reasonsOf(drops []claims.Drop) map[string]claims.Reason {
	out := make(map[string]claims.Reason, len(drops))
	for _, d := range drops {
		out[d.Attribute] = d.Reason
	}
	return out
}

// authenticated tells where amr, acr and auth_time of c come from.
func (p *Pipeline) authenticated(in Input, c *Context) Trace {
	var trace Trace
	add := func(name, from string, v any, reason claims.Reason) {
		trace = append(trace, measured(Entry{Stage: StageAMR, Name: name, From: from, Reason: reason}, v))
	}
	absent := func(name string) {
		trace = append(trace, Entry{Stage: StageAMR, Name: name, Reason: claims.AbsentUpstream})
	}
	from := func(name string) string {
		if slices.Contains(in.Inherited, name) {
			return fromSession
		}
		return fromUpstream
	}

	overridden := len(p.staticAMR) > 0
	switch {
	case len(in.AMR) > 0 && overridden:
		add("amr", from("amr"), array(in.AMR), claims.Shadowed)
	case len(in.AMR) > 0:
		add("amr", from("amr"), array(in.AMR), "")
	case !overridden:
		absent("amr")
	}
	if overridden {
		add("amr", fromStatic, array(c.AMR), "")
	}
	if c.ACR == "" {
		absent("acr")
	} else {
		add("acr", from("acr"), c.ACR, "")
	}
	return append(trace, authenticatedAt(in, from("auth_time")))
}

func authenticatedAt(in Input, from string) Entry {
	e := Entry{Stage: StageAMR, Name: "auth_time", From: from}
	switch {
	case in.AuthTime.IsZero():
		e.From, e.Reason = "", claims.AbsentUpstream
	case from == fromUpstream && !in.AuthTimeAsserted:
		e.From = fromCallback
	}
	return e
}
