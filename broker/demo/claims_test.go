package demo

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// unsigned returns a token with this payload. What is shown of a token does
// not depend on who signed it.
func unsigned(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func path(t *testing.T, text string) claims.Path {
	t.Helper()
	p, err := claims.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestM90_RowsTellEachClaimWithItsSource(t *testing.T) {
	a := &App{Claims: []claims.Claim{
		{Name: "name", Types: []claims.TokenType{claims.AccessToken}},
		{Name: "plan", Types: []claims.TokenType{claims.IDToken}, From: path(t, "billing.plan")},
		{Name: "plan", Types: []claims.TokenType{claims.AccessToken}, From: path(t, "billing.code")},
		{Name: "name", Types: []claims.TokenType{claims.IDToken}},
		{Name: "address", Types: []claims.TokenType{claims.IDToken}},
		{Name: "quota", Types: []claims.TokenType{claims.Userinfo}},
		{Name: "groups", Types: []claims.TokenType{claims.IDToken}},
		{Name: "absent", Types: []claims.TokenType{claims.IDToken}},
	}}
	v := &visit{
		IDToken:     unsigned(`{"iss":"x","sub":"u1","name":"Ada","plan":"basic","address":{"country":"GB","locality":"London","postal_code":"E1 6AN"},"groups":["a"]}`),
		AccessToken: unsigned(`{"sub":"u1","name":"Ada","plan":7,"groups":["not declared for this token"]}`),
		Userinfo:    json.RawMessage(`{"sub":"u1","name":"Ada","quota":12345678901234567890,"address":{"country":"GB"}}`),
		Origins: authn.Origins{
			"name":             {Stage: authn.StageMapping, Attribute: "name", From: "id_token name"},
			"billing.plan":     {Stage: authn.StageMapping},
			"billing.code":     {Stage: authn.StageApplication},
			"address.country":  {Stage: authn.StageMapping, Attribute: "country", From: `userinfo https://example\.com/country of birth`},
			"address.locality": {Stage: authn.StageScript},
			"groups":           {Stage: authn.StageScript},
		},
	}
	provider := func(document, claim string) ui.DemoSource {
		return ui.DemoSource{Origin: authn.FromProvider, Document: document, Claim: claim}
	}
	want := []ui.DemoClaim{
		{Name: "sub", Path: "sub", Value: "u1", Sources: []ui.DemoSource{{Origin: authn.FromBroker}}, In: []string{"id_token", "access_token", "userinfo"}},
		{Name: "name", Path: "name", Value: "Ada", Sources: []ui.DemoSource{provider("id_token", "name")}, In: []string{"id_token", "access_token", "userinfo"}},
		{Name: "plan", Path: "billing.plan", Value: "basic", Sources: []ui.DemoSource{{Origin: authn.FromOperator}}, In: []string{"id_token"}},
		{Name: "plan", Path: "billing.code", Value: "7", Sources: []ui.DemoSource{{Origin: authn.FromApplication}}, In: []string{"access_token"}},
		{
			Name: "address", Path: "address", Value: "{\n  \"country\": \"GB\",\n  \"locality\": \"London\",\n  \"postal_code\": \"E1 6AN\"\n}",
			Sources: []ui.DemoSource{provider("userinfo", "https://example.com/country of birth"), {Origin: authn.FromScript}},
			In:      []string{"id_token", "userinfo"},
		},
		{Name: "quota", Path: "quota", Value: "12345678901234567890", Sources: []ui.DemoSource{{Origin: authn.FromUnknown}}, In: []string{"userinfo"}},
		{Name: "groups", Path: "groups", Value: `["a"]`, Sources: []ui.DemoSource{{Origin: authn.FromScript}}, In: []string{"id_token"}},
	}
	if d := cmp.Diff(want, a.rows(v)); d != "" {
		t.Error(d)
	}
}

// A claim that reads inside of a value has the origin of the value.
func TestSourcesOfWhatLiesInsideAValue(t *testing.T) {
	origins := authn.Origins{"app_metadata": {Stage: authn.StageMapping, Attribute: "app", From: "userinfo app"}}
	want := []ui.DemoSource{{Origin: authn.FromProvider, Document: "userinfo", Claim: "app"}}
	if d := cmp.Diff(want, sources(origins, path(t, "app_metadata.plan"))); d != "" {
		t.Error(d)
	}
	unknown := []ui.DemoSource{{Origin: authn.FromUnknown}}
	for _, elsewhere := range []string{"app_metadata2", "app"} {
		if d := cmp.Diff(unknown, sources(origins, path(t, elsewhere))); d != "" {
			t.Errorf("%s: %s", elsewhere, d)
		}
	}
}

func TestTokensThatCannotBeReadHaveNoClaims(t *testing.T) {
	for _, raw := range []string{"", "opaque", "a.b", "a.b.c", "e30.!.c2ln", unsigned("[]"), unsigned("{"), "a.b.c.d"} {
		if got := payload(raw); got != nil {
			t.Errorf("%q: %v", raw, got)
		}
	}
}

func TestPersonIsNamedAsTheTokensDo(t *testing.T) {
	for want, claims := range map[string]string{
		"Ada": `{"name":"Ada","email":"ada@example.com","sub":"u1"}`, "ada@example.com": `{"name":" ","email":"ada@example.com","sub":"u1"}`, "u1": `{"name":7,"sub":"u1"}`, "": `{}`,
	} {
		if got := (&visit{IDToken: unsigned(claims)}).person(); got != want {
			t.Errorf("%s: %q", claims, got)
		}
	}
}
