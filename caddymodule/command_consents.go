package caddymodule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

func consentsCommand() *cobra.Command {
	var list consentList
	cmd := &cobra.Command{
		Use:   "consents [--client ID] [--subject SUB] [--withdrawn] [--json] [--address ADDRESS]",
		Short: "Lists or withdraws what users have let clients have",
		Long: `
Lists what users have let clients have, one line for each scope and claim: of
everybody, of the users of one client, of one user, or of one user at one
client. A gated site is the client gate:HOST. A user is named by the subject
that tokens have as sub (of a client with pairwise subjects: the broker's own,
which is in this list).

--json puts out JSON lines, to keep or to load elsewhere. An export that was
cut off ends in an error.

--withdrawn lists what was taken back, too.`,
		Example: `  caddy auth-broker consents --client grafana
  caddy auth-broker consents --json > consents.jsonl
  caddy auth-broker consents withdraw --subject SUB --client grafana`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return list.run(cmd) },
	}
	list.from.addressFlag(cmd)
	cmd.Flags().StringVar(&list.client, "client", "", "Only those of this client or site")
	cmd.Flags().StringVar(&list.subject, "subject", "", "Only those of this user")
	cmd.Flags().BoolVar(&list.withdrawn, "withdrawn", false, "Those that were taken back, too")
	cmd.Flags().BoolVar(&list.json, "json", false, "Put out JSON lines")
	cmd.AddCommand(withdrawCommand())
	return cmd
}

// A consentList is one call of the command.
type consentList struct {
	from            informant
	client, subject string
	withdrawn, json bool
}

func (l *consentList) run(cmd *cobra.Command) error {
	query := url.Values{}
	for name, value := range map[string]string{"client": l.client, "subject": l.subject} {
		if cmd.Flags().Changed(name) {
			query.Set(name, value)
		}
	}
	if l.withdrawn {
		query.Set("withdrawn", strconv.FormatBool(true))
	}
	body, err := l.from.open(http.MethodGet, adminConsents, query, mediaJSONLines)
	if err != nil {
		return err
	}
	defer body.Close()
	if l.json {
		_, err = io.Copy(cmd.OutOrStdout(), body)
	} else {
		err = showConsents(cmd.OutOrStdout(), body)
	}
	if err != nil {
		return fmt.Errorf("the list is not complete: %w", err)
	}
	return nil
}

func showConsents(out io.Writer, lines io.Reader) error {
	w := newTable(out, "SUBJECT", "CLIENT", "SCOPE OR CLAIM", "PROVIDER", "LANGUAGE", "GIVEN", "EXPIRES", "WITHDRAWN")
	for decoder := json.NewDecoder(lines); ; {
		var r consent.Record
		err := decoder.Decode(&r)
		if errors.Is(err, io.EOF) {
			return w.flush()
		}
		if err != nil {
			return errors.Join(err, w.flush())
		}
		w.row(r.Subject, r.ClientID, granted(r), cmp.Or(r.Connection, "-"), cmp.Or(r.Language, "-"),
			stamp(r.GivenAt), stamp(r.ExpiresAt), stamp(r.WithdrawnAt))
	}
}

// granted says what a record is about.
func granted(r consent.Record) string {
	switch {
	case r.Claim != "":
		return "claim " + r.Claim + " (" + r.ClaimType + ")"
	case r.Scope != "":
		return r.Scope
	default:
		return "everything"
	}
}

func withdrawCommand() *cobra.Command {
	var w withdrawal
	cmd := &cobra.Command{
		Use:   "withdraw (--subject SUB [--client ID] | --client ID --all-users) [--scope SCOPE]... [--address ADDRESS]",
		Short: "Withdraws consents, as users could themselves",
		Long: `
Withdraws what a user has let one client have, or all clients; with --client
and --all-users, what all users have let that client have. --scope restricts
it to scopes of the client.

From the next request on, unspent codes, tokens at the broker's own endpoints
and gate sessions are refused, and the next sign-in asks again. A token that
an application verifies alone ends at its expiry.`,
		Example: `  caddy auth-broker consents withdraw --subject SUB
  caddy auth-broker consents withdraw --subject SUB --client grafana --scope email
  caddy auth-broker consents withdraw --client grafana --all-users`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return w.run(cmd.OutOrStdout()) },
	}
	w.from.addressFlag(cmd)
	cmd.Flags().StringVar(&w.subject, "subject", "", "The user whose consents they are")
	cmd.Flags().StringVar(&w.client, "client", "", "The client or site that has them")
	cmd.Flags().StringArrayVar(&w.scopes, "scope", nil, "Only this scope of the client; may be repeated")
	cmd.Flags().BoolVar(&w.allUsers, "all-users", false, "Those of all users of the client")
	return cmd
}

// A withdrawal is one call of the command.
type withdrawal struct {
	from            informant
	subject, client string
	scopes          []string
	allUsers        bool
}

func (w *withdrawal) run(out io.Writer) error {
	switch {
	case w.subject == "" && w.client == "":
		return errors.New("whose consents? Name a user by --subject SUB, or a client by --client ID --all-users")
	case w.subject == "" && !w.allUsers:
		return fmt.Errorf("--client %s alone means all its users; add --all-users if they are meant, or name one by --subject SUB", w.client)
	case w.subject != "" && w.allUsers:
		return errors.New("--subject names one user, --all-users means all; use one of them")
	case w.client == "" && len(w.scopes) > 0:
		return errors.New("--scope needs the client that has it; add --client ID")
	}
	query := url.Values{}
	for name, value := range map[string]string{"subject": w.subject, "client": w.client} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for _, scope := range w.scopes {
		query.Add("scope", scope)
	}
	raw, err := w.from.call(http.MethodDelete, adminConsents, query)
	if err != nil {
		return err
	}
	return show(out, raw, false, withdrawnText)
}

func withdrawnText(done *op.Withdrawn) string {
	if done.Clients == 0 {
		return "there was nothing to withdraw\n"
	}
	return fmt.Sprintf("withdrawn: %s of %s at %s\n", counted(done.Grants, "grant"), counted(done.Users, "user"), counted(done.Clients, "client"))
}
