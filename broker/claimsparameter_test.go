package broker_test

import (
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// M72: a claim is in the ID token if, and only if, the client asked for it,
// by a scope or by itself, and was granted it.
func TestM72_ClaimsParameter(t *testing.T) {
	const idToken = `{"id_token":{"email":{"essential":true}}}`
	ask := func(w *world, parameter, click string) (map[string]any, map[string]any) {
		t.Helper()
		b := w.newBrowser()
		b.StopBefore = clientSite
		b.Get(authorizeURL("scope", "openid", "claims", parameter))
		page := b.SignIn("ada")
		if !page.Has("consent-form") {
			t.Fatalf("no consent page: %d %s", page.Status, page.URL)
		}
		if click != "" {
			b.Check(click, false)
		}
		_, tokens := w.exchange(w.answer(b.Click("consent-allow")).Get("code"))
		_, info := w.userinfo(tokens["access_token"].(string))
		return payload(t, tokens["id_token"]), info
	}
	t.Run("asked and granted", func(t *testing.T) {
		id, info := ask(newWorld(t, options{}), idToken, "")
		if id["email"] != "ada@example.com" {
			t.Errorf("ID token: %v", id)
		}
		if info["email"] != nil {
			t.Error("userinfo has the claim that was asked for in the ID token alone")
		}
	})
	t.Run("asked and withheld", func(t *testing.T) {
		if id, _ := ask(newWorld(t, options{}), idToken, "claim-email"); id["email"] != nil {
			t.Error("the ID token has what the user withheld")
		}
	})
	t.Run("for userinfo", func(t *testing.T) {
		id, info := ask(newWorld(t, options{}), `{"userinfo":{"email":null}}`, "")
		if id["email"] != nil || info["email"] != "ada@example.com" {
			t.Errorf("ID token %v, userinfo %v", id["email"], info["email"])
		}
	})
	t.Run("unknown claims and members are ignored", func(t *testing.T) {
		id, _ := ask(newWorld(t, options{}), `{"id_token":{"no_such_claim":null,"sub":null},"verified_claims":{}}`, "")
		if id["no_such_claim"] != nil {
			t.Error("an undeclared claim is in the token")
		}
	})
	t.Run("not beyond the client's scopes", func(t *testing.T) {
		w := newWorld(t, options{client: func(c *oauth.Client) { c.Scopes = []string{"openid"} }})
		if id, _ := ask(w, idToken, ""); id["email"] != nil {
			t.Error("the parameter reaches a claim of a scope that the client may not ask for")
		}
	})
	t.Run("not asked", func(t *testing.T) {
		if id, _ := ask(newWorld(t, options{}), "", ""); id["email"] != nil {
			t.Error("the claim is there without being asked for")
		}
	})
}

func TestM72_ClaimsParameterRefusals(t *testing.T) {
	w := newWorld(t, options{})
	for _, parameter := range []string{"email", "[]", `"email"`, `{"id_token":[]}`, `{"id_token":{"email":1}}`, "{"} {
		if got := w.authorize(w.newBrowser(), "", "claims", parameter).Get("error"); got != "invalid_request" {
			t.Errorf("claims=%s: %q", parameter, got)
		}
	}
}

// Granted claims are remembered like scopes, and asked again when withheld.
func TestM95_ClaimsAreRemembered(t *testing.T) {
	w := newWorld(t, options{})
	const parameter = `{"id_token":{"email":null}}`
	b := w.newBrowser()
	b.StopBefore = clientSite
	b.Get(authorizeURL("scope", "openid", "claims", parameter))
	b.SignIn("ada")
	b.Check("claim-email", false)
	b.Click("consent-allow")
	if page := b.Get(authorizeURL("scope", "openid", "claims", parameter)); !page.Has("claim-email") {
		t.Fatal("the withheld claim is not asked again")
	}
	b.Click("consent-allow")
	if page := b.Get(authorizeURL("scope", "openid", "claims", parameter)); page.Has("consent-form") {
		t.Error("the granted claim is asked again")
	}
}

func TestEssentialACR(t *testing.T) {
	const (
		mfa  = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
		gold = "urn:example:gold"
	)
	parameter := func(acr string) string {
		return `{"id_token":{"acr":{"essential":true,"values":["` + acr + `"]}}}`
	}
	w := newWorld(t, options{})
	answer := w.authorize(w.newBrowser(), "mfa", "claims", parameter(mfa))
	if answer.Get("code") == "" || w.tenant.LastAuthorize().Get("acr_values") != mfa {
		t.Errorf("met: %v", answer)
	}
	if got := w.authorize(w.newBrowser(), "ada", "claims", parameter(gold)).Get("error"); got != "unmet_authentication_requirements" {
		t.Errorf("unmet: %q", got)
	}
	if got := w.authorize(w.newBrowser(), "ada", "acr_values", gold); got.Get("code") == "" {
		t.Errorf("acr_values are a wish: %v", got)
	}
}

func TestRequestedSubject(t *testing.T) {
	w := newWorld(t, options{})
	_, tokens := w.exchange(w.authorize(w.newBrowser(), "ada").Get("code"))
	parameter := `{"id_token":{"sub":{"value":"` + payload(t, tokens["id_token"])["sub"].(string) + `"}}}`
	if got := w.authorize(w.newBrowser(), "ada", "claims", parameter); got.Get("code") == "" {
		t.Errorf("the same user: %v", got)
	}
	if got := w.authorize(w.newBrowser(), "grace", "claims", parameter); got.Get("error") != "login_required" {
		t.Errorf("another user: %v", got)
	}
}

// X1: claims for userinfo or introspection alone stay out of
// the tokens that clients hold.
func TestOpaqueClaims(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) {
		c.Claims = []claims.Claim{
			{Name: "secret_nickname", Types: []claims.TokenType{claims.Userinfo}, From: claims.Key("nickname"), Scopes: []string{"profile"}},
			{Name: "resource_name", Types: []claims.TokenType{claims.AccessToken}, From: claims.Key("name"), Scopes: []string{"profile"}},
		}
	}})
	_, tokens := w.exchange(w.authorize(w.newBrowser(), "ada").Get("code"))
	_, info := w.userinfo(tokens["access_token"].(string))
	id, access := payload(t, tokens["id_token"]), payload(t, tokens["access_token"])
	if id["secret_nickname"] != nil || access["secret_nickname"] != nil || info["secret_nickname"] != "ada" {
		t.Errorf("opaque: ID token %v, access token %v, userinfo %v", id["secret_nickname"], access["secret_nickname"], info["secret_nickname"])
	}
	if id["resource_name"] != nil || access["resource_name"] != "Ada Example" || info["resource_name"] != nil {
		t.Errorf("for resources: ID token %v, access token %v, userinfo %v", id["resource_name"], access["resource_name"], info["resource_name"])
	}
}

// OpenID Connect Core, 3.1.2.1: an id_token_hint means one user, and no other
// may be the answer, from the context cache least of all.
func TestIDTokenHint(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour), client: func(c *oauth.Client) { c.Consent = oauth.ConsentTrusted }})
	hintOf := func(user string) string {
		_, tokens := w.exchange(w.authorize(w.newBrowser(), user).Get("code"))
		return tokens["id_token"].(string)
	}
	ada, grace := hintOf("ada"), hintOf("grace")
	w.clock.Advance(time.Hour) // the hints have expired, which is no matter

	b := w.newBrowser()
	w.authorize(b, "ada")
	if got := w.authorize(b, "", "prompt", "none", "id_token_hint", ada); got.Get("code") == "" {
		t.Errorf("the user who is signed in: %v", got)
	}
	if got := w.authorize(b, "", "prompt", "none", "id_token_hint", grace); got.Get("error") != "login_required" {
		t.Errorf("another user: %v", got)
	}
	if got := w.authorize(w.newBrowser(), "grace", "id_token_hint", ada); got.Get("error") != "login_required" {
		t.Errorf("another user signs in: %v", got)
	}
	_, tokens := w.exchange(w.authorize(b, "ada").Get("code"))
	for name, hint := range map[string]string{
		"an access token":      tokens["access_token"].(string),
		"a changed token":      ada[:len(ada)-8] + "AAAAAAAA",
		"no token":             "ada",
		"a token of our gates": gateToken(w),
	} {
		if got := w.authorize(b, "", "id_token_hint", hint); got.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// gateToken is an ID token of ours for another client.
func gateToken(w *world) string {
	w.enter(w.newBrowser(), "/", "ada")
	return w.received().Header.Get("X-Id-Token")
}
