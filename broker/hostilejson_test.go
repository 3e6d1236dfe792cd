package broker_test

import (
	"strings"
	"testing"
)

// hostileJSON is what JSON allows and programs trip over, by kind of claim.
var hostileJSON = map[string]map[string]string{
	"numbers beyond a double": {"number": "1e400", "any": "[1e400, -1e-400, 1E+400, 9223372036854775809]"},
	"2^63+1":                  {"number": "9223372036854775809", "object": `{"n": 9223372036854775809}`},
	"2^53+1":                  {"number": "9007199254740993", "any": "9007199254740993"},
	"400 digits":              {"number": strings.Repeat("9", 400), "any": "0." + strings.Repeat("3", 400)},
	"minus zero":              {"number": "-0", "any": "-0.0"},
	"names of prototypes": {
		"object": `{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}, "toString": 1, "toJSON": "x", "hasOwnProperty": 1, "then": 1}`,
		"any":    `[{"__proto__": null}, {"toJSON": {"call": 1}}]`, "text": quoted("__proto__"), "list": `["__proto__", "constructor"]`,
	},
	"odd keys":       {"object": `{"": 1, "a.b": {"": {"": 2}}, "\\": 3, "\u0000": 4, "\r\nX: y": 5, "sub": "root", "iss": "x", "exp": 1}`},
	"a key twice":    {"object": `{"role": "admin", "role": "user", "x": {"a": 1, "a": 2}}`, "any": `{"a": [1], "a": []}`},
	"keys by case":   {"object": `{"role": "user", "Role": "admin", "ROLE": "root"}`},
	"numeric keys":   {"object": `{"10": 1, "9": 2, "-1": 3, "1e3": 4}`},
	"empty":          {"text": `""`, "list": `[]`, "object": `{}`, "any": `""`, "number": "0"},
	"nested empties": {"list": `["", "", ""]`, "any": `[[], {}, [[]], null, false, ""]`},
	"half a pair":    {"text": `"\ud800` + marker + `"`, "list": `["\udfff"]`},
	"30 levels":      {"object": nested(30)},
}

// Everything a JSON document can hold arrives as it was sent, also past a
// script that looks at all of it and changes nothing.
func TestR57_EveryValueArrivesExactly(t *testing.T) {
	for name, source := range map[string]string{
		"no script":      "",
		"the same again": `module.exports = async (c) => ({ authn_ctx: c.authn_ctx })`,
		"a copy":         `module.exports = async (c) => ({ authn_ctx: { ...c.authn_ctx } })`,
		"by JSON":        `module.exports = async (c) => ({ authn_ctx: JSON.parse(JSON.stringify(c.authn_ctx)) })`,
	} {
		w := hostileWorld(t, withScript(source))
		for what, values := range hostileJSON {
			t.Run(name+"/"+what, func(t *testing.T) {
				if name == "by JSON" && (what == "numbers beyond a double" || what == "400 digits") {
					return // JSON.stringify makes null of infinity, and a script means what it says
				}
				w.report(t)
				w.tell(values)
				w.wantExactly(w.arrive(), values)
			})
		}
	}
}

// wantExactly compares every output with the JSON that the tenant told.
func (w *world) wantExactly(a arrival, values map[string]string) {
	w.Helper()
	eachOutput(func(out, _, kind string) {
		var want any
		switch raw, told := values[strings.Replace(kind, "weak", "text", 1)]; {
		case !told:
		case kind == "weak":
			want = []any{exact(w, raw)}
		default:
			want = exact(w, raw)
		}
		for where, got := range map[string]map[string]any{"ID token": a.id, "access token": a.access, "userinfo": a.userinfo, "/.auth/me": a.me} {
			// As text, for cmp takes ages over deep lists.
			if sent, came := encoded(w, want), encoded(w, got[out]); sent != came {
				w.Errorf("%s, %s: sent %.200s, got %.200s", where, out, sent, came)
			}
		}
	})
	w.wantUntouched(a)
}

// A thousand levels are more than a script is given, and no reason to fail
// without one.
func TestR57_AThousandLevels(t *testing.T) {
	w := hostileWorld(t, idTokenOnly)
	values := map[string]string{"object": nested(1000), "any": strings.Repeat("[", 1000) + strings.Repeat("]", 1000)}
	w.tell(values)
	a := w.arrive()
	for kind, value := range values {
		for prefix := range sources {
			if got := encoded(t, a.id[prefix+"_"+kind]); got != strings.ReplaceAll(value, " ", "") {
				t.Errorf("%s_%s: %.100s", prefix, kind, got)
			}
		}
	}
	w = hostileWorld(t, withScript(`module.exports = async () => {}`))
	w.tell(values)
	if answer := w.authorize(w.newBrowser(), hostileUser); answer.Get("error") != "server_error" {
		t.Errorf("with a script: %v", answer)
	}
}

func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
}
