package script

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Each of these is stopped by the limit it meets, and the process goes on.
// The times are generous: what is tested is that there is an end, and which.
func TestM78_RunawaysEndWithTheirKind(t *testing.T) {
	for name, tt := range map[string]struct {
		kind Kind
		text string
	}{
		"endless loop":                {KindTimeout, "for (;;) ;"},
		"endless loop after an await": {KindTimeout, "await 0; for (;;) ;"},
		"endless chain of awaits":     {KindTimeout, "for (;;) await 0;"},
		"endless chain of jobs":       {KindTimeout, "const f = () => Promise.resolve().then(f); f();"},
		"regex bomb":                  {KindTimeout, "/^(a+)+$/.test('a'.repeat(60) + 'b');"},
		"endless getter":              {KindTimeout, "return { get acr() { for (;;) ; } };"},
		"endless toJSON":              {KindTimeout, "return { authn_ctx: { a: { toJSON() { for (;;) ; } } } };"},
		"endless proxy":               {KindTimeout, "return new Proxy({}, { ownKeys() { for (;;) ; } });"},
		"endless then":                {KindTimeout, "return { then() { for (;;) ; } };"},
		"endless toString":            {KindTimeout, "throw { toString() { for (;;) ; } };"},
		"endless iterator":            {KindTimeout, "[...{ *[Symbol.iterator]() { for (;;) yield; } }];"},
		"endless sort":                {KindTimeout, "[1, 2].sort(() => { for (;;) ; });"},
		"endless finally":             {KindTimeout, "try { for (;;) ; } finally { for (;;) ; }"},
		"the interrupt is caught":     {KindTimeout, "try { for (;;) ; } catch {} return {};"},
		"caught through a promise":    {KindTimeout, "try { await (async () => { for (;;) ; })(); } catch {} return {};"},
		"ignored through a promise":   {KindTimeout, "(async () => { for (;;) ; })(); return {};"},
		"endless console":             {KindTimeout, "for (;;) console.log('x');"},
		"swallowed memory":            {KindTimeout, "for (;;) { try { new ArrayBuffer(1 << 30); } catch {} }"},

		"1 GB string":          {KindMemory, "return 'x'.repeat((1 << 30) - 1);"},
		"longer than any":      {KindMemory, "return 'x'.repeat(1 << 30);"},
		"doubling string":      {KindMemory, "let s = 'x'; for (;;) s = (s + s).slice(0);"},
		"doubling rope":        {KindMemory, "let s = 'x'; for (;;) s += s;"},
		"strings":              {KindMemory, "const a = []; for (;;) a.push('x'.repeat(1e5));"},
		"strings, kept":        {KindMemory, "globalThis.a = []; for (;;) a.push('x'.repeat(1e5));"},
		"a buffer":             {KindMemory, "new ArrayBuffer(1 << 30);"},
		"buffers":              {KindMemory, "const a = []; for (;;) a.push(new Uint8Array(1e5));"},
		"a growing buffer":     {KindMemory, "const b = new ArrayBuffer(1, { maxByteLength: 1e9 }); b.resize(1e9);"},
		"an array":             {KindMemory, "new Array(1e7).fill(0);"},
		"padding":              {KindMemory, "'x'.padEnd(1 << 29, 'y');"},
		"a BigInt":             {KindMemory, "2n ** 100000000n;"},
		"a large answer, kept": {KindOutputSize, "return { acr: 'x'.repeat(9 << 20) };"},

		"recursion":            {KindStack, "(function f() { f(); })();"},
		"recursion, callbacks": {KindStack, "const f = () => [1].map(f); f();"},
		"recursion, getter":    {KindStack, "const o = { get a() { return this.a; } }; o.a;"},
		"recursion, toString":  {KindStack, "const o = { toString() { return `${this}`; } }; `${o}`;"},
		"recursion, proxies":   {KindStack, "let p = {}; for (let i = 0; i < 1e4; i++) p = new Proxy(p, {}); p.x;"},
		"deep JSON":            {KindStack, "JSON.parse('['.repeat(1e5));"},
		"deep source":          {KindStack, "eval('('.repeat(1e5));"},
		"deep regex":           {KindRejected, "new RegExp('('.repeat(1e5));"},
		"blocking":             {KindRejected, "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0);"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := patient(body(tt.text))
			if tt.kind == KindTimeout {
				cfg.Timeout = 50 * time.Millisecond
			}
			s := compiled(t, cfg)
			_, report, err := s.Run(t.Context(), Input{})
			failed(t, err, tt.kind)
			if limit := 20 * cfg.Timeout; report.Running > limit {
				t.Errorf("stopped after %v, with a limit of %v", report.Running, cfg.Timeout)
			}
			allPlacesReturn(t, s.engine)
		})
	}
}

// The interrupt ends a loop, not the giving up, which is for what no
// interrupt reaches.
func TestS102_TheInterruptStopsLoops(t *testing.T) {
	cfg := patient("module.exports = () => {\n  for (;;) Math.sqrt(2);\n};")
	cfg.Timeout = time.Second
	_, _, err := compiled(t, cfg).Run(t.Context(), Input{})
	if got := failed(t, err, KindTimeout); got.Message != "ran for more than 1s" {
		t.Errorf("got %v", err)
	}
}

// S131: memory that ran out while values were kept, so that the engine had
// none left to tell: objects are what it needs for that itself.
func TestS131_ExhaustedMemoryIsToldAsSuch(t *testing.T) {
	for _, text := range []string{
		"const a = []; for (;;) a.push({});",
		"globalThis.a = []; for (;;) a.push({});",
		"globalThis.a = []; await 0; for (;;) a.push({});",
		"globalThis.a = []; try { for (;;) a.push({}); } catch {} return {};",
		"globalThis.a = []; try { for (;;) a.push({}); } catch (e) { throw e; }",
		"globalThis.a = new Map(); for (let i = 0; ; i++) a.set(i, [i]);",
		"globalThis.a = []; for (;;) a.push(() => a);",
		"globalThis.a = []; for (;;) a.push(Promise.resolve());",
	} {
		t.Run(text, func(t *testing.T) {
			failed(t, inLittle(t, patient(body(text))), KindMemory)
		})
	}
}

// The depth of 256 is one of calls through callbacks; plain calls may
// nest deeper.
func TestS102_CallDepth(t *testing.T) {
	count := func(text string) (depth int) {
		out := succeed(t, body(`let depth = 0; const f = () => { depth++; `+text+` }; try { f(); } catch {} return { acr: String(depth) };`), Input{})
		fmt.Sscan(*out.ACR, &depth)
		return depth
	}
	if got := count("[1].map(f);"); got < 250 || got > 260 {
		t.Errorf("%d levels of callbacks, want about 256", got)
	}
	if got := count("f();"); got < 256 || got > maxStack {
		t.Errorf("%d levels of calls, want 256 at least and %d at most", got, maxStack)
	}
}

// The engine's clock starts anew with every entry. Were it not set to what
// is left, five entries would run five times as long.
func TestS102_TimeIsCountedOverAllTurns(t *testing.T) {
	cfg := patient(body(`
for (let i = 0; i < 5; i++) {
  const end = Date.now() + 30;
  while (Date.now() < end) ;
  await fetch("https://crm.example.com/");
}
return { acr: "through" };`))
	cfg.Timeout = 100 * time.Millisecond
	cfg.AllowHosts, cfg.Client = []string{"crm.example.com"}, respond(200, "")
	_, report, err := compiled(t, cfg).Run(t.Context(), Input{})
	if failed(t, err, KindTimeout); report.Running < cfg.Timeout {
		t.Errorf("stopped after %v of running time", report.Running)
	}
}

// The engine cannot interrupt a built-in function. Whoever waits must not
// wait for it, and no other script either; its memory stays counted.
func TestS102_WhatCannotBeInterruptedIsGivenUp(t *testing.T) {
	e := NewEngine()
	e.turns = make(semaphore, 1)
	stuck, err := e.Compile(Config{Name: "post_authn.js", Timeout: 5 * time.Millisecond, Source: body(`
console.log("before");
"a".repeat(1 << 16).indexOf("a".repeat(1 << 9) + "b");`)})
	if err != nil {
		t.Fatal(err)
	}
	_, report, err := stuck.Run(t.Context(), Input{})
	if got := failed(t, err, KindTimeout); !strings.Contains(got.Message, "did not stop") {
		t.Fatalf("got %v", err)
	}
	if report.Running != 10*time.Millisecond || len(report.Console) != 1 {
		t.Errorf("report %+v", report)
	}
	if len(e.runs) != 1 || len(e.turns) != 0 {
		t.Errorf("%d runs and %d turns are taken, want 1 and 0", len(e.runs), len(e.turns))
	}
	other, err := e.Compile(patient(body("return { acr: 'x' };")))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Run(t.Context(), Input{}); err != nil {
		t.Error(err)
	}
	allPlacesReturn(t, e) // once the built-in function has
}

// allPlacesReturn takes every place of a run. It does not come back while a
// VM still runs that Run has given up.
func allPlacesReturn(t *testing.T, e *Engine) {
	t.Helper()
	for range maxRuns {
		if _, err := e.runs.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestS102_NoTimersAndNothingOfTheMachine(t *testing.T) {
	out := succeed(t, body(`
const names = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "process", "Deno", "Bun", "Buffer", "std", "os",
  "print", "load", "XMLHttpRequest", "WebSocket", "Worker", "WebAssembly", "performance", "navigator",
  "SharedArrayBuffer", "Atomics", "FinalizationRegistry", "module", "exports", "global", "__dirname",
  "brokerInput", "brokerDone", "brokerLog", "brokerSend", "brokerReceive"];
return { acr: names.filter((name) => name in globalThis).join() };`), Input{})
	if *out.ACR != "" {
		t.Errorf("there is %s", *out.ACR)
	}
}
