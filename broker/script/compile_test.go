package script

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestM78_LoadErrorsNameTheLineAndTheCure(t *testing.T) {
	for name, tt := range map[string]struct {
		source string
		kind   Kind
		line   int
		want   string
	}{
		"syntax error":               {"const a = 1;\nconst b = ;\n", KindSyntax, 2, "post_authn.js:2: syntax: SyntaxError"},
		"on the first line":          {"module.exports = function ( {", KindSyntax, 1, "post_authn.js:1: "},
		"an open brace at the end":   {"module.exports = () => {\n  return;\n", KindSyntax, 3, "post_authn.js:3: "},
		"a brace too many":           {"module.exports = () => {\n}}\n", KindSyntax, 0, "syntax"},
		"a module of the other sort": {"export default () => {};", KindSyntax, 1, "post_authn.js:1: syntax"},
		"empty":                      {"", KindNoFunction, 0, "write module.exports = async function (context)"},
		"nothing exported":           {"async function f() {}", KindNoFunction, 0, "type object; write module.exports"},
		"the local name assigned":    {"exports = () => {};", KindNoFunction, 0, "type object"},
		"no function exported":       {"module.exports = 'x';", KindNoFunction, 0, "type string"},
		"a throw":                    {"\n\nthrow new Error('x')", KindException, 3, "post_authn.js:3: exception: Error: x"},
		"a function that is absent":  {"const crypto = 1;\nprocess.exit();", KindException, 2, "'process' is not defined"},
		"a package":                  {"// a\nconst x = require('axios');", KindException, 2, "without npm packages"},
		"an endless loop":            {"for (;;) ;", KindTimeout, 1, "ran for more than 1s"},
		"a memory bomb":              {"const a = [];\na.push('x'.repeat((1 << 30) - 1));", KindMemory, 2, "out of memory"},
		"recursion":                  {"(function f() { f(); })()", KindStack, 1, "stack overflow"},
		"fetch outside a sign-in":    {"fetch('https://crm.example.com/');", KindException, 1, "by allow_hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewEngine().Compile(Config{Name: "post_authn.js", Source: tt.source})
			got := failed(t, err, tt.kind)
			if got.Line != tt.line && tt.line != 0 {
				t.Errorf("line %d, want %d", got.Line, tt.line)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to contain %q", err, tt.want)
			}
		})
	}
}

func TestCompileChecksTheConfiguration(t *testing.T) {
	const source = "module.exports = () => {}"
	for name, tt := range map[string]struct {
		cfg  Config
		want string
	}{
		"source too large":    {Config{Source: source + strings.Repeat(" ", maxSource)}, "shorten it to 262144"},
		"negative time":       {Config{Source: source, Timeout: -1}, "must be positive"},
		"time within time":    {Config{Source: source, Timeout: time.Second, Wait: time.Millisecond}, "no shorter"},
		"hosts, no client":    {Config{Source: source, AllowHosts: []string{"crm.example.com"}}, "set Client"},
		"a scheme":            {Config{Source: source, AllowHosts: []string{"https://crm.example.com"}}, "without scheme"},
		"a path":              {Config{Source: source, AllowHosts: []string{"crm.example.com/a"}}, "without scheme, path"},
		"a wildcard":          {Config{Source: source, AllowHosts: []string{"*.example.com"}}, "wildcard"},
		"user information":    {Config{Source: source, AllowHosts: []string{"a@crm.example.com"}}, "is no host name"},
		"an empty host":       {Config{Source: source, AllowHosts: []string{""}}, "is no host name"},
		"a port alone":        {Config{Source: source, AllowHosts: []string{":443"}}, "is no host name"},
		"a port out of range": {Config{Source: source, AllowHosts: []string{"crm.example.com:65536"}}, "valid port"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.cfg.Name = "post_authn.js"
			if tt.cfg.AllowHosts != nil && name != "hosts, no client" {
				tt.cfg.Client = &http.Client{}
			}
			_, err := NewEngine().Compile(tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "post_authn.js: ") {
				t.Errorf("got %v, want post_authn.js: … %s", err, tt.want)
			}
		})
	}
}

func TestSourceOfExactlyTheLimitCompiles(t *testing.T) {
	const head = "module.exports = () => {}\n"
	source := head + strings.Repeat("\n", maxSource-len(head)-8) + "\nthrow 1"
	_, err := NewEngine().Compile(Config{Name: "post_authn.js", Source: source})
	if got := failed(t, err, KindException); got.Message != "1" {
		t.Errorf("got %v", err)
	}
}

func TestDigestIsTheSourcesSHA256(t *testing.T) {
	const source = "module.exports = () => {}"
	sum := sha256.Sum256([]byte(source))
	if got := compiled(t, patient(source)).Digest(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("got %s", got)
	}
}

// A configuration must load while scripts of the old one misbehave: the load
// is the cure.
func TestCompileNeedsNoPlaceOfARun(t *testing.T) {
	e := NewEngine()
	for range cap(e.runs) {
		if _, err := e.runs.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Compile(patient("module.exports = () => {}")); err != nil {
		t.Error(err)
	}
}

// The transport of a client that was handed over must not be asked before a
// user signs in.
func TestCompileMakesNoCall(t *testing.T) {
	asked := roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("a call was made")
		return nil, errors.New("no network")
	})
	cfg := patient("module.exports = () => {};\nfetch('https://crm.example.com/').catch((e) => { throw e });")
	cfg.AllowHosts, cfg.Client = []string{"crm.example.com"}, &http.Client{Transport: asked}
	if _, err := NewEngine().Compile(cfg); err != nil {
		t.Error(err)
	}
	cfg.Source = "module.exports = () => {};\nfetch('https://crm.example.com/');\nmissing();"
	if _, err := NewEngine().Compile(cfg); failed(t, err, KindException).Line != 3 {
		t.Error(err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
