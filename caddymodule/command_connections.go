package caddymodule

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
)

func connectionsCommand() *cobra.Command {
	return listCommand(&cobra.Command{
		Use:   "connections [--json] [--config FILE [--adapter NAME] | --address ADDRESS]",
		Short: "Lists the providers with kind, state and redirect URL",
		Long: `
Lists the providers: id, kind, state (enabled; hidden, which is usable where a
client asks for it; or disabled), how many attributes and mappings are in
effect, name, and the redirect URL to register at the provider.`,
		Example: `  caddy auth-broker connections
  caddy auth-broker connections --address localhost:2019 --json`,
	}, connectionsText)
}

func urlsCommand() *cobra.Command {
	return listCommand(&cobra.Command{
		Use:   "urls [--json] [--config FILE [--adapter NAME] | --address ADDRESS]",
		Short: "Prints the redirect URLs to register at the providers",
		Long: `
Prints what to enter at each provider before the first sign-in, at Auth0 under
Allowed Callback URLs. The provider compares the whole text, so copy it as it
is.`,
		Example: `  caddy auth-broker urls
  caddy auth-broker urls --config /etc/caddy/Caddyfile`,
	}, urlsText)
}

// listCommand completes a command about the list of connections.
func listCommand(cmd *cobra.Command, text func([]broker.ConnectionInfo) string) *cobra.Command {
	var (
		from   informant
		asJSON bool
	)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		raw, err := from.ask(adminConnections, nil)
		if err != nil {
			return err
		}
		return show(cmd.OutOrStdout(), raw, asJSON, text)
	}
	from.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "Put out JSON")
	return cmd
}

func connectionsText(connections []broker.ConnectionInfo) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CONNECTION\tKIND\tSTATE\tATTRIBUTES\tMAPPINGS\tNAME\tREDIRECT URL")
	for _, c := range connections {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", c.ID, c.Kind, c.State, c.Attributes, c.Mappings, c.Name, c.RedirectURL)
	}
	_ = w.Flush() // into memory
	return out.String()
}

func urlsText(connections []broker.ConnectionInfo) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, c := range connections {
		fmt.Fprintf(w, "%s\t%s\n", c.ID, c.RedirectURL)
	}
	_ = w.Flush() // into memory
	return out.String()
}
