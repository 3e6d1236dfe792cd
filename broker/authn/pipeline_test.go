package authn

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func TestM50M66_ConnectionWithoutConfiguration(t *testing.T) {
	got, drops, _, err := pipeline(t, standard(false)).Build(ada(t, `{
		"iss": "https://tenant.example/", "sub": "auth0|1", "amr": ["pwd"], "custom": "x",
		"name": "Ada", "email": "ada@example.com", "email_verified": true, "updated_at": 1311280970,
		"address": {"country": "GB"}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Context{
		Attributes: object(t, `{"name": "Ada", "email": "ada@example.com", "email_verified": true,
			"updated_at": 1311280970, "address": {"country": "GB"}}`),
		Connection: "acme", Issuer: "https://tenant.example/", IDPSubject: "auth0|1",
		UpstreamSID: "upstream-session", AuthTime: signedIn, AMR: []string{"pwd"}, ACR: "basic",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, d := range drops {
		if d.Reason != claims.AbsentUpstream {
			t.Errorf("unexpected %s", d)
		}
	}
}

func TestM54_UserinfoFillsTheContext(t *testing.T) {
	in := ada(t, `{"name": "Ada"}`)
	in.Documents[claims.Userinfo] = object(t, `{"name": "Other", "nickname": "ada"}`)
	got, _, _, err := pipeline(t, standard(true)).Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(object(t, `{"name": "Ada", "nickname": "ada"}`), got.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	t.Run("D13 a failed call leaves an empty source", func(t *testing.T) {
		got, drops, _, err := pipeline(t, standard(true)).Build(ada(t, `{"name": "Ada"}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object(t, `{"name": "Ada"}`), got.Attributes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		failed := func(d claims.Drop) bool {
			return d.Attribute == "userinfo.email" && d.Reason == claims.UserinfoFailed
		}
		if !slices.ContainsFunc(drops, failed) {
			t.Errorf("no drop tells of the failed call: %v", drops)
		}
	})
}

func TestR40_PairsHoldInThePipeline(t *testing.T) {
	in := ada(t, `{"email_verified": true}`)
	in.Documents[claims.Userinfo] = object(t, `{"email": "victim@example.com"}`)
	got, _, _, err := pipeline(t, standard(true)).Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(object(t, `{"email": "victim@example.com"}`), got.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// custom is a connection with an attribute of each source, three of them
// mapped.
func custom(t testing.TB) Config {
	schema, err := NewSchema(
		Field{Name: claims.Key("plan"), Type: claims.String},
		Field{Name: path(t, "org.tenant"), Type: claims.String},
	)
	if err != nil {
		t.Fatal(err)
	}
	own := []claims.Attribute{
		{Name: "teams", Source: claims.IDToken, Path: path(t, `https://example\.com/groups`), Type: claims.StringArray, Origin: "Caddyfile:20"},
		{Name: "plan", Source: claims.Userinfo, Path: path(t, "app_metadata.plan"), Origin: "Caddyfile:21"},
		{Name: "scopes", Source: claims.AccessToken, Path: path(t, "permissions"), Type: claims.StringArray},
	}
	if err := claims.Validate(own); err != nil {
		t.Fatal(err)
	}
	mappings := []claims.Mapping{
		{From: "teams", To: claims.Key("groups"), Origin: "Caddyfile:23"},
		{From: "plan", To: claims.Key("plan"), Required: true, Origin: "Caddyfile:24"},
		{Static: "acme", To: path(t, "org.tenant"), Origin: "Caddyfile:25"},
	}
	return Config{
		Schema:     schema,
		Attributes: claims.Override(claims.Default(true), own),
		Mappings:   append(mappings, claims.DefaultMappings(true)...),
	}
}

func TestCustomAttributesAndMappings(t *testing.T) {
	in := ada(t, `{"name": "Ada", "https://example.com/groups": ["staff", "dev"]}`)
	in.Documents[claims.Userinfo] = object(t, `{"app_metadata": {"plan": "gold", "secret": "x"}}`)
	in.Documents[claims.AccessToken] = object(t, `{"permissions": ["read:all"]}`)
	got, drops, _, err := pipeline(t, custom(t)).Build(in)
	if err != nil {
		t.Fatal(err)
	}
	want := object(t, `{"name": "Ada", "groups": ["staff", "dev"], "plan": "gold", "org": {"tenant": "acme"}}`)
	if diff := cmp.Diff(want, got.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	t.Run("M63 the unmapped one is told", func(t *testing.T) {
		unmapped := claims.Drop{Attribute: "scopes", Reason: claims.NotMapped}
		if !slices.ContainsFunc(drops, func(d claims.Drop) bool { return cmp.Equal(d, unmapped) }) {
			t.Errorf("drops %v", drops)
		}
	})
	t.Run("M47 the context reaches the token", func(t *testing.T) {
		c := claims.Claim{Name: "groups", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"teams"}}
		released := claims.Release(got.View([]string{"openid", "teams"}), []string{"openid", "teams"}, claims.IDToken, []claims.Claim{c}, nil)
		if diff := cmp.Diff(map[string]any{"groups": []any{"staff", "dev"}}, released); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("a missing required one ends the sign-in", func(t *testing.T) {
		in.Documents[claims.Userinfo] = object(t, `{"app_metadata": {"plan": 1}}`)
		got, drops, _, err := pipeline(t, custom(t)).Build(in)
		if !errors.Is(err, claims.ErrRequired) || got != nil {
			t.Fatalf("got %v, %v", got, err)
		}
		wantError(t, err, `"acme"`, `"plan"`)
		if !slices.ContainsFunc(drops, func(d claims.Drop) bool { return d.Reason == claims.TypeMismatch }) {
			t.Errorf("no drop tells why: %v", drops)
		}
	})
}

func TestNewPipelineErrors(t *testing.T) {
	number := claims.Mapping{From: "name", To: claims.Key("nickname"), Type: claims.Number, Origin: "Caddyfile:9"}
	for name, tt := range map[string]struct {
		m     claims.Mapping
		words []string
	}{
		"M68 target outside the schema": {
			claims.Mapping{From: "name", To: claims.Key("gruops"), Origin: "Caddyfile:9"},
			[]string{"Caddyfile:9: mapping", `"gruops"`, "not in the context schema", `did you mean "groups"`},
		},
		"M47 undeclared source": {
			claims.Mapping{From: "nmae", To: claims.Key("nickname"), Origin: "Caddyfile:9"},
			[]string{"Caddyfile:9: mapping", `"nmae"`, `did you mean "name"`},
		},
		"reserved target":    {claims.Mapping{From: "name", To: claims.Key("sub")}, []string{"mapping #25", `"sub"`, "reserved"}},
		"inside a reserved":  {claims.Mapping{From: "name", To: path(t, "act.sub")}, []string{`"act.sub"`, "reserved"}},
		"amr is no target":   {claims.Mapping{From: "name", To: claims.Key("amr")}, []string{"reserved"}},
		"no target":          {claims.Mapping{From: "name"}, []string{"target", "not in the context schema"}},
		"part of a name":     {claims.Mapping{From: "name", To: claims.Key("address")}, []string{`"address"`, "not in the context schema"}},
		"key, not a place":   {claims.Mapping{From: "name", To: claims.Key("address.country")}, []string{`address\\.country`, "not in the context schema", "address.country"}},
		"type of its own":    {number, []string{"Caddyfile:9", "number", "string", `"nickname"`}},
		"mistyped constant":  {claims.Mapping{Static: 1, To: claims.Key("name")}, []string{"static value", "number", "string"}},
		"case of the target": {claims.Mapping{From: "name", To: claims.Key("Name")}, []string{`did you mean "name"`}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := standard(false)
			cfg.Mappings = append(cfg.Mappings, tt.m)
			_, err := NewPipeline(cfg)
			wantError(t, err, tt.words...)
		})
	}
	t.Run("attributes", func(t *testing.T) {
		cfg := standard(false)
		cfg.Attributes = append(cfg.Attributes, cfg.Attributes[0])
		_, err := NewPipeline(cfg)
		wantError(t, err, `"name"`, "already declared")
	})
	t.Run("amr", func(t *testing.T) {
		cfg := standard(false)
		cfg.StaticAMR = []string{"mfaa"}
		_, err := NewPipeline(cfg)
		wantError(t, err, `"mfaa"`, "RFC 8176")
	})
}

// Whoever cannot be told from everybody else must not become somebody.
func TestBuildRefusesAnIncompleteIdentity(t *testing.T) {
	p := pipeline(t, standard(false))
	for name, change := range map[string]func(*Input){
		"no connection":     func(in *Input) { in.Connection = "" },
		"no issuer":         func(in *Input) { in.Issuer = "" },
		"no subject":        func(in *Input) { in.Subject = "" },
		"NUL in connection": func(in *Input) { in.Connection = "a\x00b" },
		"NUL in issuer":     func(in *Input) { in.Issuer = "https://a\x00b/" },
	} {
		t.Run(name, func(t *testing.T) {
			in := ada(t, `{"name": "Ada"}`)
			change(&in)
			if got, _, _, err := p.Build(in); !errors.Is(err, ErrSubject) || got != nil {
				t.Errorf("got %v, %v; want ErrSubject", got, err)
			}
		})
	}
}

// Auth0 sends updated_at as a text, OpenID Connect demands a number.
func TestISOUpdatedAt(t *testing.T) {
	iso := standard(true)
	iso.ISOUpdatedAt = true
	for value, want := range map[string]string{
		`"2019-09-12T08:28:33.123Z"`:  `{"updated_at": 1568276913}`,
		`"2019-09-12T08:28:33Z"`:      `{"updated_at": 1568276913}`,
		`"2019-09-12T10:28:33+02:00"`: `{"updated_at": 1568276913}`,
		`"1969-12-31T23:59:59Z"`:      `{"updated_at": -1}`,
		`1568276913`:                  `{"updated_at": 1568276913}`,
		// Unreadable: dropped like any other mismatch.
		`"yesterday"`:           `{}`,
		`"2019-09-12"`:          `{}`,
		`"1568276913"`:          `{}`,
		`""`:                    `{}`,
		`true`:                  `{}`,
		`null`:                  `{}`,
		`{"$date":"2019"}`:      `{}`,
		`"2019-13-12T08:28:33"`: `{}`,
	} {
		t.Run(value, func(t *testing.T) {
			got, drops, _, err := pipeline(t, iso).Build(ada(t, `{"updated_at": `+value+`}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, want), got.Attributes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			mismatch := slices.ContainsFunc(drops, func(d claims.Drop) bool { return d.Reason == claims.TypeMismatch })
			if wanted := want == `{}` && value != `null`; mismatch != wanted {
				t.Errorf("told as a mismatch: %v, want %v", mismatch, wanted)
			}
		})
	}
	t.Run("from userinfo too", func(t *testing.T) {
		in := ada(t, `{}`)
		in.Documents[claims.Userinfo] = object(t, `{"updated_at": "2019-09-12T08:28:33.123Z"}`)
		got, _, _, err := pipeline(t, iso).Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object(t, `{"updated_at": 1568276913}`), got.Attributes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("other connections take it as it is", func(t *testing.T) {
		got, _, _, err := pipeline(t, standard(false)).Build(ada(t, `{"updated_at": "2019-09-12T08:28:33.123Z"}`))
		if err != nil || len(got.Attributes) != 0 {
			t.Errorf("got %v, %v", got.Attributes, err)
		}
	})
	t.Run("an attribute declared as a text gets the text", func(t *testing.T) {
		cfg := standard(false)
		cfg.ISOUpdatedAt = true
		cfg.Attributes = append(cfg.Attributes, claims.Attribute{Name: "changed", Source: claims.IDToken, Path: claims.Key("updated_at")})
		cfg.Mappings = append([]claims.Mapping{{From: "changed", To: claims.Key("nickname")}}, cfg.Mappings...)
		in := ada(t, `{"updated_at": "2019-09-12T08:28:33.123Z"}`)
		got, _, _, err := pipeline(t, cfg).Build(in)
		if err != nil {
			t.Fatal(err)
		}
		want := object(t, `{"nickname": "2019-09-12T08:28:33.123Z", "updated_at": 1568276913}`)
		if diff := cmp.Diff(want, got.Attributes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := in.Documents[claims.IDToken]["updated_at"]; got != "2019-09-12T08:28:33.123Z" {
			t.Errorf("the document now says %v", got)
		}
	})
}

func TestM42M43_StaticAMR(t *testing.T) {
	for name, tt := range map[string]struct {
		static, upstream, want []string
	}{
		"written if upstream sent none": {[]string{"mfa"}, nil, []string{"mfa"}},
		"replaced if it did":            {[]string{"mfa"}, []string{"pwd"}, []string{"mfa"}},
		"several":                       {[]string{"mfa", "otp"}, []string{"pwd", "sms", "tel"}, []string{"mfa", "otp"}},
		"no setting: upstream passes":   {nil, []string{"pwd"}, []string{"pwd"}},
		"neither":                       {nil, nil, nil},
		"empty is none":                 {[]string{}, []string{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := standard(false)
			cfg.StaticAMR = tt.static
			in := ada(t, `{}`)
			in.AMR = tt.upstream
			got, _, _, err := pipeline(t, cfg).Build(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.AMR); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("sign-ins do not share it", func(t *testing.T) {
		cfg := standard(false)
		cfg.StaticAMR = []string{"mfa"}
		p := pipeline(t, cfg)
		first, _, _, _ := p.Build(ada(t, `{}`))
		first.AMR[0] = "changed"
		cfg.StaticAMR[0] = "changed"
		second, _, _, _ := p.Build(ada(t, `{}`))
		if diff := cmp.Diff([]string{"mfa"}, second.AMR); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestBuildKeepsItsHandsOffTheInput(t *testing.T) {
	const text = `{"name": "Ada", "address": {"country": "GB"}}`
	in := ada(t, text)
	in.AuthTime = time.Date(2026, 1, 2, 4, 4, 5, 0, time.FixedZone("", 3600))
	got, _, _, err := pipeline(t, standard(false)).Build(in)
	if err != nil {
		t.Fatal(err)
	}
	if got.AuthTime.Location() != time.UTC || !got.AuthTime.Equal(signedIn) {
		t.Errorf("auth time %v, want %v", got.AuthTime, signedIn)
	}
	got.Attributes["address"].(map[string]any)["country"] = "changed"
	got.AMR[0] = "changed"
	if diff := cmp.Diff(object(t, text), in.Documents[claims.IDToken]); diff != "" {
		t.Errorf("the document changed (-want +got):\n%s", diff)
	}
	if in.AMR[0] != "pwd" {
		t.Error("the upstream's amr changed")
	}
}

func TestUnknownAuthTimeStaysUnknown(t *testing.T) {
	in := ada(t, `{}`)
	in.AuthTime = time.Time{}
	got, _, _, err := pipeline(t, standard(false)).Build(in)
	if err != nil || !got.AuthTime.IsZero() {
		t.Errorf("got %v, %v", got.AuthTime, err)
	}
}

func TestPipelineIsSafeForConcurrentUse(t *testing.T) {
	p := pipeline(t, custom(t))
	in := ada(t, `{"name": "Ada", "email": "ada@example.com", "email_verified": true, "https://example.com/groups": ["a"]}`)
	in.Documents[claims.Userinfo] = object(t, `{"app_metadata": {"plan": "gold"}}`)
	want, _, _, err := p.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, _, _, err := p.Build(in)
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("got %v, %v", got, err)
			}
			got.Attributes["name"] = "changed"
		})
	}
	wg.Wait()
}

// BenchmarkBuild is one sign-in with ID token, userinfo and the custom
// attributes of the reference configuration.
func BenchmarkBuild(b *testing.B) {
	p := pipeline(b, custom(b))
	in := ada(b, `{"name": "Ada", "given_name": "Ada", "family_name": "Lovelace", "nickname": "ada",
		"email": "ada@example.com", "email_verified": true, "picture": "https://example.com/ada.png",
		"updated_at": 1311280970, "https://example.com/groups": ["staff", "dev"]}`)
	in.Documents[claims.Userinfo] = object(b, `{"name": "Ada", "email": "ada@example.com", "app_metadata": {"plan": "gold"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := p.Build(in); err != nil {
			b.Fatal(err)
		}
	}
}
