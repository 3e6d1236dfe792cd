package caddymodule

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

func tracesCommand() *cobra.Command {
	var q tracesQuestion
	cmd := &cobra.Command{
		Use:   "traces [--login ID] [--format text|json|html] [--address ADDRESS]",
		Short: "Lists the last sign-ins, or tells what became of each claim in one",
		Long: `
Lists the sign-ins that the server remembers: the last 200, for 24 hours.

--login tells of one, by its login_id or by the correlation id that stands in
the log and on the error page, what became of each claim, and why a token
does not carry it. --format html makes a page of it, for a browser.

Values are not remembered, unless a window is open: see the command open.`,
		Example: `  caddy auth-broker traces
  caddy auth-broker traces --login ID --format html > sign-in.html
  caddy auth-broker traces open --for 10m`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return q.run(cmd.OutOrStdout()) },
	}
	q.from.addressFlag(cmd)
	cmd.Flags().StringVar(&q.login, "login", "", "Which sign-in, by login_id or correlation id (default: a list of all)")
	cmd.Flags().StringVar(&q.format, "format", "text", "What to put out: "+strings.Join(tracesFormats(), ", "))
	cmd.AddCommand(openCommand(), closeCommand())
	return cmd
}

func tracesFormats() []string { return []string{"text", formatJSON, "html"} }

// A tracesQuestion is one call of the command.
type tracesQuestion struct {
	from          informant
	login, format string
}

func (q *tracesQuestion) run(out io.Writer) error {
	if !slices.Contains(tracesFormats(), q.format) {
		return fmt.Errorf("--format %q is unknown; use one of: %s", q.format, strings.Join(tracesFormats(), ", "))
	}
	var query url.Values
	if q.login != "" {
		query = url.Values{"login": {q.login}}
	}
	raw, err := q.from.fetch(adminTraces, query)
	if err != nil {
		return err
	}
	window, err := q.from.window(http.MethodGet, nil)
	switch {
	case err != nil:
		return err
	case q.format == formatJSON:
		return showJSON(out, raw)
	case q.login != "":
		return q.showOne(out, raw, window)
	}
	return q.showList(out, raw, window)
}

func (q *tracesQuestion) showOne(out io.Writer, raw []byte, window op.ValuesWindow) error {
	var signIn op.SignIn
	if err := json.Unmarshal(raw, &signIn); err != nil || signIn.TraceRecord == nil {
		return errUnreadable
	}
	page := signIn.Page(window.Until)
	if q.format == "text" {
		_, err := io.WriteString(out, page.Text())
		return err
	}
	html, err := page.HTML()
	if err == nil {
		_, err = out.Write(html)
	}
	return err
}

func (q *tracesQuestion) showList(out io.Writer, raw []byte, window op.ValuesWindow) error {
	var kept []op.TraceSummary
	if err := json.Unmarshal(raw, &kept); err != nil {
		return errUnreadable
	}
	list := op.SignInList(kept)
	if q.format == "html" {
		html, err := list.HTML()
		if err == nil {
			_, err = out.Write(html)
		}
		return err
	}
	w := newTable(out, "TIME", "CLIENT", "PROVIDER", "OUTCOME", "LOGIN")
	for _, s := range list.SignIns {
		w.row(stamp(s.Time), s.Client, s.Connection, s.Outcome, s.LoginID)
	}
	if err := w.flush(); err != nil || !window.Open {
		return err
	}
	_, err := fmt.Fprint(out, "\n"+windowText(window))
	return err
}

// window asks about the values window, opens or closes it.
func (i *informant) window(method string, query url.Values) (w op.ValuesWindow, err error) {
	raw, err := i.call(method, adminWindow, query)
	if err != nil {
		return w, err
	}
	if json.Unmarshal(raw, &w) != nil {
		return w, errUnreadable
	}
	return w, nil
}

func windowText(w op.ValuesWindow) string {
	if !w.Open {
		return "no values are kept\n"
	}
	return "the values of sign-ins are kept until " + stamp(w.Until) + "\n"
}

func openCommand() *cobra.Command {
	var from informant
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "open [--for TIME] [--address ADDRESS]",
		Short: "Opens a window in which the values of sign-ins are kept",
		Long: `
Opens a window, of 15 minutes at most, in which this server keeps the values
of sign-ins: what the provider told, the authentication context after each
stage, and what each kind of token carries. "explain --values" and "traces
--login" show them.

They are personal data. They stay in the memory of that one process, of the
last 20 sign-ins, and are forgotten when the window closes: when its time is
over, by "traces close", or when the server loads another configuration. That
it was opened and closed, and when values were looked at, is in the log.

To open a window that is open begins a new one, and forgets what the old one
has kept.`,
		Example: `  caddy auth-broker traces open --for 10m`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return showWindow(cmd.OutOrStdout(), &from, http.MethodPost, url.Values{"for": {life.String()}})
		},
	}
	from.addressFlag(cmd)
	cmd.Flags().DurationVar(&life, "for", op.MaxValuesWindow, "For how long, such as 10m; at most 15m")
	return cmd
}

func closeCommand() *cobra.Command {
	var from informant
	cmd := &cobra.Command{
		Use:   "close [--address ADDRESS]",
		Short: "Closes the window, and forgets the values",
		Long: `
Closes the window in which the values of sign-ins are kept, and forgets them
at once.`,
		Example: `  caddy auth-broker traces close`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return showWindow(cmd.OutOrStdout(), &from, http.MethodDelete, nil)
		},
	}
	from.addressFlag(cmd)
	return cmd
}

func showWindow(out io.Writer, from *informant, method string, query url.Values) error {
	w, err := from.window(method, query)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, windowText(w))
	return err
}
