package caddymodule

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

var update = flag.Bool("update", false, "write what the adapter says into testdata")

// separator stands between a Caddyfile and what becomes of it.
const separator = "----------\n"

// TestAdapt adapts each testdata/*.caddyfiletest: a Caddyfile, a dashed
// line, and the JSON or the error that must come out.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(raw), separator)
			got := outcome(t, input)
			if *update {
				if err := os.WriteFile(file, []byte(input+separator+got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

// outcome returns the JSON of a Caddyfile, or the error.
func outcome(t *testing.T, input string) string {
	t.Helper()
	raw, warnings, err := adapt(input)
	if err != nil {
		return err.Error() + "\n"
	}
	for _, w := range warnings {
		t.Errorf("warning: %s", w)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "\t"); err != nil {
		t.Fatal(err)
	}
	return out.String() + "\n"
}

func adapt(input string) ([]byte, []caddyconfig.Warning, error) {
	return caddyconfig.GetAdapter("caddyfile").Adapt([]byte(input), nil)
}

// FuzzCaddyfileBlock proves of any global block: what adapts can be adapted
// again to the same JSON, and carries the line of every object.
func FuzzCaddyfileBlock(f *testing.F) {
	files, err := filepath.Glob("testdata/*.caddyfiletest")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(raw), separator)
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input string) {
		if strings.Contains(input, "import") {
			return // reads files
		}
		first, _, err := adapt(input)
		if err != nil {
			return
		}
		second, _, err := adapt(string(caddyfile.Format([]byte(input))))
		if err != nil {
			return // formatting may tear apart what was on one line by luck
		}
		var one, two struct {
			Apps struct {
				Broker *App `json:"auth_broker"`
			} `json:"apps"`
		}
		if err := json.Unmarshal(first, &one); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(second, &two); err != nil {
			t.Fatal(err)
		}
		if a, b := one.Apps.Broker, two.Apps.Broker; a != nil && b != nil && a.Issuer != b.Issuer {
			t.Errorf("issuer %q became %q by formatting", a.Issuer, b.Issuer)
		}
		if a := one.Apps.Broker; a != nil {
			for _, p := range a.Providers {
				if p.Origin == "" {
					t.Errorf("provider %s has no origin", p.ID)
				}
			}
		}
	})
}
