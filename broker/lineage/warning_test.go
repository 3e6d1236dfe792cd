package lineage

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func messages(g *Graph) (out []string) {
	for _, w := range g.Warnings {
		out = append(out, w.String())
	}
	return out
}

func TestM64_UnmappedAttributeWarns(t *testing.T) {
	in := Input{Connections: []ConnectionInput{acme()}, Fields: fields(t, authn.Field{Name: path("tenant"), Type: claims.String})}
	want := `Caddyfile:13: provider acme: attribute "badge": nothing maps it, so nobody gets it; add: map badge <context attribute>`
	if got := messages(New(in)); !slices.Contains(got, want) {
		t.Errorf("warnings %q, want %q among them", got, want)
	}
	in.Connections[0].Mappings = append(in.Connections[0].Mappings, claims.Mapping{From: "badge", To: path("nickname"), Origin: "Caddyfile:18"})
	if got := messages(New(in)); slices.Contains(got, want) {
		t.Errorf("warnings %q after the attribute was mapped", got)
	}
}

// What nobody wrote makes no warning, whatever is left unused of it.
func TestDefaultsMakeNoWarnings(t *testing.T) {
	in := Input{
		Connections: []ConnectionInput{partner()}, Fields: fields(t), Claims: claims.DefaultClaims(), Scopes: claims.DefaultScopes(),
		Clients: []ClientInput{{ID: "notes", Kind: Registered, Scopes: []string{"openid"}}},
	}
	in.Connections[0].Mappings = withoutTarget(in.Connections[0].Mappings, "phone_number")
	if got := messages(New(in)); got != nil {
		t.Errorf("warnings %q, want none", got)
	}
}

func TestWarnings(t *testing.T) {
	want := map[WarningCode]string{
		AttributeNotMapped: `Caddyfile:13: provider acme: attribute "badge": nothing maps it, so nobody gets it; add: map badge <context attribute>`,
		MappingUnreachable: `Caddyfile:17: provider acme: mapping of "tenant" to "tenant": an earlier one (Caddyfile:16) always fills the target first; remove one of them, or change their order`,
		ContextNotFilled:   `Caddyfile:33: claim "plan" reads context attribute "plan", which no provider fills; add to one: map <attribute> plan`,
		ClaimNotDelivered:  `Caddyfile:34: claim "country": no client or site may ask for shipping; add it to the scopes of one`,
	}
	got := map[WarningCode]string{}
	for _, w := range New(world(t)).Warnings {
		got[w.Code] += w.String()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestContextNotFilledWithoutClaim(t *testing.T) {
	got := messages(New(Input{
		Connections: []ConnectionInput{partner()},
		Fields:      fields(t, authn.Field{Name: path("plan"), Type: claims.String, Origin: "Caddyfile:28"}),
	}))
	if want := []string{`Caddyfile:28: context attribute "plan" is filled by no provider; add to one: map <attribute> plan`}; !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

// TestUnreachableMappings has mappings that can and that cannot have a say,
// each in front of the default ones.
func TestUnreachableMappings(t *testing.T) {
	attributes := append(claims.Default(true),
		claims.Attribute{Name: "upn", Source: claims.IDToken, Path: path("upn")},
		claims.Attribute{Name: "level", Source: claims.IDToken, Path: path("level"), Type: claims.Number},
		claims.Attribute{Name: "confirmed", Source: claims.IDToken, Path: path("confirmed"), Type: claims.Bool},
	)
	for name, test := range map[string]struct {
		mappings []claims.Mapping
		want     []claims.Reason
	}{
		"the first of two has a say, and so has the second": {
			[]claims.Mapping{{From: "upn", To: path("nickname")}, {From: "name", To: path("nickname")}}, []claims.Reason{"", ""},
		},
		"behind a constant": {
			[]claims.Mapping{{Static: "x", To: path("nickname")}, {From: "name", To: path("nickname")}}, []claims.Reason{"", claims.Shadowed},
		},
		"the same once more": {
			[]claims.Mapping{{From: "upn", To: path("nickname")}, {From: "upn", To: path("nickname")}}, []claims.Reason{"", claims.Shadowed},
		},
		"strict, then weak": {
			[]claims.Mapping{{From: "upn", To: path("nickname")}, {From: "upn", To: path("nickname"), Weak: true}}, []claims.Reason{"", ""},
		},
		"weak, then strict": {
			[]claims.Mapping{{From: "upn", To: path("nickname"), Weak: true}, {From: "upn", To: path("nickname")}}, []claims.Reason{"", claims.Shadowed},
		},
		"types that never agree": {
			[]claims.Mapping{{From: "level", To: path("nickname")}}, []claims.Reason{claims.TypeMismatch},
		},
		"types that convert": {
			[]claims.Mapping{{From: "level", To: path("nickname"), Weak: true}}, []claims.Reason{""},
		},
		"a flag beside an address of the same document": {
			[]claims.Mapping{{From: "upn", To: path("email")}, {From: "confirmed", To: path("email_verified")}}, []claims.Reason{"", ""},
		},
		"a constant flag for an address that is none": {
			[]claims.Mapping{{Static: true, To: path("email_verified")}}, []claims.Reason{claims.UnverifiedPair},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := ConnectionInput{ID: "acme", Attributes: attributes, Mappings: append(test.mappings, claims.DefaultMappings(true)...)}
			g := New(Input{Connections: []ConnectionInput{c}, Fields: fields(t)})
			var got []claims.Reason
			for _, m := range g.Mappings[:len(test.mappings)] {
				got = append(got, m.Unreachable)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}
