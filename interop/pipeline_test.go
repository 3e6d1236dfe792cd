package interop_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// These tests send one person's data through a real Caddy from two upstreams:
// npm oidc-provider and the stand-in tenant. What comes out must be the same,
// or the broker works with its authors' own idea of an upstream only.

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

// outputs are what one sign-in told to whom, without what differs between
// any two sign-ins.
type outputs struct {
	IDToken, AccessToken, Userinfo map[string]any
	GateIDToken, GateAccessToken   map[string]any
	Header                         map[string]string
}

func TestM46_M52_M53_M54_SameClaimsFromBothUpstreams(t *testing.T) {
	same := func(s setup) setup { return s }
	standIn, npm := standInTenantWith(t, same), npmProviderWith(t, same)
	fromStandIn, fromNPM := standIn.outputs(t), npm.outputs(t)
	if diff := cmp.Diff(fromStandIn, fromNPM); diff != "" {
		t.Errorf("the upstreams differ (-stand-in tenant +npm oidc-provider):\n%s", diff)
	}
	want := wantedClaims(t)
	for where, got := range map[string]map[string]any{
		"ID token": fromNPM.IDToken, "access token": fromNPM.AccessToken, "userinfo": fromNPM.Userinfo,
		"the gate's ID token": fromNPM.GateIDToken, "the gate's access token": fromNPM.GateAccessToken,
	} {
		custom := map[string]any{}
		for name, v := range got {
			if slices.ContainsFunc(documents, func(d string) bool { return strings.HasPrefix(name, d+"_") }) {
				custom[name] = v
			}
		}
		if diff := cmp.Diff(want, custom); diff != "" {
			t.Errorf("%s, custom claims (-want +got):\n%s", where, diff)
		}
	}
	for _, token := range []map[string]any{fromNPM.IDToken, fromNPM.Userinfo, fromNPM.GateIDToken} {
		if token["updated_at"] != json.Number("1767323045") || token["email_verified"] != true || token["given_name"] != "Ada" {
			t.Errorf("standard claims: %v", token)
		}
	}
	if _, has := fromNPM.AccessToken["email"]; has {
		t.Error("a standard claim is in the access token, where nobody has declared it")
	}
	wantHeaders(t, fromNPM.Header, want)
}

// wantedClaims are the custom claims as every output must have them.
func wantedClaims(t *testing.T) map[string]any {
	t.Helper()
	want := map[string]any{}
	for _, c := range customClaims() {
		for _, document := range documents {
			switch {
			case c.name == "source":
				want[document+"_source"] = document
			case c.want != "":
				want[document+"_"+c.name] = decodeJSON(t, []byte(c.want))
			}
		}
	}
	return want
}

// wantHeaders decodes the headers as the documentation says: split lists at
// commas, then undo the percent encoding.
func wantHeaders(t *testing.T, got map[string]string, claims map[string]any) {
	t.Helper()
	text := func(s string) string {
		out, err := url.PathUnescape(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		return out
	}
	for name, claim := range claims {
		sent, has := got[headerName(name)]
		var meant any
		switch claim := claim.(type) {
		case string:
			meant = text(sent)
			has = has == (claim != "")
		case bool, json.Number:
			meant, claim = sent, fmt.Sprint(claim)
			if meant == claim {
				meant = claims[name]
			}
		case []any:
			if len(claim) == 0 || strings.HasSuffix(name, "_mixed") {
				continue // nothing to send; or with a null, which no header has
			}
			var list []any
			for e := range strings.SplitSeq(sent, ",") {
				list = append(list, text(e))
			}
			meant = list
		default:
			meant = decodeJSON(t, []byte(text(sent)))
		}
		if diff := cmp.Diff(claim, meant); diff != "" || !has {
			t.Errorf("%s: %q means (-claim +header):\n%s", headerName(name), sent, diff)
		}
	}
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

// outputs signs the person in at the gate and at the client, and collects
// what they get. Every token has been verified by jose.
func (in *installation) outputs(t *testing.T) outputs {
	t.Helper()
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	in.enterAnywhere(t, b, "/")
	header := in.last(t)
	rp := in.startOpenIDClient(t)
	got := in.signIn(t, rp, b, true)
	access := strings.TrimPrefix(header.Get("Authorization"), "Bearer ")
	out := outputs{
		IDToken:         in.verified(t, rp, got.Tokens.IDToken, "notes", "RS256"),
		AccessToken:     in.verified(t, rp, got.Tokens.AccessToken, in.issuer, "ES256"),
		Userinfo:        in.userinfo(t, got.Tokens.AccessToken),
		GateIDToken:     in.verified(t, rp, header.Get("X-Id-Token"), "gate:"+strings.TrimPrefix(in.site, "http://"), "ES256"),
		GateAccessToken: in.verified(t, rp, access, in.site, "ES256"),
		Header:          map[string]string{},
	}
	if header.Get("Remote-User") != out.GateIDToken["sub"] || header.Get("Remote-Email") != "ada@example.com" {
		t.Errorf("Remote-User %q, Remote-Email %q", header.Get("Remote-User"), header.Get("Remote-Email"))
	}
	for name, values := range header {
		if strings.HasPrefix(name, "X-") && !strings.HasPrefix(name, "X-Forwarded-") && name != "X-Id-Token" {
			out.Header[name] = strings.Join(values, " AND ")
		}
	}
	for _, m := range []map[string]any{out.IDToken, out.AccessToken, out.Userinfo, out.GateIDToken, out.GateAccessToken} {
		for _, name := range []string{"iss", "sub", "aud", "client_id", "exp", "iat", "nbf", "auth_time", "nonce", "at_hash", "sid", "jti"} {
			delete(m, name)
		}
	}
	return out
}

// enterAnywhere is enter for whichever upstream shows its login page.
func (in *installation) enterAnywhere(t *testing.T, b *brokertest.Browser, path string) {
	t.Helper()
	page := b.Get(in.site + path)
	switch {
	case page.Has("tenant-login") && in.tenant == nil:
		b.Fill("username", "ada@example.com")
		b.Fill("password", "not-a-secret")
		page = b.Click("tenant-login")
	case page.Has("tenant-login-form"):
		page = b.SignIn("ada")
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if page.Status != http.StatusOK || !page.Has("app") {
		t.Fatalf("signing in led to %s, want the application:\n%s\n%s", page, page.Body, in.logs)
	}
}

// verified returns the payload of a token that jose accepts, as it was
// signed: JavaScript's own reading rounds numbers.
func (in *installation) verified(t *testing.T, rp *interop.Node, token, audience, alg string) map[string]any {
	t.Helper()
	rp.MustCall(t, "verify", map[string]any{"token": token, "audience": audience, "algorithms": []string{alg}}, nil)
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, raw).(map[string]any)
}

func (in *installation) userinfo(t *testing.T, accessToken string) map[string]any {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, in.issuer+"/oauth2/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("userinfo answered %s: %s", response.Status, raw)
	}
	return decodeJSON(t, raw).(map[string]any)
}

// decodeJSON keeps numbers as texts.
func decodeJSON(t *testing.T, raw []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decoding %.200q: %v", raw, err)
	}
	return v
}
