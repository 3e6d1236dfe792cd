package structure

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-auth-broker/caddy-auth-broker/caddymodule"
)

// A fenced block of Markdown whose language is Caddyfile. Fragments that do
// not stand alone, such as the syntax of a directive, use another word.
var caddyfileBlock = regexp.MustCompile("(?ms)^```caddyfile\n(.*?)^```$")

// Every Caddyfile we ship or show is one that Caddy accepts and "caddy fmt"
// leaves alone: readers copy them. Those below testdata belong to the test
// beside them, and some are wrong on purpose.
func TestShippedCaddyfilesAdapt(t *testing.T) {
	shown := 0
	for file, content := range textFiles(t) {
		if strings.Contains(file, "testdata/") {
			continue
		}
		if isCaddyfile(file) {
			shown++
			t.Run(file, func(t *testing.T) {
				if err := checkCaddyfile(filepath.Join(root, file), content); err != nil {
					t.Error(err)
				}
			})
		}
		if path.Ext(file) == ".md" {
			for i, block := range caddyfileBlock.FindAllStringSubmatch(content, -1) {
				shown++
				t.Run(fmt.Sprintf("%s block %d", file, i+1), func(t *testing.T) {
					if err := checkCaddyfile("Caddyfile", block[1]); err != nil {
						t.Errorf("%v, in:\n%s", err, block[1])
					}
				})
			}
		}
	}
	if shown == 0 {
		t.Error("found no Caddyfile at all")
	}
}

func TestCaddyfileCheckRefuses(t *testing.T) {
	for name, bad := range map[string]string{
		"an unknown directive":     "example.com {\n\tno_such_directive\n}\n",
		"an unclosed block":        "example.com {\n\trespond ok\n",
		"spaces for tabs":          "example.com {\n    respond ok\n}\n",
		"aligned columns":          "example.com {\n\theader A    b\n}\n",
		"no line end at the end":   "example.com {\n\trespond ok\n}",
		"our directives misspelt":  "example.com {\n\tauth_gates\n}\n",
		"an unknown global option": "{\n\tno_such_option\n}\n",
	} {
		if err := checkCaddyfile("Caddyfile", bad); err == nil {
			t.Errorf("%s was accepted:\n%s", name, bad)
		}
	}
	if err := checkCaddyfile("Caddyfile", "example.com {\n\trespond ok\n}\n"); err != nil {
		t.Errorf("a plain Caddyfile was refused: %v", err)
	}
	if got := caddyfileBlock.FindAllString("text\n```caddyfile\na\n```\n```sh\nb\n```\n```caddyfile\nc\n```\n", -1); len(got) != 2 {
		t.Errorf("found the blocks %q, want the two Caddyfiles", got)
	}
}

func TestIsCaddyfile(t *testing.T) {
	for name, want := range map[string]bool{
		"Caddyfile": true, "Caddyfile.example": true, "examples/docker/Caddyfile": true, "a/site.caddyfile": true,
		"site.Caddyfile": true, "caddyfile.go": false, "caddyfiles_test.go": false, "Caddyfiles.md": false,
	} {
		if got := isCaddyfile(name); got != want {
			t.Errorf("isCaddyfile(%q) = %t, want %t", name, got, want)
		}
	}
}

func isCaddyfile(file string) bool {
	name := path.Base(file)
	return name == "Caddyfile" || strings.HasPrefix(name, "Caddyfile.") || strings.EqualFold(path.Ext(name), ".caddyfile")
}

// checkCaddyfile adapts a Caddyfile, which resolves neither placeholders nor
// names, and formats it. Relative imports start from the file.
func checkCaddyfile(file, content string) error {
	adapter := caddyconfig.GetAdapter("caddyfile")
	if adapter == nil {
		return errors.New("no adapter for Caddyfiles in this build")
	}
	if _, _, err := adapter.Adapt([]byte(content), map[string]any{"filename": file}); err != nil {
		return fmt.Errorf("adapting: %w", err)
	}
	if formatted := caddyfile.Format([]byte(content)); !bytes.Equal(formatted, []byte(content)) {
		return fmt.Errorf("not formatted; caddy fmt makes it:\n%s", formatted)
	}
	return nil
}
