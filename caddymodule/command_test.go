package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

// run executes "caddy auth-broker" with args, and returns what a terminal
// shows of it.
func run(t *testing.T, stdin string, args ...string) (shown string, err error) {
	t.Helper()
	broker := &cobra.Command{Use: "auth-broker"}
	addCommands(broker)
	caddy := &cobra.Command{Use: "caddy", SilenceUsage: true}
	caddy.AddCommand(broker)
	var out bytes.Buffer
	caddy.SetOut(&out)
	caddy.SetErr(&out)
	caddy.SetIn(strings.NewReader(stdin))
	caddy.SetArgs(append([]string{"auth-broker"}, args...))
	err = caddy.Execute()
	return out.String(), err
}

// times are those that a run took.
var times = regexp.MustCompile(`(Duration\n\n|script ran |"duration": "|"running": ")[0-9.]+(?:ns|µs|ms|s)`)

// TestCommands runs each testdata/commands/*.txt: commands behind a dollar
// sign, each followed by what must come out, and by "exit 1" where it fails.
// They find the files that TestCommands makes here.
func TestCommands(t *testing.T) {
	transcripts, err := filepath.Glob("testdata/commands/*.txt")
	if err != nil || len(transcripts) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for i := range transcripts {
		if transcripts[i], err = filepath.Abs(transcripts[i]); err != nil {
			t.Fatal(err)
		}
	}
	operate(t)
	for name, content := range map[string]string{
		"Caddyfile":  operated,
		"other":      "example.com\n",
		"empty.json": "{}",
		"add.js":     "module.exports = async function (context) {\n\tconsole.log(\"hello\", context.secrets.key)\n\treturn { authn_ctx: { groups: [\"x\"], nickname: null }, amr: [\"mfa\"] }\n}\n",
		"throw.js":   "module.exports = async function (context) {\n\tif (context.acr === \"\") {\n\t\tthrow new Error(\"no acr for \" + context.idp_sub)\n\t}\n}\n",
		"syntax.js":  "module.exports = async function (context) {\n\treturn {,}\n}\n",
		"loop.js":    "module.exports = function () { for (;;); }\n",
		"name.js":    "module.exports = async function () { return { authn_ctx: { team: \"x\" } } }\n",
		"ada.json":   `{"authn_ctx": {"email": "ada@example.com", "nickname": "ada"}, "amr": ["pwd"], "idp_sub": "auth0|ada"}`,
		"typo.json":  `{"authn_context": {}}`,
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range transcripts {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := transcribe(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("transcript (-want +got):\n%s", diff)
			}
		})
	}
	assertPoolsEmpty(t)
}

// transcribe runs the commands of a transcript and returns the one that
// comes of it.
func transcribe(t *testing.T, transcript string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(transcript) {
		command, found := strings.CutPrefix(line, "$ caddy auth-broker")
		if !found {
			continue
		}
		shown, err := run(t, `{"acr": "gold"}`, strings.Fields(command)...)
		for _, secret := range append([]string{upstreamSecret}, operatedSecrets["CRM_KEY"], operatedSecrets["PARTNER_SECRET"], operatedSecrets["GRAFANA_SECRET"]) {
			if strings.Contains(shown, secret) {
				t.Errorf("%s shows the secret %s", strings.TrimSpace(command), secret)
			}
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(line)
		out.WriteString(times.ReplaceAllString(shown, "${1}TIME"))
		if err != nil {
			out.WriteString("exit 1\n")
		}
	}
	return out.String()
}

// TestCommandsWriteNothing proves that looking at a configuration leaves no
// trace on the machine of the server, not even a certificate authority for
// a site that needs one, and that no log file of the server's is opened.
func TestCommandsWriteNothing(t *testing.T) {
	dir := operate(t)
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("HOME", home)
	t.Setenv("TMPDIR", home)
	storage := filepath.Join(home, "storage")
	config := strings.Replace(operated, "{\n", "{\n\tstorage file_system "+storage+"\n\tlog {\n\t\toutput file "+home+"/caddy.log\n\t}\n", 1) +
		"localhost {\n\ttls internal\n}\nhttps://given.example.com {\n\ttls no-such-certificate.pem no-such-key.pem\n}\n"
	if err := os.WriteFile("Caddyfile", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"lineage"}, {"connections"}, {"urls"}, {"script", "test", "post_authn.js", "-", "--config", "Caddyfile"}} {
		if shown, err := run(t, "{}", args...); err != nil {
			t.Errorf("%v: %v\n%s", args, err, shown)
		}
	}
	for _, where := range []string{home, dir} {
		err := filepath.WalkDir(where, func(path string, entry fs.DirEntry, err error) error {
			if !entry.IsDir() && entry.Name() != "Caddyfile" && entry.Name() != "post_authn.js" {
				t.Errorf("%s was written", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	assertPoolsEmpty(t)
}

// TestM65_CommandAndServerAgree proves that a file and the server that runs
// it give the same answers, byte by byte.
func TestM65_CommandAndServerAgree(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	if err := os.WriteFile("caddy.json", a.config(operated), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"lineage"},
		{"lineage", "--json"},
		{"lineage", "--client", "gate:" + appHost},
		{"lineage", "--attribute", "teams"},
		{"lineage", "--connection", "partner"},
		{"connections"},
		{"connections", "--json"},
		{"urls"},
	} {
		asked, err := run(t, "", append(args, "--address", a.address)...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		read, err := run(t, "", append(args, "--config", "caddy.json")...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		if diff := cmp.Diff(asked, read); diff != "" {
			t.Errorf("%v (-server +file):\n%s", args, diff)
		}
	}
	t.Run("an unknown name", func(t *testing.T) {
		_, err := run(t, "", "lineage", "--client", "grafan", "--address", a.address)
		if err == nil || !strings.Contains(err.Error(), `client "grafan" is not configured; did you mean "grafana"?`) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no server", func(t *testing.T) {
		address := "127.0.0.1:" + brokertest.FreePort(t)
		_, err := run(t, "", "urls", "--address", address)
		if err == nil || !strings.Contains(err.Error(), "nobody answers at "+address) {
			t.Errorf("error %v does not name the server", err)
		}
	})
}

// A configuration that does not load here may run well where its variables
// are set.
func TestCommandErrorNamesLineAndCure(t *testing.T) {
	operate(t)
	input := strings.Replace(operated, "PARTNER_SECRET", "NO_SUCH_VARIABLE", 1)
	if err := os.WriteFile("Caddyfile", []byte(input), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := run(t, "", "urls")
	for _, want := range []string{
		"Caddyfile:17: provider partner: client_secret {env.NO_SUCH_VARIABLE} is empty; set the variable", "use --address",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	assertPoolsEmpty(t)
	t.Run("no Caddyfile", func(t *testing.T) {
		t.Chdir(t.TempDir())
		_, err := run(t, "", "urls")
		if err == nil || !strings.HasPrefix(err.Error(), "there is no Caddyfile in this directory; name the configuration by --config") {
			t.Errorf("error %v", err)
		}
	})
}

func TestCommandJSON(t *testing.T) {
	operate(t)
	if err := os.WriteFile("Caddyfile", []byte(operated), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		into any
	}{
		{[]string{"lineage", "--json"}, new(lineage.Graph)},
		{[]string{"lineage", "--json", "--client", "grafana"}, new(lineage.ClientAnswer)},
		{[]string{"connections", "--json"}, new([]broker.ConnectionInfo)},
		{[]string{"script", "test", "post_authn.js", "-", "--json"}, new(scriptResult)},
	} {
		shown, err := run(t, "{}", test.args...)
		if err != nil {
			t.Errorf("%v: %v", test.args, err)
		}
		decoder := json.NewDecoder(strings.NewReader(shown))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(test.into); err != nil {
			t.Errorf("%v: %v\n%s", test.args, err, shown)
		}
	}
}

// A failed script is an error to the shell, told once.
func TestScriptTestFails(t *testing.T) {
	operate(t)
	if err := os.WriteFile("throw.js", []byte("module.exports = () => { throw new Error(\"no luck\") }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown, err := run(t, "{}", "script", "test", "throw.js", "-")
	if !errors.Is(err, errScriptFailed) || strings.Count(shown, "no luck") != 1 || strings.Contains(shown, "Error: ") && strings.Contains(shown, errScriptFailed.Error()) {
		t.Errorf("error %v, shown:\n%s", err, shown)
	}
	shown, err = run(t, "{}", "script", "test", "throw.js", "-", "--json")
	var got scriptResult
	if json.Unmarshal([]byte(shown), &got) != nil || err == nil || got.Error == nil || got.Error.Kind != "exception" || got.Error.Line != 1 {
		t.Errorf("error %v, shown:\n%s", err, shown)
	}
}

// Every command shows an example.
func TestCommandsHaveExamples(t *testing.T) {
	cmd := &cobra.Command{Use: "auth-broker"}
	addCommands(cmd)
	var check func(*cobra.Command)
	check = func(c *cobra.Command) {
		if len(c.Commands()) == 0 && (c.Example == "" || c.Short == "" || c.Long == "") {
			t.Errorf("%s has no example, short or long text", c.CommandPath())
		}
		for _, child := range c.Commands() {
			check(child)
		}
	}
	check(cmd)
}
