package authn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A connection with nothing but its attributes and mappings works, and each
// setting is its own connection's.
func TestM40_AllSettingsAreOptional(t *testing.T) {
	plain, static := standard(false), standard(false)
	static.StaticAMR = []string{"mfa"}
	a, b := pipeline(t, plain), pipeline(t, static)
	for p, want := range map[*Pipeline]string{a: "pwd", b: "mfa"} {
		c, _, _, err := p.Build(ada(t, `{"name": "Ada"}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, c.AMR); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	defaults, err := NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(a.Schema().Fields()), len(defaults.Fields()); got != want {
		t.Errorf("%d names in the schema, want the %d defaults", got, want)
	}
	empty, _, _, err := pipeline(t, Config{}).Build(ada(t, `{"name": "Ada"}`))
	if err != nil || len(empty.Attributes) != 0 {
		t.Errorf("without attributes: %v, %v", empty, err)
	}
}

func TestM67_EffectiveMappingsTellTheirOrigin(t *testing.T) {
	cfg := custom(t)
	var own, defaults int
	for _, m := range cfg.Mappings {
		if m.Origin == claims.OriginDefault {
			defaults++
		} else if strings.HasPrefix(m.Origin, "Caddyfile:") {
			own++
		}
	}
	if own != 3 || defaults != 2*24 || own+defaults != len(cfg.Mappings) {
		t.Errorf("%d own and %d default ones of %d", own, defaults, len(cfg.Mappings))
	}
	// The pipeline goes by exactly these, in this order.
	_, trace := traced(t, cfg, func() Input {
		in := ada(t, `{}`)
		in.Documents[claims.Userinfo] = object(t, `{"app_metadata": {"plan": "gold"}}`)
		return in
	}())
	var got []string
	for _, e := range trace {
		if e.Stage == StageMapping {
			got = append(got, e.Origin)
		}
	}
	if len(got) != len(cfg.Mappings) {
		t.Errorf("the sign-in went by %d mappings, want %d", len(got), len(cfg.Mappings))
	}
}

func TestM47_DeclaredAndMappedIsInTheContext(t *testing.T) {
	cfg := standard(false)
	mapping := claims.Mapping{From: "teams", To: claims.Key("groups"), Origin: "Caddyfile:23"}
	cfg.Mappings = append([]claims.Mapping{mapping}, cfg.Mappings...)
	_, err := NewPipeline(cfg)
	wantError(t, err, "Caddyfile:23", `"teams"`, "not a declared attribute")

	teams := claims.Attribute{Name: "teams", Source: claims.IDToken, Path: claims.Key("teams"), Type: claims.StringArray}
	cfg.Attributes = append(cfg.Attributes, teams)
	c, _, _, err := pipeline(t, cfg).Build(ada(t, `{"teams": ["staff"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(object(t, `{"groups": ["staff"]}`), c.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
