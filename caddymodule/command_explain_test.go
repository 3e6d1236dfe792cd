package caddymodule

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// explained is a Caddyfile whose mappings lose what ada has, each in a way of
// its own.
func explained(s *server, outbound string, app *application) string {
	s.Helper()
	script := filepath.Join(s.dir, "post_authn.js")
	source := `module.exports = async () => ({ authn_ctx: { nickname: "` + traceMarker + `" } })` + "\n"
	if err := os.WriteFile(script, []byte(source), 0o600); err != nil {
		s.Fatal(err)
	}
	return globals(provider4+` {
			attribute teams id_token https://example\.com/groups string "Teams"
			attribute badge id_token badge
			map teams groups
			map badge team
			script `+script+`
		}
		context team string
		scope teams "Your teams"
		claim groups id_token
		claim team id_token
		claim plan id_token {
			from nickname
			scopes teams
		}
`+outbound, authHost+" {\n\tauth_broker\n}\n"+appHost+` {
	auth_gate {
		scopes openid profile teams
	}
	reverse_proxy `+app.address()+"\n}\n")
}

// origin is a line of the Caddyfile.
var origin = regexp.MustCompile(`\(Caddyfile:[0-9]+\)`)

// traceMarker is a value that the script sets.
const traceMarker = "not-a-secret-value"

// TestM73_ExplainTellsWhyAClaimIsMissing signs ada in through Caddy and asks
// for each claim by the command.
func TestM73_ExplainTellsWhyAClaimIsMissing(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	a := &admin{server: newServer(t), address: "127.0.0.1:" + brokertest.FreePort(t)}
	input := explained(a.server, outbound, app)
	a.load(a.config(input))
	client := "gate:" + appHost

	explain := func(claim string, more ...string) (string, error) {
		t.Helper()
		shown, err := run(t, "", append([]string{"explain", claim, "--address", a.address}, more...)...)
		if strings.Contains(shown, traceMarker) || strings.Contains(shown, "staff") {
			t.Errorf("%s: a value is shown: %s", claim, shown)
		}
		return shown, err
	}
	if _, err := explain("groups", "--client", client); err == nil || !strings.Contains(err.Error(), `no sign-in of client "gate:app.example.com" is kept`) {
		t.Errorf("before anybody signed in: %v", err)
	}

	b := a.liveBrowser(tenant, authHost, appHost)
	b.Get("https://" + appHost + "/")
	if page := b.SignIn("ada"); !page.Has("scope-teams") {
		t.Fatalf("no consent page: %d %s", page.Status, page.URL)
	}
	b.Check("scope-teams", false)
	b.Click("consent-allow")

	for claim, want := range map[string]string{
		"groups":   `is not in the ID token of gate:app.example.com: type_mismatch: attribute "teams" (Caddyfile:LINE) got array, want string`,
		"team":     `is not in the ID token of gate:app.example.com: absent_upstream: attribute "badge" (Caddyfile:LINE) found nothing at id_token badge`,
		"plan":     `is not in the ID token of gate:app.example.com: consent_withheld: the client asked for openid profile teams, and the person granted openid profile`,
		"nickname": `is in the ID token and userinfo of gate:app.example.com: string, 20 bytes; script_replaced: the post-authentication script set another value than was there`,
		"email":    `is not in the ID token of gate:app.example.com: scope_not_allowed: the client may ask for openid profile teams`,
	} {
		shown, err := explain(claim, "--client", client)
		if got := origin.ReplaceAllString(shown, "(Caddyfile:LINE)"); err != nil || got != claim+" "+want+"\n" {
			t.Errorf("%v\n got %swant %s %s", err, got, claim, want)
		}
	}

	var list []op.TraceSummary
	a.get(adminTraces, &list)
	if len(list) != 1 || list[0].Client != client || list[0].Connection != "auth0" || list[0].Outcome != op.OutcomeCode || list[0].Time.IsZero() {
		t.Fatalf("list %+v", list)
	}
	for _, id := range []string{list[0].LoginID, list[0].Trace} {
		var record op.TraceRecord
		a.get(adminTraces+"?login="+id, &record)
		if record.LoginID != list[0].LoginID || len(record.Entries) == 0 {
			t.Errorf("record of %s: %+v", id, record.TraceSummary)
		}
		if shown, err := explain("team", "--client", client, "--login", id); err != nil || !strings.Contains(shown, "absent_upstream") {
			t.Errorf("%v: %s", err, shown)
		}
		_, body := a.do("GET", adminTraces+"?login="+id)
		for _, value := range []string{traceMarker, "staff", "ada@example.com", "Ada Example", "auth0|ada"} {
			if strings.Contains(body, value) {
				t.Errorf("the record holds %q", value)
			}
		}
	}
	if !strings.Contains(a.logs(), `"path":"`+adminTraces+`"`) {
		t.Error("the calls are not in the log")
	}
	t.Run("mistakes", func(t *testing.T) {
		for _, test := range []struct {
			args []string
			want string
		}{
			{nil, "Name the client by --client ID"},
			{[]string{"--client", "grafana", "--login", list[0].LoginID}, "that sign-in was one of gate:app.example.com"},
			{[]string{"--client", client, "--login", "none"}, "no sign-in with this id is kept"},
		} {
			if shown, err := explain("groups", test.args...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v: error %v, want %q\n%s", test.args, err, test.want, shown)
			}
		}
	})
	t.Run("after a reload", func(t *testing.T) {
		a.load(a.config(strings.Replace(input, "Your teams", "Teams", 1)))
		if shown, err := explain("team", "--client", client); err != nil || !strings.Contains(shown, "absent_upstream") {
			t.Errorf("%v: %s", err, shown)
		}
	})
}
