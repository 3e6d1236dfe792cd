package caddymodule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

func explainCommand() *cobra.Command {
	var question explainQuestion
	cmd := &cobra.Command{
		Use:   "explain CLAIM --client ID [--login ID] [--values] [--address ADDRESS]",
		Short: "Says why a claim is missing in the tokens of a client",
		Long: `
Says in one line whether the client's tokens have the claim since its newest
sign-in, and if not, why: what the provider sent, what was mapped, what a
script did, which scopes were asked for, and what the person granted. A gated
site is the client gate:HOST.

--login tells of another sign-in, by its login_id or by the correlation id
that stands in the log and on the error page.

--values shows what the claim was at each stage of that sign-in, if a window
was open then and still is; see: caddy auth-broker traces open --help.

The server remembers the last 200 sign-ins, for 24 hours, without values: so
this command works only with a running one.`,
		Example: `  caddy auth-broker explain groups --client grafana
  caddy auth-broker explain email --client gate:app.example.com --address localhost:2019`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return question.run(cmd.OutOrStdout(), args[0]) },
	}
	cmd.Flags().StringVar(&question.client, "client", "", "The client or site whose tokens are meant")
	cmd.Flags().StringVar(&question.login, "login", "", "Which sign-in, by login_id or correlation id (default: the client's newest)")
	cmd.Flags().BoolVar(&question.values, "values", false, "Show the values, too, while a window is open")
	question.from.addressFlag(cmd)
	return cmd
}

// An explainQuestion is one call of the command.
type explainQuestion struct {
	from          informant
	client, login string
	values        bool
}

func (q *explainQuestion) run(out io.Writer, claim string) error {
	if q.client == "" {
		return errors.New("whose tokens? Name the client by --client ID")
	}
	login, err := q.signIn()
	if err != nil {
		return err
	}
	var record op.SignIn
	if err := q.fetch(url.Values{"login": {login}}, &record); err != nil {
		return err
	}
	if record.Client != q.client {
		return fmt.Errorf("that sign-in was one of %s; use --client %s", record.Client, record.Client)
	}
	if _, err := fmt.Fprintln(out, record.Explain(claim)); err != nil || !q.values {
		return err
	}
	return q.showValues(out, claim, &record)
}

// showValues puts out the values of the claim, stage by stage.
func (q *explainQuestion) showValues(out io.Writer, claim string, record *op.SignIn) error {
	if record.Values == nil {
		window, err := q.from.window(http.MethodGet, nil)
		if err != nil {
			return err
		}
		if window.Open {
			return errors.New("a window is open, but was not when this person signed in; let them sign in again")
		}
		return errors.New("no values are kept; open a window by: caddy auth-broker traces open --for 10m; then let the person sign in again")
	}
	w := newTable(out, "STAGE", "PLACE", "VALUE")
	for _, step := range record.Follow(claim) {
		w.row(step.Stage, step.Place, cmp.Or(step.Value, "-"))
	}
	return w.flush()
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
		return errUnreadable
	}
	return nil
}
