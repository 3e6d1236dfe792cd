package broker_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
)

// scripted gives the first connection a script.
func scripted(source string, changes ...func(*broker.Config)) options {
	return options{config: func(w *world, c *broker.Config) {
		w.Helper()
		compiled, err := script.NewEngine().Compile(script.Config{
			Name: "test.js", Source: source, Secrets: map[string]string{"crm": "not-a-secret-crm"}, Timeout: time.Second,
		})
		if err != nil {
			w.Fatal(err)
		}
		c.Connections[0].Script = &op.Script{Compiled: compiled}
		c.Context = []authn.Field{
			{Name: claims.Key("tenant"), Type: claims.String},
			{Name: claims.Key("runs"), Type: claims.Number},
		}
		c.Claims = []claims.Claim{
			{Name: "groups", Types: []claims.TokenType{claims.IDToken, claims.AccessToken}, Scopes: []string{"profile"}},
			{Name: "tenant", Types: []claims.TokenType{claims.IDToken, claims.AccessToken}, Scopes: []string{"profile"}},
		}
		for _, change := range changes {
			change(c)
		}
	}}
}

// tokens signs a user in at a fresh browser and returns the payloads of both
// tokens.
func (w *world) tokens(user string) (id, access map[string]any) {
	w.Helper()
	answer := w.authorize(w.newBrowser(), user)
	_, tokens := w.exchange(answer.Get("code"))
	if tokens["id_token"] == nil {
		w.Fatalf("no tokens: %v, %v", answer, tokens)
	}
	return payload(w, tokens["id_token"]), payload(w, tokens["access_token"])
}

// The contract of the guide: the function as it stands there, its inputs and
// its four return keys.
func TestM70_M71_M76_ReturnedAttributesAreInTheTokens(t *testing.T) {
	w := newWorld(t, scripted(`
module.exports = async function (context) {
  if (context.secrets.crm !== "not-a-secret-crm") throw new Error("no secret")
  if (context.idp_sub !== "auth0|ada") throw new Error("no idp_sub")
  return {
    authn_ctx: { groups: ["x", context.authn_ctx.nickname], tenant: "acme", email: null },
    amr: ["mfa"],
    acr: "urn:example:gold",
  }
}`))
	id, access := w.tokens("ada")
	for name, token := range map[string]map[string]any{"ID token": id, "access token": access} {
		groups, _ := token["groups"].([]any)
		if len(groups) != 2 || groups[0] != "x" || groups[1] != "ada" || token["tenant"] != "acme" {
			t.Errorf("%s: groups %v, tenant %v", name, token["groups"], token["tenant"])
		}
		if amr, _ := token["amr"].([]any); len(amr) != 1 || amr[0] != "mfa" || token["acr"] != "urn:example:gold" {
			t.Errorf("%s: amr %v, acr %v", name, token["amr"], token["acr"])
		}
	}
	if id["email"] != nil || id["email_verified"] != nil {
		t.Errorf("the removed address is there: %v, verified %v", id["email"], id["email_verified"])
	}
	if id["name"] != "Ada Example" {
		t.Errorf("what the script left alone changed: name %v", id["name"])
	}
}

func TestM76_IDPSubjectChangesTheSubject(t *testing.T) {
	w := newWorld(t, scripted(`module.exports = async () => ({ idp_sub: "one-person" })`))
	ada, _ := w.tokens("ada")
	grace, _ := w.tokens("grace")
	if ada["sub"] != grace["sub"] {
		t.Error("idp_sub does not decide the subject")
	}
}

func TestM75_OtherConnectionsAreUnaffected(t *testing.T) {
	w := newWorld(t, scripted(`module.exports = async () => ({ authn_ctx: { tenant: "acme" } })`, func(c *broker.Config) {
		second := c.Connections[0]
		second.ID, second.Script = "second", nil
		c.Connections = append(c.Connections, second)
	}))
	for connection, want := range map[string]any{"auth0": "acme", "second": nil} {
		_, tokens := w.exchange(w.authorize(w.newBrowser(), "ada", "idp_hint", connection).Get("code"))
		if got := payload(t, tokens["id_token"])["tenant"]; got != want {
			t.Errorf("%s: tenant = %v, want %v", connection, got, want)
		}
	}
}

// runs counts the executions that the log tells of.
func (w *world) runs() int { return strings.Count(w.logs.String(), `"script_executed"`) }

func TestM77_ExactlyOncePerSignIn(t *testing.T) {
	w := newWorld(t, scripted(`module.exports = async () => ({ authn_ctx: { tenant: "acme" } })`, func(c *broker.Config) {
		c.Connections[0].ContextCache = time.Hour
	}))
	b := w.newBrowser()
	for range 3 {
		_, tokens := w.exchange(w.authorize(b, "ada").Get("code"))
		if got := payload(t, tokens["id_token"])["tenant"]; got != "acme" {
			t.Errorf("tenant = %v", got)
		}
	}
	w.enter(b, "/", "ada")
	w.clock.Advance(5 * time.Minute) // the gate mints anew
	w.enter(b, "/", "ada")
	if got := w.runs(); got != 1 {
		t.Errorf("the script ran %d times", got)
	}
	w.authorize(b, "ada", "prompt", "login")
	if got := w.runs(); got != 2 {
		t.Errorf("after another sign-in: %d times", got)
	}
}

func TestM78_FailingScriptDenies(t *testing.T) {
	for name, source := range map[string]string{
		"throws":         `module.exports = async () => { throw new Error("ada@example.com has no contract") }`,
		"rejects":        `module.exports = () => Promise.reject("no")`,
		"never ends":     `module.exports = async () => { for (;;); }`,
		"wrong type":     `module.exports = async () => ({ authn_ctx: { groups: "admin" } })`,
		"unknown name":   `module.exports = async () => ({ authn_ctx: { gruops: ["x"] } })`,
		"unknown member": `module.exports = async () => ({ subject: "root" })`,
		"not an object":  `module.exports = async () => 42`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, scripted(source))
			b := w.newBrowser()
			answer := w.authorize(b, "ada")
			if answer.Get("error") != "server_error" || answer.Has("code") {
				t.Fatalf("%v", answer)
			}
			if b.Cookie(issuer, "__Host-auth_broker_sso") != nil {
				t.Error("an SSO session began")
			}
			log := w.logs.String()
			if !strings.Contains(log, `"outcome":"failed"`) || !strings.Contains(log, answer.Get("error_description")[strings.Index(answer.Get("error_description"), "trace ")+6:][:26]) {
				t.Error("the log has no event with the trace that the client got")
			}
			if strings.Contains(log, "has no contract") {
				t.Error("the log has what the script said")
			}
		})
	}
}

func TestD3_OnErrorContinue(t *testing.T) {
	w := newWorld(t, scripted(`module.exports = async () => { throw new Error("no") }`, func(c *broker.Config) {
		c.Connections[0].Script.ContinueOnError = true
	}))
	if id, _ := w.tokens("ada"); id["email"] != "ada@example.com" {
		t.Errorf("email = %v", id["email"])
	}
	if !strings.Contains(w.logs.String(), `"continued":true`) {
		t.Error("the log does not tell")
	}
}

// R34: what gives a token its meaning is not the script's to return among
// the attributes.
func TestR34_ReservedNamesAreIgnored(t *testing.T) {
	w := newWorld(t, scripted(`module.exports = async () => ({ authn_ctx: {
		iss: "https://evil.example.com", sub: "root", aud: "x", exp: 9999999999, nonce: "x", azp: "x", cnf: {}, act: {},
		sid: "x", auth_time: 1, amr: ["mfa"], acr: "x", idp: "x", client_id: "x", scope: "admin", jti: "x", idp_sub: "x", scp: ["x"],
		tenant: "acme" } })`))
	id, access := w.tokens("ada")
	for name, token := range map[string]map[string]any{"ID token": id, "access token": access} {
		if token["iss"] != issuer || token["sub"] == "root" || token["amr"] != nil || token["acr"] != nil || token["sid"] == "x" || token["tenant"] != "acme" {
			t.Errorf("%s: %v", name, token)
		}
	}
}

// A runaway script holds up neither the server nor others.
func TestS131_OthersSignInMeanwhile(t *testing.T) {
	w := newWorld(t, scripted(`module.exports = async (c) => { if (c.authn_ctx.nickname === "ada") for (;;); }`))
	var failed atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		if w.authorize(w.newBrowser(), "ada").Get("error") == "server_error" {
			failed.Add(1)
		}
	}()
	if answer := w.authorize(w.newBrowser(), "grace"); answer.Get("code") == "" {
		t.Errorf("grace: %v", answer)
	}
	<-done
	if failed.Load() != 1 {
		t.Error("the runaway was not refused")
	}
}
