package authn

import (
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Stage is a part of a sign-in that leaves entries in its [Trace].
type Stage string

// The stages, in the order of the sign-in.
const (
	// StageUpstream: claims of the documents that no attribute reads.
	StageUpstream Stage = "upstream"
	// StageAttribute: each declared attribute.
	StageAttribute Stage = "attribute"
	// StageMapping: each mapping.
	StageMapping Stage = "mapping"
	// StageAMR: "amr", "acr" and "auth_time", inheritance and override.
	StageAMR Stage = "amr"
	// StageScript: what the post-authentication script changed.
	StageScript Stage = "script"
	// StageApplication: what the post-authentication application changed.
	StageApplication Stage = "application"
	// StageCache: the context was built by an earlier sign-in.
	StageCache Stage = "cache"
)

// Where amr, acr and auth_time come from, in the entries of [StageAMR].
const (
	fromUpstream = "upstream"   // this answer
	fromSession  = "session"    // an earlier answer, see Inherit
	fromStatic   = "static_amr" // the operator's setting
	fromCallback = "callback"   // the time of this callback
)

// An Entry is what one stage did to one value. It holds no value: names
// come from the configuration, but for those of claims that nobody
// declared, which are cut and printable.
type Entry struct {
	Stage Stage `json:"stage"`

	// Name is the attribute in StageAttribute, the claim in StageUpstream
	// and the name in the context in all others. An entry without a name
	// says that the stage ran and touched nothing, or, in StageMapping,
	// that no mapping reads the attribute From.
	Name string `json:"name,omitempty"`

	// From is what the value was read from: the document and the claim
	// ("id_token address.country") in StageAttribute, the document in
	// StageUpstream, the attribute in StageMapping (none for a constant),
	// and "upstream", "session", "static_amr" or "callback" in StageAMR.
	From string `json:"from,omitempty"`

	// Reason is why the value did not arrive; empty if it did. An entry
	// such as script_replaced is about the old value, the new one has an
	// entry of its own.
	Reason claims.Reason `json:"reason,omitempty"`

	// Type and Size are the value's, see [claims.Measure], as far as there
	// is one.
	Type string `json:"type,omitempty"`
	Size int    `json:"size,omitempty"`

	// Want is the type that the value should have had, where it does not
	// fit a mapping.
	Want claims.Type `json:"want,omitempty"`

	// Origin is where the attribute or mapping is configured.
	Origin string `json:"origin,omitempty"`
}

// A Trace is the lineage of one sign-in: what every stage that ran did, in
// that order.
type Trace []Entry

// measured returns e with type and size of v.
func measured(e Entry, v any) Entry {
	e.Type, e.Size = claims.Measure(v)
	return e
}

// Explain tells of every declared claim why a token of type typ for this
// client carries it or not. It is [claims.Explain] with what the trace knows
// of the values that the context lacks.
func (t Trace) Explain(c *Context, typ claims.TokenType, declared []claims.Claim, p claims.Permission) []claims.Delivery {
	out := claims.Explain(c.View(p.Granted), typ, declared, p)
	for i := range out {
		if out[i].Reason == claims.AbsentUpstream {
			out[i].Reason = t.lost(out[i].From)
		}
	}
	return out
}

// lost returns why the context has no value at place.
func (t Trace) lost(place claims.Path) claims.Reason {
	cause, found := t.Cause(place)
	switch {
	case found && cause.Reason != "":
		return cause.Reason
	case found:
		return claims.AbsentUpstream
	case slices.ContainsFunc(t, func(e Entry) bool { return e.Stage == StageMapping }):
		return claims.NotMapped
	}
	// Nothing is known of the mappings: the context is from elsewhere.
	return claims.AbsentUpstream
}

// Cause returns the entry that tells why the context has no value at place.
// The last stage that had a hand in it knows; of several mappings the one with
// something to repair goes before those whose attribute is merely absent. It
// is not found where no stage had.
//
// An entry without a reason says that something did arrive, but without the
// member that place names.
func (t Trace) Cause(place claims.Path) (cause Entry, found bool) {
	for _, e := range t {
		if e.Stage == StageUpstream || e.Stage == StageAttribute || !e.concerns(place) {
			continue
		}
		if e.Reason != "" && e.Stage == StageMapping && found && (cause.Reason.Warn() || !e.Reason.Warn()) {
			continue
		}
		cause, found = e, true
	}
	return cause, found
}

// Replaced returns the entry of the last stage that put another value in place
// of one at place.
func (t Trace) Replaced(place claims.Path) (last Entry, found bool) {
	for _, e := range t {
		if (e.Reason == claims.ScriptReplaced || e.Reason == claims.AppReplaced) && e.concerns(place) {
			last, found = e, true
		}
	}
	return last, found
}

// concerns reports whether the entry is about the place, something in it or
// something around it.
func (e Entry) concerns(place claims.Path) bool {
	name, err := claims.ParsePath(e.Name)
	if err != nil {
		return false
	}
	a, b := name.Segments(), place.Segments()
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}
