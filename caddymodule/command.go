package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// command is "caddy auth-broker", which has all commands below it.
func command() caddycmd.Command {
	return caddycmd.Command{
		Name:  "auth-broker",
		Usage: "<command>",
		Short: "Shows what the authentication broker does, and administers its users",
		Long: `
Shows what the authentication broker is configured to do: where the data of
its clients comes from, which providers it has, and what a script does.
Shows, too, what it has done: the last sign-ins, what users have consented to,
and where they are signed in; and takes consents and sessions back.

Commands about the configuration read a file, and need no server. With
--address they ask a running one instead, as those about its users always do.`,
		CobraFunc: addCommands,
	}
}

func addCommands(parent *cobra.Command) {
	parent.AddCommand(lineageCommand(), connectionsCommand(), urlsCommand(), scriptCommand(), explainCommand(),
		tracesCommand(), consentsCommand(), sessionsCommand())
	requireSubcommand(parent)
}

// requireSubcommand makes cmd answer a command that it does not have with
// those that it has. Cobra alone shows the help and reports success.
func requireSubcommand(cmd *cobra.Command) {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return onlyCommands(cmd, args)
	}
}

// onlyCommands refuses an argument of a command that has others below it: it
// can only be a misspelled one.
func onlyCommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("command %q is unknown; use one of: %s", args[0], strings.Join(names, ", "))
}

// An informant is where a command has its answers from: a configuration
// file, or the admin API of a running server.
type informant struct {
	config, adapter, address string
}

// flags adds the flags that choose the informant.
func (i *informant) flags(cmd *cobra.Command) {
	i.configFlags(cmd)
	cmd.Flags().StringVar(&i.address, "address", "", "Address of the admin API of a running server, to ask that instead of a file, such as localhost:2019")
}

func (i *informant) configFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&i.config, "config", "c", "", "Configuration file (default: the Caddyfile in the current directory)")
	cmd.Flags().StringVarP(&i.adapter, "adapter", "a", "", "Name of the config adapter to apply to it")
}

// ask puts a question of the admin API. The answer, as JSON, is the same
// from both.
func (i *informant) ask(path string, query url.Values) ([]byte, error) {
	switch {
	case i.address != "" && (i.config != "" || i.adapter != ""):
		return nil, errors.New("--address asks a running server, --config reads a file; use one of them")
	case i.address != "":
		return i.fetch(path, query)
	}
	question := adminQuestions()[path]
	if err := question.parameters.checkQuery(query); err != nil {
		return nil, err
	}
	var raw []byte
	err := inspect(i.config, i.adapter, func(a *App) (err error) {
		raw, err = question.ask(a, query)
		return err
	})
	return raw, err
}

// fetch asks a running server.
func (i *informant) fetch(path string, query url.Values) ([]byte, error) {
	return i.call(http.MethodGet, path, query)
}

// call has a running server answer in JSON.
func (i *informant) call(method, path string, query url.Values) ([]byte, error) {
	body, err := i.open(method, path, query, "application/json")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("asking the server at %s: %w", i.address, err)
	}
	return raw, nil
}

// open returns the answer of a running server, to be read and closed. It must
// be of the media type: another program may listen there.
func (i *informant) open(method, path string, query url.Values, mediaType string) (io.ReadCloser, error) {
	if strings.HasPrefix(i.address, "http://") || strings.HasPrefix(i.address, "https://") {
		return nil, fmt.Errorf("--address %s: write host and port of the admin API without http://, such as localhost:2019", i.address)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	resp, err := caddycmd.AdminAPIRequest(i.address, method, path, http.Header{}, nil)
	if err != nil {
		return nil, i.unanswered(err)
	}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media != mediaType {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("what answers at %s is not the admin API of a Caddy with this module; give its address, which is localhost:2019 unless the configuration says otherwise", i.address)
	}
	return resp.Body, nil
}

// refusal is the JSON at the end of what Caddy's client says of an answer
// that is an error.
var refusal = regexp.MustCompile(`: HTTP \d+: (\{.*\})\s*$`)

// unanswered says why there is no answer: in the server's own words, if it
// refused.
func (i *informant) unanswered(err error) error {
	var answer struct {
		Error string `json:"error"`
	}
	if m := refusal.FindStringSubmatch(err.Error()); m != nil && json.Unmarshal([]byte(m[1]), &answer) == nil && answer.Error != "" {
		return fmt.Errorf("the server at %s: %s", i.address, answer.Error)
	}
	if strings.Contains(err.Error(), "connection refused") { // Caddy's client hands on no more than the text
		return fmt.Errorf("nobody answers at %s; is Caddy running? Give the address of its admin API by --address", i.address)
	}
	return fmt.Errorf("asking the server at %s: %w", i.address, err)
}

// addressFlag is for commands that only a running server can answer.
func (i *informant) addressFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&i.address, "address", caddy.DefaultAdminListen, "Address of the admin API of the running server")
}

// errUnreadable is returned for an answer of another version.
var errUnreadable = errors.New("the server's answer cannot be read; use --json if the command has it, or the command of the server's own version")

// show puts out an answer: as it is if asJSON, else what text makes of it.
func show[T any](out io.Writer, raw []byte, asJSON bool, text func(T) string) error {
	if asJSON {
		return showJSON(out, raw)
	}
	var answer T
	if err := json.Unmarshal(raw, &answer); err != nil {
		return errUnreadable
	}
	_, err := io.WriteString(out, text(answer))
	return err
}

func showJSON(out io.Writer, raw []byte) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, raw, "", "\t"); err != nil {
		return err
	}
	indented.WriteByte('\n')
	_, err := indented.WriteTo(out)
	return err
}
