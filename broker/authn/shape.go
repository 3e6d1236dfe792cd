package authn

import (
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A node is one key of the schema seen as a tree: a field, or an object that
// only holds others, as address does.
type node struct {
	field   *Field
	members map[string]*node
}

func (s *Schema) tree() *node {
	root := &node{members: make(map[string]*node)}
	for i := range s.fields {
		n := root
		for _, key := range s.fields[i].Name.Segments() {
			if n.members == nil {
				n.members = make(map[string]*node)
			}
			if n.members[key] == nil {
				n.members[key] = &node{}
			}
			n = n.members[key]
		}
		n.field = &s.fields[i]
	}
	return root
}

// A leaf is a value for one field of the schema.
type leaf struct {
	field *Field
	value any
}

// put writes a copy of the value to its place, making the objects on the
// way. The schema sees to it that nothing else is there.
func (l leaf) put(attributes map[string]any) {
	path := l.field.Name.Segments()
	last := len(path) - 1
	for _, key := range path[:last] {
		inner, ok := attributes[key].(map[string]any)
		if !ok {
			inner = make(map[string]any)
			attributes[key] = inner
		}
		attributes = inner
	}
	attributes[path[last]] = claims.Clone(l.value)
}

// leaves takes the value of a top-level key apart into values of fields and
// checks names and types. A null is no value.
func (m *merge) leaves(key string, v any) ([]leaf, *ChangeError) {
	return m.take(m.tree, "", key, v)
}

func (m *merge) take(parent *node, within, key string, v any) ([]leaf, *ChangeError) {
	name := claims.Key(key).String()
	if within != "" {
		name = within + "." + name
	}
	n := parent.members[key]
	switch {
	case n == nil:
		return nil, m.unknown(name)
	case v == nil && within != "" && m.stage == StageApplication:
		return nil, changeError(name, claims.TypeMismatch, "is null; an application cannot remove a value")
	case v == nil:
		return nil, nil
	case n.field == nil:
		return m.members(n, name, v)
	}
	if _, err := claims.Convert(v, n.field.Type, false); err != nil {
		return nil, changeError(name, claims.TypeMismatch, "%s", err)
	}
	return []leaf{{n.field, v}}, nil
}

// members takes an object apart whose members are fields of their own.
func (m *merge) members(n *node, name string, v any) ([]leaf, *ChangeError) {
	object, ok := v.(map[string]any)
	if !ok {
		err := &claims.TypeError{Want: claims.Object}
		err.Got, _ = claims.Measure(v)
		return nil, changeError(name, claims.TypeMismatch, "%s", err)
	}
	var out []leaf
	for _, key := range slices.Sorted(maps.Keys(object)) {
		leaves, err := m.take(n, name, key, object[key])
		if err != nil {
			return nil, err
		}
		out = append(out, leaves...)
	}
	return out, nil
}

// unknown is the error for a name outside the schema. It offers the names
// that come near, and only those of the schema.
func (m *merge) unknown(name string) *ChangeError {
	err := changeError(name, claims.NotDeclared, "")
	names := m.schema.targets()
	for _, key := range slices.Sorted(maps.Keys(m.tree.members)) {
		if m.tree.members[key].field == nil {
			names = append(names, claims.Key(key).String())
		}
	}
	err.Problem = "not in the context schema" + claims.DidYouMean(err.Name, names)
	return err
}

// Bounds of one change. What a script or an application returns is kept with
// the login, the session and every grant.
const (
	maxDepth      = 32
	maxChangeSize = 64 << 10 // bytes of keys and texts, a few more per value
)

// bounded checks that the values are JSON that encodes and comes back as it
// is, and not too deep or too large. Checked here, because nothing can fail
// cleanly any more when the context is stored.
func bounded(attributes map[string]any) *ChangeError {
	b := bounds{left: maxChangeSize}
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		b.text(key)
		b.value(attributes[key], 1)
		if b.problem != "" {
			return changeError(claims.Key(key).String(), claims.TypeMismatch, "%s", b.problem)
		}
	}
	return nil
}

type bounds struct {
	left    int
	problem string
}

func (b *bounds) value(v any, depth int) {
	if depth > maxDepth {
		b.fail("is nested deeper than 32 levels")
	}
	b.spend(4)
	if b.problem != "" {
		return
	}
	switch v := v.(type) {
	case nil, bool:
	case string:
		b.text(v)
	case json.Number:
		b.spend(len(v))
		if !claims.Number.Matches(v) {
			b.fail("holds a number that is none")
		}
	case []any:
		for _, e := range v {
			b.value(e, depth+1)
		}
	case map[string]any:
		for key, e := range v {
			b.text(key)
			b.value(e, depth+1)
		}
	default:
		b.fail("holds what is not decoded JSON")
	}
}

func (b *bounds) text(s string) {
	b.spend(len(s))
	if !utf8.ValidString(s) {
		b.fail("holds invalid UTF-8")
	}
}

func (b *bounds) spend(n int) {
	if b.left -= n; b.left < 0 {
		b.fail("makes the change larger than 64 KiB")
	}
}

// fail keeps the first problem.
func (b *bounds) fail(problem string) {
	if b.problem == "" {
		b.problem = problem
	}
}
