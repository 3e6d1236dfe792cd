package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// How long a script may take for one answer. Loading the libraries on a
	// busy machine is the slowest part.
	nodeAnswerTimeout = 30 * time.Second

	// One answer holds two or three tokens and a claim set.
	nodeAnswerLimit = 1 << 20
)

// Node is a running script of the folder node. Its methods are for one
// goroutine.
type Node struct {
	// What the script announced when it was ready.
	Announcement json.RawMessage

	script string
	stdin  io.WriteCloser
	lines  <-chan []byte
	stderr *buffer
}

// NodeError is the error a script answered a command with. Fields that do
// not apply are empty.
type NodeError struct {
	// The text of the library's error and of its cause.
	Message string `json:"message"`

	// The library's own verdict, such as "OAUTH_INVALID_RESPONSE".
	Code string `json:"code"`

	// The error of the OAuth answer (RFC 6749, 4.1.2.1 and 5.2) and the
	// HTTP status it came with.
	OAuthError  string `json:"error"`
	Description string `json:"error_description"`
	Status      int    `json:"status"`
}

func (e *NodeError) Error() string {
	return fmt.Sprintf("%s (code %q, error %q, status %d)", e.Message, e.Code, e.OAuthError, e.Status)
}

// StartNode runs a script of the folder node, such as "rp.mjs", with its
// configuration and returns once it is ready. The test's end kills it. Extra
// environment variables ("NAME=value") come on top of the test's own.
func StartNode(t testing.TB, script string, config any, env ...string) *Node {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("Node is missing: install Node 20 or newer")
	}
	if _, err := os.Stat(filepath.Join("node", "node_modules")); err != nil {
		t.Fatal("npm packages are missing: run npm ci in interop/node, or make test")
	}
	argument, err := json.Marshal(config)
	if err != nil {
		t.Fatalf("encoding the configuration of %s: %v", script, err)
	}

	// Not the test's context: it ends before the cleanup functions run, and
	// the test may still talk to the script in one of those.
	cmd := exec.CommandContext(context.Background(), node, filepath.Join("node", script), string(argument))
	cmd.Env = append(os.Environ(), env...)
	n := &Node{script: script, stderr: new(buffer)}
	cmd.Stderr = n.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("starting %s: %v", script, err)
	}
	if n.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatalf("starting %s: %v", script, err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", script, err)
	}
	lines, stopped := readLines(stdout)
	n.lines = lines
	t.Cleanup(func() {
		// Kill addresses exactly the process started above. The reader
		// must be done before Wait, which closes its pipe.
		_ = cmd.Process.Kill()
		<-stopped
		_ = cmd.Wait()
		if t.Failed() && n.stderr.String() != "" {
			t.Logf("%s wrote to standard error:\n%s", script, n.stderr)
		}
	})

	if n.Announcement, err = n.read(); err != nil {
		t.Fatalf("starting %s: %v", script, err)
	}
	return n
}

// Call sends a command with its arguments, a struct or map or nil, and
// decodes the result into result unless that is nil. An error that the
// script answers is a *NodeError.
func (n *Node) Call(command string, args, result any) error {
	line, err := commandLine(command, args)
	if err != nil {
		return fmt.Errorf("calling %s of %s: %w", command, n.script, err)
	}
	if _, err := n.stdin.Write(line); err != nil {
		return fmt.Errorf("calling %s of %s: %w", command, n.script, err)
	}
	answer, err := n.read()
	if err != nil {
		return fmt.Errorf("calling %s of %s: %w", command, n.script, err)
	}
	var parsed struct {
		OK    json.RawMessage `json:"ok"`
		Error *NodeError      `json:"error"`
	}
	if err := json.Unmarshal(answer, &parsed); err != nil {
		return fmt.Errorf("calling %s of %s: decoding its answer: %w", command, n.script, err)
	}
	if parsed.Error != nil {
		return fmt.Errorf("calling %s of %s: %w", command, n.script, parsed.Error)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(parsed.OK, result); err != nil {
		return fmt.Errorf("calling %s of %s: decoding its result: %w", command, n.script, err)
	}
	return nil
}

// MustCall is Call for a command that has to succeed.
func (n *Node) MustCall(t testing.TB, command string, args, result any) {
	t.Helper()
	if err := n.Call(command, args, result); err != nil {
		t.Fatal(err)
	}
}

func commandLine(command string, args any) ([]byte, error) {
	encoded, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	var message map[string]any
	if err := json.Unmarshal(encoded, &message); err != nil {
		return nil, err
	}
	if message == nil { // args was nil, hence null
		message = map[string]any{}
	}
	message["do"] = command
	line, err := json.Marshal(message)
	return append(line, '\n'), err
}

func (n *Node) read() (json.RawMessage, error) {
	select {
	case line, ok := <-n.lines:
		if !ok {
			return nil, errors.New("the script ended: " + lastLines(n.stderr.String()))
		}
		return line, nil
	case <-time.After(nodeAnswerTimeout):
		return nil, fmt.Errorf("no answer within %v", nodeAnswerTimeout)
	}
}

// readLines hands on each line of r until it ends, then closes both channels.
func readLines(r io.Reader) (<-chan []byte, <-chan struct{}) {
	lines, stopped := make(chan []byte, 16), make(chan struct{})
	go func() {
		defer close(stopped)
		defer close(lines)
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, nodeAnswerLimit)
		for scanner.Scan() {
			select {
			case lines <- bytes.Clone(scanner.Bytes()):
			default:
				// Nobody asked for this many lines: a script that
				// chatters must not block its own end.
				return
			}
		}
	}()
	return lines, stopped
}

// lastLines keeps the part of a stack trace that names the cause.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// buffer is a bytes.Buffer that the process writes while a test reads.
type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}
