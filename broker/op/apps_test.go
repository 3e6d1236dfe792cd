package op

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// People read what an application has in the order in which they were asked.
func TestAppTellsScopesInTheBrokersOrder(t *testing.T) {
	given := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := &Server{
		Scopes: append(claims.DefaultScopes(), claims.Scope{Name: "api", DisplayName: "The API"}),
		Client: func(string) *oauth.Client { return nil },
	}
	app := s.app("gone", []consent.Grant{
		{Claim: "nickname", ClaimType: "userinfo"},
		{Scope: "zone"},
		{Scope: "email", GivenAt: given, ExpiresAt: given.Add(time.Hour)},
		{Claim: "birthdate", ClaimType: "id_token"},
		{Scope: "api"},
		{Scope: "address"},
		{Scope: "openid"},
		{Scope: "area"},
		{Scope: "profile"},
	})
	var names []string
	for _, g := range app.Grants {
		names = append(names, g.Name)
		if (g.Scope == "") != (g.Name == "nickname" || g.Name == "birthdate") {
			t.Errorf("%s has the scope %q", g.Name, g.Scope)
		}
	}
	if diff := cmp.Diff([]string{"openid", "profile", "email", "address", "api", "area", "zone", "birthdate", "nickname"}, names); diff != "" {
		t.Error(diff)
	}
	if g := app.Grants[2]; g.DisplayName != "Email" || !g.Given.Equal(given) || !g.Expires.Equal(given.Add(time.Hour)) {
		t.Errorf("%+v", g)
	}
	if !app.Gone || app.Trusted || app.Client.Name != "gone" {
		t.Errorf("%+v", app)
	}
}
