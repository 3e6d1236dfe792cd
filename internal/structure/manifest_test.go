package structure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// manifest is the part of xcaddy's Builder that a build of ours needs, in its
// JSON form. Fields left out are refused: replacements, for one, would point
// into somebody's file system.
type manifest struct {
	CaddyVersion string   `json:"caddy_version"`
	Plugins      []plugin `json:"plugins"`
}

type plugin struct {
	ModulePath string `json:"module_path"`
	Version    string `json:"version,omitempty"`
}

// goMod is what the manifest has to agree with.
type goMod struct {
	Module  struct{ Path string }
	Require []struct{ Path, Version string }
}

func TestBuildManifestIsTrue(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "xcaddy.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkManifest(content, readGoMod(t)); err != nil {
		t.Errorf("xcaddy.json: %v", err)
	}
}

func TestBuildManifestCheckRefuses(t *testing.T) {
	mod := readGoMod(t)
	good := `{"caddy_version":"` + caddyVersion(mod) + `","plugins":[{"module_path":"` + modulePath + `/caddymodule"}]}`
	if err := checkManifest([]byte(good), mod); err != nil {
		t.Fatalf("%s was refused: %v", good, err)
	}
	for name, bad := range map[string]string{
		"another Caddy version": strings.Replace(good, caddyVersion(mod), "v2.11.8", 1),
		"another module":        strings.Replace(good, "/caddymodule", "", 1),
		"no plugin":             `{"caddy_version":"` + caddyVersion(mod) + `"}`,
		"a replacement":         strings.Replace(good, `"plugins"`, `"replacements":[],"plugins"`, 1),
		"trailing text":         good + "{}",
	} {
		if err := checkManifest([]byte(bad), mod); err == nil {
			t.Errorf("%s was accepted: %s", name, bad)
		}
	}
}

func TestReadmeNamesTheModuleOfTheManifest(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "--with " + modulePath + "/caddymodule"; !strings.Contains(string(readme), want) {
		t.Errorf("README.md does not show how to build: no %q", want)
	}
}

func checkManifest(content []byte, mod goMod) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var m manifest
	if err := decoder.Decode(&m); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	if decoder.More() {
		return errors.New("text after the object")
	}
	if want := caddyVersion(mod); m.CaddyVersion != want {
		return fmt.Errorf("caddy_version is %q, go.mod requires %q", m.CaddyVersion, want)
	}
	if len(m.Plugins) != 1 || m.Plugins[0].ModulePath != mod.Module.Path+"/caddymodule" {
		return fmt.Errorf("plugins are %v, want exactly %s/caddymodule", m.Plugins, mod.Module.Path)
	}
	return nil
}

func caddyVersion(mod goMod) string {
	for _, required := range mod.Require {
		if required.Path == "github.com/caddyserver/caddy/v2" {
			return required.Version
		}
	}
	return "none"
}

func readGoMod(t *testing.T) goMod {
	t.Helper()
	command := exec.Command("go", "mod", "edit", "-json")
	command.Dir = root
	output, err := command.Output()
	if err != nil {
		t.Fatalf("reading go.mod: %v", describe(err))
	}
	var mod goMod
	if err := json.Unmarshal(output, &mod); err != nil {
		t.Fatalf("reading go.mod: %v", err)
	}
	if mod.Module.Path != modulePath {
		t.Fatalf("go.mod names the module %q, this test %q", mod.Module.Path, modulePath)
	}
	return mod
}

// describe adds what a command said to its exit status.
func describe(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return err
}
