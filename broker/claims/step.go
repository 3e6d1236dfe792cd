package claims

// A Step is what became of one mapping in one sign-in.
type Step struct {
	// Attribute is what the mapping reads; empty for a static one.
	Attribute string
	Target    Path
	// Reason is empty where the target has its value from this mapping.
	// AbsentUpstream means that the attribute has none; the drops of
	// [Extract] tell why.
	Reason Reason
	// Origin is where the mapping is configured.
	Origin string
}

// step notes what became of the mapping.
func (r *run) step(s *source, reason Reason) {
	r.steps = append(r.steps, Step{Attribute: s.From, Target: s.To, Reason: reason, Origin: s.Origin})
}
