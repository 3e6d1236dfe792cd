package caddymodule

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// configured returns the core's configuration of a Caddyfile.
func configured(t *testing.T, input string) broker.Config {
	t.Helper()
	raw, _, err := adapt(input)
	if err != nil {
		t.Fatal(err)
	}
	return fromJSON(t, raw)
}

// fromJSON returns the core's configuration of Caddy's.
func fromJSON(t *testing.T, raw []byte) broker.Config {
	t.Helper()
	var config struct {
		Apps struct {
			Broker *App `json:"auth_broker"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	a := config.Apps.Broker
	made, err := a.config(newResolver(zap.NewNop()))
	t.Cleanup(func() {
		if err := a.Cleanup(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// words returns a Caddyfile with lines in the block of a provider, which is
// on line 4, and others behind it.
func words(lines string, behind ...string) string {
	return globals(provider4+" {\n"+lines+"\n\t\t}\n"+strings.Join(behind, "\n"), "")
}

// TestM40_AllOptional proves that a provider of which only the three
// required settings are given has the documented defaults.
func TestM40_AllOptional(t *testing.T) {
	setVariables(t)
	c := configured(t, globals(provider4, "")).Connections[0]
	if c.ID != "auth0" || c.Name != "" || c.LogoURI != "" || c.Order != 0 || c.Hidden || c.Disabled || c.Domains != nil {
		t.Errorf("the chooser has %+v", c)
	}
	if c.ContextCache != 0 || c.Script != nil || c.Application != nil || c.TrustEmail || c.SubjectNamespace != "" {
		t.Errorf("something is on: %+v", c)
	}
	if c.Pipeline.StaticAMR != nil || c.Pipeline.AllowCustomAMR {
		t.Errorf("amr is overridden by %v", c.Pipeline.StaticAMR)
	}
}

// TestM36_ContextCache proves that a time to live is taken as it is, and
// that 0 is off. Without one the Caddyfile is refused, as testdata has it.
func TestM36_ContextCache(t *testing.T) {
	setVariables(t)
	for word, want := range map[string]time.Duration{"15m": 15 * time.Minute, "1d": 24 * time.Hour, "0": 0, "0s": 0} {
		if got := configured(t, words("\t\t\tcontext_cache "+word)).Connections[0].ContextCache; got != want {
			t.Errorf("context_cache %s is %v, want %v", word, got, want)
		}
	}
	if _, _, err := adapt(words("\t\t\tcontext_cache")); err == nil || !strings.Contains(err.Error(), "context_cache takes its time to live") {
		t.Errorf("without a time to live: error %v", err)
	}
}

// TestM41_AMR proves that methods reach the pipeline in their order, and
// that those outside RFC 8176 need the word for it, wherever it stands.
func TestM41_AMR(t *testing.T) {
	setVariables(t)
	p := configured(t, words("\t\t\tamr mfa badge\n\t\t\tallow_custom_amr")).Connections[0].Pipeline
	if diff := cmp.Diff([]string{"mfa", "badge"}, p.StaticAMR); diff != "" {
		t.Errorf("amr (-want +got):\n%s", diff)
	}
	if _, _, err := adapt(words("\t\t\tamr mfa badge")); err == nil || !strings.Contains(err.Error(), `"badge" is not a method of RFC 8176`) {
		t.Errorf("without allow_custom_amr: error %v", err)
	}
}

// TestM50_StandardAttributes proves that a new connection has the standard
// list, and with userinfo the same from there.
func TestM50_StandardAttributes(t *testing.T) {
	setVariables(t)
	for lines, want := range map[string][]claims.Attribute{
		"":                        claims.Default(false),
		"\t\t\tuserinfo optional": claims.Default(true),
	} {
		got := configured(t, words(lines)).Connections[0].Pipeline.Attributes
		if diff := cmp.Diff(want, got, cmp.Comparer(claims.Path.Equal)); diff != "" {
			t.Errorf("attributes with %q (-want +got):\n%s", lines, diff)
		}
	}
}

// TestM51_OwnAttributes proves that there can be any number, and that one of
// a default's name takes its place.
func TestM51_OwnAttributes(t *testing.T) {
	setVariables(t)
	got := configured(t, words("\t\t\tattribute email id_token mail\n\t\t\tattribute teams id_token teams string_array \"Teams\"\n"+
		"\t\t\tmap teams groups")).Connections[0].Pipeline.Attributes
	if want := len(claims.Default(false)) + 1; len(got) != want {
		t.Errorf("%d attributes, want %d", len(got), want)
	}
	i := slices.IndexFunc(got, func(a claims.Attribute) bool { return a.Name == "email" })
	if got[i].Path.String() != "mail" || got[i].Origin != "Caddyfile:5" {
		t.Errorf("email is read from %s (%s)", got[i].Path, got[i].Origin)
	}
	last := got[len(got)-1]
	if last.Name != "teams" || last.Type != claims.StringArray || last.DisplayName != "Teams" || last.Origin != "Caddyfile:6" {
		t.Errorf("teams is %+v", last)
	}
}

// TestM62_Backslashes proves that an escaped dot is the same path from a
// Caddyfile, quoted or not, and from JSON, where each backslash is two.
func TestM62_Backslashes(t *testing.T) {
	setVariables(t)
	const path = `https://example\.com/groups`
	for _, written := range []string{path, `"` + path + `"`, "`" + path + "`"} {
		raw, _, err := adapt(words("\t\t\tattribute teams id_token " + written + " string_array\n\t\t\tmap teams groups"))
		if err != nil {
			t.Fatal(err)
		}
		if want := `"claim":"https://example\\.com/groups"`; !strings.Contains(string(raw), want) {
			t.Errorf("%s: the JSON lacks %s: %s", written, want, raw)
		}
		var again map[string]any
		if err := json.Unmarshal(raw, &again); err != nil {
			t.Fatal(err)
		}
		for _, config := range []broker.Config{fromJSON(t, raw), fromJSON(t, encode(t, again))} {
			attributes := config.Connections[0].Pipeline.Attributes
			got := attributes[len(attributes)-1].Path
			if !got.Equal(claims.Key("https://example.com/groups")) {
				t.Errorf("%s: the path is %s, of %d segments", written, got, len(got.Segments()))
			}
			if text, _ := got.MarshalText(); string(text) != path {
				t.Errorf("%s: the path prints as %s", written, text)
			}
		}
	}
}

// TestM67_EffectiveMappings proves that the list begins with the operator's
// own in their order, tells the line of each, goes on with the default ones
// and lacks those that were taken out.
func TestM67_EffectiveMappings(t *testing.T) {
	setVariables(t)
	got := configured(t, words("\t\t\tattribute teams id_token teams string_array\n\t\t\tmap teams groups required\n"+
		"\t\t\tmap_static acme nickname\n\t\t\tmap phone_number nickname weak\n\t\t\tunmap phone_number\n\t\t\tunmap address.country")).Connections[0].Pipeline.Mappings
	type row struct{ From, To, Origin string }
	var rows, want []row
	for _, m := range got {
		rows = append(rows, row{m.From, m.To.String(), m.Origin})
	}
	want = append(want, row{"teams", "groups", "Caddyfile:6"}, row{"", "nickname", "Caddyfile:7"}, row{"phone_number", "nickname", "Caddyfile:8"})
	for _, m := range claims.DefaultMappings(false) {
		if to := m.To.String(); to != "phone_number" && to != "address.country" {
			want = append(want, row{m.From, to, claims.OriginDefault})
		}
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
	if !got[0].Required || got[0].Weak || got[1].Static != "acme" || !got[2].Weak || got[2].Required {
		t.Errorf("flags of %+v", got[:3])
	}
}

// TestM68_M69_Schema proves that a name that was declared can be mapped to,
// and how static values become what its type wants.
func TestM68_M69_Schema(t *testing.T) {
	setVariables(t)
	config := configured(t, words(`			map_static acme tenant
			map_static true vip
			map_static 12345678901234567890 seats
			map_static one groups
			map_static 1 2.5 limits`,
		"\t\tcontext tenant string \"Tenant\"", "\t\tcontext vip bool", "\t\tcontext seats number", "\t\tcontext limits number_array"))
	var got []any
	for _, m := range config.Connections[0].Pipeline.Mappings[:5] {
		got = append(got, m.Static)
	}
	want := []any{"acme", true, json.Number("12345678901234567890"), []any{"one"}, []any{json.Number("1"), json.Number("2.5")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if f := config.Context[0]; f.Name.String() != "tenant" || f.Type != claims.String || f.Description != "Tenant" {
		t.Errorf("the schema has %+v", f)
	}
}

func TestConstant(t *testing.T) {
	for _, test := range []struct {
		raw  string
		to   claims.Type
		want any // nil for an error
	}{
		{`"a"`, claims.String, "a"},
		{`"a"`, claims.Any, "a"},
		{`["a","b"]`, claims.Any, []any{"a", "b"}},
		{`5`, claims.Number, json.Number("5")},
		{`"5"`, claims.Number, json.Number("5")},
		{`"-1.5e3"`, claims.Number, json.Number("-1.5e3")},
		{`"NaN"`, claims.Number, nil},
		{`"0x10"`, claims.Number, nil},
		{`5`, claims.String, nil},
		{`"false"`, claims.Bool, false},
		{`"False"`, claims.Bool, nil},
		{`"true"`, claims.BoolArray, []any{true}},
		{`["true","no"]`, claims.BoolArray, nil},
		{`["a"]`, claims.String, nil},
		{`{"a":1}`, claims.Object, map[string]any{"a": json.Number("1")}},
		{`"a"`, claims.Object, nil},
		{`"a"`, claims.ObjectArray, nil},
		{`{"a":1}`, claims.StringArray, nil},
		{`[["a"]]`, claims.StringArray, nil},
		{`null`, claims.Any, nil},
		{`[]`, claims.StringArray, []any{}},
	} {
		v, err := decode(json.RawMessage(test.raw))
		if err != nil {
			t.Fatal(err)
		}
		got, err := constant(v, test.to)
		if (err != nil) != (test.want == nil) {
			t.Errorf("%s as %s: error %v", test.raw, test.to, err)
		}
		if diff := cmp.Diff(test.want, got); err == nil && diff != "" {
			t.Errorf("%s as %s (-want +got):\n%s", test.raw, test.to, diff)
		}
	}
	for _, raw := range []string{"", "{", "1 2"} {
		if _, err := decode(json.RawMessage(raw)); err == nil {
			t.Errorf("decode(%q): no error", raw)
		}
	}
}

// TestM33_Settings proves that what is kept beside a cached context changes
// with the settings of the provider and of its script, stays the same when
// lines move or people read another name, and shows no secret.
func TestM33_Settings(t *testing.T) {
	setVariables(t)
	t.Setenv("KEY", "not-a-secret-key")
	of := func(input string) string {
		t.Helper()
		settings := configured(t, input).Connections[0].Settings
		if len(settings) != 64 || strings.Contains(settings, "not-a-secret") {
			t.Fatalf("%q is no SHA-256", settings)
		}
		return settings
	}
	const script = "\t\t\tscript testdata/scripts/ok.js {\n\t\t\t\tsecret key {env.KEY}\n\t\t\t}"
	plain, scripted := of(words("")), of(words(script))
	if of(globals("\n\n"+provider4, "")) != plain || of(words("\t\t\tname Acme\n\t\t\tdisplay_order 3\n\t\t\thidden")) != plain {
		t.Error("a line that moved, or a name, changed the settings")
	}
	if of(words("\t\t\tscopes openid email")) == plain || scripted == plain {
		t.Error("other scopes, or a script, did not change the settings")
	}
	t.Setenv("KEY", "not-a-secret-key-2")
	if of(words(script)) == scripted {
		t.Error("another secret of the script did not change the settings")
	}
	t.Setenv("AUTH0_CLIENT_SECRET", "not-a-secret-2")
	if of(words("")) == plain {
		t.Error("another client secret did not change the settings")
	}
}

// TestAttributesKeepTheProvider proves that what is made of a provider's
// answers can change without fetching its metadata again.
func TestAttributesKeepTheProvider(t *testing.T) {
	setVariables(t)
	one := configured(t, globals(provider4, "")).Connections[0].Provider
	two := configured(t, words("\t\t\tattribute teams id_token teams\n\t\t\tmap teams nickname\n\t\t\tamr mfa\n\t\t\tcontext_cache 5m\n"+
		"\t\t\tdomains acme.example\n\t\t\ttrust_email\n\t\t\tscript testdata/scripts/ok.js")).Connections[0].Provider
	if one != two {
		t.Error("another provider was made")
	}
}
