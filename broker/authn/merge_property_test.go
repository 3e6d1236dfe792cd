package authn

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// signIn is a world with the context of its sign-in, which nothing ends.
func signIn(t *rapid.T) (*world, *Context) {
	w := newWorld(t)
	for i := range w.cfg.Mappings {
		w.cfg.Mappings[i].Required = false
	}
	p, err := NewPipeline(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, _, _, err := p.Build(w.in)
	if err != nil {
		t.Fatal(err)
	}
	c.Subject = "f00d"
	return w, c
}

// change is what a random script returns.
func (w *world) change() Change {
	ch := Change{Attributes: w.returned("unknown", "Email", "sub", "amr", "iss")}
	if w.seldom("sets amr") {
		ch.AMR = new(pick(w, [][]string{nil, {}, {"mfa"}, {"pwd"}, {""}}, "script's amr"))
	}
	if w.seldom("sets acr") {
		ch.ACR = new(pick(w, []string{"", "strong", "basic"}, "script's acr"))
	}
	if w.seldom("sets idp_sub") {
		ch.IDPSubject = new(pick(w, []string{"", "auth0|1", "auth0|2"}, "script's idp_sub"))
	}
	return ch
}

// valid says whether a script may return it.
func (w *world) valid(ch Change) bool {
	for name, v := range ch.Attributes {
		if !claims.Reserved(name) && !w.fits(claims.Key(name), v, true) {
			return false
		}
	}
	return (ch.AMR == nil || !slices.Contains(*ch.AMR, "")) && (ch.IDPSubject == nil || *ch.IDPSubject != "")
}

// fits reports whether v can be at the place.
func (w *world) fits(place claims.Path, v any, null bool) bool {
	t, known := w.schema.Type(place)
	inside := func(f Field) bool { return strings.HasPrefix(f.Name.String(), place.String()+".") }
	object, isObject := v.(map[string]any)
	switch {
	case !known && !slices.ContainsFunc(w.schema.Fields(), inside):
		return false
	case v == nil:
		return null
	case known:
		return t.Matches(v)
	case !isObject:
		return false
	}
	for key, member := range object {
		inner, err := claims.ParsePath(place.String() + "." + claims.Key(key).String())
		if err != nil || !w.fits(inner, member, null) {
			return false
		}
	}
	return true
}

// differing returns the fields of the schema, and of amr, acr and idp_sub,
// in which two contexts differ.
func (w *world) differing(a, b *Context) []string {
	var out []string
	for _, f := range w.schema.Fields() {
		x, _ := f.Name.Lookup(a.Attributes)
		y, _ := f.Name.Lookup(b.Attributes)
		if !reflect.DeepEqual(x, y) {
			out = append(out, f.Name.String())
		}
	}
	for name, same := range map[string]bool{
		"amr": slices.Equal(a.AMR, b.AMR), "acr": a.ACR == b.ACR, "idp_sub": a.IDPSubject == b.IDPSubject,
	} {
		if !same {
			out = append(out, name)
		}
	}
	return out
}

// A script's change is applied whole, conforms to the schema, touches what
// it names and no more, and every difference is in the trace; or it is
// refused, and nothing happened.
func TestPropertyScriptIsWholeOrNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, c := signIn(rt)
		before, ch := c.Clone(), w.change()
		given := claims.Clone(ch.Attributes)
		got, trace, err := w.schema.ApplyScript(c, ch)
		if diff := cmp.Diff(before, c); diff != "" {
			rt.Fatalf("the context changed (-was +is):\n%s", diff)
		}
		if !reflect.DeepEqual(given, any(ch.Attributes)) {
			rt.Fatal("the change changed")
		}
		if valid := w.valid(ch); valid != (err == nil) || valid != (got != nil) {
			rt.Fatalf("valid is %v, got %v, %v", valid, got, err)
		}
		if err != nil {
			return
		}
		w.conforms(got)
		for _, name := range w.differing(c, got) {
			if len(of(trace, StageScript, name)) == 0 {
				rt.Fatalf("nothing tells that %s changed: %v", name, trace)
			}
		}
		w.appliedWhole(c, got, ch)
	})
}

func (w *world) appliedWhole(c, got *Context, ch Change) {
	flags := []string{"email_verified", "phone_number_verified"}
	for _, key := range w.top() {
		wanted, touched := ch.Attributes[key]
		now := got.Attributes[key]
		switch {
		case slices.Contains(flags, key) && now == nil:
			// Removed with its value, or never there.
		case !touched && !reflect.DeepEqual(now, c.Attributes[key]):
			w.Fatalf("%s was not named and is %v", key, now)
		case touched && !reflect.DeepEqual(now, withoutNulls(w, claims.Key(key), wanted)):
			w.Fatalf("%s is %v, the script said %v", key, now, wanted)
		}
	}
	for _, p := range claims.VerifiedPairs() {
		same := reflect.DeepEqual(c.Attributes[p.Value], got.Attributes[p.Value])
		if got.Attributes[p.Flag] != nil && !same && ch.Attributes[p.Flag] == nil {
			w.Fatalf("%s vouches for another value than it was said of", p.Flag)
		}
	}
	if got.IDPSubject != c.IDPSubject && got.Subject != "" {
		w.Fatalf("%q is still called %q", got.IDPSubject, got.Subject)
	}
}

// withoutNulls is v as it should arrive: in an object that only holds other
// names of the schema a null is as good as absent, and so is one without
// members.
func withoutNulls(w *world, place claims.Path, v any) any {
	object, isObject := v.(map[string]any)
	if _, known := w.schema.Type(place); known || !isObject {
		return v
	}
	out := make(map[string]any)
	for key, member := range object {
		inner, err := claims.ParsePath(place.String() + "." + claims.Key(key).String())
		if err != nil {
			w.Fatal(err)
		}
		if member = withoutNulls(w, inner, member); member != nil {
			out[key] = member
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// A script may return the object it was given, all of it or a part.
func TestPropertyReturningWhatOneGotChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, c := signIn(rt)
		seen := c.View([]string{"openid"})
		for _, key := range slices.Sorted(maps.Keys(seen)) {
			// The flag must stay without being returned, too.
			if !w.often("returned") {
				delete(seen, key)
			}
		}
		for _, ch := range []Change{
			{}, {Attributes: seen}, {Attributes: seen, AMR: &c.AMR, ACR: &c.ACR, IDPSubject: &c.IDPSubject},
		} {
			got, _, err := w.schema.ApplyScript(c, ch)
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(c, got); diff != "" {
				rt.Fatalf("(-context +after the script):\n%s", diff)
			}
		}
		ch := w.change()
		once, _, err := w.schema.ApplyScript(c, ch)
		if err != nil {
			return
		}
		twice, _, err := w.schema.ApplyScript(once, ch)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(once, twice); diff != "" {
			rt.Fatalf("a change applied twice (-once +twice):\n%s", diff)
		}
	})
}

// An application removes nothing, sets what may_set names and no more, and
// is refused whole.
func TestPropertyApplicationStaysWithinMaySet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, c := signIn(rt)
		attributes := w.returned("unknown", "sub")
		if w.seldom("sets amr") {
			attributes["amr"] = pick(w, []any{[]any{"mfa"}, []any{}, "mfa", nil}, "application's amr")
		}
		var maySet []string
		for _, name := range append(w.top(), "amr", "unknown", "sub") {
			if w.often("may set") {
				maySet = append(maySet, name)
			}
		}
		before := c.Clone()
		got, trace, err := w.schema.ApplyApplication(c, attributes, maySet)
		if diff := cmp.Diff(before, c); diff != "" {
			rt.Fatalf("the context changed (-was +is):\n%s", diff)
		}
		if valid := w.permitted(attributes, maySet); valid != (err == nil) || valid != (got != nil) {
			rt.Fatalf("valid is %v, got %v, %v", valid, got, err)
		}
		if err != nil {
			return
		}
		w.conforms(got)
		for _, name := range w.differing(c, got) {
			entries := of(trace, StageApplication, name)
			unpaired := len(entries) == 1 && entries[0].Reason == claims.UnverifiedPair
			place, err := claims.ParsePath(name)
			if err != nil {
				rt.Fatal(err)
			}
			_, still := place.Lookup(got.Attributes)
			switch {
			case len(entries) == 0:
				rt.Fatalf("nothing tells that %s changed", name)
			case unpaired:
			case !slices.Contains(maySet, place.Top()) || attributes[place.Top()] == nil:
				rt.Fatalf("%s changed", name)
			case name != "amr" && !still:
				rt.Fatalf("%s was removed", name)
			}
		}
	})
}

// permitted says whether an application may send
// these.
func (w *world) permitted(attributes map[string]any, maySet []string) bool {
	for name, v := range attributes {
		list, isList := v.([]any)
		switch {
		case !slices.Contains(maySet, name):
			return false
		case name == "amr":
			if !isList || len(list) == 0 {
				return false
			}
		case claims.Reserved(name) || !w.fits(claims.Key(name), v, false):
			return false
		}
	}
	return true
}
