package interop_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

const pipelineAPI = "https://api.example.com"

// standardClaims are those that both upstreams tell by scope.
const standardClaims = `{
	"sub": "auth0|ada", "name": "Ada Example", "given_name": "Ada", "family_name": "Example", "nickname": "ada",
	"picture": "https://example.com/ada.png", "updated_at": "2026-01-02T03:04:05.678Z",
	"email": "ada@example.com", "email_verified": true
}`

// A custom claim is told in all three documents. Want is what the context
// gets of it: "" for nothing.
type customClaim struct{ name, path, kind, value, want string }

func customClaims() []customClaim {
	same := func(name, kind, value string) customClaim {
		return customClaim{name, `https://example\.com/` + name, kind, value, value}
	}
	list := []customClaim{
		same("groups", "string_array", `["staff","admin, or not","グループ"]`),
		same("profile", "object", `{"team":{"name":"engines","size":7},"a.b":{"":[null,{"c":1}]},"tags":[]}`),
		same("number", "number", "9007199254740993"),
		same("fraction", "number", "-1.5"),
		same("yes", "bool", "true"),
		same("no", "bool", "false"),
		same("text", "string", `"Zoë 😀 \"100%\" {env.SECRET} \u003cb\u003e"`),
		same("empty", "string", `""`),
		same("none", "string_array", "[]"),
		same("mixed", "any", `[1,"a",null,{"b":[true]}]`),
		{"null", `https://example\.com/null`, "any", "null", ""},
		{"mistyped", `https://example\.com/mistyped`, "string", "42", ""},
	}
	// Places inside what is told above.
	return append(list,
		customClaim{"team", `https://example\.com/profile.team.name`, "string", "", `"engines"`},
		customClaim{"dotted", `https://example\.com/profile.a\.b`, "object", "", `{"":[null,{"c":1}]}`},
		customClaim{"second", `https://example\.com/groups.1`, "string", "", `"admin, or not"`},
		customClaim{"source", `https://example\.com/source`, "string", "", ""}, // the document's own name
	)
}

// documents are where attributes come from.
var documents = []string{"id_token", "access_token", "userinfo"}

// pipelineSetup is the Caddyfile's part that both upstreams share.
func pipelineSetup(domain string) setup {
	var provider, globals, gate strings.Builder
	fmt.Fprintf(&provider, "provider auth0 {\n\tdomain %s\n\tclient_id broker\n\tclient_secret {env.UPSTREAM_SECRET}\n\taudience %s\n\tuserinfo\n", domain, pipelineAPI)
	gate.WriteString("header Authorization \"Bearer {access_token}\"\nheader X-Id-Token {id_token}\nheader Remote-User {sub}\nheader Remote-Email {verified_email}\n")
	for _, c := range customClaims() {
		for _, document := range documents {
			name := document + "_" + c.name
			fmt.Fprintf(&provider, "attribute %s %s %s %s\nmap %[1]s %[1]s\n", name, document, c.path, c.kind)
			fmt.Fprintf(&globals, "context %s %s\nclaim %[1]s id_token access_token\n", name, c.kind)
			fmt.Fprintf(&gate, "header %s {claim.%s}\n", headerName(name), name)
		}
	}
	provider.WriteString("}\n")
	return setup{provider: provider.String() + globals.String(), gate: gate.String()}
}

func headerName(claim string) string {
	return http.CanonicalHeaderKey("X-" + strings.ReplaceAll(claim, "_", "-"))
}

// npmProviderWith is an installation in front of npm oidc-provider.
func npmProviderWith(t *testing.T, change func(setup) setup) *installation {
	t.Helper()
	issuer := "http://" + freeAddr(t)
	user := map[string]any{"password": "not-a-secret", "claims": claimsFor("integer:9007199254740993")}
	for _, document := range documents {
		user[document] = map[string]string{"https://example.com/source": document}
	}
	upstream := interop.StartNode(t, "upstream.mjs", map[string]any{
		"users": map[string]any{"ada@example.com": user},
		"clients": []any{map[string]any{
			"client_id": "broker", "client_secret": upstreamSecret, "redirect_uris": []string{issuer + "/oauth2/callback/auth0"},
			"token_endpoint_auth_method": "client_secret_post",
		}},
	})
	s := pipelineSetup(strings.TrimSuffix(strings.TrimPrefix(announcedIssuer(t, upstream), "http://"), "/"))
	return installPipeline(t, change(s), issuer)
}

// standInTenantWith is an installation in front of the stand-in tenant.
func standInTenantWith(t *testing.T, change func(setup) setup) *installation {
	t.Helper()
	issuer := "http://" + freeAddr(t)
	user := brokertest.User{Name: "ada", Username: "ada@example.com", Password: brokertest.Password, Subject: "auth0|ada", Claims: map[string]any{}}
	for name, value := range claimsFor("") {
		user.Claims[name] = value
	}
	only := func(document string) map[string]any { return map[string]any{"https://example.com/source": document} }
	user.IDTokenClaims, user.AccessTokenClaims, user.UserinfoClaims = only("id_token"), only("access_token"), only("userinfo")
	tenant := brokertest.Start(t, brokertest.Options{
		Users: []brokertest.User{user}, APIs: []brokertest.API{{Identifier: pipelineAPI, RFC9068: true}},
		Clients: []brokertest.Client{{ID: "broker", Secret: upstreamSecret, Callbacks: []string{issuer + "/oauth2/callback/auth0"}}},
	})
	in := installPipeline(t, change(pipelineSetup(tenant.Domain())), issuer)
	in.tenant = tenant
	return in
}

// claimsFor returns the data of the person. JavaScript cannot hold every
// integer, so there it comes as the text bigInteger.
func claimsFor(bigInteger string) map[string]json.RawMessage {
	claims := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(standardClaims), &claims); err != nil {
		panic(err) // of our own
	}
	for _, c := range customClaims() {
		if c.value != "" {
			claims["https://example.com/"+c.name] = json.RawMessage(c.value)
		}
	}
	if bigInteger != "" {
		claims["https://example.com/number"] = json.RawMessage(`"` + bigInteger + `"`)
	}
	return claims
}

func installPipeline(t *testing.T, s setup, issuer string) *installation {
	t.Helper()
	s.issuer, s.clients = issuer, notesClient
	return install(t, s)
}
