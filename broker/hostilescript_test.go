package broker_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A script that carries values about neither loses nor forges any.
func TestR7_R8_ScriptMovesHostileValues(t *testing.T) {
	w := hostileWorld(t, withScript(`module.exports = async ({ authn_ctx: c }) => ({ authn_ctx: {
		id_text: c.userinfo_any.text,
		id_list: [c.access_text, "staff", ...c.userinfo_list],
		id_object: { [c.id_text]: c.id_text, list: c.id_list, n: c.id_number },
		id_number: c.userinfo_any.n,
		id_any: [{ [c.access_text]: c.access_number }],
	} })`))
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			w.report(t)
			n := json.Number("9223372036854775809")
			w.tell(map[string]string{
				"text": quoted(text), "list": encoded(t, []string{text}), "number": n.String(),
				"any": encoded(t, map[string]any{"text": text, "n": n}), "object": "{}",
			})
			a := w.arrive()
			for out, want := range map[string]any{
				"id_text": text, "id_number": n, "id_list": []any{text, "staff", text},
				"id_object": map[string]any{text: text, "list": []any{text}, "n": n}, "id_any": []any{map[string]any{text: n}},
			} {
				for where, got := range map[string]map[string]any{"ID token": a.id, "access token": a.access, "userinfo": a.userinfo, "/.auth/me": a.me} {
					if want, got := encoded(t, want), encoded(t, got[out]); want != got {
						t.Errorf("%s, %s: %s, want %s", where, out, got, want)
					}
				}
			}
			w.wantPlainHeaders(a.header)
			w.wantSent(a, "id_text", "text", hasControl(text))
			w.wantSent(a, "id_list", "list", hasControl(text))
			w.wantUntouched(a)
		})
	}
	if strings.Contains(w.logs.String(), marker) {
		t.Errorf("the log has a value: %q", around(w.logs.String(), marker))
	}
}

// A careless script lets an object of the profile be what it returns. What makes a token ours is not among its powers,
// nor is a verified address (class of CVE-2024-29892).
func TestR34_ProfileThatBecomesTheContext(t *testing.T) {
	w := hostileWorld(t, withScript(`module.exports = async (c) => ({ authn_ctx: Object.assign({}, c.authn_ctx.id_any) })`))
	w.tell(map[string]string{"any": `{
		"iss": "https://evil.example.com", "sub": "root", "aud": "x", "exp": 99999999999, "nbf": 0, "iat": 0, "jti": "x", "nonce": "x", "azp": "x",
		"sid": "x", "auth_time": 1, "amr": ["mfa"], "acr": "gold", "idp": "x", "idp_sub": "auth0|ada", "client_id": "x", "scope": "admin", "scp": ["admin"],
		"cnf": {}, "act": {}, "may_act": {}, "at_hash": "x", "email": "ada@example.com"
	}`})
	a := w.arrive()
	w.wantUntouched(a)
	for where, token := range map[string]map[string]any{"ID token": a.id, "access token": a.access} {
		for _, name := range []string{"amr", "acr", "cnf", "act", "may_act", "groups", "email_verified"} {
			if v, has := token[name]; has {
				t.Errorf("%s: %s is %v", where, name, v)
			}
		}
		if token["sid"] == "x" || token["jti"] == "x" || token["auth_time"] == json.Number("1") {
			t.Errorf("%s: %v", where, token)
		}
	}
	if got := a.access["scope"]; got != "openid profile email" {
		t.Errorf("scope %v", got)
	}
	if got := a.header.Get("Remote-Email"); got != "" {
		t.Errorf("Remote-Email %q: another's address without its flag", got)
	}

	// Assigned, this key makes a prototype, whose members nobody listed.
	w.tell(map[string]string{"any": `{"__proto__": {"groups": ["admin"]}}`})
	if answer := w.authorize(w.newBrowser(), hostileUser); answer.Get("error") != "server_error" {
		t.Errorf("with a prototype: %v", answer)
	}
}

// Two integers that JavaScript takes for one: a script that moves either must
// not hand one person's number to another.
func TestR57_NumbersThatJavaScriptConfuses(t *testing.T) {
	w := hostileWorld(t, withScript(`module.exports = async ({ authn_ctx: c }) => c.id_text === "stay" ?
		{ authn_ctx: { id_number: c.id_number, access_number: c.access_number } } :
		{ authn_ctx: { id_any: c.access_number } }`))
	for text, arrives := range map[string]bool{"stay": true, "move": false} {
		u, _ := w.tenant.User("ada")
		u.Name, u.Subject, u.Username = hostileUser, "auth0|hostile", "hostile@example.com"
		u.IDTokenClaims = map[string]any{claimOf("number"): json.RawMessage("9007199254740992"), claimOf("text"): text}
		u.AccessTokenClaims = map[string]any{claimOf("number"): json.RawMessage("9007199254740993")}
		w.tenant.PutUser(u)
		answer := w.authorize(w.newBrowser(), hostileUser)
		if !arrives {
			if answer.Get("error") != "server_error" {
				t.Errorf("%s: %v", text, answer)
			}
			continue
		}
		_, tokens := w.exchange(answer.Get("code"))
		id := w.verify(tokens["id_token"])
		if id["id_number"] != json.Number("9007199254740992") || id["access_number"] != json.Number("9007199254740993") {
			t.Errorf("%s: %v and %v", text, id["id_number"], id["access_number"])
		}
	}
}

// A script that fails over a value takes the value into its exception, its
// console and its names. None of it is for the log.
func TestR57_ScriptFailsOverAValue(t *testing.T) {
	for name, source := range map[string]string{
		"exception":     `module.exports = async (c) => { throw new Error(c.authn_ctx.id_text) }`,
		"odd exception": `module.exports = async (c) => { throw { name: c.authn_ctx.id_text, message: c.authn_ctx.id_text, stack: c.authn_ctx.id_text } }`,
		"console":       `module.exports = async (c) => { for (const l of ["log", "warn", "error"]) console[l](c.authn_ctx.id_text, c.authn_ctx); null.x }`,
		"rejection":     `module.exports = (c) => Promise.reject(c.authn_ctx.id_text)`,
		"regexp":        `module.exports = async (c) => { new RegExp("(" + c.authn_ctx.id_text) }`,
		"wrong type":    `module.exports = async (c) => ({ authn_ctx: { groups: c.authn_ctx.id_text } })`,
		"depth":         `module.exports = async (c) => { let o = c.authn_ctx.id_text; for (let i = 0; i < 200; i++) o = [o]; return { authn_ctx: { id_any: o } } }`,
		"size":          `module.exports = async (c) => ({ authn_ctx: { id_any: c.authn_ctx.id_text.repeat(30000) } })`,
	} {
		t.Run(name, func(t *testing.T) {
			w := hostileWorld(t, withScript(source))
			w.tell(map[string]string{"text": quoted(marker)})
			b := w.newBrowser()
			answer := w.authorize(b, hostileUser)
			if answer.Get("error") != "server_error" || answer.Has("code") || strings.Contains(answer.Get("error_description"), marker) {
				t.Errorf("%v", answer)
			}
			if strings.Contains(w.logs.String(), marker) {
				t.Errorf("the log has a value: %q", around(w.logs.String(), marker))
			}
			b.StopBefore = ""
			if page := b.Get(gatedSite + "/"); page.Status/100 != 5 || w.receivedCount() != 0 || strings.Contains(string(page.Body), marker) {
				t.Errorf("the gate: %s\n%s", page, page.Body)
			}
		})
	}
}

// Values that do not have the declared type, strictly and weakly: none is
// half converted, and none becomes a list of more than it is.
func TestR57_MappingsOfTheWrongType(t *testing.T) {
	values := []string{
		`"a,b"`, `["a,b", "c"]`, `[["a"], "b"]`, `[1, "b"]`, `{"a": "b"}`, `[{"a": "b"}, {"a": "c"}]`, "1e400", "1e999999999", "true", "null", `"1e999999999"`, `"0x10"`, `""`, "[]", "{}",
		strings.Repeat("[", 500) + strings.Repeat("]", 500),
	}
	wanted := []claims.Type{claims.String, claims.Number, claims.Bool, claims.Object, claims.StringArray, claims.NumberArray, claims.ObjectArray, claims.BoolArray}
	w := hostileWorld(t, idTokenOnly, configured(func(_ *world, c *broker.Config) { mapToTypes(c, wanted) }))
	for _, value := range values {
		w.tell(map[string]string{"any": value})
		id := w.arrive().id
		for _, want := range wanted {
			source := exact(t, value)
			strict, weak := id["strict_"+string(want)], id["weak_"+string(want)]
			if expected := source; !want.Matches(source) && strict != nil || want.Matches(source) && encoded(t, strict) != encoded(t, expected) {
				t.Errorf("%.50s strictly as %s: %.100v", value, want, strict)
			}
			if weak == nil {
				continue
			}
			if !want.Matches(weak) {
				t.Errorf("%.50s weakly as %s: %.100v", value, want, weak)
			}
			if list, isList := weak.([]any); isList && !slices.Contains([]string{"{", "["}, value[:1]) && len(list) != 1 {
				t.Errorf("%.50s weakly as %s: %d elements", value, want, len(list))
			}
		}
	}
}

// mapToTypes maps one claim to places of all types, strictly and weakly.
func mapToTypes(c *broker.Config, types []claims.Type) {
	p := &c.Connections[0].Pipeline
	p.Attributes = append(p.Attributes, claims.Attribute{Name: "whatever", Source: claims.IDToken, Path: claims.Key(claimOf("any")), Type: claims.Any})
	for _, t := range types {
		for _, mode := range []string{"strict_", "weak_"} {
			name := mode + string(t)
			p.Mappings = append(p.Mappings, claims.Mapping{From: "whatever", To: claims.Key(name), Weak: mode == "weak_"})
			c.Context = append(c.Context, field(name, t))
			c.Claims = append(c.Claims, claims.Claim{Name: name, Types: []claims.TokenType{claims.IDToken}})
		}
	}
}

func field(name string, t claims.Type) authn.Field {
	return authn.Field{Name: claims.Key(name), Type: t}
}
