package oidc

import (
	"maps"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// Group 23. The organization in the request is the user's to edit; the one
// in the token is not.
func TestOrganizations(t *testing.T) {
	cases := []struct {
		name    string
		want    string
		allowed []string
		claims  object
		ok      bool
	}{
		{"none asked, none sent", "", nil, nil, true},
		{"none asked, one sent", "", nil, object{"org_id": "org_1"}, true},
		{"id matches", "org_1", nil, object{"org_id": "org_1"}, true},
		{"id differs", "org_1", nil, object{"org_id": "org_2"}, false},
		{"id in other case", "org_1", nil, object{"org_id": "ORG_1"}, false},
		{"id missing", "org_1", nil, nil, false},
		{"id as the name of another", "org_1", nil, object{"org_id": "org_2", "org_name": "org_1"}, false},
		{"id a list", "org_1", nil, object{"org_id": []any{"org_1"}}, false},
		{"name matches", "Acme", nil, object{"org_id": "org_2", "org_name": "acme"}, true},
		{"name differs", "acme", nil, object{"org_id": "org_2", "org_name": "evil"}, false},
		{"name missing", "acme", nil, object{"org_id": "acme"}, false},
		{"listed", "", []string{"org_1", "org_2"}, object{"org_id": "org_2"}, true},
		{"not listed", "", []string{"org_1", "org_2"}, object{"org_id": "org_3"}, false},
		{"list, none sent", "", []string{"org_1"}, nil, false},
		{"list, empty sent", "", []string{"org_1"}, object{"org_id": ""}, false},
		{"both", "org_1", []string{"org_1", "org_2"}, object{"org_id": "org_1"}, true},
		{"listed, but not the one asked", "org_1", []string{"org_1", "org_2"}, object{"org_id": "org_2"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, func(cfg *Config) { cfg.Organization, cfg.Organizations = c.want, c.allowed })
			s.issuer.claims = func(set object) {
				maps.Copy(set, c.claims)
			}
			if c.ok {
				s.mustSignIn(t)
			} else if e := s.refused(t, provider.ReasonOrganization); e.Code != codeAccessDenied {
				t.Errorf("code %q", e.Code)
			}
		})
	}
}
