package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestM46_M70_DeclaredClaimArrives signs a person in whose groups are in a
// claim with dots in its name, and proves that three lines of a Caddyfile,
// attribute, map and claim, bring them to the application, that what was
// not declared stays away, and that a script has its say, with its secret.
func TestM46_M70_DeclaredClaimArrives(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	s := newServer(t)
	t.Setenv("TENANT_KEY", "not-a-secret-tenant")
	script := filepath.Join(s.dir, "post_authn.js")
	if err := os.WriteFile(script, []byte(`module.exports = async function (context) {
  return { authn_ctx: { tenant: context.authn_ctx.tenant + "/" + context.secrets.key.length } };
};
`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.load(s.config(globals(provider4+` {
			attribute teams id_token https://example\.com/groups string_array "Teams"
			attribute team id_token https://example\.com/profile.team.name
			map teams groups required
			map team team
			map_static acme tenant
			script `+script+` {
				secret key {env.TENANT_KEY}
			}
		}
		context tenant string "Tenant"
		context team string
		scope teams "Your teams" "The teams you belong to"
		claim groups id_token access_token {
			scopes teams
		}
		claim tenant id_token
		claim https://example.com/team id_token {
			from team
			scopes teams
		}
`+outbound, authHost+" {\n\tauth_broker\n}\n"+appHost+` {
	auth_gate {
		scopes openid email teams
		header X-Groups {claim.groups}
		header X-Tenant {claim.tenant}
		header X-Team {claim.https://example.com/team}
		header X-Name {claim.name}
	}
	reverse_proxy `+app.address()+"\n}\n"), authHost, appHost))

	b := s.liveBrowser(tenant, authHost, appHost)
	page := b.Get("https://" + appHost + "/")
	if page.Has("tenant-login-form") {
		page = b.SignIn("ada")
	}
	if !page.Has("scope-teams") || !strings.Contains(string(page.Body), "The teams you belong to") {
		t.Errorf("the consent page does not ask for teams: %s", page.Body)
	}
	enter(t, b, "https://"+appHost+"/")
	for header, want := range map[string]string{
		"X-Groups": "admin,staff", "X-Tenant": "acme/19", "X-Team": "engines",
		"X-Name": "", // its scope was not asked for
	} {
		if got := app.header(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	if strings.Contains(s.logs(), "not-a-secret-tenant") {
		t.Error("the script's secret is in the log")
	}
}

// TestM32_ClientID proves that the provider is sent the client id that is
// configured, and the redirect URL that was shown.
func TestM32_ClientID(t *testing.T) {
	tenant, outbound := startTenant(t)
	s := newServer(t)
	s.load(s.config(globals(provider4+"\n"+outbound, authHost+" {\n\tauth_broker\n}\n"+appHost+" {\n\tauth_gate\n}\n"), authHost, appHost))
	b := s.liveBrowser(tenant, authHost, appHost)
	b.StopBefore = "https://" + tenant.Domain()
	page := b.Get("https://" + appHost + "/")
	if page.Location == nil {
		t.Fatalf("no redirect to the provider: %d %s", page.Status, page.Body)
	}
	query := page.Location.Query()
	if got := query.Get("client_id"); got != "upstream-client" {
		t.Errorf("client_id %q", got)
	}
	if got, want := query.Get("redirect_uri"), "https://"+authHost+"/oauth2/callback/auth0"; got != want {
		t.Errorf("redirect_uri %q, want %q", got, want)
	}
}
