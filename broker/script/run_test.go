package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The guide's script, as a user of the reference product has it.
const guide = `module.exports = async function (context) {
  const { authn_ctx, secrets, amr, acr, idp_sub } = context;
  return {
    authn_ctx: { groups: ["x", secrets.suffix, authn_ctx.name], plan: null },
    amr: [...amr, "mfa"],
    acr: acr + "2",
    idp_sub: "crm|" + idp_sub,
  };
};
`

func TestM76_TheGuidesScriptRunsUnmodified(t *testing.T) {
	cfg := patient(guide)
	cfg.Secrets = map[string]string{"suffix": "y"}
	s := compiled(t, cfg)
	in := Input{
		Attributes: map[string]any{"name": "Ada", "age": json.Number("36")},
		AMR:        []string{"pwd"}, ACR: "1", IDPSubject: "auth0|1",
	}
	out, report, err := s.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	acr, sub := "12", "crm|auth0|1"
	want := &Output{
		Attributes: map[string]any{"groups": []any{"x", "y", "Ada"}, "plan": nil},
		AMR:        &[]string{"pwd", "mfa"}, ACR: &acr, IDPSubject: &sub,
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if report.Digest != s.Digest() || report.Duration < report.Running || report.Running <= 0 {
		t.Errorf("report %+v", report)
	}
}

func TestM76_EveryWayToWriteTheFunction(t *testing.T) {
	for name, source := range map[string]string{
		"async function":      "module.exports = async function (context) { return { acr: context.acr }; };",
		"function":            "module.exports = function (context) { return { acr: context.acr }; };",
		"arrow":               "module.exports = (context) => ({ acr: context.acr });",
		"async arrow":         "module.exports = async ({ acr }) => ({ acr });",
		"declared, strict":    "'use strict';\nasync function f(c) { return { acr: c.acr }; }\nmodule.exports = f;",
		"a promise":           "module.exports = (c) => Promise.resolve().then(() => ({ acr: c.acr }));",
		"a thenable":          "module.exports = (c) => ({ then(resolve) { resolve({ acr: c.acr }); } });",
		"CommonJS idioms":     "exports.x = 1; this.y = 2;\nmodule.exports = exports.x + this.y === 3 && ((c) => ({ acr: c.acr }));",
		"no newline, comment": "module.exports = (c) => ({ acr: c.acr }) // end",
		"a class's method":    "class A { static run(c) { return { acr: c.acr }; } }\nmodule.exports = A.run;",
	} {
		t.Run(name, func(t *testing.T) {
			if out := succeed(t, source, Input{ACR: "high"}); out.ACR == nil || *out.ACR != "high" {
				t.Errorf("got %+v", out)
			}
		})
	}
}

func TestM76_ReturningNothingChangesNothing(t *testing.T) {
	for _, text := range []string{
		"", "return;", "return undefined;", "return null;", "return {};", "return { acr: undefined };",
		"context.authn_ctx.name = 'Eve'; context.amr.push('mfa'); context.acr = 'x';",
	} {
		in := Input{Attributes: map[string]any{"name": "Ada"}, AMR: []string{"pwd"}}
		if out := succeed(t, body(text), in); cmp.Diff(&Output{}, out) != "" || in.Attributes["name"] != "Ada" || len(in.AMR) != 1 {
			t.Errorf("%s: got %+v, input now %+v", text, out, in)
		}
	}
}

func TestM76_AllMembersOfTheContextAreThere(t *testing.T) {
	out := succeed(t, body(`return { acr: JSON.stringify(context) };`), Input{})
	if want := `{"authn_ctx":{},"secrets":{},"amr":[],"acr":"","idp_sub":""}`; *out.ACR != want {
		t.Errorf("got %s, want %s", *out.ACR, want)
	}
}

func TestM70_ReturnedAttributesComeBackByTopLevelKey(t *testing.T) {
	out := succeed(t, body(`return { authn_ctx: { ...context.authn_ctx, address: { country: "GB" }, nick: null, n: [1, true, null] } };`),
		Input{Attributes: object(t, `{"name": "Ada", "nick": "A", "address": {"locality": "London"}}`)})
	want := object(t, `{"name": "Ada", "nick": null, "address": {"country": "GB"}, "n": [1, true, null]}`)
	if diff := cmp.Diff(want, out.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What one user's run leaves in globals, in prototypes or in the module must
// not meet the next user.
func TestM76_NothingLeaksBetweenRuns(t *testing.T) {
	s := compiled(t, patient(`
let seen = 0;
module.exports = async function (context) {
  const found = [seen++, globalThis.last, Object.prototype.last, module.last].map(String);
  globalThis.last = Object.prototype.last = module.last = context.idp_sub;
  return { acr: found.join() };
};`))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			out, _, err := s.Run(t.Context(), Input{IDPSubject: fmt.Sprint(i)})
			if err != nil {
				t.Error(err)
			} else if *out.ACR != "0,undefined,undefined,undefined" {
				t.Errorf("run %d found %s", i, *out.ACR)
			}
		})
	}
	wg.Wait()
}

func TestM78_ThrowAndRejectionAreErrorsWithTheirLine(t *testing.T) {
	for name, tt := range map[string]struct {
		source  string
		kind    Kind
		line    int
		message string
	}{
		"throw":             {"module.exports = () => {\n  throw new TypeError('no group');\n};", KindException, 2, "TypeError: no group"},
		"async throw":       {body("await 0;\nthrow new Error('no group');"), KindRejected, 3, "Error: no group"},
		"from a helper":     {"function f(x) {\n  return x.y.z;\n}\nmodule.exports = async () => f({});", KindRejected, 2, "TypeError: cannot read property 'z' of undefined"},
		"a string":          {body("throw 'no';"), KindRejected, 0, "no"},
		"a symbol":          {body("throw Symbol('no');"), KindRejected, 0, "Symbol(no)"},
		"undefined":         {body("throw undefined;"), KindRejected, 0, "undefined"},
		"without a message": {body("throw {};"), KindRejected, 0, "[object Object]"},
		"an odd name":       {body("const e = new Error('m');\ne.name = 5;\nthrow e;"), KindRejected, 2, "m"},
		"rejected":          {body("return Promise.reject(new Error('no'));"), KindRejected, 2, "Error: no"},
		"never settles":     {body("return new Promise(() => {});"), KindUnsettled, 0, "the promise that the function returned can never settle: nothing is left to run"},
		"awaits for ever":   {body("await new Promise(() => {});"), KindUnsettled, 0, "the promise that the function returned can never settle: nothing is left to run"},
		"a getter":          {body("return {\n  get acr() { throw new Error('no'); } };"), KindException, 3, "Error: no"},
		"require":           {body("require('fs');"), KindRejected, 2, "Error: require is not available: a script is one file, without npm packages or Node.js modules"},
		"import":            {body("return import('fs');"), KindRejected, 0, "ReferenceError: could not load module 'fs'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, report, err := runOnce(t, tt.source, Input{})
			got := failed(t, err, tt.kind)
			if got.Line != tt.line || got.Message != tt.message || got.Script != "post_authn.js" {
				t.Errorf("got %q in line %d of %s, want %q in line %d", got.Message, got.Line, got.Script, tt.message, tt.line)
			}
			if report == nil || report.Digest == "" {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// S95: the message of an exception can hold what a user typed. It must not
// forge lines of a log or colour a terminal.
func TestS95_MessagesArePrintableAndShort(t *testing.T) {
	_, _, err := runOnce(t, body(`throw new Error("a\r\nlevel=info\u001b[31m\u202e" + "x".repeat(5000));`), Input{})
	got := failed(t, err, KindRejected).Message
	if want := "Error: a  level=info [31m "; !strings.HasPrefix(got, want) || len([]rune(got)) != maxShown+1 {
		t.Errorf("%d characters: %q", len([]rune(got)), got)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := compiled(t, patient(body("for (;;) ;")))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, report, err := s.Run(ctx, Input{})
	if failed(t, err, KindCancelled); !errors.Is(err, context.Canceled) || report.Running > 10*time.Second {
		t.Errorf("got %v after %v", err, report.Running)
	}
	_, _, err = s.Run(ctx, Input{})
	failed(t, err, KindCancelled)
}

func TestS102_MoreThanEightRunsWaitAndGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine()
		s, err := e.Compile(Config{Name: "post_authn.js", Source: body("")})
		if err != nil {
			t.Fatal(err)
		}
		var leave func()
		for range maxRuns {
			if leave, err = e.runs.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		_, report, err := s.Run(t.Context(), Input{})
		if failed(t, err, KindBusy); report.Duration != DefaultWait {
			t.Errorf("gave up after %v, want %v", report.Duration, DefaultWait)
		}
		// One place becomes free within the waiting time.
		time.AfterFunc(time.Second, leave)
		if _, report, err = s.Run(t.Context(), Input{}); err != nil || report.Duration != time.Second {
			t.Errorf("got %v after %v", err, report.Duration)
		}
	})
}

func TestS102_NoTurnIsFreeWithinTheWaitingTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine()
		s, err := e.Compile(Config{Name: "post_authn.js", Source: body("")})
		if err != nil {
			t.Fatal(err)
		}
		for range cap(e.turns) {
			if _, err := e.turns.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		_, report, err := s.Run(t.Context(), Input{})
		if failed(t, err, KindBusy); report.Duration != DefaultWait {
			t.Errorf("gave up after %v, want %v", report.Duration, DefaultWait)
		}
		synctest.Wait()
		if len(e.runs) != 0 {
			t.Error("the place of the run was not given back")
		}
	})
}
