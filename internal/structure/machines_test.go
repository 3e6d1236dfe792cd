package structure

import (
	"regexp"
	"strings"
	"testing"
)

// Folders of somebody's machine. Fuzz corpora hold whatever the fuzzer made.
var machinePath = regexp.MustCompile(`(?:^|[\s"'=(:,])(?:/(?:root|work|home|Users)/[A-Za-z0-9.]|C:\\Users)`)

// A file that names its author's machine works there only.
func TestNoFileNamesAMachine(t *testing.T) {
	for file, content := range textFiles(t) {
		if strings.Contains(file, "testdata/fuzz/") {
			continue
		}
		for number, line := range strings.Split(content, "\n") {
			if found := machinePath.FindString(line); found != "" {
				t.Errorf("%s:%d names a machine's folder:%s", file, number+1, found)
			}
		}
	}
}

// npm writes the address a package came from into the lock file; with it,
// everyone would need that registry.
func TestLockFileNamesNoRegistry(t *testing.T) {
	const lock = "interop/node/package-lock.json"
	content, found := textFiles(t)[lock]
	if !found {
		t.Fatalf("%s is missing", lock)
	}
	if strings.Contains(content, `"resolved"`) {
		t.Errorf(`%s has "resolved" addresses; npm writes none with the .npmrc beside it`, lock)
	}
	if !strings.Contains(content, `"integrity"`) {
		t.Errorf("%s has no hashes", lock)
	}
}

func TestMachinePathFinds(t *testing.T) {
	const sep = "/" // keeps the examples out of this file's own text
	for line, want := range map[string]bool{
		`cd ` + sep + `root` + sep + `project`:         true,
		`path="` + sep + `home` + sep + `ada/x"`:       true,
		`dir: ` + sep + `Users` + sep + `ada`:          true,
		`open C:` + `\Users`:                           true,
		`https://example.com` + sep + `home/page`:      false,
		`/var/lib/caddy/auth_broker.db`:                false,
		`the root/leaf certificates`:                   false,
		`GET ` + sep + `home`:                          false,
		`storage embedded ` + sep + `work` + sep + `x`: true,
	} {
		if got := machinePath.MatchString(line); got != want {
			t.Errorf("%q: found %t, want %t", line, got, want)
		}
	}
}
