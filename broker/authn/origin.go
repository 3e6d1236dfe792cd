package authn

import "maps"

// An Origin tells the person whose data it is where a value of the context
// comes from. It holds no value.
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

// Origins are by name in the context, as schemas have it: "address.country".
type Origins map[string]Origin

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

// clone returns a copy; that of nil is nil.
func (o Origins) clone() Origins { return maps.Clone(o) }
