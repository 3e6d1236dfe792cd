package storetest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// childEnv tells the test binary, run once more, that it is a child: it
// holds the name of the part to play and the directory, parted by a colon.
const childEnv = "STORETEST_CHILD"

// playing returns the part and the directory if this process is a child.
func playing() (part, dir string, ok bool) {
	part, dir, ok = strings.Cut(os.Getenv(childEnv), ":")
	return part, dir, ok
}

// A child is a second process that runs the same test.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Scanner
}

// spawn starts the test binary at the test it is called from, which then
// finds itself [playing].
func spawn(t *testing.T, part, dir string) *child {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := "^" + strings.ReplaceAll(regexp.QuoteMeta(t.Name()), "/", "$/^") + "$"
	cmd := exec.Command(binary, "-test.run="+name)
	cmd.Env = append(os.Environ(), childEnv+"="+part+":"+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, stdin: stdin, out: bufio.NewScanner(stdout)}
	t.Cleanup(c.kill)
	return c
}

// tell is how the child speaks. The mark keeps its words apart from what
// the testing package prints.
func tell(format string, args ...any) error {
	_, err := fmt.Printf("child: "+format+"\n", args...)
	return err
}

// hear returns the child's next words, or false after its last.
func (c *child) hear() (words string, ok bool) {
	for c.out.Scan() {
		if words, ok := strings.CutPrefix(c.out.Text(), "child: "); ok {
			return words, true
		}
	}
	return "", false
}

// kill ends the child as "kill -9" does: it learns nothing of it. Words that
// it said before can still be heard.
func (c *child) kill() {
	c.cmd.Process.Kill()
}
