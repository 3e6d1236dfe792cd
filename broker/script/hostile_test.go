package script

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Libraries of old replace built-ins, and some scripts break them by
// accident. The sandbox must not depend on what a script can reach.
func TestR57_ReplacedBuiltInsDoNotMatter(t *testing.T) {
	const fine = `return { authn_ctx: { name: context.authn_ctx.name, list: [1, "2", { a: null }] }, amr: ["mfa"] };`
	for _, replaced := range []string{
		`JSON.parse = JSON.stringify = () => { throw 1; };`,
		`JSON.parse = () => ({ authn_ctx: { name: "Eve" } }); JSON.stringify = () => "{}";`,
		`globalThis.JSON = globalThis.Object = globalThis.Array = globalThis.Reflect = globalThis.String = undefined;`,
		`Object.keys = Reflect.apply = Array.isArray = Reflect.getPrototypeOf = () => { throw 1; };`,
		`Promise.prototype.then = Promise.resolve = () => { throw 1; };`,
		`globalThis.Promise = class { constructor() { throw 1; } };`,
		`Promise.prototype.constructor = class { constructor() { throw 1; } };`,
		`Array.prototype[Symbol.iterator] = Object.getPrototypeOf([][Symbol.iterator]()).next = () => { throw 1; };`,
		`String.prototype.slice = Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw 1; };`,
		`Error.prototype.toString = Error.prototype.constructor = () => { throw 1; };`,
		`for (const k of Object.getOwnPropertyNames(globalThis)) if (!["module", "undefined"].includes(k)) try { delete globalThis[k]; } catch {}`,
		`Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(Promise.prototype);`,
		`Object.defineProperty(Object.prototype, "get", { value: 1 });`,
		`Object.defineProperty(Array.prototype, 0, { set() { throw 1; }, get() { throw 1; } });`,
		`Array.prototype.push = Array.prototype.join = Array.prototype.map = () => { throw 1; };`,
		`globalThis.console = null;`,
	} {
		t.Run(replaced, func(t *testing.T) {
			for _, source := range []string{replaced + "\n" + body(fine), body(replaced + "\n" + fine)} {
				out := succeed(t, source, Input{Attributes: object(t, `{"name": "Ada"}`)})
				want := &Output{Attributes: object(t, `{"name": "Ada", "list": [1, "2", {"a": null}]}`), AMR: &[]string{"mfa"}}
				if diff := cmp.Diff(want, out); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// Prototype pollution through a claim's name: the object a script got holds
// the key, and no prototype changed.
func TestR57_ClaimsCannotPollutePrototypes(t *testing.T) {
	in := object(t, `{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}}`)
	out := succeed(t, body(`return { authn_ctx: context.authn_ctx, acr: String({}.admin ?? context.authn_ctx.admin ?? Object.getPrototypeOf(context.authn_ctx).admin) };`),
		Input{Attributes: in})
	if diff := cmp.Diff(in, out.Attributes); diff != "" || *out.ACR != "undefined" {
		t.Errorf("admin is %s; (-want +got):\n%s", *out.ACR, diff)
	}
}

func TestR57_OddResultsHaveAnEnd(t *testing.T) {
	for text, kinds := range map[string][]Kind{
		`throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 1; }, has() { throw 1; } });`:  {KindRejected},
		`const e = new Error(); e.message = e; throw e;`:                                                   {KindRejected},
		`throw { get message() { throw this; }, get stack() { throw this; } };`:                            {KindRejected},
		`throw { message: "m", name: { toString() { throw 1; } } };`:                                       {KindRejected},
		`throw Object.create(null);`:                                                                       {KindRejected},
		`throw null;`:                                                                                      {KindMemory}, // the engine's word
		`return new Proxy({}, { ownKeys() { throw 1; } });`:                                                {KindException},
		`return new Proxy([], {});`:                                                                        {KindWrongType},
		`return { get then() { throw new Error("x"); } };`:                                                 {KindRejected},
		`return { then: (a, b) => b(new Error("x")) };`:                                                    {KindRejected},
		`return { then: () => {} };`:                                                                       {KindUnsettled},
		`const p = Promise.resolve({}); p.then = () => {}; await p; return { acr: 1 };`:                    {KindWrongType},
		`return { authn_ctx: { toJSON() { return 5; } } };`:                                                {KindWrongType},
		`return { toJSON() { throw new Error("x"); } };`:                                                   {KindException},
		`Object.prototype.toJSON = function () { return "x"; }; return {};`:                                {KindWrongType},
		`const r = Proxy.revocable({}, {}); r.revoke(); return { authn_ctx: r.proxy };`:                    {KindException},
		`return { authn_ctx: { a: { __proto__: [] } } };`:                                                  {KindWrongType},
		`return new Promise((resolve) => resolve(context.x.y));`:                                           {KindRejected},
		`async function* g() { yield 1; } return g();`:                                                     {KindWrongType},
		`Object.defineProperty(Object.prototype, "then", { get() { throw new Error("x"); } }); return {};`: {KindRejected},
		`return new (class extends Promise { then() { throw new Error("x"); } })((r) => r({ acr: 1 }));`:   {KindWrongType, KindException, KindRejected},
	} {
		t.Run(text, func(t *testing.T) {
			_, _, err := runOnce(t, body(text), Input{})
			var got *Error
			for _, kind := range kinds {
				if e, ok := err.(*Error); ok && e.Kind == kind {
					got = e
				}
			}
			if got == nil {
				t.Errorf("got %v, want one of %v", err, kinds)
			}
		})
	}
}

// What an exception says of itself is copied to the Go heap, which no limit
// of the VM bounds.
func TestS131_LargeExceptionsStayInTheVM(t *testing.T) {
	const large = `const x = "x".repeat(4 << 20);`
	for _, text := range []string{
		`throw new Error(x);`,
		`throw x;`,
		`const e = new Error(); e.name = x; e.stack = x; throw e;`,
		`Error.prototype.toString = () => x; throw new Error();`,
		// An interrupt leaves the engine without passing the prelude.
		`Error.prototype.toString = () => x; for (;;) ;`,
		`for (const k of ["name", "message", "stack", "fileName"]) Object.defineProperty(Error.prototype, k, { get: () => x }); for (;;) ;`,
		`for (const k of ["name", "message", "toString", "stack"]) try { Object.defineProperty(InternalError.prototype, k, { get: () => x }); } catch {} for (;;) ;`,
		`Object.prototype[Symbol.toPrimitive] = () => x; Error.prototype[Symbol.toPrimitive] = () => x; for (;;) ;`,
		`try { Object.setPrototypeOf(InternalError.prototype, { toString: () => x }); } catch {} for (;;) ;`,
		`console.log(x); console.log(x, x); throw 1;`,
	} {
		t.Run(text, func(t *testing.T) {
			cfg := patient("module.exports = (context) => {\n" + large + "\n" + text + "\n};")
			cfg.Timeout = 300 * time.Millisecond
			s := compiled(t, cfg)
			before := allocated()
			_, _, err := s.Run(t.Context(), Input{})
			copied := allocated() - before
			if err == nil {
				t.Fatal("no error")
			}
			if n := len([]rune(err.(*Error).Message)); n > maxShown+1 {
				t.Errorf("the message has %d characters", n)
			}
			if copied > 1<<20 {
				t.Errorf("%d bytes were allocated in Go", copied)
			}
		})
	}
}

func TestR57_PanicsOfTheHostEndTheRunOnly(t *testing.T) {
	s := compiled(t, patient(body("try { console.log('x'); } catch {} return {};")))
	live := func(change func(r *run)) *Error {
		r := s.newRun(t.Context(), turnStart, time.Minute)
		r.input, r.console = `{}`, newConsole(s.redactor)
		change(r)
		return r.wait().err
	}
	if err := live(func(*run) {}); err != nil {
		t.Fatal(err)
	}
	t.Run("in a function that the script calls", func(t *testing.T) {
		err := failed(t, live(func(r *run) { r.console = nil }), KindEngine)
		if !strings.HasPrefix(err.Message, "brokerLog: panic: ") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("around the engine", func(t *testing.T) {
		broken := *s
		broken.engine = nil
		left := make(chan struct{})
		failed(t, live(func(r *run) { r.script, r.leave = &broken, func() { close(left) } }), KindEngine)
		<-left // or the place of the run is lost
	})
	t.Run("in bytecode that is none", func(t *testing.T) {
		broken := *s
		broken.main = []byte("not bytecode")
		failed(t, live(func(r *run) { r.script = &broken }), KindEngine)
	})
}

func TestConsoleIsBounded(t *testing.T) {
	_, report, err := runOnce(t, body(`
console.log("first", 1, true, null, undefined, 2n, Symbol("s"), () => 1, { a: [1] }, new TypeError("t"));
console.debug(); console.info("two\nlines"); console.warn("\u001b[31m"); console.error({ get a() { throw 1; } });`), Input{})
	want := []Line{
		{"log", `first 1 true null undefined 2n Symbol(s) [function] {"a":[1]} TypeError: t`},
		{"debug", ""},
		{"info", "two"},
		{"info", "lines"},
		{"warn", " [31m"},
		{"error", "[object]"},
	}
	if diff := cmp.Diff(want, report.Console); diff != "" || err != nil || report.ConsoleCut {
		t.Errorf("%v, cut %v (-want +got):\n%s", err, report.ConsoleCut, diff)
	}
	for name, text := range map[string]string{
		"one long line":   `console.log("x".repeat(100000));`,
		"many lines":      `for (let i = 0; i < 1000; i++) console.log("0123456789");`,
		"many line feeds": `console.log("\n".repeat(100000)); console.log("more");`,
		"empty lines":     `for (let i = 0; i < 10000; i++) console.log();`,
		"multi-byte":      `console.log("\u20ac".repeat(8000));`,
		"many arguments":  `console.log(...new Array(200).fill("x".repeat(100)));`,
		"a huge object":   `console.log(new Array(50000).fill("x"));`,
	} {
		t.Run(name, func(t *testing.T) {
			_, report, err := runOnce(t, body(text), Input{})
			size := 0
			for _, line := range report.Console {
				size += len(line.Text)
			}
			if err != nil || size > maxConsole || len(report.Console) > maxConsole+1 || !report.ConsoleCut {
				t.Errorf("%v: %d bytes in %d lines, cut %v", err, size, len(report.Console), report.ConsoleCut)
			}
		})
	}
}

// S93: authors log the whole context to see what is in it, and throw what
// they failed to send.
func TestS93_SecretsAreBlottedOut(t *testing.T) {
	cfg := patient(body(`
console.log(context.secrets.key, context);
throw new Error("calling with " + context.secrets.key + " and " + context.secrets.longer + " " + "y".repeat(1960 - 60) + context.secrets.key);`))
	cfg.Secrets = map[string]string{"key": "not\"a<secret", "longer": "not\"a<secret-2", "short": "abc"}
	_, report, err := compiled(t, cfg).Run(t.Context(), Input{})
	text := fmt.Sprint(report.Console, failed(t, err, KindRejected))
	for _, leaked := range []string{"a<secret", `not"a`, `not\"a`} {
		if strings.Contains(text, leaked) {
			t.Errorf("%q is in %s", leaked, text)
		}
	}
	if want := `"key":"[secret]","longer":"[secret]","short":"abc"`; !strings.Contains(text, want) {
		t.Errorf("%q is not in %.300s", want, text)
	}

	// What is cut may be cut within a secret.
	cfg.Source = body(`console.log("x".repeat(8185) + context.secrets.key);`)
	_, report, err = compiled(t, cfg).Run(t.Context(), Input{})
	if err != nil || strings.Trim(report.Console[0].Text, "x") != "" {
		t.Errorf("%v, %.20q at the end", err, strings.Trim(report.Console[0].Text, "x"))
	}
}
