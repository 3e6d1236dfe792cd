package script

import (
	"errors"
	"reflect"
	"testing"
)

// FuzzF14_ValueRoundTrip: what goes in comes out. A script that returns the
// object it got changes nothing, to the last digit; one that rebuilds it
// through JSON keeps everything but digits that no double has.
func FuzzF14_ValueRoundTrip(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":null}`, `{"":[]}`, `{"__proto__":{"x":1},"constructor":1,"toJSON":"x","then":2}`,
		`{"id":9007199254740993,"ids":[9007199254740992,-9007199254740993]}`,
		`{"n":[0,-0,1.0,1E2,1e-7,5e-324,1e999,-1e999,0.1,1e21,123456789012345678901234567890]}`,
		`{"t":"\u0000\ud83d\ude00\u2028<>&\"\\"}`, `{"0":1,"1":[{"length":3}]}`, `{"a":{"b":{"c":[[[{}]]]}}}`,
	} {
		f.Add([]byte(seed))
	}
	engine := NewEngine()
	script := func(text string) *Script {
		s, err := engine.Compile(patient(body(text)))
		if err != nil {
			f.Fatal(err)
		}
		return s
	}
	same := script(`return { authn_ctx: context.authn_ctx };`)
	rebuilt := script(`
const copy = (v) => Array.isArray(v) ? v.map(copy)
  : typeof v === "object" && v !== null ? Object.fromEntries(Object.entries(v).map(([k, v]) => [k, copy(v)])) : v;
return { authn_ctx: copy(context.authn_ctx) };`)

	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := decodeJSON(string(text))
		in, ok := v.(map[string]any)
		if err != nil || !ok {
			return
		}
		for _, s := range []*Script{same, rebuilt} {
			out, _, err := s.Run(t.Context(), Input{Attributes: in})
			if err != nil {
				tooLarge(t, err, len(text), depth(in))
				continue
			}
			if !reflect.DeepEqual(out.Attributes, in) {
				t.Fatalf("in  %#v\nout %#v", in, out.Attributes)
			}
		}
	})
}

// tooLarge accepts the errors that a large or deep document may have.
func tooLarge(t *testing.T, err error, size, depth int) {
	t.Helper()
	failed, ok := errors.AsType[*Error](err)
	switch {
	case ok && failed.Kind == KindInput && depth > maxDepth:
	case ok && failed.Kind == KindInputSize && size > maxInput/8: // escapes
	case ok && failed.Kind == KindOutputSize && size > maxOutput/8:
	case ok && failed.Kind == KindStack && depth > 40: // copy calls back
	default:
		t.Fatal(err)
	}
}
