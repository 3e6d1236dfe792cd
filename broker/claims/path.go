package claims

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Path names a place in a JSON document. It is parsed once, when the
// configuration is read, and matches exactly: case counts, and a whole key
// is never tried as a guess for a dotted one.
//
// Syntax:
//
//	path    = segment *( "." segment )
//	segment = 1*( "\." / "\\" / any character but "." and "\" )
//
// "\." is a literal dot and "\\" a backslash, so https://example\.com/groups
// is one key at the top of the document and a.b is the key b inside a. In
// an array a segment is a decimal index. There is no spelling for the whole
// document: mapping it would carry undeclared data past the schema.
//
// The zero Path is no path; it finds nothing.
type Path struct {
	text     string
	segments []string
}

// A PathError tells where a path stops being one.
type PathError struct {
	// Path is the text as it was written.
	Path string
	// Column counts characters from 1.
	Column int
	// Problem says what is wrong there and what is allowed.
	Problem string
}

// Error returns path, column and problem.
func (e *PathError) Error() string {
	// The # keeps backslashes single: an error about escapes must show
	// the text as the operator wrote it.
	return fmt.Sprintf("claim path %#q: column %d: %s", e.Path, e.Column, e.Problem)
}

// ParsePath reads a path. Errors are *PathError.
func ParsePath(text string) (Path, error) {
	fail := func(column int, problem string) (Path, error) {
		return Path{}, &PathError{Path: text, Column: column, Problem: problem}
	}
	switch text {
	case "":
		return fail(1, "empty path; name a claim, such as email or address.country")
	case ".":
		return fail(1, "the whole document cannot be used, it would bypass the context schema; name one claim")
	}

	var (
		segments []string
		segment  strings.Builder
		escaped  bool
		column   int
	)
	for i, r := range text {
		column++
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return fail(column, "invalid UTF-8; no JSON key can match it")
		}
		switch {
		case escaped && r != '.' && r != '\\':
			return fail(column-1, `unknown escape; only \. (a literal dot) and \\ (a backslash) are allowed`)
		case escaped:
			segment.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '.' && segment.Len() == 0:
			return fail(column, `empty segment; "." separates names, \. is a literal dot`)
		case r == '.':
			segments = append(segments, segment.String())
			segment.Reset()
		default:
			segment.WriteRune(r)
		}
	}
	if escaped {
		return fail(column, `backslash at the end; only \. (a literal dot) and \\ (a backslash) are allowed`)
	}
	if segment.Len() == 0 {
		return fail(column, `empty segment after the last "."; \. is a literal dot`)
	}
	return Path{text: text, segments: append(segments, segment.String())}, nil
}

// Key returns the path of one key at the top of a document, whatever
// characters it contains. An empty key gives the zero Path.
func Key(key string) Path { return join(key) }

// join returns the path of the given keys, each inside the one before.
func join(segments ...string) Path {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		if s == "" {
			return Path{}
		}
		escaped[i] = escape.Replace(s)
	}
	return Path{text: strings.Join(escaped, "."), segments: segments}
}

var escape = strings.NewReplacer(`\`, `\\`, `.`, `\.`)

// String returns the text that parses to p. Every path has exactly one.
func (p Path) String() string { return p.text }

// IsZero reports whether p is no path.
func (p Path) IsZero() bool { return len(p.segments) == 0 }

// Equal reports whether both name the same place.
func (p Path) Equal(q Path) bool { return p.text == q.text }

// Top returns the key at the top of the document that p goes through.
func (p Path) Top() string {
	if p.IsZero() {
		return ""
	}
	return p.segments[0]
}

// Segments returns the keys on the way to the place, the top one first. The
// slice is the caller's.
func (p Path) Segments() []string { return slices.Clone(p.segments) }

// Within reports whether p names the place outer, or one inside it.
func (p Path) Within(outer Path) bool {
	return !outer.IsZero() && len(p.segments) >= len(outer.segments) &&
		slices.Equal(p.segments[:len(outer.segments)], outer.segments)
}

// Lookup returns the value at p. A path that leads nowhere, runs into a
// value that has no members, or ends at an explicit null is absent.
func (p Path) Lookup(doc any) (any, bool) {
	v, found := p.find(doc)
	return v, found && v != nil
}

// find is Lookup that tells a null (nil, true) from nothing (nil, false).
func (p Path) find(doc any) (any, bool) {
	if p.IsZero() {
		return nil, false
	}
	for _, segment := range p.segments {
		var found bool
		switch node := doc.(type) {
		case map[string]any:
			doc, found = node[segment]
		case []any:
			var i int
			if i, found = index(segment, len(node)); found {
				doc = node[i]
			}
		}
		if !found {
			return nil, false
		}
	}
	return doc, true
}

// index reads an array index below n. It has one spelling: no sign and no
// leading zero.
func index(segment string, n int) (int, bool) {
	i, err := strconv.Atoi(segment)
	if err != nil || i < 0 || i >= n || strconv.Itoa(i) != segment {
		return 0, false
	}
	return i, true
}

// set puts value at p, making the objects on the way. It must not meet
// another kind of value there; callers rule that out with [Overlap].
func (p Path) set(doc map[string]any, value any) {
	last := len(p.segments) - 1
	for _, segment := range p.segments[:last] {
		inner, ok := doc[segment].(map[string]any)
		if !ok {
			inner = make(map[string]any)
			doc[segment] = inner
		}
		doc = inner
	}
	doc[p.segments[last]] = value
}

// Overlap returns the first two different paths of which one lies inside
// the other: outer holds the place of inner, so both cannot have a value.
func Overlap(paths []Path) (outer, inner Path, found bool) {
	known := make(map[string]Path, len(paths))
	for _, p := range paths {
		known[p.text] = p
	}
	for _, p := range paths {
		for n := 1; n < len(p.segments); n++ {
			if outer, ok := known[join(p.segments[:n]...).text]; ok {
				return outer, p, true
			}
		}
	}
	return Path{}, Path{}, false
}

// Suggestion returns the spelling that was probably meant where p looks
// like a URL whose dots were left unescaped: https://example.com/groups
// reads "com/groups" inside "https://example", which no upstream sends.
// The configuration warns and shows it.
//
// A path that descends into a URL-named claim whose own dots are escaped,
// such as https://example\.com/app.plan, is taken as meant.
func (p Path) Suggestion() (string, bool) {
	at := slices.IndexFunc(p.segments, func(s string) bool { return strings.Contains(s, "://") })
	if at < 0 || at == len(p.segments)-1 {
		return "", false
	}
	_, rest, _ := strings.Cut(p.segments[at], "://")
	host, _, wholeHost := strings.Cut(rest, "/")
	if wholeHost && strings.Contains(host, ".") {
		return "", false
	}
	return join(append(slices.Clone(p.segments[:at]), strings.Join(p.segments[at:], "."))...).text, true
}

// MarshalText returns the text of p.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText parses text.
func (p *Path) UnmarshalText(text []byte) error {
	parsed, err := ParsePath(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
