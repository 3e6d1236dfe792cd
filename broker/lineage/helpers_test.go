package lineage

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func path(text string) claims.Path {
	p, err := claims.ParsePath(text)
	if err != nil {
		panic(err)
	}
	return p
}

// acme is a staff connection with one of each: an attribute that is mapped,
// one that is not, a constant, and a mapping behind it that has no say.
func acme() ConnectionInput {
	return ConnectionInput{
		ID: "acme", Name: "Acme staff", Kind: "auth0", State: Enabled, Origin: "Caddyfile:4",
		Attributes: claims.Override(claims.Default(false), []claims.Attribute{
			{Name: "teams", Source: claims.IDToken, Path: path(`https://example\.com/groups`), Type: claims.StringArray, DisplayName: "Teams", Origin: "Caddyfile:12"},
			{Name: "badge", Source: claims.IDToken, Path: path("badge"), Origin: "Caddyfile:13"},
			{Name: "tenant", Source: claims.IDToken, Path: path("tenant"), Origin: "Caddyfile:14"},
		}),
		Mappings: append([]claims.Mapping{
			{From: "teams", To: path("groups"), Origin: "Caddyfile:15"},
			{Static: "acme", To: path("tenant"), Origin: "Caddyfile:16"},
			{From: "tenant", To: path("tenant"), Origin: "Caddyfile:17"},
		}, claims.DefaultMappings(false)...),
	}
}

// partner is another connection, for one site only, without configuration.
func partner() ConnectionInput {
	return ConnectionInput{
		ID: "partner", Name: "Partner", Kind: "oidc", State: Hidden, Origin: "Caddyfile:20",
		Attributes: claims.Default(false), Mappings: claims.DefaultMappings(false),
	}
}

func fields(t testing.TB, own ...authn.Field) []authn.Field {
	t.Helper()
	schema, err := authn.NewSchema(own...)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Fields()
}

// world is a configuration in which every answer occurs.
func world(t testing.TB) Input {
	t.Helper()
	own := []claims.Claim{
		{Name: "groups", Types: []claims.TokenType{claims.IDToken, claims.AccessToken}, Scopes: []string{"teams"}, Description: "Teams of the user", Origin: "Caddyfile:30"},
		{Name: "tenant", Types: []claims.TokenType{claims.AccessToken}, Origin: "Caddyfile:31"},
		{Name: "level", Types: []claims.TokenType{claims.Introspection}, Scopes: []string{"teams"}, From: path("acr"), Origin: "Caddyfile:32"},
		{Name: "plan", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"teams"}, Origin: "Caddyfile:33"},
		{Name: "country", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"shipping"}, From: path("address.country"), Origin: "Caddyfile:34"},
	}
	return Input{
		Connections: []ConnectionInput{acme(), partner()},
		Fields: fields(t,
			authn.Field{Name: path("tenant"), Type: claims.String, Description: "Tenant", Origin: "Caddyfile:27"},
			authn.Field{Name: path("plan"), Type: claims.String, Description: "Plan", Origin: "Caddyfile:28"},
		),
		Claims: append(own, claims.DefaultClaims()...),
		Scopes: append(claims.DefaultScopes(), claims.Scope{Name: "teams", DisplayName: "Your teams", Origin: "Caddyfile:29"}),
		Clients: []ClientInput{
			{ID: "grafana", Name: "Grafana", Kind: Registered, Consent: "remember", Scopes: []string{"openid", "profile", "email", "teams"}},
			{ID: "notes", Kind: Registered, Consent: "trusted", Scopes: []string{"openid", "profile", "email"}, Connections: []string{"partner"}},
			{ID: "welcome", Kind: Service, Scopes: []string{"manage_post_authn"}},
			{
				ID: "gate:admin.example.com", Name: "Back office", Kind: Site, Consent: "remember",
				Scopes: []string{"profile", "email", "teams"}, Connections: []string{"acme"},
				Headers: []Header{
					{Name: "X-User-Email", Placeholders: []string{"verified_email"}},
					{Name: "X-Access-Token", Placeholders: []string{"access_token"}},
					{Name: "X-User-Name", Placeholders: []string{"claim.name"}},
				},
			},
		},
	}
}

// small has a node of each kind, and little else.
func small(t testing.TB) Input {
	t.Helper()
	return Input{
		Connections: []ConnectionInput{{
			ID: "acme", Name: "Acme staff", Kind: "auth0", Origin: "Caddyfile:4",
			Attributes: []claims.Attribute{
				{Name: "teams", Source: claims.IDToken, Path: path(`https://example\.com/groups`), Type: claims.StringArray, DisplayName: "Teams", Origin: "Caddyfile:12"},
				{Name: "badge", Source: claims.IDToken, Path: path("badge"), Origin: "Caddyfile:13"},
			},
			Mappings: []claims.Mapping{
				{From: "teams", To: path("groups"), Required: true, Origin: "Caddyfile:15"},
				{Static: "acme", To: path("nickname"), Origin: "Caddyfile:16"},
			},
			Script: true, Application: true, MaySet: []string{"nickname"},
		}},
		Fields: []authn.Field{
			{Name: path("groups"), Type: claims.StringArray, Description: "Groups of the user", Origin: claims.OriginDefault},
			{Name: path("nickname"), Type: claims.String, Description: "Nickname", Origin: claims.OriginDefault},
			{Name: path("plan"), Type: claims.String, Description: "Plan", Origin: "Caddyfile:20"},
			{Name: path("sub"), Type: claims.String, Description: "Subject", Computed: true, Origin: claims.OriginDefault},
		},
		Claims: []claims.Claim{
			{Name: "groups", Types: []claims.TokenType{claims.IDToken, claims.AccessToken}, Scopes: []string{"teams"}, Description: "Teams of the user", Origin: "Caddyfile:30"},
			{Name: "nickname", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"profile"}, Origin: claims.OriginDefault},
			{Name: "plan", Types: []claims.TokenType{claims.Userinfo}, Scopes: []string{"billing"}, Origin: "Caddyfile:31"},
		},
		Scopes: []claims.Scope{{Name: "teams", DisplayName: "Your teams", Origin: "Caddyfile:29"}, {Name: "unused"}},
		Clients: []ClientInput{{
			ID: "gate:app.example.com", Name: "App", Kind: Site, Consent: "remember", Scopes: []string{"openid", "profile", "teams"},
			Headers: []Header{{Name: "Authorization", Placeholders: []string{"access_token"}}, {Name: "Remote-Groups", Placeholders: []string{"claim.groups"}}},
		}},
	}
}

func what(t testing.TB, g *Graph, client string) map[string]Receipt {
	t.Helper()
	answer, err := g.What(client)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Receipt{}
	for _, r := range answer.Receipts {
		byName[r.Claim] = r
	}
	return byName
}

func who(t testing.TB, g *Graph, attribute string) *AttributeAnswer {
	t.Helper()
	answer, err := g.Who(attribute)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func receiver(t testing.TB, a *AttributeAnswer, client, claim string) Receiver {
	t.Helper()
	for _, r := range a.Receivers {
		if r.Client == client && r.Claim == claim {
			return r
		}
	}
	t.Fatalf("client %s with claim %s is no receiver", client, claim)
	return Receiver{}
}
