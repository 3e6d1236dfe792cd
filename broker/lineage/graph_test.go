package lineage

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func TestM50_NewConnectionListsStandardAttributes(t *testing.T) {
	g := New(Input{Connections: []ConnectionInput{partner()}, Fields: fields(t), Claims: claims.DefaultClaims()})
	var got []claims.Attribute
	for _, a := range g.Attributes {
		if !a.Mapped {
			t.Errorf("attribute %s is not mapped", a.Name)
		}
		got = append(got, a.Attribute)
	}
	if diff := cmp.Diff(claims.Default(false), got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestM58_DisplayNameStandsWhereTheAttributeAppears(t *testing.T) {
	g := New(world(t))
	answer, err := g.What("grafana")
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"graph": g.Text(), "client": answer.Text(), "attribute": who(t, g, "teams").Text()} {
		if !strings.Contains(text, "Teams") {
			t.Errorf("the display name Teams is not in the text about the %s:\n%s", where, text)
		}
	}
	groups := what(t, g, "grafana")["groups"]
	if got := groups.Sources[0].DisplayName; got != "Teams" {
		t.Errorf("display name of the source %q, want Teams", got)
	}
	if got := who(t, g, "badge").Attributes[0].DisplayName; got != "badge" {
		t.Errorf("display name of an attribute without one %q, want its name", got)
	}
}

// TestM67_EffectiveMappings proves that all mappings in effect are listed,
// with where each is configured and what each does.
func TestM67_EffectiveMappings(t *testing.T) {
	g := New(world(t))
	type row struct{ From, To, Origin, Mode string }
	var got []row
	for _, m := range g.Mappings {
		if m.Connection == "acme" {
			got = append(got, row{m.From, m.To.String(), m.Origin, string(m.Mode)})
		}
	}
	want := []row{
		{"teams", "groups", "Caddyfile:15", "dynamic"},
		{"", "tenant", "Caddyfile:16", "static"},
		{"tenant", "tenant", "Caddyfile:17", "dynamic"},
	}
	for _, m := range claims.DefaultMappings(false) {
		want = append(want, row{m.From, m.To.String(), "default", "dynamic"})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
}

func TestM73_WhatAClientGets(t *testing.T) {
	got := what(t, New(world(t)), "grafana")["groups"]
	want := Receipt{
		Claim: "groups", From: path("groups"), Type: claims.StringArray, DisplayName: "Groups of the user",
		Description: "Teams of the user", Scopes: []string{"teams"}, Missing: []string{"partner"},
		Tokens: []TokenReceipt{{Token: claims.IDToken}, {Token: claims.AccessToken}, {Token: claims.Userinfo}, {Token: claims.Introspection}},
		Sources: []Source{{
			Connection: "acme", Kind: FromAttribute, Target: path("groups"), Attribute: "teams", DisplayName: "Teams",
			Document: claims.IDToken, Claim: path(`https://example\.com/groups`), Type: claims.StringArray,
			Origin: "Caddyfile:15", AttributeOrigin: "Caddyfile:12",
		}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Receipt{}, Source{})); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
}

// TestM73_WhyAClaimIsNotDelivered has a case for every reason.
func TestM73_WhyAClaimIsNotDelivered(t *testing.T) {
	base := New(world(t))
	unopened := New(with(t, func(in *Input) { in.Clients[0].Scopes = []string{"profile", "teams"} }))
	pair := New(with(t, func(in *Input) {
		acme := &in.Connections[0]
		acme.Attributes = append(acme.Attributes, claims.Attribute{Name: "upn", Source: claims.IDToken, Path: path("upn")})
		acme.Mappings = append([]claims.Mapping{{From: "upn", To: path("email"), Origin: "Caddyfile:18"}}, withoutTarget(acme.Mappings, "email")...)
		in.Clients[0].Connections = []string{"acme"}
	}))
	twice := New(with(t, func(in *Input) {
		in.Claims = append(in.Claims, claims.Claim{Name: "groups", Types: []claims.TokenType{claims.IDToken}, From: path("nickname")})
	}))
	disabled := New(with(t, func(in *Input) { in.Connections[1].State = Disabled }))
	for name, test := range map[string]struct {
		graph         *Graph
		client, claim string
		token         claims.TokenType
		reason        claims.Reason // in the token
		whole         claims.Reason // of the receipt
		cure          string
	}{
		"the client may not ask":          {base, "notes", "groups", claims.IDToken, claims.ScopeNotAllowed, claims.ScopeNotAllowed, "add teams to the scopes of notes"},
		"declared for another token":      {base, "grafana", "tenant", claims.IDToken, claims.ClaimNotDeclared, "", ""},
		"told by introspection only":      {base, "grafana", "level", claims.AccessToken, claims.Opaque, "", ""},
		"nobody fills the context":        {base, "grafana", "plan", claims.IDToken, claims.NotMapped, claims.NotMapped, "in provider acme, partner add: map <attribute> plan"},
		"filled by others":                {base, "notes", "tenant", claims.AccessToken, claims.NotMapped, claims.NotMapped, "only acme supplies it, where users of notes may not come from"},
		"no ID token without openid":      {unopened, "grafana", "name", claims.IDToken, claims.ScopeNotAllowed, claims.ScopeNotAllowed, "add openid to the scopes of grafana"},
		"no userinfo without openid":      {unopened, "grafana", "name", claims.Userinfo, claims.ScopeNotAllowed, claims.ScopeNotAllowed, "add openid to the scopes of grafana"},
		"a flag without its value":        {pair, "grafana", "email_verified", claims.IDToken, claims.UnverifiedPair, claims.UnverifiedPair, "map the flag email_verified from the document that its value comes from"},
		"no header of the site":           {base, "gate:admin.example.com", "nickname", claims.IDToken, claims.ScopeNotAllowed, NoHeader, "add: header <name> {claim.nickname}"},
		"another claim has the name":      {twice, "grafana", "groups", claims.IDToken, claims.Shadowed, claims.Shadowed, "another claim goes by the name groups; keep one of them"},
		"its only connection is off":      {disabled, "notes", "name", claims.IDToken, claims.NotMapped, claims.NotMapped, "enable a connection that users of notes may come from"},
		"a site's claim in introspection": {base, "gate:admin.example.com", "level", claims.Introspection, "", NoHeader, "declare the claim for userinfo, too, and add: header <name> {claim.level}"},
	} {
		t.Run(name, func(t *testing.T) {
			r := what(t, test.graph, test.client)[test.claim]
			i := slices.IndexFunc(r.Tokens, func(tr TokenReceipt) bool { return tr.Token == test.token })
			if i < 0 {
				t.Fatalf("no such claim or token: %+v", r)
			}
			if got := r.Tokens[i].Reason; got != test.reason {
				t.Errorf("reason in the %s %q, want %q", test.token, got, test.reason)
			}
			if r.Reason != test.whole || r.Cure != test.cure {
				t.Errorf("reason %q, cure %q, want %q, %q", r.Reason, r.Cure, test.whole, test.cure)
			}
		})
	}
}

// with changes the world.
func with(t *testing.T, change func(*Input)) Input {
	t.Helper()
	in := world(t)
	change(&in)
	return in
}

func withoutTarget(mappings []claims.Mapping, target string) []claims.Mapping {
	return slices.DeleteFunc(slices.Clone(mappings), func(m claims.Mapping) bool { return m.To.String() == target })
}

// The header Remote-Email is sent for verified addresses only.
func TestM73_VerifiedEmailNeedsItsFlag(t *testing.T) {
	headers := func(change func(*Input)) []string {
		t.Helper()
		return what(t, New(with(t, change)), "gate:admin.example.com")["email"].Headers
	}
	unflagged := func(in *Input) {
		in.Connections[0].Mappings = withoutTarget(in.Connections[0].Mappings, "email_verified")
	}
	if got := headers(func(*Input) {}); !slices.Equal(got, []string{"X-User-Email"}) {
		t.Errorf("with a flag: headers %v, want X-User-Email", got)
	}
	if got := headers(unflagged); got != nil {
		t.Errorf("without: headers %v, want none", got)
	}
	if got := headers(func(in *Input) { unflagged(in); in.Connections[0].TrustEmail = true }); !slices.Equal(got, []string{"X-User-Email"}) {
		t.Errorf("without, but trusted: headers %v, want X-User-Email", got)
	}
}

func TestM73_WhoGetsAnAttribute(t *testing.T) {
	g := New(world(t))
	teams := who(t, g, "teams")
	if got := receiver(t, teams, "gate:admin.example.com", "groups"); !slices.Equal(got.Headers, []string{"X-Access-Token"}) || got.Reason != "" {
		t.Errorf("the site: %+v, want it to get groups in X-Access-Token", got)
	}
	if got := receiver(t, teams, "notes", "groups").Reason; got != claims.ScopeNotAllowed {
		t.Errorf("reason at a client without the scope %q, want %q", got, claims.ScopeNotAllowed)
	}
	t.Run("by the name in the context", func(t *testing.T) {
		groups := who(t, g, "groups")
		if len(groups.Attributes) != 1 || groups.Attributes[0].Name != "teams" {
			t.Errorf("attributes %+v, want teams, which fills it", groups.Attributes)
		}
		if diff := cmp.Diff(teams.Receivers, groups.Receivers); diff != "" {
			t.Errorf("receivers of teams and of groups (-teams +groups):\n%s", diff)
		}
	})
	t.Run("of one connection", func(t *testing.T) {
		got := receiver(t, who(t, g, "acme/name"), "notes", "name")
		if got.Reason != claims.NotMapped || got.Cure != "its users come from other connections" {
			t.Errorf("a client of the other connection: %+v", got)
		}
		if got := receiver(t, who(t, g, "partner/name"), "notes", "name"); got.Reason != "" {
			t.Errorf("a client of the connection: %+v", got)
		}
	})
	t.Run("inside an object", func(t *testing.T) {
		got := receiver(t, who(t, New(with(t, func(in *Input) {
			in.Clients[0].Scopes = append(in.Clients[0].Scopes, "address")
		})), "address.country"), "grafana", "address")
		if got.Reason != "" || !slices.Equal(got.Connections, []string{"acme", "partner"}) {
			t.Errorf("the claim address: %+v", got)
		}
	})
	t.Run("an unreachable mapping leads nowhere", func(t *testing.T) {
		for _, r := range who(t, g, "acme/tenant").Receivers {
			if r.Reason == "" {
				t.Errorf("%s gets the attribute behind the constant: %+v", r.Client, r)
			}
		}
	})
}

func TestUnknownNamesAreAnsweredWithNearOnes(t *testing.T) {
	g := New(world(t))
	for what, ask := range map[string]func() error{
		`client "grafan" is not configured; did you mean "grafana"?`:     func() error { _, err := g.What("grafan"); return err },
		`attribute "teamz" is not configured; did you mean "teams"?`:     func() error { _, err := g.Who("teamz"); return err },
		`connection "partne" is not configured; did you mean "partner"?`: func() error { _, err := g.Connection("partne"); return err },
	} {
		if err := ask(); err == nil || err.Error() != what || !errors.Is(err, ErrUnknown) {
			t.Errorf("error %v, want ErrUnknown: %s", err, what)
		}
	}
}

func TestExtensionsFillTheContext(t *testing.T) {
	in := with(t, func(in *Input) {
		in.Connections[0].Script = true
		in.Connections[1].Application, in.Connections[1].MaySet = true, []string{"plan"}
		in.Clients[1].Scopes = append(in.Clients[1].Scopes, "teams")
	})
	g := New(in)
	if got := what(t, g, "grafana")["plan"]; !got.Delivered() || got.Sources[0].Kind != FromScript || got.Sources[1].Kind != FromApplication {
		t.Errorf("plan, which script and application may set: %+v", got)
	}
	if got := what(t, g, "notes")["plan"]; !got.Delivered() || len(got.Sources) != 1 {
		t.Errorf("plan at a client of the application's connection: %+v", got)
	}
	if got := what(t, g, "notes")["tenant"]; got.Delivered() {
		t.Errorf("tenant, which is not in may_set: %+v", got)
	}
	for _, e := range []Edge{
		{From: "script/acme", To: "context/plan"}, {From: "post_authn_app/partner", To: "context/plan"},
	} {
		if !slices.ContainsFunc(g.Edges, func(o Edge) bool { return o.From == e.From && o.To == e.To }) {
			t.Errorf("no edge %s -> %s", e.From, e.To)
		}
	}
	if slices.ContainsFunc(g.Edges, func(e Edge) bool { return e.From == "script/acme" && e.To == "context/groups" }) {
		t.Error("an edge leads from the script to a name that a mapping fills")
	}
	if slices.ContainsFunc(g.Warnings, func(w Warning) bool { return w.Code == ContextNotFilled }) {
		t.Errorf("a name that a script may fill is warned of: %v", g.Warnings)
	}
}

// TestGraphIsConnected proves that edges lead from node to node, in the
// order of the stages.
func TestGraphIsConnected(t *testing.T) {
	g := New(world(t))
	stages := map[string]int{}
	add := func(stage int, nodes ...string) {
		for _, n := range nodes {
			if _, taken := stages[n]; taken {
				t.Errorf("two nodes are called %s", n)
			}
			stages[n] = stage
		}
	}
	for _, n := range g.Connections {
		add(0, n.Node)
	}
	for _, n := range g.Attributes {
		add(1, n.Node)
	}
	for _, n := range g.Mappings {
		add(2, n.Node)
	}
	for _, n := range g.Context {
		add(3, n.Node)
	}
	for _, n := range g.Claims {
		add(4, n.Node)
	}
	for _, n := range g.Clients {
		add(5, n.Node)
	}
	for _, e := range g.Edges {
		from, known := stages[e.From]
		to, alsoKnown := stages[e.To]
		if !known || !alsoKnown || from >= to {
			t.Errorf("edge %+v leads from stage %d (%t) to %d (%t)", e, from, known, to, alsoKnown)
		}
	}
}

func TestConnectionIsAPartOfTheGraph(t *testing.T) {
	part, err := New(world(t)).Connection("partner")
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Connections) != 1 || part.Connections[0].ID != "partner" {
		t.Errorf("connections %+v, want partner", part.Connections)
	}
	var ids []string
	for _, c := range part.Clients {
		ids = append(ids, c.ID)
	}
	if want := []string{"grafana", "notes", "welcome"}; !slices.Equal(ids, want) {
		t.Errorf("clients %v, want %v: the site's users come from acme", ids, want)
	}
	if len(part.Warnings) != 0 {
		t.Errorf("warnings about what acme supplies: %v", part.Warnings)
	}
}
