package script

import (
	"context"
	"errors"
	"testing"
	"time"
)

// patient is a configuration that a loaded machine does not time out.
func patient(source string) Config {
	return Config{Name: "post_authn.js", Source: source, Timeout: 30 * time.Second, Wait: 5 * time.Minute}
}

func compiled(t testing.TB, cfg Config) *Script {
	t.Helper()
	s, err := NewEngine().Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run compiles source with time to spare and runs it once.
func runOnce(t testing.TB, source string, in Input) (*Output, *Report, error) {
	t.Helper()
	return compiled(t, patient(source)).Run(context.Background(), in)
}

// inLittle runs source in 2 MiB, which are used up sooner than 16.
func inLittle(t testing.TB, cfg Config) error {
	t.Helper()
	e := NewEngine()
	e.memory = 2 << 20
	s, err := e.Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Run(context.Background(), Input{})
	return err
}

// succeed is runOnce without an error.
func succeed(t testing.TB, source string, in Input) *Output {
	t.Helper()
	out, report, err := runOnce(t, source, in)
	if err != nil {
		t.Fatalf("%v; console %v", err, report.Console)
	}
	return out
}

// body returns a script whose function has the given body.
func body(text string) string {
	return "module.exports = async function (context) {\n" + text + "\n};\n"
}

// failed returns err as an *Error, of the kind wanted.
func failed(t testing.TB, err error, want Kind) *Error {
	t.Helper()
	got, ok := errors.AsType[*Error](err)
	if !ok || got.Kind != want {
		t.Fatalf("got %v, want an error of kind %s", err, want)
	}
	return got
}

// object decodes JSON as the broker does.
func object(t testing.TB, text string) map[string]any {
	t.Helper()
	v, err := decodeJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}
