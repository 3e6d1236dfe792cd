package caddymodule

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// A visited server is one with the Caddyfile explained, an application behind
// its gate, and a browser.
type visited struct {
	*admin
	browser *brokertest.Browser
	input   string
}

func visit(t *testing.T) *visited {
	t.Helper()
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	v := &visited{admin: &admin{server: newServer(t), address: "127.0.0.1:" + brokertest.FreePort(t)}}
	v.input = explained(v.server, outbound, app)
	v.load(v.config(v.input))
	v.browser = v.liveBrowser(tenant, authHost, appHost)
	return v
}

// signIn signs ada in at the gate, who withholds her teams, and returns the
// id of the sign-in.
func (v *visited) signIn() (login string) {
	v.Helper()
	page := v.browser.Get("https://" + appHost + "/")
	if page.Has("tenant-login-form") {
		page = v.browser.SignIn("ada")
	}
	if page.Has("consent-form") {
		v.browser.Check("scope-teams", false)
		v.browser.Click("consent-allow")
	}
	var list []op.TraceSummary
	v.get(adminTraces, &list)
	if len(list) == 0 {
		v.Fatal("no sign-in is kept")
	}
	return list[0].LoginID
}

// command runs "caddy auth-broker" against the server.
func (v *visited) command(args ...string) (string, error) {
	v.Helper()
	return run(v.T, "", append(args, "--address", v.address)...)
}

// page asks for a page as a browser does.
func (v *visited) page(path string) (*http.Response, string) {
	v.Helper()
	resp, body := v.do(http.MethodGet, path, "Accept", browserAccept)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		v.Fatalf("GET %s: %d %s", path, resp.StatusCode, body)
	}
	return resp, body
}

// rows are the table rows of a page, by the text of their header cell.
func rows(t *testing.T, page string) map[string][]string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for tr := range doc.Descendants() {
		if tr.Data != "tr" {
			continue
		}
		var cells []string
		for cell := range tr.ChildNodes() {
			if cell.Data == "th" || cell.Data == "td" {
				cells = append(cells, textOf(cell))
			}
		}
		if len(cells) > 0 && out[cells[0]] == nil { // the claims come before the stages
			out[cells[0]] = cells[1:]
		}
	}
	return out
}

func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// TestM73_OneSignInIsExplainedAlikeEverywhere signs ada in once. One of her
// claims is absent upstream, one mistyped, one not consented to, and one
// replaced by the script; page, JSON and command tell each.
func TestM73_OneSignInIsExplainedAlikeEverywhere(t *testing.T) {
	v := visit(t)
	login := v.signIn()
	var record op.TraceRecord
	v.get(adminTraces+"?login="+login, &record)
	resp, served := v.page(adminTraces + "?login=" + login)
	if got := resp.Header.Get("Content-Security-Policy"); got != lineage.SignInPolicy() || !strings.Contains(got, "default-src 'none'") {
		t.Errorf("policy %q", got)
	}
	written, err := v.command("traces", "--login", login, "--format", "html")
	if err != nil {
		t.Fatal(err)
	}
	text, err := v.command("traces", "--login", record.Trace)
	if err != nil {
		t.Fatal(err)
	}
	for claim, want := range map[string]struct {
		cell   string
		reason claims.Reason
		words  string
	}{
		"team":     {"no absent_upstream", claims.AbsentUpstream, `is not in the ID token of gate:app.example.com: absent_upstream: attribute "badge" (Caddyfile:LINE) found nothing at id_token badge`},
		"groups":   {"no type_mismatch", claims.TypeMismatch, `is not in the ID token of gate:app.example.com: type_mismatch: attribute "teams" (Caddyfile:LINE) got array, want string`},
		"plan":     {"no consent_withheld", claims.ConsentWithheld, `is not in the ID token of gate:app.example.com: consent_withheld: the client asked for openid profile teams, and the person granted openid profile`},
		"nickname": {"yes", "", `is in the ID token and userinfo of gate:app.example.com: string, 20 bytes; script_replaced: the post-authentication script set another value than was there`},
	} {
		line, err := v.command("explain", claim, "--client", record.Client, "--login", login)
		line = strings.TrimSuffix(line, "\n")
		if got := origin.ReplaceAllString(line, "(Caddyfile:LINE)"); err != nil || got != claim+" "+want.words {
			t.Errorf("command: %v\n got %s\nwant %s %s", err, got, claim, want.words)
		}
		for name, page := range map[string]string{"the admin API's page": served, "the command's page": written} {
			row := rows(t, page)[claim]
			if len(row) != 5 || row[0] != want.cell || row[4] != line {
				t.Errorf("%s: %s: %q, want %q and %q", name, claim, row, want.cell, line)
			}
		}
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is not in the text:\n%s", claim, text)
		}
		i := slices.IndexFunc(record.Deliveries[claims.IDToken], func(d claims.Delivery) bool { return d.Claim == claim })
		if i < 0 || record.Deliveries[claims.IDToken][i].Reason != want.reason {
			t.Errorf("JSON: %s: %+v", claim, record.Deliveries[claims.IDToken])
		}
	}
	replaced := func(e authn.Entry) bool {
		return e.Stage == authn.StageScript && e.Name == "nickname" && e.Reason == claims.ScriptReplaced
	}
	if !slices.ContainsFunc(record.Entries, replaced) {
		t.Error("JSON: nothing says that the script replaced the nickname")
	}
	if strings.Contains(served+written+text, traceMarker) {
		t.Error("a value is shown")
	}
	t.Run("the list leads there", func(t *testing.T) {
		_, list := v.page(adminTraces)
		if !strings.Contains(list, `href="?login=`+login+`"`) {
			t.Errorf("no link to %s", login)
		}
		for _, want := range []string{"gate:app.example.com", "auth0", op.OutcomeCode, record.Trace} {
			if !strings.Contains(list, want) {
				t.Errorf("the list lacks %s", want)
			}
		}
		shown, err := v.command("traces")
		if err != nil || !strings.Contains(shown, login) || strings.Contains(shown, "values") {
			t.Errorf("%v: %s", err, shown)
		}
	})
}

// S94, X14: values are shown while an administrator has a window open, and
// the log tells of that.
func TestS94_ValuesWindow(t *testing.T) {
	v := visit(t)
	client := "gate:" + appHost
	explain := func(login string) (string, error) {
		t.Helper()
		return v.command("explain", "nickname", "--client", client, "--login", login, "--values")
	}
	before := v.signIn()
	if shown, err := explain(before); err == nil || !strings.Contains(err.Error(), "open a window by: caddy auth-broker traces open --for 10m") || !strings.Contains(shown, "script_replaced") {
		t.Errorf("%v: %s", err, shown)
	}
	if shown, err := v.command("traces", "open", "--for", "10m"); err != nil || !strings.HasPrefix(shown, "the values of sign-ins are kept until 2") {
		t.Fatalf("%v: %s", err, shown)
	}
	if _, err := explain(before); err == nil || !strings.Contains(err.Error(), "was not when this person signed in") {
		t.Errorf("a sign-in before: %v", err)
	}
	v.browser.Get("https://" + appHost + "/.auth/logout")
	login := v.signIn()
	shown, err := explain(login)
	if err != nil || !strings.Contains(shown, `"`+traceMarker+`"`) || strings.Count(shown, "\n") != 9 {
		t.Errorf("%v: %s", err, shown)
	}
	var signIn op.SignIn
	v.get(adminTraces+"?login="+login, &signIn)
	if signIn.Values == nil || len(signIn.Values.Stages) != 4 {
		t.Errorf("values %+v", signIn.Values)
	}
	if _, page := v.page(adminTraces + "?login=" + login); !strings.Contains(page, traceMarker) || !strings.Contains(page, "This page shows personal data") {
		t.Error("the page has no values")
	}
	if shown, err := v.command("traces"); err != nil || !strings.Contains(shown, "\nthe values of sign-ins are kept until 2") {
		t.Errorf("%v: %s", err, shown)
	}
	t.Run("it ends with its configuration", func(t *testing.T) {
		v.load(v.config(strings.Replace(v.input, "Your teams", "Teams", 1)))
		if _, err := explain(login); err == nil || !strings.Contains(err.Error(), "no values are kept") {
			t.Errorf("after a reload: %v", err)
		}
	})
	if shown, err := v.command("traces", "close"); err != nil || shown != "no values are kept\n" {
		t.Errorf("%v: %s", err, shown)
	}
	logs := v.logs()
	for _, want := range []string{
		`"msg":"debug_window_opened","remaining":600`, `"msg":"debug_window_closed","reason":"configuration_unloaded"`,
		`"msg":"values_shown","login_id":"` + login + `"`, `"path":"/auth_broker/traces/window","status":200,"event":"debug_window_opened"`,
	} {
		if !strings.Contains(logs, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if strings.Contains(logs, traceMarker) {
		t.Error("a value is in the log")
	}
	for query, want := range map[string]string{
		"?for=16m": `parameter \"for\" must be a time of at most 15m`, "?for=0s": "must be a time", "?for=-1m": "must be a time",
		"?for=long": "must be a time", "?for=": `parameter \"for\" is empty`, "?login=x": `parameter \"login\" is unknown; use one of: for`,
	} {
		if resp, body := v.do(http.MethodPost, adminWindow+query); resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", query, resp.StatusCode, body)
		}
	}
	var window op.ValuesWindow
	if v.get(adminWindow, &window); window.Open {
		t.Error("a window that was refused is open")
	}
}
