package claims

import (
	"fmt"
	"slices"
	"strings"
)

// A Mapper is the mappings of one connection, checked and ready.
type Mapper struct {
	attributes []Attribute
	mapped     map[string]bool
	targets    []*target
}

// A target is one place in the context with all that may fill it, in order
// of precedence.
type target struct {
	path     Path
	kind     Type
	required bool
	sources  []*source
}

// A source is one mapping with its attribute, or its constant.
type source struct {
	Mapping
	attribute *Attribute
	constant  any
}

// NewMapper checks the mappings against the attributes they read. The order
// of mappings is their precedence.
func NewMapper(attributes []Attribute, mappings []Mapping) (*Mapper, error) {
	m := &Mapper{attributes: slices.Clone(attributes), mapped: make(map[string]bool)}
	declared := make(map[string]*Attribute, len(attributes))
	var names []string
	for i := range m.attributes {
		a := &m.attributes[i]
		if err := a.validate(); err != nil {
			return nil, a.Misconfigured(err)
		}
		if first, taken := declared[a.Name]; taken {
			return nil, a.Misconfigured(fmt.Errorf("already declared%s", at(first.Origin)))
		}
		declared[a.Name] = a
		names = append(names, a.Name)
	}
	targets := make(map[string]*target)
	for i, mapping := range mappings {
		if err := m.add(mapping, declared, names, targets); err != nil {
			return nil, mapping.Misconfigured(i, err)
		}
	}
	var paths []Path
	for _, t := range m.targets {
		paths = append(paths, t.path)
	}
	if outer, inner, found := Overlap(paths); found {
		return nil, fmt.Errorf("mapping targets %q and %q: one lies inside the other; map only one of them", outer, inner)
	}
	// A verified flag is decided when its value is known.
	slices.SortStableFunc(m.targets, func(a, b *target) int { return rank(a.path) - rank(b.path) })
	return m, nil
}

func (m *Mapper) add(mapping Mapping, declared map[string]*Attribute, names []string, targets map[string]*target) error {
	if err := mapping.validate(); err != nil {
		return err
	}
	s := &source{Mapping: mapping}
	if mapping.Static != nil {
		var err error
		if s.constant, err = mapping.constant(); err != nil {
			return err
		}
	} else {
		a, known := declared[mapping.From]
		if !known {
			return fmt.Errorf("source %q is not a declared attribute%s", mapping.From, DidYouMean(mapping.From, names))
		}
		s.attribute = a
		m.mapped[a.Name] = true
	}

	key := mapping.To.String()
	t := targets[key]
	if t == nil {
		t = &target{path: mapping.To, kind: mapping.Type}
		targets[key] = t
		m.targets = append(m.targets, t)
	}
	if t.kind != mapping.Type {
		return fmt.Errorf("target %q has type %s, and %s in an earlier mapping", mapping.To, mapping.Type, t.kind)
	}
	t.required = t.required || mapping.Required
	t.sources = append(t.sources, s)
	return nil
}

// Map builds the attributes of the context from the values that [Extract]
// returned. The result shares no memory with them.
//
// The steps tell what became of every mapping, and the drops what is lost on
// the way. The only error is [ErrRequired]; steps and drops then tell why.
func (m *Mapper) Map(values map[string]any) (map[string]any, []Step, []Drop, error) {
	r := &run{
		values:   values,
		context:  make(map[string]any),
		supplied: make(map[string]*source),
	}
	var missing []string
	for _, t := range m.targets {
		if !r.fill(t) && t.required {
			missing = append(missing, fmt.Sprintf("%q", t.path))
		}
	}
	for _, a := range m.attributes {
		if _, received := r.values[a.Name]; received && !m.mapped[a.Name] {
			r.drops = append(r.drops, Drop{Attribute: a.Name, Reason: NotMapped, Origin: a.Origin})
		}
	}
	if missing != nil {
		return nil, r.steps, r.drops, fmt.Errorf("%w: %s", ErrRequired, strings.Join(missing, ", "))
	}
	return r.context, r.steps, r.drops, nil
}

// A run is one call of Map.
type run struct {
	values   map[string]any
	context  map[string]any
	supplied map[string]*source // by target: who filled it
	steps    []Step
	drops    []Drop
}

// fill lets the first source that yields a value have the target.
func (r *run) fill(t *target) (filled bool) {
	for _, s := range t.sources {
		v, present := s.value(r.values)
		switch {
		case !present:
			r.step(s, AbsentUpstream) // Extract has told why.
		case filled:
			r.drop(s, Drop{Reason: Shadowed})
		case !r.vouches(s):
			r.drop(s, Drop{Reason: UnverifiedPair})
		default:
			converted, err := s.convert(v)
			if err != nil {
				r.drop(s, Drop{Reason: TypeMismatch, Got: err.Got, Want: err.Want})
				continue
			}
			t.path.set(r.context, Clone(converted))
			r.supplied[t.path.String()] = s
			r.step(s, "")
			filled = true
		}
	}
	return filled
}

func (r *run) drop(s *source, d Drop) {
	d.Attribute, d.Target, d.Origin = s.From, s.To, s.Origin
	r.drops = append(r.drops, d)
	r.step(s, d.Reason)
}

func (s *source) value(values map[string]any) (any, bool) {
	if s.attribute == nil {
		return s.constant, true
	}
	v, present := values[s.attribute.Name]
	return v, present
}

// convert applies both types. Strictly, a value must be what the attribute
// declares and what the target demands; an operator who allowed weak
// decoding wants what can be converted, whatever was declared.
func (s *source) convert(v any) (any, *TypeError) {
	if s.attribute != nil && !s.Weak {
		if want := s.attribute.ValueType(); !want.Matches(v) {
			return nil, &TypeError{Got: kind(v), Want: want}
		}
	}
	converted, err := Convert(v, s.Type, s.Weak)
	if err != nil {
		return nil, &TypeError{Got: kind(v), Want: s.Type}
	}
	if deeper(converted, maxLevels) {
		return nil, &TypeError{Got: fmt.Sprintf("%s of more than %d levels", kind(v), maxLevels), Want: s.Type}
	}
	return converted, nil
}

// maxLevels is how many objects and arrays of a value lie inside one
// another. Decoders of JSON stop at ten thousand: what an upstream's document
// could just hold would be unreadable in our own records, where it stands
// deeper.
const maxLevels = 1000

// deeper reports whether v has more than n levels.
func deeper(v any, n int) bool {
	switch v := v.(type) {
	case map[string]any:
		if n == 0 {
			return true
		}
		for _, member := range v {
			if deeper(member, n-1) {
				return true
			}
		}
	case []any:
		return n == 0 || slices.ContainsFunc(v, func(e any) bool { return deeper(e, n-1) })
	}
	return false
}
