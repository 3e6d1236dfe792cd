package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
)

func scriptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "script <command>",
		Short: "Tries out post-authentication scripts",
	}
	cmd.AddCommand(scriptTestCommand())
	requireSubcommand(cmd)
	return cmd
}

// errScriptFailed is what a test ends with when the script failed. The
// failure itself is in the output.
var errScriptFailed = errors.New("the script failed")

func scriptTestCommand() *cobra.Command {
	var test scriptTest
	cmd := &cobra.Command{
		Use:   "test FILE INPUT [--secret NAME=VALUE]... [--allow-host HOST]... [--timeout TIME] [--wait TIME] [--json] [--config FILE [--adapter NAME]]",
		Short: "Runs a script as a sign-in would, and shows what it did",
		Long: `
Runs a post-authentication script once, with the limits of a sign-in, and
prints what it returned, what it wrote to the console, its error with line and
message, and how long it took. The exit code is 1 if it failed.

INPUT is a JSON file, or - for the standard input, with what the script finds
in its argument. All members are optional:

  {"authn_ctx": {"email": "ada@example.com"}, "amr": ["pwd"], "acr": "", "idp_sub": "auth0|ada"}

With --config the result is also merged into the context, by the schema of
that configuration: a name that it does not have is an error, as in a sign-in.
Calls of fetch follow its outbound rules then.`,
		Example: `  caddy auth-broker script test post_authn.js input.json
  caddy auth-broker script test post_authn.js input.json --secret crm_key={env.CRM_KEY} --allow-host crm.example.com
  echo '{"authn_ctx":{"email":"ada@example.com"}}' | caddy auth-broker script test post_authn.js - --config Caddyfile`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("%d arguments; write FILE and INPUT, such as: script test post_authn.js input.json", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			err := test.run(cmd, args[0], args[1])
			// What is in the output need not be told twice.
			cmd.SilenceErrors = errors.Is(err, errScriptFailed)
			return err
		},
	}
	test.from.configFlags(cmd)
	cmd.Flags().StringArrayVar(&test.secrets, "secret", nil, "A secret for the script, as NAME=VALUE; {env.VARIABLE} and {file.PATH} in it are replaced")
	cmd.Flags().StringArrayVar(&test.hosts, "allow-host", nil, "A host that the script may fetch from")
	cmd.Flags().DurationVar(&test.timeout, "timeout", script.DefaultTimeout, "How long the script may run")
	cmd.Flags().DurationVar(&test.wait, "wait", 0, "How long it may take together with waiting (default 2s)")
	cmd.Flags().BoolVar(&test.json, "json", false, "Put out JSON")
	return cmd
}

// A scriptTest is one run on the command line. Here the author may see
// everything, where in a sign-in nobody sees what an exception says.
type scriptTest struct {
	from           informant
	secrets, hosts []string
	timeout, wait  time.Duration
	json           bool
}

func (t *scriptTest) run(cmd *cobra.Command, file, inputFile string) error {
	input, err := readScriptInput(inputFile, cmd.InOrStdin())
	if err != nil {
		return err
	}
	var result scriptResult
	test := func(a *App) error {
		compiled, err := t.compile(a, file)
		if err != nil {
			return result.fail(err)
		}
		result.try(cmd.Context(), compiled, input, a)
		return nil
	}
	if t.from.config != "" || t.from.adapter != "" {
		err = inspect(t.from.config, t.from.adapter, test)
	} else {
		err = test(nil)
	}
	if err != nil {
		return err
	}
	if err := result.show(cmd.OutOrStdout(), t.json); err != nil {
		return err
	}
	if result.Error != nil {
		return errScriptFailed
	}
	return nil
}

// compile makes the script ready. Without an app calls go by the default
// rules.
func (t *scriptTest) compile(a *App, file string) (*script.Script, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the script: %w; name a JavaScript file", err)
	}
	client, err := scriptClient(a)
	if err != nil {
		return nil, err
	}
	config := script.Config{
		Name: file, Source: string(source), Timeout: t.timeout, Wait: t.wait,
		Secrets: map[string]string{}, AllowHosts: t.hosts, Client: client,
	}
	for _, secret := range t.secrets {
		name, value, found := strings.Cut(secret, "=")
		if !found || name == "" {
			return nil, errors.New("--secret: write NAME=VALUE, such as crm_key={env.CRM_KEY}")
		}
		if config.Secrets[name], err = newResolver(caddy.Log()).text("--secret", name, value); err != nil {
			return nil, err
		}
	}
	return script.NewEngine().Compile(config)
}

func scriptClient(a *App) (*http.Client, error) {
	var rules *Outbound
	if a != nil {
		rules = a.Outbound
	}
	calls, _, err := rules.config(newResolver(caddy.Log()))
	if err != nil {
		return nil, err
	}
	return outbound.New(calls).HTTP(), nil
}

// readScriptInput reads what the script is to find in its argument.
func readScriptInput(file string, stdin io.Reader) (script.Input, error) {
	var raw []byte
	var err error
	if file == "-" {
		raw, err = io.ReadAll(stdin)
	} else {
		raw, err = os.ReadFile(file)
	}
	if err != nil {
		return script.Input{}, fmt.Errorf("reading the input: %w; name a JSON file, or - for the standard input", err)
	}
	var document struct {
		Attributes map[string]any `json:"authn_ctx"`
		AMR        []string       `json:"amr"`
		ACR        string         `json:"acr"`
		IDPSubject string         `json:"idp_sub"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		return script.Input{}, fmt.Errorf(`%s: %w; write an object such as {"authn_ctx": {"email": "ada@example.com"}, "amr": ["pwd"], "acr": "", "idp_sub": "auth0|ada"}`, file, err)
	}
	return script.Input{Attributes: document.Attributes, AMR: document.AMR, ACR: document.ACR, IDPSubject: document.IDPSubject}, nil
}
