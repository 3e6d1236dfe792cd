package caddymodule

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

// operated is a Caddyfile with something to show: two providers, one of
// them with attributes, a script, a client, a site, and secrets everywhere.
const operated = `{
	auth_broker {
		issuer https://auth.example.com
		provider auth0 {
			id acme
			name "Acme staff"
			domain {env.AUTH0_DOMAIN}
			client_id {env.AUTH0_CLIENT_ID}
			client_secret {env.AUTH0_CLIENT_SECRET}
			attribute teams id_token https://example\.com/groups string_array "Teams"
			attribute badge id_token badge
			map teams groups
			script post_authn.js {
				secret crm_key {env.CRM_KEY}
			}
		}
		provider oidc {
			id partner
			hidden
			issuer https://login.partner.example
			client_id {env.AUTH0_CLIENT_ID}
			client_secret {env.PARTNER_SECRET}
		}
		scope teams "Your teams"
		claim groups id_token access_token {
			scopes teams
		}
		client grafana {
			name Grafana
			secret {env.GRAFANA_SECRET}
			redirect_uris https://grafana.example.com/callback
			scopes openid profile email teams
		}
	}
}
auth.example.com {
	auth_broker
}
app.example.com {
	auth_gate {
		name Orders
		provider acme
		scopes openid email teams
		header X-Groups {claim.groups}
		header X-Access-Token {access_token}
	}
	reverse_proxy localhost:3000
}
`

// Secrets of operated, besides that of the provider acme.
var operatedSecrets = map[string]string{
	"CRM_KEY": "not-a-secret-crm", "PARTNER_SECRET": "not-a-secret-partner", "GRAFANA_SECRET": "not-a-secret-grafana",
}

// operate sets the variables of operated, and makes a directory with its
// script the current one.
func operate(t *testing.T) (dir string) {
	t.Helper()
	setVariables(t)
	for name, value := range operatedSecrets {
		t.Setenv(name, value)
	}
	dir = t.TempDir()
	t.Chdir(dir)
	source := `module.exports = async function (context) { return {} }` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "post_authn.js"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// admin is a server whose admin endpoint is on.
type admin struct {
	*server
	address string
}

func newAdmin(t *testing.T, input string) *admin {
	t.Helper()
	a := &admin{server: newServer(t), address: "127.0.0.1:" + brokertest.FreePort(t)}
	a.load(a.config(input))
	return a
}

// config is the server's, with an admin endpoint.
func (a *admin) config(input string) []byte {
	raw := a.server.config(input, authHost, appHost)
	return []byte(strings.Replace(string(raw), `"admin":{"disabled":true`, `"admin":{"listen":"`+a.address+`"`, 1))
}

// do sends a request to the admin endpoint. Changes are pairs of header name
// and value.
func (a *admin) do(method, path string, header ...string) (*http.Response, string) {
	a.Helper()
	r, err := http.NewRequest(method, "http://"+a.address+path, nil)
	if err != nil {
		a.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil && method == http.MethodGet {
		// Caddy replaces the listener when it loads a configuration, and the
		// kernel may have taken the call for the old one.
		resp, err = client.Do(r)
	}
	if err != nil {
		a.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.Fatal(err)
	}
	return resp, string(body)
}

// get asks a question that has an answer.
func (a *admin) get(path string, into any) {
	a.Helper()
	resp, body := a.do(http.MethodGet, path)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		a.Fatalf("GET %s: %d %s: %s", path, resp.StatusCode, resp.Header.Get("Content-Type"), body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		a.Fatalf("GET %s: %v", path, err)
	}
}

// TestM30_M49_AdminListsConnections proves that the list tells id, name,
// kind and state of each, and the URL to register, before anybody signs in.
func TestM30_M49_AdminListsConnections(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	var got []broker.ConnectionInfo
	a.get("/auth_broker/connections", &got)
	want := []broker.ConnectionInfo{
		{
			ID: "acme", Name: "Acme staff", Kind: "auth0", State: lineage.Enabled, Script: true, Origin: "Caddyfile:16",
			RedirectURL: "https://auth.example.com/oauth2/callback/acme", Attributes: 26, Mappings: 25,
		},
		{
			ID: "partner", Name: "partner", Kind: "oidc", State: lineage.Hidden, Origin: "Caddyfile:28",
			RedirectURL: "https://auth.example.com/oauth2/callback/partner", Attributes: 24, Mappings: 24,
		},
	}
	for i := range got {
		if !strings.HasPrefix(got[i].Origin, "Caddyfile:") {
			t.Errorf("origin %q is no line", got[i].Origin)
		}
		got[i].Origin = want[i].Origin // the server's own options move it
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
}

// TestM65_ConfigurationAndLineageAgree proves of every mapping and attribute
// in lineage that the line it names is the one that says so.
func TestM65_ConfigurationAndLineageAgree(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	for _, test := range []struct{ was, is, target string }{
		{"", "", "groups"}, {"map teams groups", "map teams nickname weak", "nickname"},
	} {
		input := strings.Replace(operated, test.was, test.is, 1)
		a.load(a.config(input))
		// Lines as the adapter counts them, behind the server's options.
		shift := strings.Index(input, "\tauth_broker {")
		lines := strings.Split(input[shift:], "\n")
		var g lineage.Graph
		a.get("/auth_broker/lineage", &g)
		offset := lineOf(t, g.Connections[0].Origin) - slices.Index(lines, "\t\tprovider auth0 {")
		custom := 0
		for _, m := range g.Mappings {
			if m.Origin == "default" {
				continue
			}
			custom++
			if got, want := lines[lineOf(t, m.Origin)-offset], "\t\t\tmap "+m.From+" "+test.target; m.To.String() != test.target || !strings.HasPrefix(got, want) {
				t.Errorf("mapping %s to %s: its line is %q, want %q", m.From, m.To, got, want)
			}
		}
		if custom != 1 {
			t.Errorf("%d mappings are not default ones, want 1", custom)
		}
		for _, at := range g.Attributes {
			if at.Origin != "default" && !strings.HasPrefix(lines[lineOf(t, at.Origin)-offset], "\t\t\tattribute "+at.Name+" "+string(at.Source)) {
				t.Errorf("attribute %s: its line is %q", at.Name, lines[lineOf(t, at.Origin)-offset])
			}
		}
	}
}

func lineOf(t *testing.T, origin string) (line int) {
	t.Helper()
	_, number, found := strings.Cut(origin, ":")
	if err := json.Unmarshal([]byte(number), &line); err != nil || !found {
		t.Fatalf("origin %q has no line", origin)
	}
	return line
}

// TestM73_AdminAnswersQuestions asks by client, attribute and connection.
func TestM73_AdminAnswersQuestions(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	var client lineage.ClientAnswer
	a.get("/auth_broker/lineage?client=gate:app.example.com", &client)
	i := slices.IndexFunc(client.Receipts, func(r lineage.Receipt) bool { return r.Claim == "groups" })
	if i < 0 || !slices.Equal(client.Receipts[i].Headers, []string{"X-Groups", "X-Access-Token"}) {
		t.Errorf("the site's groups: %+v", client.Receipts[max(i, 0)])
	}
	var attribute lineage.AttributeAnswer
	a.get("/auth_broker/lineage?attribute=teams", &attribute)
	if len(attribute.Attributes) != 1 || attribute.Attributes[0].DisplayName != "Teams" {
		t.Errorf("the attribute teams: %+v", attribute.Attributes)
	}
	var part lineage.Graph
	a.get("/auth_broker/lineage?connection=partner", &part)
	if len(part.Connections) != 1 || part.Connections[0].ID != "partner" {
		t.Errorf("the part of partner: %+v", part.Connections)
	}
}

// TestS107_AdminRefusesWhatIsNotDeclared is the table of all routes. A path
// or method that is not in it is refused.
func TestS107_AdminRefusesWhatIsNotDeclared(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	declared := map[string][]string{
		"/auth_broker/connections":   {http.MethodGet},
		"/auth_broker/consents":      {http.MethodDelete, http.MethodGet},
		"/auth_broker/lineage":       {http.MethodGet},
		"/auth_broker/sessions":      {http.MethodDelete, http.MethodGet},
		"/auth_broker/traces":        {http.MethodGet},
		"/auth_broker/traces/window": {http.MethodDelete, http.MethodGet, http.MethodPost},
	}
	for path := range adminQuestions() {
		if declared[path] == nil {
			t.Errorf("%s is not in this test", path)
		}
	}
	for path := range adminChanges() {
		if declared[path] == nil {
			t.Errorf("%s is not in this test", path)
		}
	}
	for path, allowed := range declared {
		query := ""
		if path == adminSessions {
			query = "?subject=nobody"
		}
		if resp, _ := a.do(http.MethodGet, path+query); resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s: %d %v", path, resp.StatusCode, resp.Header)
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, "BREW"} {
			if slices.Contains(allowed, method) {
				continue
			}
			resp, _ := a.do(method, path)
			if want := strings.Join(allowed, ", "); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != want {
				t.Errorf("%s %s: %d, Allow %q, want %q", method, path, resp.StatusCode, resp.Header.Get("Allow"), want)
			}
		}
	}
	for path, want := range map[string]struct {
		status  int
		message string
	}{
		"/auth_broker/":                                            {http.StatusNotFound, "there is no /auth_broker/; ask for one of: /auth_broker/connections, /auth_broker/consents, /auth_broker/lineage"},
		"/auth_broker/keys":                                        {http.StatusNotFound, "there is no /auth_broker/keys"},
		"/auth_broker/lineage/":                                    {http.StatusNotFound, "there is no /auth_broker/lineage/"},
		"/auth_broker/connections?client=grafana":                  {http.StatusBadRequest, `parameter "client" is unknown; there are none here`},
		"/auth_broker/lineage?user=ada":                            {http.StatusBadRequest, `parameter "user" is unknown; use one of: client, attribute, connection`},
		"/auth_broker/lineage?client=grafana&attribute=b":          {http.StatusBadRequest, "one question at a time"},
		"/auth_broker/lineage?client=grafana&client=other":         {http.StatusBadRequest, "one question at a time"},
		"/auth_broker/lineage?client=%zz":                          {http.StatusBadRequest, "the query cannot be read"},
		"/auth_broker/lineage?client=grafan":                       {http.StatusNotFound, `client "grafan" is not configured; did you mean "grafana"?`},
		"/auth_broker/lineage?attribute=" + url.QueryEscape("<b>"): {http.StatusNotFound, `attribute "<b>" is not configured`},
		"/auth_broker/traces?client=grafana":                       {http.StatusBadRequest, `parameter "client" is unknown; use one of: login`},
		"/auth_broker/traces?login=none":                           {http.StatusNotFound, "no sign-in with this id is kept"},
		"/auth_broker/lineage?connection=":                         {http.StatusBadRequest, `parameter "connection" is empty; give a value or leave it out`},
	} {
		resp, body := a.do(http.MethodGet, path)
		var answer struct{ Error string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || resp.StatusCode != want.status || !strings.HasPrefix(answer.Error, want.message) {
			t.Errorf("GET %s: %d %s, want %d %s", path, resp.StatusCode, body, want.status, want.message)
		}
	}
}

// A page that the operator has open asks the admin endpoint of their
// machine, by its own origin or under a name that it moved to 127.0.0.1
// (class of CVE-2026-27589). What it got would tell who works where.
func TestR63_AdminRefusesForeignPages(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	for name, header := range map[string][]string{
		"foreign origin": {"Origin", "https://evil.example"},
		"null origin":    {"Origin", "null"},
		"rebound name":   {"Host", "evil.example:2019"},
		"no-cors fetch":  {"Sec-Fetch-Mode", "no-cors"},
	} {
		resp, body := a.do(http.MethodGet, "/auth_broker/connections", header...)
		if resp.StatusCode < 400 || strings.Contains(body, "acme") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
		for method, path := range map[string]string{http.MethodPost: adminWindow, http.MethodDelete: adminConsents + "?client=grafana"} {
			if resp, body := a.do(method, path, header...); resp.StatusCode < 400 {
				t.Errorf("%s: %s %s: %d %s", name, method, path, resp.StatusCode, body)
			}
		}
	}
	// Nor is the API part of a site (S106).
	for _, host := range []string{authHost, appHost} {
		b := a.browser(authHost, appHost)
		b.StopBefore = "https://" + authHost + "/oauth2/"
		if page := b.Get("https://" + host + "/auth_broker/connections"); strings.Contains(string(page.Body), "redirect_url") {
			t.Errorf("%s answers for the admin API", host)
		}
	}
}

// TestS109_M33_AdminTellsNoSecret asks everything that can be asked, and
// looks for the secrets that the configuration holds.
func TestS109_M33_AdminTellsNoSecret(t *testing.T) {
	operate(t)
	// Written into the Caddyfile itself, they are as near as they can be.
	input := strings.NewReplacer("{env.CRM_KEY}", operatedSecrets["CRM_KEY"], "{env.GRAFANA_SECRET}", operatedSecrets["GRAFANA_SECRET"]).Replace(operated)
	a := newAdmin(t, input)
	var g lineage.Graph
	a.get(adminLineage, &g)
	paths := []string{adminConnections, adminLineage, adminLineage + "?client=none", adminTraces, adminWindow, adminConsents, adminSessions + "?subject=none"}
	for _, c := range g.Clients {
		paths = append(paths, adminLineage+"?client="+url.QueryEscape(c.ID))
	}
	for _, f := range g.Attributes {
		paths = append(paths, adminLineage+"?attribute="+url.QueryEscape(f.Name))
	}
	for _, c := range g.Connections {
		paths = append(paths, adminLineage+"?connection="+c.ID)
	}
	for _, path := range paths {
		_, body := a.do(http.MethodGet, path)
		for _, secret := range secrets(t, a) {
			if strings.Contains(body, secret) {
				t.Errorf("GET %s tells the secret %s", path, secret)
			}
		}
	}
	if len(paths) < 30 {
		t.Errorf("asked only %d questions", len(paths))
	}
	if logs := a.logs(); !strings.Contains(logs, `"admin_called"`) || strings.Contains(logs, operatedSecrets["CRM_KEY"]) {
		t.Error("the calls are not in the log, or a secret is")
	}
}

// secrets are those of operated and the sealing key of the server's store.
func secrets(t *testing.T, a *admin) []string {
	t.Helper()
	out := []string{upstreamSecret}
	for _, secret := range operatedSecrets {
		out = append(out, secret)
	}
	key, err := os.ReadFile(a.database() + ".key")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, strings.TrimSpace(string(key)))
}

// TestAdminFollowsTheRunningConfiguration proves that answers are about what
// runs: after a reload the new, after one that failed still the old, and
// without a broker none.
func TestAdminFollowsTheRunningConfiguration(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	names := func() (out []string) {
		t.Helper()
		var connections []broker.ConnectionInfo
		a.get(adminConnections, &connections)
		for _, c := range connections {
			out = append(out, c.Name)
		}
		return out
	}
	renamed := strings.Replace(operated, "Acme staff", "Renamed", 1)
	a.load(a.config(renamed))
	if got := names(); got[0] != "Renamed" {
		t.Errorf("after a reload: %v", got)
	}
	blocked := filepath.Join(a.dir, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string]string{
		"provisioning": strings.Replace(operated, "PARTNER_SECRET", "NO_SUCH_VARIABLE", 1),
		"the start":    strings.Replace(operated, "\t\tissuer", "\t\tstorage embedded "+blocked+"/a.db\n\t\tissuer", 1),
	} {
		if err := caddy.Load(a.config(broken), true); err == nil {
			t.Fatalf("a configuration that fails at %s was loaded", name)
		}
		if got := names(); got[0] != "Renamed" {
			t.Errorf("after a reload that failed at %s: %v", name, got)
		}
	}
	a.load(a.config("{\n}\nexample.com {\n}\n"))
	if resp, body := a.do(http.MethodGet, adminConnections); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, "no broker runs here") {
		t.Errorf("without a broker: %d %s", resp.StatusCode, body)
	}
}
