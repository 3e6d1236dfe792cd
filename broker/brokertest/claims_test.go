package brokertest_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestClaimsFollowScopes(t *testing.T) {
	_, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	always := []string{
		"aud", "exp", "https://example.com/groups", "https://example.com/plan", "https://example.com/profile",
		"iat", "iss", "nonce", "sid", "sub",
	}
	for scope, want := range map[string][]string{
		"openid": nil,
		"openid profile": {
			"name", "family_name", "given_name", "middle_name", "nickname", "picture", "updated_at",
		},
		"openid email":             {"email", "email_verified"},
		"openid phone":             {"phone_number", "phone_number_verified"},
		"openid address":           {"address"},
		"openid gender birthdate":  {"gender", "birthdate"},
		"openid roles app_metdata": nil,
	} {
		t.Run(scope, func(t *testing.T) {
			got := slices.Sorted(maps.Keys(idClaims(t, p.silent(b, "scope", scope))))
			want := slices.Sorted(slices.Values(append(want, always...)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}

// The quirks that a decoder into Go structs trips over.
func TestClaimShapes(t *testing.T) {
	_, p, b := start(t, brokertest.Options{})
	got := idClaims(t, p.signIn(b, "ada", "scope", "openid profile email address phone"))
	if v, ok := got["updated_at"].(string); !ok || !strings.Contains(v, "T") {
		t.Errorf("updated_at: got %v, want an ISO 8601 string", got["updated_at"])
	}
	if got["email_verified"] != true {
		t.Errorf("email_verified: got %v, want true", got["email_verified"])
	}
	if address, ok := got["address"].(map[string]any); !ok || address["locality"] != "Exampleton" {
		t.Errorf("address: got %v", got["address"])
	}
	if diff := cmp.Diff([]any{"admin", "staff"}, got["https://example.com/groups"]); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if life := got["exp"].(float64) - got["iat"].(float64); life != 36000 {
		t.Errorf("lives %v s, want 10 h", life)
	}
	if _, ok := got["at_hash"]; ok {
		t.Error("at_hash: Auth0 sends none with a code")
	}
}

func TestUserShapes(t *testing.T) {
	_, p, _ := start(t, brokertest.Options{})
	of := func(user string) map[string]any { return idClaims(t, p.signIn(newBrowser(t), user)) }
	if got := of("no-email"); got["email"] != nil || got["email_verified"] != nil || got["sub"] != "sms|5550101" {
		t.Errorf("no-email: got email %v, sub %v", got["email"], got["sub"])
	}
	if got := of("unverified"); got["email"] != "Ada@Example.com" || got["email_verified"] != false {
		t.Errorf("unverified: got email %v, verified %v", got["email"], got["email_verified"])
	}
	got := of("hostile")
	for claim, wants := range map[string][]string{
		"name":     {"<script>", "\r\n", "\x00", "{env.SECRET}"},
		"nickname": {"{env.SECRET}", "{{.}}"}, "email": {"\r\nBcc:"}, "sub": {"|corp|"}, "given_name": {"\x00"},
	} {
		for _, want := range wants {
			if s, _ := got[claim].(string); !strings.Contains(s, want) {
				t.Errorf("hostile: %s is %q, want %q in it", claim, s, want)
			}
		}
	}
	if plan, ok := got["https://example.com/plan"]; !ok || plan != nil {
		t.Errorf("hostile: plan is %v, want an explicit null", plan)
	}
}

func TestUsersAreCopies(t *testing.T) {
	brokertest.Users()[0].Claims["name"] = "changed"
	if brokertest.Users()[0].Claims["name"] == "changed" {
		t.Error("Users hands out shared maps")
	}
}

// The same name can mean something else in each document, and a value can
// be of any size and shape: what a relying party reads must be exactly what
// the test has put in.
func TestClaimsOfOneDocument(t *testing.T) {
	large := strings.Repeat("x", 160<<10)
	groups := "https://example.com/groups"
	tenant, p, b := start(t, brokertest.Options{APIs: []brokertest.API{{Identifier: audience}}})
	tenant.PutUser(brokertest.User{
		Name: "lin", Username: "lin@example.com", Password: brokertest.Password, Subject: "auth0|lin",
		Claims:            map[string]any{groups: []string{"everywhere"}, "https://example.com/plan": "free"},
		IDTokenClaims:     map[string]any{groups: []string{"id_token"}, "big": json.Number("9007199254740993"), "large": large},
		AccessTokenClaims: map[string]any{groups: []string{"access_token"}, "big": uint64(1<<63 + 1), "large": large, "sub": "ignored"},
		UserinfoClaims: map[string]any{
			groups: []any{"userinfo", 1, nil, []string{"nested"}, map[string]any{"a": true}}, "big": json.RawMessage("1e400"),
			"large": large, "none": nil, "sub": "ignored",
		},
	})
	token := p.signIn(b, "lin", "scope", "openid", "audience", audience)
	req := p.request("userinfo")
	token.SetAuthHeader(req)
	resp, err := tenant.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	payload := func(raw string) string { return string(decode(t, strings.Split(raw, ".")[1])) }
	for name, c := range map[string]struct {
		document string
		parts    []string
	}{
		"ID token":     {payload(token.Extra("id_token").(string)), []string{`["id_token"]`, `"big":9007199254740993`}},
		"access token": {payload(token.AccessToken), []string{`["access_token"]`, `"big":9223372036854775809`}},
		"userinfo":     {body(t, resp), []string{`["userinfo",1,null,["nested"],{"a":true}]`, `"big":1e400`, `"none":null`}},
	} {
		for _, part := range append(c.parts, `"sub":"auth0|lin"`, `"https://example.com/plan":"free"`, large) {
			if !strings.Contains(c.document, part) {
				t.Errorf("the %s lacks %.80s", name, part)
			}
		}
		if strings.Contains(c.document, "everywhere") {
			t.Errorf("the %s tells the claim that another replaces", name)
		}
	}
	if got := idClaims(t, p.silent(b)); got["large"] == nil || got["none"] != nil {
		t.Error("the claims of a document are not told again, or told by another")
	}
}

func TestAccessTokens(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{APIs: []brokertest.API{
		{Identifier: audience}, {Identifier: "https://rfc.example", RFC9068: true}, {Identifier: "https://hmac.example", HS256: true},
	}})
	p.signIn(b, "ada")
	t.Run("opaque, but with a header that reads like a JWT's", func(t *testing.T) {
		token := p.silent(b).AccessToken
		if got := strings.Count(token, "."); got != 4 {
			t.Errorf("got %d dots, want five parts", got)
		}
		want := map[string]any{"alg": "dir", "enc": "A256GCM", "iss": tenant.Issuer()}
		if diff := cmp.Diff(want, header(t, token)); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
	})
	t.Run("in Auth0's profile", func(t *testing.T) {
		token := p.silent(b, "audience", audience).AccessToken
		got := claims(t, token)
		if diff := cmp.Diff([]any{audience, tenant.Issuer() + "userinfo"}, got["aud"]); diff != "" {
			t.Errorf("aud (-want +got):\n%s", diff)
		}
		if got["azp"] != "gateway" || got["jti"] != nil || got["client_id"] != nil || header(t, token)["typ"] != "JWT" {
			t.Errorf("got azp %v, jti %v, client_id %v", got["azp"], got["jti"], got["client_id"])
		}
		if got["sub"] != "auth0|ada" || got["scope"] != "openid profile email" || got["permissions"] == nil ||
			got["https://example.com/plan"] != "enterprise" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("in the profile of RFC 9068", func(t *testing.T) {
		token := p.silent(b, "audience", "https://rfc.example").AccessToken
		got := claims(t, token)
		if got["client_id"] != "gateway" || got["jti"] == nil || got["azp"] != nil || header(t, token)["typ"] != "at+jwt" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("with HS256", func(t *testing.T) {
		token := p.silent(b, "audience", "https://hmac.example").AccessToken
		if header(t, token)["alg"] != "HS256" || claims(t, token)["aud"] != "https://hmac.example" {
			t.Errorf("got %v, %v", header(t, token), claims(t, token)["aud"])
		}
	})
}

func TestDefaultAudience(t *testing.T) {
	_, p, b := start(t, brokertest.Options{DefaultAudience: audience, APIs: []brokertest.API{{Identifier: audience}}})
	if got := claims(t, p.signIn(b, "ada").AccessToken)["azp"]; got != "gateway" {
		t.Errorf("got azp %v, want a JWT for the default audience", got)
	}
}

func TestThirdPartyApplicationGetsNoIDToken(t *testing.T) {
	c := application()
	c.ID = "tpc_gateway"
	_, p, b := start(t, brokertest.Options{Clients: []brokertest.Client{c}})
	token := p.signIn(b, "ada")
	if token.Extra("id_token") != nil || strings.Contains(token.Extra("scope").(string), "openid") {
		t.Errorf("got an ID token or the scope openid: %v", token.Extra("scope"))
	}
}

func TestSigningAlgorithms(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "HS256"} {
		c := application()
		c.SigningAlg = alg
		_, p, b := start(t, brokertest.Options{Clients: []brokertest.Client{c}})
		if got := header(t, p.signIn(b, "ada").Extra("id_token").(string))["alg"]; got != alg {
			t.Errorf("got %v, want %s", got, alg)
		}
	}
}

func TestUserinfo(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	token := p.signIn(b, "ada")
	_, got := get(t, tenant, "userinfo", token.AccessToken)
	if got["sub"] != "auth0|ada" || got["email"] != "ada@example.com" || got["gender"] != nil {
		t.Errorf("got %v", got)
	}
	t.Run("tells present claims", func(t *testing.T) {
		ada, _ := tenant.User("ada")
		ada.Claims = maps.Clone(ada.Claims)
		ada.Claims["name"] = "Ada Renamed"
		tenant.PutUser(ada)
		if _, got := get(t, tenant, "userinfo", token.AccessToken); got["name"] != "Ada Renamed" {
			t.Errorf("got name %v", got["name"])
		}
	})
	noOpenID := p.silent(b, "scope", "profile")
	for name, bearer := range map[string]string{"no token": "", "unknown": "x.y.z", "without openid": noOpenID.AccessToken} {
		if resp, _ := get(t, tenant, "userinfo", bearer); resp.StatusCode != 401 ||
			!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: got status %d, %s", name, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
	}
}

func TestSignedUserinfo(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{SignedUserinfo: true})
	token := p.signIn(b, "ada")
	req := p.request("userinfo")
	token.SetAuthHeader(req)
	resp, err := tenant.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := claims(t, body(t, resp))
	if resp.Header.Get("Content-Type") != "application/jwt" || got["aud"] != "gateway" || got["sub"] != "auth0|ada" {
		t.Errorf("got %s, %v", resp.Header.Get("Content-Type"), got)
	}
}
