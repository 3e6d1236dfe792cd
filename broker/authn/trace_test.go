package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// traced builds the context of one sign-in and returns its lineage.
func traced(t testing.TB, cfg Config, in Input) (*Context, Trace) {
	t.Helper()
	c, _, trace, err := pipeline(t, cfg).Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return c, trace
}

// of returns the entries of one stage and name.
func of(trace Trace, stage Stage, name string) []Entry {
	var out []Entry
	for _, e := range trace {
		if e.Stage == stage && e.Name == name {
			out = append(out, e)
		}
	}
	return out
}

func wantEntries(t *testing.T, trace Trace, stage Stage, name string, want ...Entry) {
	t.Helper()
	for i := range want {
		want[i].Stage, want[i].Name = stage, name
	}
	if diff := cmp.Diff(want, of(trace, stage, name)); diff != "" {
		t.Errorf("%s %q (-want +got):\n%s", stage, name, diff)
	}
}

func TestM48_NeverReceivedIsToldAndTheLoginProceeds(t *testing.T) {
	in := ada(t, `{"name": "Ada", "nickname": null}`)
	in.Documents[claims.Userinfo] = object(t, `{"app_metadata": {"plan": "gold"}}`)
	c, trace := traced(t, custom(t), in)
	if diff := cmp.Diff(object(t, `{"name": "Ada", "plan": "gold", "org": {"tenant": "acme"}}`), c.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantEntries(t, trace, StageAttribute, "teams",
		Entry{From: `id_token https://example\.com/groups`, Reason: claims.AbsentUpstream, Origin: "Caddyfile:20"})
	wantEntries(t, trace, StageMapping, "groups",
		Entry{From: "teams", Reason: claims.AbsentUpstream, Origin: "Caddyfile:23"})
	wantEntries(t, trace, StageAttribute, "nickname",
		Entry{From: "id_token nickname", Reason: claims.NullUpstream, Origin: claims.OriginDefault})
	wantEntries(t, trace, StageMapping, "nickname",
		Entry{From: "nickname", Reason: claims.NullUpstream, Origin: claims.OriginDefault},
		Entry{From: "userinfo.nickname", Reason: claims.AbsentUpstream, Origin: claims.OriginDefault})
	wantEntries(t, trace, StageAttribute, "scopes",
		Entry{From: "access_token permissions", Reason: claims.AccessTokenOpaque})
}

func TestM64M65_LineageAgreesWithTheConfiguration(t *testing.T) {
	in := ada(t, `{"name": "Ada", "https://example.com/groups": ["staff", "dev"]}`)
	in.Documents[claims.Userinfo] = object(t, `{"name": "Other", "app_metadata": {"plan": "gold"}}`)
	in.Documents[claims.AccessToken] = object(t, `{"permissions": ["read:all"]}`)
	cfg := custom(t)
	_, trace := traced(t, cfg, in)
	t.Run("every attribute and mapping has its entry", func(t *testing.T) {
		for _, a := range cfg.Attributes {
			if got := of(trace, StageAttribute, a.Name); len(got) != 1 || got[0].Origin != a.Origin {
				t.Errorf("attribute %s: %v", a.Name, got)
			}
		}
		for _, m := range cfg.Mappings {
			entry := func(e Entry) bool { return e.From == m.From && e.Origin == m.Origin }
			if got := of(trace, StageMapping, m.To.String()); !slices.ContainsFunc(got, entry) {
				t.Errorf("mapping of %q to %s: %v", m.From, m.To, got)
			}
		}
	})
	t.Run("values are told by type and size", func(t *testing.T) {
		wantEntries(t, trace, StageAttribute, "teams",
			Entry{From: `id_token https://example\.com/groups`, Type: "array", Size: len(`["staff","dev"]`), Origin: "Caddyfile:20"})
		wantEntries(t, trace, StageMapping, "groups",
			Entry{From: "teams", Type: "array", Size: len(`["staff","dev"]`), Origin: "Caddyfile:23"})
		wantEntries(t, trace, StageMapping, "org.tenant",
			Entry{Type: "string", Size: len(`"acme"`), Origin: "Caddyfile:25"})
	})
	t.Run("the loser of two sources is told", func(t *testing.T) {
		wantEntries(t, trace, StageMapping, "name",
			Entry{From: "name", Type: "string", Size: 5, Origin: claims.OriginDefault},
			Entry{From: "userinfo.name", Reason: claims.Shadowed, Origin: claims.OriginDefault})
	})
	t.Run("the unmapped attribute is told", func(t *testing.T) {
		wantEntries(t, trace, StageMapping, "", Entry{From: "scopes", Reason: claims.NotMapped})
	})
}

func TestTraceOfRequiredTargetEndingTheSignIn(t *testing.T) {
	in := ada(t, `{}`)
	in.Documents[claims.Userinfo] = object(t, `{"app_metadata": {"plan": 1}}`)
	c, drops, trace, err := pipeline(t, custom(t)).Build(in)
	if !errors.Is(err, claims.ErrRequired) || c != nil || len(drops) == 0 {
		t.Fatalf("got %v, %v, %v", c, drops, err)
	}
	wantEntries(t, trace, StageMapping, "plan", Entry{From: "plan", Reason: claims.TypeMismatch, Type: "number", Want: claims.String, Origin: "Caddyfile:24"})
	t.Run("nobody's sign-in has none", func(t *testing.T) {
		in.Subject = ""
		if _, _, trace, err := pipeline(t, custom(t)).Build(in); !errors.Is(err, ErrSubject) || trace != nil {
			t.Errorf("got %v, %v", trace, err)
		}
	})
}

func TestM46_UndeclaredClaimsAreToldByNameOnly(t *testing.T) {
	in := ada(t, `{"iss": "x", "sub": "x", "aud": "x", "nonce": "x", "c_hash": "x", "s_hash": "x", "amr": ["x"],
		"name": "Ada", "address": {"planet": "Earth"}, "roles": ["admin"], "https://example.com/tier": 1}`)
	in.Documents[claims.Userinfo] = object(t, `{"name": "Ada"}`)
	_, trace := traced(t, standard(false), in)
	var got []Entry
	for _, e := range trace {
		if e.Stage == StageUpstream {
			got = append(got, e)
		}
	}
	want := []Entry{
		{Stage: StageUpstream, Name: "https://example.com/tier", From: "id_token", Reason: claims.NotDeclared, Type: "number", Size: 1},
		{Stage: StageUpstream, Name: "roles", From: "id_token", Reason: claims.NotDeclared, Type: "array", Size: 9},
		{Stage: StageUpstream, Name: "name", From: "userinfo", Reason: claims.NotDeclared, Type: "string", Size: 5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whoever can edit a profile upstream may choose the names of claims:
// thousands of them, endless ones, or ones that paint on a terminal.
func TestUndeclaredNamesAreBounded(t *testing.T) {
	doc := map[string]any{"\x1b[31mred": "x", "\xff": "x", "": "x", "a\nb": "x", "\u202e": "x", strings.Repeat("ä", 300): "x"}
	for i := range 1000 {
		doc[fmt.Sprintf("claim%04d", i)] = "x"
	}
	in := ada(t, `{}`)
	in.Documents = claims.Documents{claims.IDToken: doc, claims.Userinfo: doc}
	trace := pipeline(t, standard(false)).undeclared(in.Documents)
	if len(trace) != maxUndeclared {
		t.Errorf("%d entries, want %d", len(trace), maxUndeclared)
	}
	for i := range 1000 {
		delete(doc, fmt.Sprintf("claim%04d", i))
	}
	trace = pipeline(t, standard(false)).undeclared(claims.Documents{claims.IDToken: doc})
	if len(trace) != 1 || trace[0].Name != strings.Repeat("ä", 100) {
		t.Errorf("got %v", trace)
	}
}

func TestTraceOfMethods(t *testing.T) {
	static := standard(false)
	static.StaticAMR = []string{"mfa"}
	bare := ada(t, `{}`)
	bare.AMR, bare.ACR, bare.AuthTime = nil, "", time.Time{}
	told := ada(t, `{}`)
	told.AuthTimeAsserted = true
	inherited := ada(t, `{}`)
	inherited.Inherited = []string{"amr", "acr", "auth_time"}

	pwd := Entry{Type: "array", Size: len(`["pwd"]`)}
	mfa := Entry{Type: "array", Size: len(`["mfa"]`), From: "static_amr"}
	from := func(e Entry, from string, reason claims.Reason) Entry {
		e.From, e.Reason = from, reason
		return e
	}
	basic := Entry{Type: "string", Size: len(`"basic"`)}
	for name, tt := range map[string]struct {
		cfg      Config
		in       Input
		amr      []Entry
		acr, at_ Entry
	}{
		"upstream":            {standard(false), told, []Entry{from(pwd, "upstream", "")}, from(basic, "upstream", ""), Entry{From: "upstream"}},
		"nothing":             {standard(false), bare, []Entry{{Reason: claims.AbsentUpstream}}, Entry{Reason: claims.AbsentUpstream}, Entry{Reason: claims.AbsentUpstream}},
		"this callback":       {standard(false), ada(t, `{}`), []Entry{from(pwd, "upstream", "")}, from(basic, "upstream", ""), Entry{From: "callback"}},
		"the session":         {standard(false), inherited, []Entry{from(pwd, "session", "")}, from(basic, "session", ""), Entry{From: "session"}},
		"written by override": {static, bare, []Entry{mfa}, Entry{Reason: claims.AbsentUpstream}, Entry{Reason: claims.AbsentUpstream}},
		"replaced by override": {
			static, inherited, []Entry{from(pwd, "session", claims.Shadowed), mfa}, from(basic, "session", ""), Entry{From: "session"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, trace := traced(t, tt.cfg, tt.in)
			wantEntries(t, trace, StageAMR, "amr", tt.amr...)
			wantEntries(t, trace, StageAMR, "acr", tt.acr)
			wantEntries(t, trace, StageAMR, "auth_time", tt.at_)
		})
	}
}

// A person misses a claim; the operator asks why, and every answer of the
// trace must be the stage that lost it.
func TestM73_WhyAClaimIsNotDelivered(t *testing.T) {
	schema, err := NewSchema(
		Field{Name: claims.Key("plan"), Type: claims.String}, Field{Name: claims.Key("nobody"), Type: claims.String},
		Field{Name: claims.Key("removed"), Type: claims.String}, Field{Name: claims.Key("data"), Type: claims.Object},
	)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Schema: schema,
		Attributes: append(claims.Default(true),
			claims.Attribute{Name: "plan", Source: claims.IDToken, Path: claims.Key("plan")},
			claims.Attribute{Name: "data", Source: claims.IDToken, Path: claims.Key("data"), Type: claims.Object}),
		Mappings: append([]claims.Mapping{
			{From: "plan", To: claims.Key("plan")}, {From: "data", To: claims.Key("data")}, {Static: "x", To: claims.Key("removed")},
		}, claims.DefaultMappings(true)...),
	}
	in := ada(t, `{"plan": 5, "nickname": null, "locale": 1, "email": "ada@example.com", "email_verified": true, "data": {"a": 1}}`)
	in.Documents[claims.Userinfo] = object(t, `{}`)
	c, trace := traced(t, cfg, in)
	c, done, err := schema.ApplyScript(c, Change{Attributes: object(t, `{"removed": null, "email": "other@example.com"}`)})
	if err != nil {
		t.Fatal(err)
	}
	trace = append(trace, done...)

	token := []claims.TokenType{claims.IDToken}
	for name, want := range map[string]claims.Reason{
		"plan":           claims.TypeMismatch,
		"nobody":         claims.NotMapped,
		"removed":        claims.ScriptRemoved,
		"email":          "",
		"email_verified": claims.UnverifiedPair,
		"locale":         claims.TypeMismatch,
		"website":        claims.AbsentUpstream,
		"nickname":       claims.NullUpstream,
		"address":        claims.AbsentUpstream,
		"data.a":         "",
		"data.b":         claims.AbsentUpstream,
		"undeclared":     claims.NotMapped,
	} {
		declared := []claims.Claim{{Name: "c", Types: token, From: path(t, name), Scopes: []string{"s"}}}
		got := trace.Explain(c, claims.IDToken, declared, claims.Permission{Granted: []string{"s"}})
		if len(got) != 1 || got[0].Reason != want || got[0].From.String() != name {
			t.Errorf("%s: got %+v, want %q", name, got, want)
		}
	}
	t.Run("what the client lacks goes first", func(t *testing.T) {
		declared := []claims.Claim{{Name: "plan", Types: token, Scopes: []string{"s"}}}
		got := trace.Explain(c, claims.IDToken, declared, claims.Permission{Allowed: []string{"s"}, Requested: []string{"s"}})
		if got[0].Reason != claims.ConsentWithheld {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("of two sources the one to repair is told", func(t *testing.T) {
		delete(in.Documents, claims.Userinfo)
		c, trace := traced(t, cfg, in)
		got := trace.Explain(c, claims.IDToken, []claims.Claim{{Name: "website", Types: token}}, claims.Permission{})
		if got[0].Reason != claims.UserinfoFailed {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("without a trace nothing is made up", func(t *testing.T) {
		for _, trace := range []Trace{nil, {{Stage: StageCache}}} {
			got := trace.Explain(c, claims.IDToken, []claims.Claim{{Name: "plan", Types: token}}, claims.Permission{})
			if got[0].Reason != claims.AbsentUpstream {
				t.Errorf("got %+v", got)
			}
		}
	})
}

func TestTraceJSON(t *testing.T) {
	in := ada(t, `{"name": "Ada"}`)
	_, trace := traced(t, standard(false), in)
	text, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	var back Trace
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(trace, back); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := `{"stage":"attribute","name":"name","from":"id_token name","type":"string","size":5,"origin":"default"}`; !strings.Contains(string(text), want) {
		t.Errorf("%s lacks %s", text, want)
	}
}
