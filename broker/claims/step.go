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

// MapSteps is [Mapper.Map] that also tells what became of every mapping,
// beside an error too.
func (m *Mapper) MapSteps(values map[string]any) (map[string]any, []Step, []Drop, error) {
	r := newRun(values)
	r.traced = true
	context, err := m.fill(r)
	return context, r.steps, r.drops, err
}

func (r *run) step(s *source, reason Reason) {
	if r.traced {
		r.steps = append(r.steps, Step{Attribute: s.From, Target: s.To, Reason: reason, Origin: s.Origin})
	}
}
