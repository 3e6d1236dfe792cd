package authn

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"pgregory.net/rapid"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A world is a random connection and a random sign-in at it. Every text,
// number and inner key of the documents is a marker that occurs once, so
// that a value can be recognised wherever it turns up.
type world struct {
	*rapid.T
	markers int

	schema   *Schema
	cfg      Config
	pipeline *Pipeline
	in       Input
}

func newWorld(t *rapid.T) *world {
	w := &world{T: t}
	w.drawSchema()
	w.drawConfig()
	var err error
	if w.pipeline, err = NewPipeline(w.cfg); err != nil {
		t.Fatalf("the random configuration is invalid: %v", err)
	}
	w.in = Input{
		Connection: "acme", Issuer: "https://tenant.example/", Subject: "auth0|1", AuthTime: signedIn,
		AMR: rapid.SampledFrom([][]string{nil, {"pwd"}}).Draw(t, "amr"), ACR: rapid.SampledFrom([]string{"", "basic"}).Draw(t, "acr"),
		Documents: make(claims.Documents),
	}
	for _, source := range claims.Sources() {
		if w.often("document") {
			w.in.Documents[source] = w.document()
		}
	}
	return w
}

func pick[E any](w *world, from []E, label string) E { return rapid.SampledFrom(from).Draw(w.T, label) }

// often is true three times in four.
func (w *world) often(label string) bool { return rapid.IntRange(0, 3).Draw(w.T, label) > 0 }

func (w *world) seldom(label string) bool { return rapid.IntRange(0, 9).Draw(w.T, label) == 0 }

func (w *world) marker() string {
	w.markers++
	return fmt.Sprintf("marker-%d-", w.markers)
}

// markersOf returns the markers in a value, the inner keys too.
func markersOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case json.Number:
		return []string{string(v)}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, markersOf(e)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(append(out, key), markersOf(v[key])...)
		}
		return out
	}
	return nil
}

// Names at the top of documents; some are of the protocol, some are tokens
// that an upstream should not have put there.
var documentKeys = []string{
	"name", "email", "email_verified", "phone_number", "phone_number_verified", "updated_at", "address", "groups",
	"a", "b", "https://example.com/groups", "sub", "iss", "amr", "acr", "refresh_token", "access_token",
}

func (w *world) document() map[string]any {
	doc := make(map[string]any)
	for _, key := range documentKeys {
		if w.often(key) {
			doc[key] = w.valueFor(key)
		}
	}
	return doc
}

// valueFor mostly has the type that the standard claim of that name has.
func (w *world) valueFor(key string) any {
	if w.seldom("odd") {
		return w.value(0)
	}
	switch key {
	case "email_verified", "phone_number_verified":
		return w.of(claims.Bool)
	case "updated_at":
		return w.of(claims.Number)
	case "address":
		return map[string]any{"country": w.of(claims.String), "planet": w.of(claims.String), w.marker(): w.value(1)}
	case "a", "b", "groups":
		return w.value(0)
	}
	return w.of(claims.String)
}

// value is any JSON.
func (w *world) value(depth int) any {
	types := []claims.Type{
		claims.String, claims.Number, claims.Bool, "null", claims.StringArray, claims.NumberArray,
		claims.Object, claims.Object, claims.ObjectArray, "mixed",
	}
	if depth > 2 {
		types = types[:6]
	}
	switch t := pick(w, types, "type"); t {
	case "null":
		return nil
	case "mixed":
		return []any{w.value(depth + 1), w.value(depth + 1)}
	case claims.Object:
		return map[string]any{"x": w.value(depth + 1), w.marker(): w.value(depth + 1)}
	default:
		return w.of(t)
	}
}

// of is a value of the type, never empty but for arrays.
func (w *world) of(t claims.Type) any {
	several := func(element claims.Type) any {
		out := []any{}
		for range rapid.IntRange(0, 2).Draw(w.T, "elements") {
			out = append(out, w.of(element))
		}
		return out
	}
	switch t {
	case claims.Number:
		w.markers++
		return json.Number(strconv.Itoa(7_000_000_000 + w.markers))
	case claims.Bool:
		return rapid.Bool().Draw(w.T, "bool")
	case claims.Object:
		return map[string]any{w.marker(): w.of(claims.String)}
	case claims.StringArray:
		return several(claims.String)
	case claims.NumberArray:
		return several(claims.Number)
	case claims.BoolArray:
		return several(claims.Bool)
	case claims.ObjectArray:
		return several(claims.Object)
	default:
		return w.marker()
	}
}

func (w *world) drawSchema() {
	var own []Field
	for _, name := range []string{"a", "b", "c", "org.unit", "org.more.roles", `https://example\.com/groups`} {
		if w.often(name) {
			p, err := claims.ParsePath(name)
			if err != nil {
				w.Fatal(err)
			}
			own = append(own, Field{Name: p, Type: pick(w, claims.Types(), "type of "+name)})
		}
	}
	var err error
	if w.schema, err = NewSchema(own...); err != nil {
		w.Fatal(err)
	}
}

func (w *world) drawConfig() {
	w.cfg = Config{Schema: w.schema, StaticAMR: pick(w, [][]string{nil, {"mfa"}}, "static amr")}
	w.drawAttributes()
	w.drawMappings()
	if w.often("defaults") {
		defaults := claims.Override(claims.Default(true), w.cfg.Attributes)
		w.cfg.Attributes = defaults
		for _, m := range claims.DefaultMappings(true) {
			if w.often("default mapping") {
				w.cfg.Mappings = append(w.cfg.Mappings, m)
			}
		}
	}
}

func (w *world) drawAttributes() {
	paths := []string{
		"name", "email", "email_verified", "phone_number", "address.country", "groups", "a", "a.x", "b", "b.0", "b.x.x",
		`https://example\.com/groups`, "missing",
	}
	read := make(map[string]bool)
	for i := range rapid.IntRange(0, 8).Draw(w.T, "attributes") {
		p, err := claims.ParsePath(pick(w, paths, "claim"))
		if err != nil {
			w.Fatal(err)
		}
		a := claims.Attribute{
			Name: fmt.Sprintf("attribute%d", i), Source: pick(w, claims.Sources(), "source"), Path: p,
			Type: pick(w, claims.Types(), "declared type"), Origin: fmt.Sprintf("Caddyfile:%d", 10+i),
		}
		if place := string(a.Source) + a.Path.String(); !read[place] {
			read[place] = true
			w.cfg.Attributes = append(w.cfg.Attributes, a)
		}
	}
}

func (w *world) drawMappings() {
	var targets []Field
	for _, f := range w.schema.Fields() {
		if !f.Computed {
			targets = append(targets, f)
		}
	}
	for i := range rapid.IntRange(0, 10).Draw(w.T, "mappings") {
		target := pick(w, targets, "target")
		if i%2 == 0 {
			target = targets[rapid.IntRange(max(0, len(targets)-6), len(targets)-1).Draw(w.T, "own target")]
		}
		m := claims.Mapping{
			To: target.Name, Type: target.Type, Weak: rapid.Bool().Draw(w.T, "weak"), Required: w.seldom("required"),
			Origin: fmt.Sprintf("Caddyfile:%d", 50+i),
		}
		if len(w.cfg.Attributes) == 0 || w.seldom("static") {
			m.Static = w.of(target.Type)
		} else {
			m.From = pick(w, w.cfg.Attributes, "source").Name
		}
		w.cfg.Mappings = append(w.cfg.Mappings, m)
	}
}

// attribute returns what a mapping reads, and the value if there is one.
func (w *world) attribute(m claims.Mapping) (a claims.Attribute, v any, present bool) {
	for _, a := range w.cfg.Attributes {
		if a.Name == m.From {
			v, present = a.Path.Lookup(w.in.Documents[a.Source])
			return a, v, present
		}
	}
	return claims.Attribute{}, nil, false
}

// top returns the names at the top of the context that may be filled.
func (w *world) top() []string {
	var out []string
	for _, f := range w.schema.Fields() {
		if !f.Computed && !slices.Contains(out, f.Name.Top()) {
			out = append(out, f.Name.Top())
		}
	}
	return out
}

// returned is what a script or an application may come back with: values of
// the right type mostly, and all kinds of mistakes.
func (w *world) returned(mistakes ...string) map[string]any {
	out := make(map[string]any)
	names := append(w.top(), mistakes...)
	for range rapid.IntRange(0, 5).Draw(w.T, "returned") {
		name := pick(w, names, "name")
		out[name] = w.content(claims.Key(name))
	}
	return out
}

// content is a value for a place in the schema, or an object of such.
func (w *world) content(place claims.Path) any {
	switch {
	case w.seldom("null"):
		return nil
	case w.seldom("wrong"):
		return w.value(1)
	}
	if t, known := w.schema.Type(place); known {
		return w.of(t)
	}
	object := make(map[string]any)
	for _, f := range w.schema.Fields() {
		path := f.Name.Segments()
		depth := len(place.Segments())
		if len(path) > depth && slices.Equal(path[:depth], place.Segments()) && rapid.Bool().Draw(w.T, "member") {
			inner, err := claims.ParsePath(place.String() + "." + claims.Key(path[depth]).String())
			if err != nil {
				w.Fatal(err)
			}
			object[path[depth]] = w.content(inner)
		}
	}
	if w.seldom("unknown member") {
		object[w.marker()] = true
	}
	return object
}
