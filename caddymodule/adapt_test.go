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
func TestAdapt(t *testing.T) { golden(t, "testdata/*.caddyfiletest", outcome) }

// golden runs each file that the pattern matches: an input, a dashed line,
// and what outcome must make of the input.
func golden(t *testing.T, pattern string, outcome func(t *testing.T, input string) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
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

// FuzzCaddyfileBlock proves of any global block that adapts: formatting
// does not change what it says, its JSON says the same once it is read and
// written again, and every object carries its line.
func FuzzCaddyfileBlock(f *testing.F) {
	for _, pattern := range []string{"testdata/*.caddyfiletest", "testdata/provision/*.caddyfiletest"} {
		files, err := filepath.Glob(pattern)
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
	}
	f.Fuzz(func(t *testing.T, input string) {
		if strings.Contains(input, "import") {
			return // reads files
		}
		first, _, err := adapt(input)
		if err != nil {
			return
		}
		raw, one := appOf(t, first)
		if one == nil {
			return
		}
		if again := encode(t, one); !bytes.Equal(again, raw) {
			t.Errorf("the JSON %s\nbecame %s", raw, again)
		}
		for place, origin := range one.origins() {
			if origin == "" {
				t.Errorf("%s has no origin", place)
			}
		}
		second, _, err := adapt(string(caddyfile.Format([]byte(input))))
		if err != nil {
			return // formatting may tear apart what was on one line by luck
		}
		if _, two := appOf(t, second); two != nil && one.Issuer != two.Issuer {
			t.Errorf("issuer %q became %q by formatting", one.Issuer, two.Issuer)
		}
	})
}

// appOf returns the app in a configuration, as text and read.
func appOf(t *testing.T, config []byte) (json.RawMessage, *App) {
	t.Helper()
	var c struct {
		Apps struct {
			Broker json.RawMessage `json:"auth_broker"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		t.Fatal(err)
	}
	if c.Apps.Broker == nil {
		return nil, nil
	}
	app := new(App)
	if err := json.Unmarshal(c.Apps.Broker, app); err != nil {
		t.Fatal(err)
	}
	return c.Apps.Broker, app
}

// origins returns those of all objects that bear one, by what they are.
func (a *App) origins() map[string]string {
	out := map[string]string{"auth_broker": a.Origin}
	for _, f := range a.Context {
		out["context "+f.Name] = f.Origin
	}
	for _, s := range a.Scopes {
		out["scope "+s.Name] = s.Origin
	}
	for _, c := range a.Claims {
		out["claim "+c.Name] = c.Origin
	}
	for _, c := range a.Clients {
		out["client "+c.ID] = c.Origin
	}
	for i := range a.Providers {
		p := &a.Providers[i]
		out["provider "+p.id()] = p.Origin
		for _, attribute := range p.Attributes {
			out["attribute "+attribute.Name] = attribute.Origin
		}
		for _, m := range p.Mappings {
			out["mapping to "+m.Target] = m.Origin
		}
		if p.Script != nil {
			out["script"] = p.Script.Origin
		}
		if p.PostAuthnApp != nil {
			out["post_authn_app"] = p.PostAuthnApp.Origin
		}
	}
	return out
}
