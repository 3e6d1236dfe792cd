package script

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"modernc.org/quickjs"
)

// A Config is the "script" block of a connection.
type Config struct {
	// Name is how errors call the script, usually its file:
	// /etc/caddy/post_authn.js.
	Name string

	// Source is the script, at most 256 KiB.
	Source string

	// Timeout bounds the running time. Default 50 ms.
	Timeout time.Duration

	// Wait bounds the time with all waiting, from the call of Run.
	// Default 2 s, or Timeout if that is longer.
	Wait time.Duration

	// Secrets are what the script finds in context.secrets.
	Secrets map[string]string

	// AllowHosts gives the script fetch, to these hosts over https:
	// "crm.example.com" is port 443 of that name and no other,
	// "crm.example.com:8443" another port. Empty means no fetch.
	AllowHosts []string

	// Client makes the calls of fetch, and judges the addresses that names
	// resolve to: the client of broker/outbound. Required with AllowHosts.
	Client *http.Client
}

// A Script is a compiled script. It is safe for concurrent use.
type Script struct {
	engine   *Engine
	share    semaphore // of the engine's runs
	name     string
	digest   string
	timeout  time.Duration
	wait     time.Duration
	secrets  map[string]string
	redactor *redactor
	fetcher  *fetcher // nil without AllowHosts
	lines    int      // of the source

	// Bytecode fits one version of the engine: it is never stored.
	prelude, main []byte
}

//go:embed prelude.js
var prelude string

// Compile returns the script of cfg. Its errors name the script, the line
// and the cure; those about the source are *[Error]. Compile runs the top
// level of the script once, for at most a second and without fetch.
func (e *Engine) Compile(cfg Config) (*Script, error) {
	s, err := e.configure(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Name, err)
	}
	if s.prelude, err = compile(strings.Repeat("\n", s.lines) + prelude); err != nil {
		return nil, fmt.Errorf("%s: compiling the sandbox: %w", cfg.Name, err)
	}
	// The parameters are those of Node.js's wrapper. The wrapper adds no
	// line, so that errors name the author's lines.
	s.main, err = compile("(function (exports, module, require) {" + cfg.Source + "\n})")
	if err != nil {
		return nil, s.named(syntaxError(err, s.lines))
	}
	if err := s.load(); err != nil {
		return nil, s.named(err)
	}
	return s, nil
}

// Digest returns the SHA-256 of the source in hexadecimal.
func (s *Script) Digest() string { return s.digest }

// configure checks everything but the source's content.
func (e *Engine) configure(cfg Config) (*Script, error) {
	if len(cfg.Source) > maxSource {
		return nil, fmt.Errorf("the script has %d bytes; shorten it to %d", len(cfg.Source), maxSource)
	}
	digest := sha256.Sum256([]byte(cfg.Source))
	s := &Script{
		engine:   e,
		share:    make(semaphore, maxShare),
		name:     cfg.Name,
		digest:   hex.EncodeToString(digest[:]),
		timeout:  cfg.Timeout,
		wait:     cfg.Wait,
		secrets:  maps.Clone(cfg.Secrets),
		redactor: newRedactor(cfg.Secrets),
		lines:    strings.Count(cfg.Source, "\n") + 1,
	}
	if s.timeout == 0 {
		s.timeout = DefaultTimeout
	}
	if s.wait == 0 {
		s.wait = max(DefaultWait, s.timeout)
	}
	if s.timeout < 0 || s.wait < s.timeout {
		return nil, fmt.Errorf("a running time of %v within %v of waiting time is impossible; the first must be positive and the second no shorter",
			s.timeout, s.wait)
	}
	if len(cfg.AllowHosts) == 0 {
		return s, nil
	}
	var err error
	s.fetcher, err = newFetcher(cfg.AllowHosts, cfg.Client)
	return s, err
}

// named completes an error with where it happened.
func (s *Script) named(err *Error) *Error {
	err.Script = s.name
	err.Message = printable(s.redactor.redact(err.Message, maxMessage), maxShown)
	return err
}

// compile returns the bytecode of source. Nothing of it runs.
func compile(source string) ([]byte, error) {
	vm, err := quickjs.NewVM()
	if err != nil {
		return nil, err
	}
	defer vm.Close()
	// The parser recurses, too. It has the engine's default stack, which
	// suffices for any source a person writes.
	vm.SetMemoryLimit(maxMemory)
	return vm.Compile(source, quickjs.EvalGlobal)
}

func syntaxError(err error, lines int) *Error {
	failed := &Error{Kind: KindSyntax, Message: err.Error()}
	if parse, ok := errors.AsType[*quickjs.Error](err); ok {
		// What is missing at the end is missed in our wrapper's last line.
		failed.Line = min(parse.LineNumber, lines)
	}
	return failed
}
