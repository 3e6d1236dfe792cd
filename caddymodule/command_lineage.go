package caddymodule

import (
	"errors"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

func lineageCommand() *cobra.Command {
	var question lineageQuestion
	cmd := &cobra.Command{
		Use:   "lineage [--client ID | --attribute NAME | --connection ID] [--json] [--config FILE [--adapter NAME] | --address ADDRESS]",
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

Warnings are about what leads nowhere: attributes that are not mapped, names
that nobody fills, claims that no client can get, and mappings that never
have a say.`,
		Example: `  caddy auth-broker lineage --client grafana
  caddy auth-broker lineage --client gate:app.example.com --config /etc/caddy/Caddyfile
  caddy auth-broker lineage --attribute groups --address localhost:2019
  caddy auth-broker lineage --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return question.run(cmd) },
	}
	question.from.flags(cmd)
	cmd.Flags().StringVar(&question.client, "client", "", "What this client or site gets")
	cmd.Flags().StringVar(&question.attribute, "attribute", "", "Who gets this attribute")
	cmd.Flags().StringVar(&question.connection, "connection", "", "What comes from this provider")
	cmd.Flags().BoolVar(&question.json, "json", false, "Put out JSON")
	return cmd
}

// A lineageQuestion is one call of the command.
type lineageQuestion struct {
	from                          informant
	client, attribute, connection string
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
	raw, err := q.from.ask(adminLineage, query)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case query.Has("client"):
		return show(out, raw, q.json, (*lineage.ClientAnswer).Text)
	case query.Has("attribute"):
		return show(out, raw, q.json, (*lineage.AttributeAnswer).Text)
	}
	return show(out, raw, q.json, (*lineage.Graph).Text)
}
