package gateway

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

func (f *fakeBroker) DeclaredClaims() []claims.Claim {
	declare := func(name, from string) claims.Claim {
		return claims.Claim{Name: name, From: claims.Key(from), Types: []claims.TokenType{claims.IDToken}}
	}
	hidden := declare("hidden", "nickname")
	hidden.Scopes = []string{"other"}
	return []claims.Claim{
		declare("name", "name"), declare("email", "email"), declare("address", "address"), declare("tenant", "tenant"),
		declare("plan", "plan"), declare("seat", "seat"), declare("amr", "amr"), declare("upstream", "idp_sub"), declare("old", "old"), hidden,
	}
}

func (f *fakeBroker) Connection(id string) string { return "The " + id }

func (f *fakeBroker) Attribute(_, name string) string {
	if name == "mail" {
		return "Work e-mail"
	}
	return ""
}

// lineageSession signs somebody in whose data comes from everywhere.
func (r *rig) lineageSession() string {
	sso, _, err := r.sessions.SignedIn(r.Context(), "", "acme", session.Login{Subject: "subject"})
	if err != nil {
		r.Fatal(err)
	}
	read := func(attribute, from string) authn.Origin {
		return authn.Origin{Stage: authn.StageMapping, Attribute: attribute, From: from}
	}
	attributes := map[string]any{
		"name": "Ada", "email": "ada@example.com", "address": map[string]any{"country": "GB", "region": "London", "locality": "W1"},
		"tenant": "acme", "plan": "gold", "seat": "12A", "nickname": "ada", "old": "x",
	}
	r.broker.claims = map[string]any{"upstream": "auth0|ada"}
	maps.Copy(r.broker.claims, attributes)
	_, handle, err := r.sessions.CreateGate(r.Context(), &authn.Authorization{
		ClientID: "gate:app.example.com", SID: sso.SID, Subject: "subject", Scopes: []string{"openid"},
		Context: &authn.Context{
			Subject: "subject", Connection: "acme", IDPSubject: "auth0|ada", Attributes: attributes, AMR: []string{"mfa"},
			Origins: authn.Origins{
				"name": read("name", "id_token name"), "email": read("mail", `userinfo https://example\.com/mail`),
				"address.country": read("country", "userinfo address.country"), "address.region": {Stage: authn.StageScript},
				"address.locality": {Stage: authn.StageScript}, "tenant": {Stage: authn.StageMapping},
				"plan": {Stage: authn.StageScript}, "seat": {Stage: authn.StageApplication}, "nickname": read("nickname", "id_token nickname"),
			},
		},
	})
	if err != nil {
		r.Fatal(err)
	}
	return "__Host-auth_gate=" + handle
}

// A developer wonders where the data comes from that the application gets.
func TestM73_M58_MeExplainsEachClaim(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.lineageSession()
	r.serve(get("/", "Cookie", cookie)) // the session is in the cache
	rec, _ := r.serve(get("/.auth/me?explain", "Cookie", cookie))
	var answer struct {
		Sub         string         `json:"sub"`
		Claims      map[string]any `json:"claims"`
		Explanation []explanation  `json:"explanation"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || rec.Code != http.StatusOK || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", rec.Code, err, rec.Body)
	}
	script := source{Kind: "script", Text: "set by a script of the operator, after the sign-in"}
	want := []explanation{
		{"sub", "subject", "sub", []source{{Kind: "broker", Text: "made by the broker to tell its users apart"}}},
		{"name", "Ada", "name", []source{{"provider", "name (claim name of the id_token of The acme)", "The acme", "id_token", "name", "name"}}},
		{"email", "ada@example.com", "email", []source{{
			"provider", `Work e-mail (claim https://example.com/mail of the userinfo of The acme)`, "The acme", "userinfo", `https://example.com/mail`, "Work e-mail",
		}}},
		{"address", map[string]any{"country": "GB", "region": "London", "locality": "W1"}, "address", []source{
			{"provider", "country (claim address.country of the userinfo of The acme)", "The acme", "userinfo", "address.country", "country"}, script,
		}},
		{"tenant", "acme", "tenant", []source{{Kind: "operator", Text: "set by the operator, the same for everybody"}}},
		{"plan", "gold", "plan", []source{script}},
		{"seat", "12A", "seat", []source{{Kind: "application", Text: "set by the application that the visitor was sent to after the sign-in"}}},
		{"upstream", "auth0|ada", "idp_sub", []source{{Kind: "provider", Text: "who the visitor is at The acme", Connection: "The acme"}}},
		{"old", "x", "old", []source{{Kind: "unknown", Text: "not noted at this sign-in; sign in again to see it"}}},
	}
	if diff := cmp.Diff(want, answer.Explanation, cmp.AllowUnexported(explanation{})); diff != "" {
		t.Errorf("explanation (-want +got):\n%s", diff)
	}
	if answer.Sub != "subject" || answer.Claims["plan"] != "gold" {
		t.Errorf("the rest of the answer: %s", rec.Body)
	}
	if body := rec.Body.String(); strings.Contains(body, `"access"`) || strings.Contains(body, `"id"`) || strings.Contains(body, "hidden") {
		t.Errorf("a token, or a claim that the site does not have: %s", body)
	}
	t.Run("only on demand", func(t *testing.T) {
		if rec, _ := r.serve(get("/.auth/me", "Cookie", cookie)); strings.Contains(rec.Body.String(), "explanation") {
			t.Errorf("%s", rec.Body)
		}
	})
	t.Run("only to the visitor", func(t *testing.T) {
		if rec, _ := r.serve(get("/.auth/me?explain")); rec.Code != http.StatusUnauthorized {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
	t.Run("a session that ends while it is being read", func(t *testing.T) {
		if err := r.store.Delete(context.Background(), r.recordOf(cookie)); err != nil {
			t.Fatal(err)
		}
		if rec, _ := r.serve(get("/.auth/me?explain", "Cookie", cookie)); rec.Code != http.StatusUnauthorized {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// recordOf returns the key of the one gate session of the cookie's sid.
func (r *rig) recordOf(cookie string) string {
	sid, _, _ := strings.Cut(cookie[len("__Host-auth_gate="):], ".")
	keys, err := r.store.List(r.Context(), "session/"+sid+"/gate/", "", 10)
	if err != nil || len(keys) != 1 {
		r.Fatalf("%v %v", keys, err)
	}
	return keys[0]
}

// A hundred thousand sessions are in memory. What hardly anybody asks for is
// not.
func TestOriginsAreNotCached(t *testing.T) {
	for name, wanted := range map[string]bool{"an ordinary site": false, "an application that shows them": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config, _ *Deps) { c.Origins = wanted })
			cookie := r.lineageSession()
			for range 2 {
				req := get("/", "Cookie", cookie)
				_ = r.gate.Serve(nil, req, req.URL, func(_ http.ResponseWriter, _ *http.Request, v *Visitor) error {
					if got := v.Authorization().Context.Origins != nil; got != wanted {
						t.Errorf("the application has origins: %v", got)
					}
					return nil
				})
			}
			key := keyOf(cookie[len("__Host-auth_gate="):])
			l := r.gate.deps.Cache.get(&key)
			if l == nil || l.session.Authorization.Context.Origins != nil || l.ready.Load().authorization.Context.Origins != nil {
				t.Error("the cache has origins")
			}
		})
	}
}
