package ui

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// How much of a value is shown.
const (
	maxItems = 20 // elements of a list, members of an object
	maxDepth = 3  // of lists and objects in each other
)

// A readable is a value as people read it: one text, or several where the
// value is a list or an object.
type readable struct {
	Text  string
	Items []string
	Cut   bool // not all of it is there
}

// readable returns a value, as package encoding/json has them or a time.Time,
// in words.
func (c *catalogue) readable(v any) readable {
	r := reader{words: c}
	var out readable
	switch v.(type) {
	case []any, map[string]any:
		for _, part := range r.parts(v, 0) {
			out.Items = append(out.Items, r.short(part))
		}
	default:
		out.Text = r.short(r.inline(v, 0))
	}
	if out.Items == nil && out.Text == "" {
		out.Text = c.Portal.Empty
	}
	out.Cut = r.cut
	return out
}

// A reader puts a value into words.
type reader struct {
	words *catalogue
	cut   bool // something was left out
}

// short returns a text as one line.
func (r *reader) short(s string) string {
	whole := clean(s, len(s))
	short := clean(whole, maxAbout)
	r.cut = r.cut || short != whole
	return short
}

// inline returns a value as one text.
func (r *reader) inline(v any, depth int) string {
	switch v := v.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return r.inline(at, depth)
		}
		return v
	case json.Number:
		return v.String()
	case time.Time:
		return v.UTC().Format(r.words.TimeLayout)
	case bool:
		if v {
			return r.words.Portal.Yes
		}
		return r.words.Portal.No
	}
	return strings.Join(r.parts(v, depth), ", ")
}

// parts returns the elements of a list or the members of an object.
func (r *reader) parts(v any, depth int) (out []string) {
	if depth >= maxDepth {
		r.cut = true
		return []string{"…"}
	}
	switch v := v.(type) {
	case []any:
		r.cut = r.cut || len(v) > maxItems
		for _, e := range v[:min(len(v), maxItems)] {
			out = append(out, r.inline(e, depth+1))
		}
	case map[string]any:
		r.cut = r.cut || len(v) > maxItems
		keys := slices.Sorted(maps.Keys(v))
		for _, key := range keys[:min(len(keys), maxItems)] {
			out = append(out, key+": "+r.inline(v[key], depth+1))
		}
	}
	return out
}
