package caddymodule

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func readExample(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestExampleLoads proves that the reference is formatted, adapts without a
// warning, and provisions once its variables are set.
func TestExampleLoads(t *testing.T) {
	example := readExample(t)
	if string(caddyfile.Format([]byte(example))) != example {
		t.Error("caddy fmt would change Caddyfile.example")
	}
	raw, warnings, err := adapt(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Errorf("warning: %s", w)
	}
	setVariables(t)
	for name, value := range map[string]string{
		"ACME_DOMAIN": "acme.eu.auth0.com", "ACME_CLIENT_ID": "a", "ACME_CLIENT_SECRET": "not-a-secret",
		"PARTNER_ID": "a", "PARTNER_SECRET": "not-a-secret", "GRAFANA_SECRET": "not-a-secret",
		"WELCOME_SECRET": "not-a-secret",
	} {
		t.Setenv(name, value)
	}
	s := &server{T: t, dir: t.TempDir()}
	if err := validate(s.quiet(s.patch(raw, nil))); err != nil {
		t.Error(err)
	}
}

// TestExampleNamesEveryWord proves that no word is missing in the reference,
// be it commented out.
func TestExampleNamesEveryWord(t *testing.T) {
	example := strings.ReplaceAll(readExample(t), "# ", "")
	for place, words := range map[string][]word{
		"auth_broker":    new(App).words(),
		"provider auth0": (&Provider{Kind: kindAuth0}).words(),
		"provider oidc":  (&Provider{Kind: kindOIDC}).words(),
		"script":         new(Script).words(),
		"post_authn_app": new(PostAuthnApp).words(),
		"scope":          new(Scope).words(),
		"claim":          new(Claim).words(),
		"client":         new(Client).words(),
		"auth_gate":      new(Gate).words(),
	} {
		for _, w := range words {
			if !strings.Contains(example, "\t"+w.name+" ") && !strings.Contains(example, "\t"+w.name+"\n") {
				t.Errorf("%s: the word %s is missing", place, w.name)
			}
		}
	}
}

// TestAccessLogHasNoCode signs somebody in with the reference's log format.
// Whoever reads an access log (an operator, a log service, a thief of
// either) would otherwise find authorization codes and states in it, in the
// addresses of callbacks, in Location and in Referer.
func TestAccessLogHasNoCode(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	s := newServer(t)
	sites := authHost + " {\n\tlog\n\tauth_broker\n}\n" + appHost + " {\n\tlog\n\tauth_gate\n\treverse_proxy " + app.address() + "\n}\n"
	s.load(s.withExampleLog(s.config(globals(provider4+"\n"+outbound, sites), authHost, appHost)))

	b := s.liveBrowser(tenant, authHost, appHost)
	enter(t, b, "https://"+appHost+"/orders?page=2")
	b.Get("https://" + authHost + "/oauth2/callback/auth0?code=planted-code&state=planted-state")

	logs := s.logs()
	if want := "/.auth/callback?"; !strings.Contains(logs, want) {
		t.Fatalf("the log lacks %q: nothing is proved", want)
	}
	if !strings.Contains(logs, `"Location":["https://`+appHost+"/.auth/callback") {
		t.Fatal("the log has no Location: nothing is proved")
	}
	found := 0
	for _, address := range b.History() {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"code", "state"} {
			value := u.Query().Get(name)
			if value == "" {
				continue
			}
			found++
			if strings.Contains(logs, value) || strings.Contains(logs, url.QueryEscape(value)) {
				t.Errorf("the log holds the %s of %s%s", name, u.Host, u.Path)
			}
		}
	}
	if found < 4 {
		t.Errorf("the sign-in had %d codes and states: nothing is proved", found)
	}
}

// withExampleLog gives a configuration the reference's log format, and
// writes to the test's file.
func (s *server) withExampleLog(config []byte) []byte {
	s.Helper()
	raw, _, err := adapt(readExample(s.T))
	if err != nil {
		s.Fatal(err)
	}
	var example struct {
		Logging struct {
			Logs map[string]map[string]any `json:"logs"`
		} `json:"logging"`
	}
	if err := json.Unmarshal(raw, &example); err != nil {
		s.Fatal(err)
	}
	log := example.Logging.Logs["default"]
	log["writer"] = map[string]any{"output": "file", "filename": s.logFile()}
	log["level"] = "DEBUG"
	var out map[string]any
	if err := json.Unmarshal(config, &out); err != nil {
		s.Fatal(err)
	}
	out["logging"] = example.Logging
	return encode(s.T, out)
}
