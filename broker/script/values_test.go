package script

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestM78_ResultsOfTheWrongTypeAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`return 5;`:                                               "the result is a number; it must be an object, or nothing",
		`return "x";`:                                             "the result is a string; it must be an object, or nothing",
		`return false;`:                                           "the result is a boolean; it must be an object, or nothing",
		`return [];`:                                              "the result is an array; it must be an object, or nothing",
		`return () => {};`:                                        "the result is a function",
		`return { authn_ctx: [] };`:                               "authn_ctx is an array; it must be an object",
		`return { authn_ctx: "x" };`:                              "authn_ctx is a string; it must be an object",
		`return { authn_ctx: null };`:                             "authn_ctx is null; it must be an object",
		`return { amr: "mfa" };`:                                  "amr is a string; it must be an array of strings",
		`return { amr: ["mfa", 1] };`:                             "an element of amr is a number; it must be a string",
		`return { amr: { 0: "mfa" } };`:                           "amr is an object; it must be an array of strings",
		`return { amr: null };`:                                   "amr is null; it must be an array of strings",
		`return { acr: 1 };`:                                      "acr is a number; it must be a string",
		`return { acr: null };`:                                   "acr is null; it must be a string",
		`return { idp_sub: 7 };`:                                  "idp_sub is a number; it must be a string that is not empty",
		`return { idp_sub: "" };`:                                 "idp_sub is an empty string; it must be a string that is not empty",
		`return { authn_ctx: { a: NaN } };`:                       "authn_ctx.a is NaN",
		`return { authn_ctx: { a: 1 / 0 } };`:                     "authn_ctx.a is an infinite number",
		`return { authn_ctx: { a: -1 / 0 } };`:                    "authn_ctx.a is an infinite number",
		`return { authn_ctx: { a: [1n] } };`:                      "authn_ctx.a[0] is a bigint",
		`return { authn_ctx: { a: [, 1] } };`:                     "authn_ctx.a[0] is undefined",
		`return { authn_ctx: { a: () => 1 } };`:                   "authn_ctx.a is a function",
		`return { authn_ctx: { a: Symbol() } };`:                  "authn_ctx.a is a symbol",
		`return { authn_ctx: { a: { b: new Set(["x"]) } } };`:     "authn_ctx.a.b is an instance of a class (a Map, a Set, ...); return a plain object or an array",
		`return { authn_ctx: Object.create(context.authn_ctx) };`: "authn_ctx is an instance of a class (a Map, a Set, ...); return a plain object or an array",
		`const a = []; a[0] = a; return { authn_ctx: { a } };`:    "authn_ctx.a" + strings.Repeat("[0]", 29) + "[0 is nested deeper than 100 levels, or cyclic",
	} {
		t.Run(text, func(t *testing.T) {
			_, _, err := runOnce(t, body(text), Input{Attributes: map[string]any{"a": "b"}})
			if got := failed(t, err, KindWrongType); got.Message != want {
				t.Errorf("got  %q\nwant %q", got.Message, want)
			}
		})
	}
}

// A typo in a key would otherwise be a change that silently never happens.
func TestM78_UnknownKeysAreNamed(t *testing.T) {
	_, _, err := runOnce(t, body(`return { acr: "1", authnCtx: {} };`), Input{})
	const want = `the result has the key "authnCtx"; the keys are authn_ctx, amr, acr and idp_sub`
	if got := failed(t, err, KindUnknownKey); got.Message != want {
		t.Errorf("got %q, want %q", got.Message, want)
	}
	// Returning the whole context would return the secrets with it.
	_, _, err = runOnce(t, body(`return context;`), Input{IDPSubject: "x"})
	if got := failed(t, err, KindUnknownKey); !strings.Contains(got.Message, `"secrets"`) {
		t.Errorf("got %q", got.Message)
	}
}

func TestValuesJSONCanHoldAreKept(t *testing.T) {
	out := succeed(t, body(`
return { authn_ctx: {
  date: new Date(0), odd: { toJSON: () => "odd" }, none: Object.create(null), undef: undefined,
  text: "\u0000\u2028\ud83d\ude00\ud800 <>&", "": { "a.b": -0 }, array: [[], {}, [null]],
  big: 1e21, tiny: 5e-324, third: 1 / 3, proxy: new Proxy({ a: 1 }, {}),
} };`), Input{})
	want := object(t, `{
		"date": "1970-01-01T00:00:00.000Z", "odd": "odd", "none": {},
		"text": "\u0000\u2028😀\ufffd <>&", "": {"a.b": -0}, "array": [[], {}, [null]],
		"big": 1e+21, "tiny": 5e-324, "third": 0.3333333333333333, "proxy": {"a": 1}}`)
	if diff := cmp.Diff(want, out.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Identifiers of 64 bits are claims, too. JavaScript rounds them, and a
// token with a rounded one names somebody else.
func TestNumbersStayExact(t *testing.T) {
	const in = `{"id": 9007199254740993, "ids": [9007199254740995, 1.0, 1E2, -0, 0.10000000000000000001],
		"huge": 1e999, "minus": -1e999, "none": 1e-999, "long": 123456789012345678901234567890, "small": 7}`
	for name, tt := range map[string]struct{ text, want string }{
		"returned as it came":   {`return { authn_ctx: context.authn_ctx };`, in},
		"copied":                {`return { authn_ctx: JSON.parse(JSON.stringify({ ...context.authn_ctx, huge: undefined, minus: undefined })) };`, `{"id": 9007199254740993, "ids": [9007199254740995, 1.0, 1E2, -0, 0.10000000000000000001], "none": 1e-999, "long": 123456789012345678901234567890, "small": 7}`},
		"moved":                 {`const { id, ids, huge, small } = context.authn_ctx; return { authn_ctx: { account: id, list: ids.slice(0, 3).reverse(), huge, n: small } };`, `{"account": 9007199254740993, "list": [100, 1, 9007199254740995], "huge": 1e999, "n": 7}`},
		"moved, huge":           {`return { authn_ctx: { x: [context.authn_ctx.huge, context.authn_ctx.minus] } };`, `{"x": [1e999, -1e999]}`},
		"computed":              {`return { authn_ctx: { n: context.authn_ctx.small * 2, big: 2 ** 60, id: 1, half: 0.5 } };`, `{"n": 14, "big": 1152921504606847000, "id": 1, "half": 0.5}`},
		"computed in its place": {`context.authn_ctx.small += 1; context.authn_ctx.id += 2; return { authn_ctx: { small: context.authn_ctx.small, id: context.authn_ctx.id } };`, `{"small": 8, "id": 9007199254740994}`},
	} {
		t.Run(name, func(t *testing.T) {
			out := succeed(t, body(tt.text), Input{Attributes: object(t, in)})
			if diff := cmp.Diff(object(t, tt.want), out.Attributes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNumbersThatJavaScriptCannotTellApart(t *testing.T) {
	in := Input{Attributes: object(t, `{"a": 9007199254740992, "b": 9007199254740993}`)}
	out := succeed(t, body(`return { authn_ctx: context.authn_ctx };`), in)
	if diff := cmp.Diff(in.Attributes, out.Attributes); diff != "" {
		t.Errorf("in place (-want +got):\n%s", diff)
	}
	_, _, err := runOnce(t, body(`return { authn_ctx: { c: context.authn_ctx.b } };`), in)
	const want = "authn_ctx.c is a number that JavaScript cannot tell from another one of the context; have such identifiers sent as strings"
	if got := failed(t, err, KindWrongType); got.Message != want {
		t.Errorf("got %q, want %q", got.Message, want)
	}
}

// S104: each of these is infinite to JavaScript. Comparing each with all
// before it would take seconds for one context.
func TestNumbersAreLookedUpInLinearTime(t *testing.T) {
	var numbers []any
	for i := range 1000 {
		numbers = append(numbers, json.Number("1e"+strconv.Itoa(400+i)))
	}
	r := restorer{digits: map[float64][]json.Number{}}
	r.collect(numbers)
	if got := len(r.digits[math.Inf(1)]); got != 2 {
		t.Errorf("%d texts of one number are kept, want 2", got)
	}
	_, _, err := runOnce(t, body(`return { authn_ctx: { b: 1 / 0 } };`), Input{Attributes: map[string]any{"a": numbers}})
	failed(t, err, KindWrongType)
}

func TestS102_InputIsBounded(t *testing.T) {
	s := compiled(t, patient(body("return { acr: String(context.authn_ctx.x.length) };")))
	text := func(n int) Input { return Input{Attributes: map[string]any{"x": strings.Repeat("x", n)}} }
	overhead := len(`{"authn_ctx":{"x":""},"secrets":{},"amr":[],"acr":"","idp_sub":""}`)
	if _, _, err := s.Run(t.Context(), text(maxInput-overhead)); err != nil {
		t.Error(err)
	}
	_, _, err := s.Run(t.Context(), text(maxInput-overhead+1))
	failed(t, err, KindInputSize)

	nested := func(n int) Input {
		var v any = "x"
		for range n {
			v = map[string]any{"x": v}
		}
		return Input{Attributes: v.(map[string]any)}
	}
	s = compiled(t, patient(body("return { authn_ctx: context.authn_ctx };")))
	out, _, err := s.Run(t.Context(), nested(maxDepth))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(nested(maxDepth).Attributes, out.Attributes); diff != "" {
		t.Error(diff)
	}
	for name, in := range map[string]Input{
		"too deep":  nested(maxDepth + 1),
		"no JSON":   {Attributes: map[string]any{"x": make(chan int)}},
		"no number": {Attributes: map[string]any{"x": json.Number("not-a-number")}},
	} {
		_, _, err = s.Run(t.Context(), in)
		if got := failed(t, err, KindInput); strings.Contains(got.Message, "not-a-number") {
			t.Errorf("%s: the value is in %q", name, got.Message)
		}
	}
}

func TestS102_OutputIsBounded(t *testing.T) {
	s := compiled(t, patient(body(`return { acr: "x".repeat(Number(context.acr)) };`)))
	overhead := len(`{"acr":""}`)
	for n, want := range map[int]Kind{maxOutput - overhead - 8: "", maxOutput: KindOutputSize, 1 << 20: KindOutputSize} {
		_, _, err := s.Run(t.Context(), Input{ACR: strconv.Itoa(n)})
		if want == "" && err != nil {
			t.Errorf("%d: %v", n, err)
		} else if want != "" {
			failed(t, err, want)
		}
	}
	for name, text := range map[string]string{
		"many keys":      `const x = {}; for (let i = 0; i < 2e4; i++) x["k" + i] = null; return { authn_ctx: x };`,
		"multi-byte":     `return { acr: "\u20ac".repeat(30000) };`,
		"escapes":        `return { acr: "\u0001".repeat(30000) };`,
		"a shared value": `let x = "x"; for (let i = 0; i < 60; i++) x = [x, x]; return { authn_ctx: { x } };`,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := runOnce(t, body(text), Input{})
			failed(t, err, KindOutputSize)
		})
	}
}
