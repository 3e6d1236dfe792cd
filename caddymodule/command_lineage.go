package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

func lineageCommand() *cobra.Command {
	var question lineageQuestion
	cmd := &cobra.Command{
		Use:   "lineage [--client ID | --attribute NAME | --connection ID] [--format text|json|mermaid|dot|html] [--config FILE [--adapter NAME] | --address ADDRESS]",
		Short: "Shows which data reaches which client, from where, and why not",
		Long: `
Shows the way of the data through the broker: what each provider declares,
how it is mapped into the authentication context, which claims read it, and
which clients and sites get these. All is taken from the configuration;
nobody needs to have signed in.

--client tells what one client gets, from where and under which scope, and
why it does not get the rest. A gated site is the client gate:HOST.

--attribute tells who gets an attribute, by its name in a provider or in the
context. PROVIDER/NAME means that of one provider alone.

--connection shows what comes from one provider.

--format mermaid and dot draw the same, the latter for Graphviz; html is a
page with the picture, for a browser. Of a client or an attribute the first
two draw its ways alone, and the page highlights them. Defaults that lead
nowhere are in no picture. --json is short for --format json.

Warnings are about what leads nowhere: attributes that are not mapped, names
that nobody fills, claims that no client can get, and mappings that never
have a say.`,
		Example: `  caddy auth-broker lineage --client grafana
  caddy auth-broker lineage --client gate:app.example.com --config /etc/caddy/Caddyfile
  caddy auth-broker lineage --attribute groups --address localhost:2019
  caddy auth-broker lineage --format mermaid --attribute groups
  caddy auth-broker lineage --format dot | dot -Tsvg > lineage.svg
  caddy auth-broker lineage --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return question.run(cmd) },
	}
	question.from.flags(cmd)
	cmd.Flags().StringVar(&question.client, "client", "", "What this client or site gets")
	cmd.Flags().StringVar(&question.attribute, "attribute", "", "Who gets this attribute")
	cmd.Flags().StringVar(&question.connection, "connection", "", "What comes from this provider")
	cmd.Flags().StringVar(&question.format, "format", "text", "What to put out: "+strings.Join(lineageFormats(), ", "))
	cmd.Flags().BoolVar(&question.json, "json", false, "Put out JSON, as does --format json")
	return cmd
}

func lineageFormats() []string { return []string{"text", formatJSON, "mermaid", "dot", "html"} }

// A lineageQuestion is one call of the command.
type lineageQuestion struct {
	from                          informant
	client, attribute, connection string
	format                        string
	json                          bool
}

func (q *lineageQuestion) run(cmd *cobra.Command) error {
	query := url.Values{}
	for name, value := range map[string]string{"client": q.client, "attribute": q.attribute, "connection": q.connection} {
		if cmd.Flags().Changed(name) {
			query.Set(name, value)
		}
	}
	if len(query) > 1 {
		return errors.New("one question at a time; use one of --client, --attribute and --connection")
	}
	switch {
	case !slices.Contains(lineageFormats(), q.format):
		return fmt.Errorf("--format %q is unknown; use one of: %s", q.format, strings.Join(lineageFormats(), ", "))
	case q.json && cmd.Flags().Changed("format") && q.format != formatJSON:
		return fmt.Errorf("--json and --format %s contradict each other; use one of them", q.format)
	case q.json:
		q.format = formatJSON
	case q.format != "text" && q.format != formatJSON:
		return q.draw(cmd, query)
	}
	raw, err := q.from.ask(adminLineage, query)
	if err != nil {
		return err
	}
	out, asJSON := cmd.OutOrStdout(), q.format == formatJSON
	switch {
	case query.Has("client"):
		return show(out, raw, asJSON, (*lineage.ClientAnswer).Text)
	case query.Has("attribute"):
		return show(out, raw, asJSON, (*lineage.AttributeAnswer).Text)
	}
	return show(out, raw, asJSON, (*lineage.Graph).Text)
}

// draw puts out a picture. It makes it here, from the same answers that
// --json shows, so that a file and a server need only one language.
func (q *lineageQuestion) draw(cmd *cobra.Command, query url.Values) error {
	page := &lineage.Page{Focus: lineage.Focus{Attribute: query.Get("attribute"), Client: query.Get("client")}}
	whole := url.Values{}
	if query.Has("connection") {
		whole = query
	}
	if err := q.decode(whole, &page.Graph); err != nil {
		return err
	}
	// Only the page tells why something is not delivered. An empty name is
	// asked for in any case: the answer is that it is none.
	var err error
	switch {
	case q.format != "html" && page.Focus != lineage.Focus{}:
	case query.Has("client"):
		err = q.decode(query, &page.Client)
	case query.Has("attribute"):
		err = q.decode(query, &page.Attribute)
	}
	if err != nil {
		return err
	}
	picture, err := picture(page, q.format)
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(picture)
	return err
}

func picture(page *lineage.Page, format string) ([]byte, error) {
	if format == "html" {
		return page.HTML()
	}
	part, err := page.Graph.Through(page.Focus)
	if err != nil {
		return nil, err
	}
	if format == "dot" {
		return []byte(part.DOT()), nil
	}
	return []byte(part.Mermaid()), nil
}

func (q *lineageQuestion) decode(query url.Values, into any) error {
	raw, err := q.from.ask(adminLineage, query)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return errUnreadable
	}
	return nil
}
