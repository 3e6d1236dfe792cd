package authn

import (
	"maps"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// An Origin tells the person whose data it is where a value of the context
// comes from. It holds no value. The zero value is of an unknown origin.
type Origin struct {
	// Stage that put the value there: [StageMapping], [StageScript] or
	// [StageApplication].
	Stage Stage `json:"stage"`

	// Attribute is the one that was mapped, and From the document and the
	// claim in it ("id_token address.country"). Both are empty for what the
	// operator gives everybody, and for the other stages.
	Attribute string `json:"attribute,omitempty"`
	From      string `json:"from,omitempty"`
}

// An OriginKind is who put a value where it is.
type OriginKind string

// Who can.
const (
	FromProvider    OriginKind = "provider"
	FromOperator    OriginKind = "operator" // the same for everybody
	FromScript      OriginKind = "script"
	FromApplication OriginKind = "application"
	FromSignIn      OriginKind = "sign_in" // tells of the sign-in, not of the person
	FromBroker      OriginKind = "broker"
	FromUnknown     OriginKind = "unknown"
)

// Kind returns who put the value there.
func (o Origin) Kind() OriginKind {
	switch {
	case o.Stage == StageScript:
		return FromScript
	case o.Stage == StageApplication:
		return FromApplication
	case o.Stage != StageMapping:
		return FromUnknown
	case o.Attribute == "":
		return FromOperator
	}
	return FromProvider
}

// Read returns the document and the claim in it that the value was read from,
// for people: "address.country". The escapes that tell the dots of a path
// apart, which only configurations need, are gone. Both are empty for what no
// provider sent.
func (o Origin) Read() (document, claim string) {
	document, text, _ := strings.Cut(o.From, " ")
	path, err := claims.ParsePath(text)
	if err != nil {
		return document, text
	}
	return document, strings.Join(path.Segments(), ".")
}

// Origins are by name in the context, as schemas have it: "address.country".
type Origins map[string]Origin

// At returns where what stands at the place comes from: of an object maybe
// from several places, in the order of their names, each told once.
func (o Origins) At(place claims.Path) (out []Origin) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		at, err := claims.ParsePath(name)
		if err != nil || !at.Within(place) && !place.Within(at) {
			continue
		}
		if !slices.Contains(out, o[name]) {
			out = append(out, o[name])
		}
	}
	return out
}

// Origins returns where each value comes from that the stages have left in the
// context.
func (t Trace) Origins() Origins {
	read := map[string]string{}
	out := Origins{}
	for _, e := range t {
		switch {
		case e.Stage == StageAttribute:
			read[e.Name] = e.From
		case e.Name == "" || e.Stage != StageMapping && e.Stage != StageScript && e.Stage != StageApplication:
		case e.Reason == "":
			out[e.Name] = Origin{Stage: e.Stage, Attribute: e.From, From: read[e.From]}
		case e.Stage != StageMapping && e.Type != "":
			// The old value is no more. If another one took its place, the
			// next entry says so.
			delete(out, e.Name)
		}
	}
	return out
}
