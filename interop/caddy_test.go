package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

const (
	// How long Caddy may take to listen, or to refuse its configuration.
	caddyStartTimeout = 30 * time.Second

	// How long Caddy may take to end when it is asked to.
	caddyStopTimeout = 20 * time.Second
)

// buildDir holds the programs under test, each built once per run.
var buildDir string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "auth-broker-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	buildDir = dir
	return m.Run()
}

var (
	buildCaddy = sync.OnceValues(func() (string, error) { return build("cmd/caddy") })
	buildDemo  = sync.OnceValues(func() (string, error) { return build("examples/demo") })
)

// build compiles a command of the module under test, without debugging
// information because linking is the slowest part, and returns its path.
func build(command string) (string, error) {
	binary := filepath.Join(buildDir, filepath.Base(command))
	output, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary,
		"github.com/caddy-auth-broker/caddy-auth-broker/"+command).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", command, err, output)
	}
	return binary, nil
}

// process is a running program. The test's end stops it.
type process struct {
	cmd  *exec.Cmd
	logs *logs

	// ended is closed when the program is gone; err is then how it went.
	ended chan struct{}
	err   error
}

// startProcess starts a program with the test's environment and env on top.
func startProcess(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), logs: new(logs), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.logs, p.logs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop(t, syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(program), p.logs)
		}
	})
	return p
}

// stop sends the signal to exactly this process and waits for its end.
func (p *process) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signalling %s: %v", p.cmd.Path, err)
	}
	select {
	case <-p.ended:
	case <-time.After(caddyStopTimeout):
		t.Errorf("%s did not end after %v", p.cmd.Path, signal)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// waitFor waits until the program listens on addr.
func (p *process) waitFor(t *testing.T, addr string) {
	t.Helper()
	deadline := time.Now().Add(caddyStartTimeout)
	for time.Now().Before(deadline) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-p.ended:
			t.Fatalf("%s ended before it listened on %s: %v", p.cmd.Path, addr, p.err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen on %s", p.cmd.Path, addr)
}

// caddy is the real Caddy with a configuration and files of its own. It can
// be stopped and started again.
type caddy struct {
	*process

	dir     string
	env     []string
	address string // where it listens when it is ready
	admin   string // where its admin API listens
}

// startCaddy runs Caddy with a Caddyfile, whose global options must not name
// an admin address: this adds one. Extra environment variables are those
// that the Caddyfile refers to.
func startCaddy(t *testing.T, address, caddyfile string, env ...string) *caddy {
	t.Helper()
	c := &caddy{dir: t.TempDir(), env: env, address: address, admin: freeAddr(t)}
	c.write(t, caddyfile)
	c.start(t)
	c.waitFor(t, address)
	return c
}

// options are the global options that keep a test apart from the machine.
func (c *caddy) options() string {
	return "{\n\tadmin " + c.admin + "\n\tpersist_config off\n\tdefault_bind 127.0.0.1\n" +
		"\tlog {\n\t\tlevel DEBUG\n\t\tformat json\n\t}\n"
}

func (c *caddy) caddyfile(content string) string {
	return c.options() + strings.TrimPrefix(content, "{\n")
}

func (c *caddy) write(t *testing.T, caddyfile string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, "Caddyfile"), []byte(c.caddyfile(caddyfile)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start starts Caddy and does not wait for it.
func (c *caddy) start(t *testing.T) {
	t.Helper()
	binary, err := buildCaddy()
	if err != nil {
		t.Fatal(err)
	}
	env := append([]string{"XDG_DATA_HOME=" + c.dir, "XDG_CONFIG_HOME=" + c.dir, "HOME=" + c.dir}, c.env...)
	c.process = startProcess(t, env, binary, "run", "--config", filepath.Join(c.dir, "Caddyfile"))
}

// restart ends Caddy by the signal and starts it again on the same files.
func (c *caddy) restart(t *testing.T, signal os.Signal) {
	t.Helper()
	c.stop(t, signal)
	c.start(t)
	c.waitFor(t, c.address)
}

// load gives a new Caddyfile to the running Caddy, by its admin API, and
// returns the status and the error of the answer.
func (c *caddy) load(t *testing.T, caddyfile string) (int, string) {
	t.Helper()
	response, err := http.Post("http://"+c.admin+"/load", "text/caddyfile", strings.NewReader(c.caddyfile(caddyfile)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var refused struct{ Error string }
	if response.StatusCode != http.StatusOK {
		if err := json.Unmarshal(body, &refused); err != nil {
			t.Fatalf("the admin API answered %s with no JSON: %s", response.Status, body)
		}
	}
	return response.StatusCode, refused.Error
}

// freeAddr returns an address of localhost on which nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	return "localhost:" + brokertest.FreePort(t)
}

// logs is what a process has written, readable while it runs.
type logs struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.String()
}
