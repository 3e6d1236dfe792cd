package authn

import (
	"reflect"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// done returns what a merge did. It compares the contexts and not the
// change, so no difference can go untold.
func (m *merge) done() Trace {
	trace := make(Trace, 0, len(m.reserved))
	for _, name := range m.reserved {
		trace = append(trace, Entry{Stage: m.stage, Name: name, Reason: claims.ReservedName})
	}
	for _, f := range m.schema.fields {
		before, _ := f.Name.Lookup(m.old.Attributes)
		after, _ := f.Name.Lookup(m.new.Attributes)
		trace = append(trace, m.compared(f.Name.String(), before, after)...)
	}
	trace = append(trace, m.compared("amr", list(m.old.AMR), list(m.new.AMR))...)
	trace = append(trace, m.compared("acr", text(m.old.ACR), text(m.new.ACR))...)
	trace = append(trace, m.compared("idp_sub", text(m.old.IDPSubject), text(m.new.IDPSubject))...)
	if len(trace) == 0 {
		trace = Trace{{Stage: m.stage}}
	}
	return trace
}

// compared tells of one name: of the old value why it is no more, of a new
// one that it arrived.
func (m *merge) compared(name string, before, after any) Trace {
	if m.unpaired[name] {
		e := Entry{Stage: m.stage, Name: name, Reason: claims.UnverifiedPair}
		if before != nil {
			e = measured(e, before)
		}
		return Trace{e}
	}
	if reflect.DeepEqual(before, after) {
		return nil
	}
	var trace Trace
	if before != nil {
		trace = append(trace, measured(Entry{Stage: m.stage, Name: name, Reason: m.gone(after != nil)}, before))
	}
	if after != nil {
		trace = append(trace, measured(Entry{Stage: m.stage, Name: name}, after))
	}
	return trace
}

// gone returns why an old value is no more. An application removes nothing.
func (m *merge) gone(replaced bool) claims.Reason {
	switch {
	case m.stage == StageApplication:
		return claims.AppReplaced
	case replaced:
		return claims.ScriptReplaced
	}
	return claims.ScriptRemoved
}

// failed returns where a change failed. The name is left out if it is not
// the broker's own: whoever sent it chose it, and it can hold anything.
func (m *merge) failed(err *ChangeError) Trace {
	e := Entry{Stage: m.stage, Reason: err.Reason}
	named := func(f Field) bool { return f.Name.String() == err.Name }
	if slices.ContainsFunc(m.schema.fields, named) || m.tree.members[err.Name] != nil || claims.Reserved(err.Name) {
		e.Name = err.Name
	}
	return Trace{e}
}

// list and text return nil for what is unknown.

func list(s []string) any {
	if len(s) == 0 {
		return nil
	}
	return array(s)
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
