package caddymodule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

func sessionsCommand() *cobra.Command {
	var (
		from    informant
		subject string
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:   "sessions --subject SUB [--json] [--address ADDRESS]",
		Short: "Lists or ends the sessions of a user",
		Long: `
Lists the browsers in which a user is signed in, the last used first: with
what the browser calls itself, the providers signed in through, and the gated
sites that are open in it. The user is named by the subject that tokens have
as sub.`,
		Example: `  caddy auth-broker sessions --subject SUB
  caddy auth-broker sessions end --subject SUB`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if subject == "" {
				return errWhoseSessionsCommand
			}
			raw, err := from.fetch(adminSessions, url.Values{"subject": {subject}})
			if err != nil {
				return err
			}
			if asJSON {
				return showJSON(cmd.OutOrStdout(), raw)
			}
			return showSessions(cmd.OutOrStdout(), raw)
		},
	}
	from.addressFlag(cmd)
	cmd.Flags().StringVar(&subject, "subject", "", "The user whose sessions they are")
	cmd.Flags().BoolVar(&asJSON, "json", false, "Put out JSON")
	cmd.AddCommand(endSessionsCommand())
	return cmd
}

var errWhoseSessionsCommand = errors.New("whose sessions? Name the user by --subject SUB")

func showSessions(out io.Writer, raw []byte) error {
	var list []session.UserSession
	if err := json.Unmarshal(raw, &list); err != nil {
		return errUnreadable
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "the user is signed in nowhere")
		return err
	}
	w := newTable(out, "SESSION", "USED", "SIGNED IN", "EXPIRES", "DEVICE", "PROVIDERS", "SITES")
	for _, s := range list {
		w.row(s.SID, stamp(s.Used), stamp(s.Created), stamp(s.Expires), cmp.Or(s.Device, "-"),
			strings.Join(s.Connections, " "), cmp.Or(strings.Join(s.Clients, " "), "-"))
	}
	return w.flush()
}

func endSessionsCommand() *cobra.Command {
	var (
		from         informant
		subject, sid string
	)
	cmd := &cobra.Command{
		Use:   "end --subject SUB [--sid SESSION] [--address ADDRESS]",
		Short: "Ends sessions of a user",
		Long: `
Ends all sessions of a user, in every browser, and with them all codes and
tokens that were issued until now, at every client. With --sid it ends one
session and what came of it. Consents stay.

The session at the provider is not touched: the user may be able to sign in
again without a password. A token that an application verifies alone ends at
its expiry.`,
		Example: `  caddy auth-broker sessions end --subject SUB
  caddy auth-broker sessions end --subject SUB --sid SESSION`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if subject == "" {
				return errWhoseSessionsCommand
			}
			query := url.Values{"subject": {subject}}
			if cmd.Flags().Changed("sid") {
				query.Set("sid", sid)
			}
			raw, err := from.call(http.MethodDelete, adminSessions, query)
			if err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), raw, false, endedText)
		},
	}
	from.addressFlag(cmd)
	cmd.Flags().StringVar(&subject, "subject", "", "The user whose sessions they are")
	cmd.Flags().StringVar(&sid, "sid", "", "Only this session, by its name in the list")
	return cmd
}

func endedText(done *endedSessions) string {
	text := "ended: " + counted(done.Sessions, "session")
	if done.Tokens {
		text += ", and all tokens of the user"
	}
	return text + "\n"
}
