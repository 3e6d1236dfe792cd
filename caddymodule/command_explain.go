package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

func explainCommand() *cobra.Command {
	var question explainQuestion
	cmd := &cobra.Command{
		Use:   "explain CLAIM --client ID [--login ID] [--address ADDRESS]",
		Short: "Says why a claim is missing in the tokens of a client",
		Long: `
Says in one line whether the client's tokens have the claim since its newest
sign-in, and if not, why: what the provider sent, what was mapped, what a
script did, which scopes were asked for, and what the person granted. A gated
site is the client gate:HOST.

--login tells of another sign-in, by its login_id or by the correlation id
that stands in the log and on the error page.

The server remembers the last 200 sign-ins, for 24 hours, without values: so
this command works only with a running one.`,
		Example: `  caddy auth-broker explain groups --client grafana
  caddy auth-broker explain email --client gate:app.example.com --address localhost:2019`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return question.run(cmd.OutOrStdout(), args[0]) },
	}
	cmd.Flags().StringVar(&question.client, "client", "", "The client or site whose tokens are meant")
	cmd.Flags().StringVar(&question.login, "login", "", "Which sign-in, by login_id or correlation id (default: the client's newest)")
	cmd.Flags().StringVar(&question.from.address, "address", caddy.DefaultAdminListen, "Address of the admin API of the running server")
	return cmd
}

// An explainQuestion is one call of the command.
type explainQuestion struct {
	from          informant
	client, login string
}

func (q *explainQuestion) run(out io.Writer, claim string) error {
	if q.client == "" {
		return errors.New("whose tokens? Name the client by --client ID")
	}
	login, err := q.signIn()
	if err != nil {
		return err
	}
	var record op.TraceRecord
	if err := q.fetch(url.Values{"login": {login}}, &record); err != nil {
		return err
	}
	if record.Client != q.client {
		return fmt.Errorf("that sign-in was one of %s; use --client %s", record.Client, record.Client)
	}
	_, err = fmt.Fprintln(out, record.Explain(claim))
	return err
}

// signIn returns the id of the sign-in that is meant.
func (q *explainQuestion) signIn() (string, error) {
	if q.login != "" {
		return q.login, nil
	}
	var kept []op.TraceSummary
	if err := q.fetch(nil, &kept); err != nil {
		return "", err
	}
	i := slices.IndexFunc(kept, func(s op.TraceSummary) bool { return s.Client == q.client })
	if i < 0 {
		return "", fmt.Errorf("no sign-in of client %q is kept; sign in there first, or see at %s of the admin API what is kept", q.client, adminTraces)
	}
	return kept[i].LoginID, nil
}

func (q *explainQuestion) fetch(query url.Values, into any) error {
	raw, err := q.from.fetch(adminTraces, query)
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, into) != nil {
		return errors.New("the server's answer cannot be read; use the command of the server's own version")
	}
	return nil
}
