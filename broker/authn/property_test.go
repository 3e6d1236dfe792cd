package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// The four invariants of the pipeline, over random documents, attributes,
// mappings, schemas and scripts.

// Nothing skips a stage: a value is in the context only because a declared
// attribute and a mapping, or a constant, put it there; and in a token only
// because a claim is declared for it.
func TestPropertyNothingSkipsAStage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		c, _, _, err := w.pipeline.Build(w.in)
		if err != nil {
			return
		}
		w.conforms(c)
		for _, f := range w.schema.Fields() {
			v, present := f.Name.Lookup(c.Attributes)
			put := func(m claims.Mapping) bool { return m.To.Equal(f.Name) && w.yields(m, v) }
			if present && !slices.ContainsFunc(w.cfg.Mappings, put) {
				rt.Fatalf("%s is %v, and no mapping put it there", f.Name, v)
			}
		}
		for _, typ := range claims.TokenTypes() {
			released := claims.Release(c.View([]string{"openid"}), []string{"openid"}, typ, w.declared(), nil)
			for name := range released {
				if !slices.ContainsFunc(w.declared(), func(d claims.Claim) bool { return d.Name == name && d.In(typ) }) {
					rt.Fatalf("undeclared claim %q is in the %s", name, typ)
				}
			}
		}
	})
}

// declared is one claim for half of the schema.
func (w *world) declared() []claims.Claim {
	var out []claims.Claim
	for i, f := range w.schema.Fields() {
		if i%2 == 0 && !f.Computed {
			types := claims.TokenTypes()[i/2%4:]
			out = append(out, claims.Claim{Name: f.Name.Top(), From: f.Name, Types: types[:1]})
		}
	}
	return out
}

// yields reports whether the mapping alone would yield v.
func (w *world) yields(m claims.Mapping, v any) bool {
	got, ok := w.model(m)
	return ok && reflect.DeepEqual(got, v)
}

// model is what a mapping yields, by the rules of strict and weak decoding.
func (w *world) model(m claims.Mapping) (any, bool) {
	v := m.Static
	if m.From != "" {
		a, received, present := w.attribute(m)
		if !present || !m.Weak && !a.ValueType().Matches(received) {
			return nil, false
		}
		v = received
	}
	t, _ := w.schema.Type(m.To)
	got, err := claims.Convert(v, t, m.Weak)
	return got, err == nil
}

// Whoever reads the store, the log or a lineage page must find nothing of
// the documents but what was mapped, and outside the context no value at
// all.
func TestPropertyOnlyMappedValuesRemain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		mapped := make(map[string]bool)
		for _, m := range w.cfg.Mappings {
			if _, v, present := w.attribute(m); present {
				for _, marker := range markersOf(v) {
					mapped[marker] = true
				}
			}
		}
		var all []string
		for _, doc := range w.in.Documents {
			for _, v := range doc {
				all = append(all, markersOf(v)...)
			}
		}
		all = slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, "marker-") && !strings.HasPrefix(s, "7000") })

		c, drops, trace, err := w.pipeline.Build(w.in)
		context := w.text(c)
		told := w.text(trace) + w.text(drops) + fmt.Sprint(drops, trace, err)
		for _, marker := range all {
			if !mapped[marker] && strings.Contains(context, marker) {
				rt.Fatalf("%s was not mapped and is in the context %s", marker, context)
			}
			if strings.Contains(told, marker) {
				rt.Fatalf("%s is in what is told: %s", marker, told)
			}
		}
		if c != nil {
			w.scriptTellsNoValue(c)
		}
	})
}

func (w *world) scriptTellsNoValue(c *Context) {
	change := w.returned("unknown", "Email", "sub")
	for stage, apply := range map[Stage]func() (*Context, Trace, error){
		StageScript:      func() (*Context, Trace, error) { return w.schema.ApplyScript(c, Change{Attributes: change}) },
		StageApplication: func() (*Context, Trace, error) { return w.schema.ApplyApplication(c, change, w.top()) },
	} {
		_, trace, err := apply()
		told := w.text(trace)
		if err == nil || !strings.Contains(err.Error(), "not in the context schema") { // D11 names what is unknown
			told += fmt.Sprint(err)
		}
		for _, name := range append(slices.Collect(strings.SplitSeq(w.text(c), `"`)), markersOf(change)...) {
			if strings.HasPrefix(name, "marker-") && strings.Contains(told, name) {
				w.Fatalf("%s is in what the %s tells: %s", name, stage, told)
			}
		}
	}
}

func (w *world) text(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// Every stage that ran leaves an entry for all it had to do.
func TestPropertyEveryStageLeavesAnEntry(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		c, _, trace, err := w.pipeline.Build(w.in)
		for _, a := range w.cfg.Attributes {
			entries := of(trace, StageAttribute, a.Name)
			_, received := a.Path.Lookup(w.in.Documents[a.Source])
			if len(entries) != 1 || received != (entries[0].Reason == "") || entries[0].Origin != a.Origin {
				rt.Fatalf("attribute %s, received %v: %v", a.Name, received, entries)
			}
		}
		for _, m := range w.cfg.Mappings {
			told := func(e Entry) bool { return e.From == m.From && e.Origin == m.Origin }
			if !slices.ContainsFunc(of(trace, StageMapping, m.To.String()), told) {
				rt.Fatalf("nothing tells of the mapping of %q to %s", m.From, m.To)
			}
		}
		for _, e := range trace {
			if e.Reason != "" && !slices.Contains(claims.Reasons(), e.Reason) {
				rt.Fatalf("entry %+v has no known reason", e)
			}
		}
		if err != nil {
			return
		}
		for _, name := range []string{"amr", "acr", "auth_time"} {
			if len(of(trace, StageAMR, name)) == 0 {
				rt.Fatalf("nothing tells of %s", name)
			}
		}
		for _, f := range w.schema.Fields() {
			arrived := func(e Entry) bool { return e.Reason == "" }
			if _, present := f.Name.Lookup(c.Attributes); present != slices.ContainsFunc(of(trace, StageMapping, f.Name.String()), arrived) {
				rt.Fatalf("%s is there: %v; the trace says otherwise", f.Name, present)
			}
		}
		for stage, apply := range map[Stage]func() (*Context, Trace, error){
			StageScript:      func() (*Context, Trace, error) { return w.schema.ApplyScript(c, w.change()) },
			StageApplication: func() (*Context, Trace, error) { return w.schema.ApplyApplication(c, w.returned("amr"), w.top()) },
		} {
			_, trace, _ := apply()
			if len(trace) == 0 || slices.ContainsFunc(trace, func(e Entry) bool { return e.Stage != stage }) {
				rt.Fatalf("%s leaves %v", stage, trace)
			}
		}
	})
}

// A sign-in fails with an error that says so, or every value that did not
// get where a mapping would have it is a drop. There is no third outcome.
func TestPropertyNoThirdOutcome(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		before := claims.Clone(w.in.Documents[claims.IDToken])
		c, drops, _, err := w.pipeline.Build(w.in)
		if !reflect.DeepEqual(before, any(w.in.Documents[claims.IDToken])) {
			rt.Fatal("the document changed")
		}
		if err != nil && (!errors.Is(err, claims.ErrRequired) || c != nil) {
			rt.Fatalf("got %v beside %v", c, err)
		}
		for _, a := range w.cfg.Attributes {
			_, received := a.Path.Lookup(w.in.Documents[a.Source])
			lost := func(d claims.Drop) bool { return d.Attribute == a.Name && d.Target.IsZero() }
			used := slices.ContainsFunc(w.cfg.Mappings, func(m claims.Mapping) bool { return m.From == a.Name })
			if dropped := slices.ContainsFunc(drops, lost); dropped != (!received || !used) {
				rt.Fatalf("attribute %s, received %v, mapped %v, dropped %v", a.Name, received, used, dropped)
			}
		}
		w.documented(c, drops, err)
	})
}

// documented compares the context with the model: the first mapping that
// yields has its target, and of every other with a value there is a drop.
func (w *world) documented(c *Context, drops []claims.Drop, err error) {
	for _, f := range w.schema.Fields() {
		_, flag := strings.CutSuffix(f.Name.String(), "_verified")
		var want any
		var filled, required, dropped bool
		for _, m := range w.cfg.Mappings {
			if !m.To.Equal(f.Name) {
				continue
			}
			required = required || m.Required
			_, _, present := w.attribute(m)
			v, yields := w.model(m)
			lost := slices.ContainsFunc(drops, func(d claims.Drop) bool {
				return d.Attribute == m.From && d.Target.Equal(m.To) && d.Origin == m.Origin
			})
			dropped = dropped || lost
			switch {
			case flag: // another document's flag is dropped, too; see R40
			case yields && !filled:
				want, filled = v, true
			case (present || m.Static != nil) && !lost:
				w.Fatalf("the value of %q did not get to %s, and nothing tells why: %v", m.From, m.To, drops)
			}
		}
		if err != nil {
			continue
		}
		got, present := f.Name.Lookup(c.Attributes)
		switch {
		case required && !present:
			w.Fatalf("%s is required and absent, and the sign-in goes on", f.Name)
		case !flag && (present != filled || !reflect.DeepEqual(got, want)):
			w.Fatalf("%s is %v, want %v", f.Name, got, want)
		}
	}
}

// conforms fails unless the context holds values of the schema's names and
// types only, its flags vouch for something, and it comes back from JSON.
func (w *world) conforms(c *Context) {
	var walk func(object map[string]any, within string)
	walk = func(object map[string]any, within string) {
		for key, v := range object {
			name := within + claims.Key(key).String()
			place, err := claims.ParsePath(name)
			if err != nil {
				w.Fatal(err)
			}
			t, known := w.schema.Type(place)
			inner, isObject := v.(map[string]any)
			switch {
			case claims.Reserved(place.Top()):
				w.Fatalf("reserved %s is filled", name)
			case known && !t.Matches(v):
				w.Fatalf("%s holds %v, which is no %s", name, v, t)
			case !known && (!isObject || len(inner) == 0):
				w.Fatalf("%s is not in the schema", name)
			case !known:
				walk(inner, name+".")
			}
		}
	}
	walk(c.Attributes, "")
	for _, p := range claims.VerifiedPairs() {
		if c.Attributes[p.Flag] != nil && c.Attributes[p.Value] == nil {
			w.Fatalf("%s vouches for nothing", p.Flag)
		}
	}
	var back Context
	if err := json.Unmarshal([]byte(w.text(c)), &back); err != nil {
		w.Fatal(err)
	}
	if diff := cmp.Diff(c, &back); diff != "" {
		w.Fatalf("(-context +back from JSON):\n%s", diff)
	}
}
