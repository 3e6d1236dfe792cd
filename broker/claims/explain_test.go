package claims

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestM73_ExplainTellsWhyAClaimIsNotDelivered(t *testing.T) {
	context := object(t, `{"email": "ada@example.com", "groups": ["staff"], "plan": "gold"}`)
	both := []TokenType{IDToken, AccessToken}
	teams := Permission{
		Allowed: []string{"openid", "email", "teams"}, Requested: []string{"openid", "teams"}, Granted: []string{"openid"},
		RequestedClaims: []string{"plan"},
	}
	for name, tt := range map[string]struct {
		claim Claim
		t     TokenType
		want  Delivery
	}{
		"delivered without scope":          {Claim{Name: "plan", Types: both}, IDToken, Delivery{From: Key("plan"), Type: "string", Size: 6}},
		"delivered for one of two scopes":  {Claim{Name: "groups", Types: both, Scopes: []string{"teams", "openid"}}, IDToken, Delivery{From: Key("groups"), Type: "array", Size: 9}},
		"delivered in an implied type":     {Claim{Name: "plan", Types: []TokenType{AccessToken}}, Introspection, Delivery{From: Key("plan"), Type: "string", Size: 6}},
		"claim_not_declared":               {Claim{Name: "plan", Types: []TokenType{IDToken}}, AccessToken, Delivery{From: Key("plan"), Reason: ClaimNotDeclared}},
		"not declared for userinfo":        {Claim{Name: "plan", Types: []TokenType{Introspection}}, Userinfo, Delivery{From: Key("plan"), Reason: ClaimNotDeclared}},
		"opaque":                           {Claim{Name: "plan", Types: []TokenType{Userinfo}}, IDToken, Delivery{From: Key("plan"), Reason: Opaque}},
		"opaque in access tokens":          {Claim{Name: "plan", Types: []TokenType{Introspection}}, AccessToken, Delivery{From: Key("plan"), Reason: Opaque}},
		"an opaque one where it is told":   {Claim{Name: "plan", Types: []TokenType{Userinfo}}, Userinfo, Delivery{From: Key("plan"), Type: "string", Size: 6}},
		"scope_not_requested":              {Claim{Name: "email", Types: both, Scopes: []string{"email"}}, IDToken, Delivery{From: Key("email"), Reason: ScopeNotRequested}},
		"scope_not_allowed":                {Claim{Name: "email", Types: both, Scopes: []string{"other"}}, IDToken, Delivery{From: Key("email"), Reason: ScopeNotAllowed}},
		"one of two may be requested":      {Claim{Name: "email", Types: both, Scopes: []string{"other", "email", "more"}}, IDToken, Delivery{From: Key("email"), Reason: ScopeNotRequested}},
		"consent_withheld":                 {Claim{Name: "groups", Types: both, Scopes: []string{"email", "teams", "other"}}, IDToken, Delivery{From: Key("groups"), Reason: ConsentWithheld}},
		"a claim asked for by name":        {Claim{Name: "plan", Types: both, Scopes: []string{"other"}}, IDToken, Delivery{From: Key("plan"), Reason: ConsentWithheld}},
		"nothing in the context":           {Claim{Name: "tenant", Types: both}, IDToken, Delivery{From: Key("tenant"), Reason: AbsentUpstream}},
		"nothing at the path":              {Claim{Name: "tenant", Types: both, From: path(t, "org.tenant")}, IDToken, Delivery{From: path(t, "org.tenant"), Reason: AbsentUpstream}},
		"reserved":                         {Claim{Name: "iss", Types: both, From: Key("plan")}, IDToken, Delivery{From: Key("plan"), Reason: ReservedName}},
		"reserved in introspection answer": {Claim{Name: "active", Types: both, From: Key("plan")}, Introspection, Delivery{From: Key("plan"), Reason: ReservedName}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.want.Claim = tt.claim.Name
			got := Explain(context, tt.t, []Claim{tt.claim}, teams)
			if diff := cmp.Diff([]Delivery{tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("shadowed", func(t *testing.T) {
		twice := []Claim{{Name: "plan", Types: both}, {Name: "plan", Types: both, From: Key("email")}}
		if got := Explain(context, IDToken, twice, teams); got[0].Reason != "" || got[1].Reason != Shadowed {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("consented to by name", func(t *testing.T) {
		byName := []Claim{{Name: "plan", Types: both, Scopes: []string{"other"}}}
		p := teams
		p.GrantedClaims = []string{"plan"}
		if got := Explain(context, IDToken, byName, p); got[0].Reason != "" {
			t.Errorf("got %+v", got)
		}
	})
}

// Lineage that tells another story than the token is worse than none, and a
// claim in a token that nobody declared for it is a leak: whatever is
// declared and granted, Explain and Release agree, and what is released is
// exactly what the rules let through.
func TestPropertyExplainAgreesWithRelease(t *testing.T) {
	names := []string{"a", "b", "c", "iss", "sub", "active"}
	scopes := []string{"s1", "s2", "s3"}
	some := func(of []string) *rapid.Generator[[]string] {
		return rapid.SliceOfN(rapid.SampledFrom(of), 0, 3)
	}
	claim := rapid.Custom(func(t *rapid.T) Claim {
		c := Claim{
			Name:   rapid.SampledFrom(names).Draw(t, "name"),
			Types:  rapid.SliceOfNDistinct(rapid.SampledFrom(TokenTypes()), 1, 3, rapid.ID[TokenType]).Draw(t, "types"),
			Scopes: some(scopes).Draw(t, "scopes"),
		}
		if rapid.Bool().Draw(t, "elsewhere") {
			c.From = Key(rapid.SampledFrom(names).Draw(t, "from"))
		}
		return c
	})
	rapid.Check(t, func(t *rapid.T) {
		context := rapid.MapOf(rapid.SampledFrom(names), rapid.SampledFrom([]any{"x", true, nil, []any{}})).Draw(t, "context")
		declared := rapid.SliceOfN(claim, 0, 6).Draw(t, "claims")
		typ := rapid.SampledFrom(TokenTypes()).Draw(t, "type")
		p := Permission{
			Allowed: some(scopes).Draw(t, "allowed"), Requested: some(scopes).Draw(t, "requested"), Granted: some(scopes).Draw(t, "granted"),
			RequestedClaims: some(names).Draw(t, "requested claims"), GrantedClaims: some(names).Draw(t, "granted claims"),
		}
		released := Release(context, p.Granted, typ, declared, p.GrantedClaims)
		told := make(map[string]any)
		for i, d := range Explain(context, typ, declared, p) {
			if d.Claim != declared[i].Name || !slices.Contains(append(Reasons(), ""), d.Reason) {
				t.Fatalf("entry %d is %+v", i, d)
			}
			if d.Reason == "" {
				told[d.Claim], _ = d.From.Lookup(context)
			}
		}
		if diff := cmp.Diff(released, told); diff != "" {
			t.Fatalf("Release and Explain differ (-released +told):\n%s", diff)
		}
		for _, name := range slices.Sorted(maps.Keys(released)) {
			if !slices.ContainsFunc(declared, func(c Claim) bool { return mayCarry(c, name, typ, p) }) {
				t.Fatalf("%q is in the %s, and nothing lets it through", name, typ)
			}
		}
	})
}

// mayCarry is the rule of OpenID Connect and of ours, written once more.
func mayCarry(c Claim, name string, typ TokenType, p Permission) bool {
	if c.Name != name || name == "iss" || name == "sub" || name == "active" && typ == Introspection {
		return false
	}
	carries := slices.Contains(c.Types, typ) ||
		typ == Userinfo && slices.Contains(c.Types, IDToken) ||
		typ == Introspection && slices.Contains(c.Types, AccessToken)
	granted := len(c.Scopes) == 0 || slices.Contains(p.GrantedClaims, name)
	for _, s := range c.Scopes {
		granted = granted || slices.Contains(p.Granted, s)
	}
	return carries && granted
}

func TestReasonsAreStable(t *testing.T) {
	want := []Reason{
		"absent_upstream", "null_upstream", "access_token_opaque", "userinfo_failed", "type_mismatch", "not_declared",
		"not_mapped", "shadowed", "reserved", "script_replaced", "script_removed", "app_replaced", "unverified_pair",
		"claim_not_declared", "scope_not_requested", "scope_not_allowed", "consent_withheld", "opaque",
	}
	if diff := cmp.Diff(want, Reasons()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMeasure(t *testing.T) {
	for text, want := range map[string]struct {
		kind string
		size int
	}{
		`"Ada"`: {"string", 5}, `1.50`: {"number", 4}, `true`: {"bool", 4}, `null`: {"null", 4},
		`[1, 2]`: {"array", 5}, `{"a": {}}`: {"object", 8},
	} {
		if kind, size := Measure(decode(t, text)); kind != want.kind || size != want.size {
			t.Errorf("%s: got %s of %d bytes, want %s of %d", text, kind, size, want.kind, want.size)
		}
	}
	if _, size := Measure(func() {}); size != 0 {
		t.Errorf("a function has %d bytes of JSON", size)
	}
}

func TestMapTellsOfEveryMapping(t *testing.T) {
	attributes := []Attribute{
		{Name: "a", Source: IDToken, Path: Key("a")},
		{Name: "b", Source: IDToken, Path: Key("b")},
		{Name: "n", Source: IDToken, Path: Key("n")},
		{Name: "gone", Source: IDToken, Path: Key("gone")},
	}
	mappings := []Mapping{
		{From: "gone", To: Key("x"), Type: String, Origin: "o1"},
		{From: "n", To: Key("x"), Type: String, Origin: "o2"},
		{From: "a", To: Key("x"), Type: String, Origin: "o3"},
		{From: "b", To: Key("x"), Type: String, Origin: "o4"},
		{Static: "s", To: Key("y"), Type: String, Origin: "o5"},
		{From: "gone", To: Key("z"), Type: String, Required: true, Origin: "o6"},
	}
	m, err := NewMapper(attributes, mappings)
	if err != nil {
		t.Fatal(err)
	}
	values, _ := Extract(attributes, Documents{IDToken: object(t, `{"a": "a", "b": "b", "n": 1}`)})
	_, steps, drops, err := m.Map(values)
	wantError(t, err, `"z"`)
	want := []Step{
		{"gone", Key("x"), AbsentUpstream, "o1"},
		{"n", Key("x"), TypeMismatch, "o2"},
		{"a", Key("x"), "", "o3"},
		{"b", Key("x"), Shadowed, "o4"},
		{"", Key("y"), "", "o5"},
		{"gone", Key("z"), AbsentUpstream, "o6"},
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var lost []Reason
	for _, d := range drops {
		lost = append(lost, d.Reason)
	}
	if diff := cmp.Diff([]Reason{TypeMismatch, Shadowed}, lost); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}
