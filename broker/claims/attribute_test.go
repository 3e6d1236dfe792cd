package claims

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestM50_StandardAttributesWithoutConfiguration(t *testing.T) {
	want := map[string]Type{
		"name": String, "given_name": String, "middle_name": String, "family_name": String,
		"nickname": String, "preferred_username": String, "email": String, "phone_number": String,
		"profile": String, "picture": String, "website": String, "gender": String,
		"birthdate": String, "zoneinfo": String, "locale": String,
		"address.formatted": String, "address.street_address": String, "address.locality": String,
		"address.region": String, "address.country": String, "address.postal_code": String,
		"email_verified": Bool, "phone_number_verified": Bool,
		"updated_at": Number,
	}
	t.Run("from the ID token", func(t *testing.T) {
		got := make(map[string]Type)
		for _, a := range Default(false) {
			if a.Source != IDToken || a.Path.String() != a.Name || a.Origin != OriginDefault {
				t.Errorf("%s reads %q of %s, origin %q", a.Name, a.Path, a.Source, a.Origin)
			}
			got[a.Name] = a.Type
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("again from userinfo when it is on", func(t *testing.T) {
		attributes := Default(true)
		if len(attributes) != 2*len(want) {
			t.Fatalf("%d attributes, want %d", len(attributes), 2*len(want))
		}
		for _, a := range attributes[len(want):] {
			name, ok := strings.CutPrefix(a.Name, "userinfo.")
			if !ok || a.Source != Userinfo || a.Path.String() != name || a.Type != want[name] {
				t.Errorf("%+v", a)
			}
		}
	})
	t.Run("with a name for people", func(t *testing.T) {
		for _, a := range Default(true) {
			if a.DisplayName == "" || a.DisplayName == a.Name {
				t.Errorf("%s is displayed as %q", a.Name, a.DisplayName)
			}
		}
	})
	t.Run("valid by the rules for custom ones", func(t *testing.T) {
		if err := Validate(Default(true)); err != nil {
			t.Error(err)
		}
	})
	t.Run("the caller's own copy", func(t *testing.T) {
		Default(false)[0].Name = "changed"
		if Default(false)[0].Name != "name" {
			t.Error("a caller changed the defaults of everybody")
		}
	})
}

func TestM51_Duplicates(t *testing.T) {
	teams := Attribute{Name: "teams", Source: IDToken, Path: Key("https://example.com/groups"), Origin: "Caddyfile:7"}
	t.Run("any number of distinct ones", func(t *testing.T) {
		var many []Attribute
		for i := range 500 {
			a := Attribute{Name: strings.Repeat("a", i+1), Source: Userinfo, Path: Key(strings.Repeat("b", i+1))}
			many = append(many, a)
		}
		if err := Validate(many); err != nil {
			t.Error(err)
		}
	})
	t.Run("one name twice", func(t *testing.T) {
		other := Attribute{Name: "teams", Source: Userinfo, Path: Key("teams"), Origin: "Caddyfile:9"}
		wantError(t, Validate([]Attribute{teams, other}), `"teams"`, "Caddyfile:7", "Caddyfile:9")
	})
	t.Run("one place twice", func(t *testing.T) {
		other := teams
		other.Name, other.Origin = "groups", "Caddyfile:9"
		wantError(t, Validate([]Attribute{teams, other}), `"groups"`, `"teams"`, "Caddyfile:7", "Caddyfile:9", `https://example\.com/groups`)
	})
	t.Run("one claim of two sources is fine", func(t *testing.T) {
		other := teams
		other.Name, other.Source = "userinfo_teams", Userinfo
		if err := Validate([]Attribute{teams, other}); err != nil {
			t.Error(err)
		}
	})
}

func TestValidateAttributes(t *testing.T) {
	good := Attribute{Name: "plan", Source: IDToken, Path: Key("plan")}
	if err := Validate([]Attribute{good}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*Attribute)
		words  []string
	}{
		"no name":        {func(a *Attribute) { a.Name = "" }, []string{"name is empty"}},
		"no path":        {func(a *Attribute) { a.Path = Path{} }, []string{`"plan"`, "claim is empty"}},
		"no source":      {func(a *Attribute) { a.Source = "" }, []string{"unknown source", "id_token"}},
		"unknown source": {func(a *Attribute) { a.Source = "idtoken" }, []string{`"idtoken"`, "userinfo"}},
		"unknown type":   {func(a *Attribute) { a.Type = "text" }, []string{`"text"`, "string_array"}},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			tt.change(&bad)
			wantError(t, Validate([]Attribute{bad}), tt.words...)
			if _, err := NewMapper([]Attribute{bad}, nil); err == nil {
				t.Error("the mapper takes it")
			}
		})
	}
}

func TestOverride(t *testing.T) {
	defaults := Default(false)
	custom := []Attribute{
		{Name: "teams", Source: IDToken, Path: Key("teams"), Type: StringArray},
		{Name: "email", Source: AccessToken, Path: Key("mail")},
	}
	got := Override(defaults, custom)
	if len(got) != len(defaults)+1 {
		t.Fatalf("%d attributes, want the defaults and one more", len(got))
	}
	i := slices.IndexFunc(got, func(a Attribute) bool { return a.Name == "email" })
	if got[i].Source != AccessToken || got[i].Path.String() != "mail" {
		t.Errorf("email reads %q of %s, want the custom one", got[i].Path, got[i].Source)
	}
	if got[len(got)-1].Name != "teams" {
		t.Errorf("the last one is %q", got[len(got)-1].Name)
	}
	if diff := cmp.Diff(Default(false), defaults); diff != "" {
		t.Errorf("the defaults changed (-want +got):\n%s", diff)
	}
}

func TestM58_DisplayName(t *testing.T) {
	if got := (Attribute{Name: "teams", DisplayName: "Your teams"}).Label(); got != "Your teams" {
		t.Errorf("got %q", got)
	}
	if got := (Attribute{Name: "teams"}).Label(); got != "teams" {
		t.Errorf("without one: got %q, want the name", got)
	}
}

func TestAttributeJSON(t *testing.T) {
	const text = `{"name":"teams","source":"id_token","claim":"https://example\\.com/groups","type":"string_array","display_name":"Teams"}`
	var a Attribute
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	want := Attribute{Name: "teams", Source: IDToken, Path: Key("https://example.com/groups"), Type: StringArray, DisplayName: "Teams"}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	back, err := json.Marshal(a)
	if err != nil || string(back) != text {
		t.Errorf("JSON %s, %v; want %s", back, err, text)
	}
}

// everywhere declares one claim of every source, each as its own attribute.
func everywhere(claim string, typ Type) []Attribute {
	var out []Attribute
	for _, s := range Sources() {
		out = append(out, Attribute{Name: "from_" + string(s), Source: s, Path: Key(claim), Type: typ})
	}
	return out
}

func TestM52M53M54M56_OwnSourceOnly(t *testing.T) {
	docs := Documents{
		IDToken:     object(t, `{"plan": "by id token"}`),
		AccessToken: object(t, `{"plan": "by access token"}`),
		Userinfo:    object(t, `{"plan": "by userinfo"}`),
		Assertion:   object(t, `{"plan": "by assertion"}`),
	}
	attributes := everywhere("plan", String)
	got, drops := Extract(attributes, docs)
	want := map[string]any{
		"from_id_token": "by id token", "from_access_token": "by access token",
		"from_userinfo": "by userinfo", "from_assertion": "by assertion",
	}
	if diff := cmp.Diff(want, got); diff != "" || drops != nil {
		t.Errorf("drops %v (-want +got):\n%s", drops, diff)
	}

	t.Run("another document does not fill in", func(t *testing.T) {
		for missing := range docs {
			rest := Documents{missing: {}}
			for s, doc := range docs {
				if s != missing {
					rest[s] = doc
				}
			}
			got, drops := Extract(attributes, rest)
			if v, filled := got["from_"+string(missing)]; filled {
				t.Errorf("attribute of %s got %v", missing, v)
			}
			want := []Drop{{Attribute: "from_" + string(missing), Reason: AbsentUpstream}}
			if diff := cmp.Diff(want, drops); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	})
}

func TestExtractTellsWhyNothingCame(t *testing.T) {
	attributes := everywhere("plan", String)
	for name, tt := range map[string]struct {
		docs Documents
		want []Reason
	}{
		"M48 never received": {
			Documents{IDToken: {}, AccessToken: {}, Userinfo: {}, Assertion: {}},
			[]Reason{AbsentUpstream, AbsentUpstream, AbsentUpstream, AbsentUpstream},
		},
		"explicit null": {
			Documents{IDToken: {"plan": nil}, AccessToken: {"plan": nil}, Userinfo: {"plan": nil}, Assertion: {"plan": nil}},
			[]Reason{NullUpstream, NullUpstream, NullUpstream, NullUpstream},
		},
		"M52 no readable documents": {
			Documents{AccessToken: nil},
			[]Reason{AbsentUpstream, AccessTokenOpaque, UserinfoFailed, AbsentUpstream},
		},
		"nothing at all": {
			nil,
			[]Reason{AbsentUpstream, AccessTokenOpaque, UserinfoFailed, AbsentUpstream},
		},
	} {
		t.Run(name, func(t *testing.T) {
			values, drops := Extract(attributes, tt.docs)
			if len(values) != 0 {
				t.Errorf("values %v", values)
			}
			var got []Reason
			for _, d := range drops {
				got = append(got, d.Reason)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestM46_UndeclaredClaimsAreIgnored(t *testing.T) {
	docs := Documents{IDToken: object(t, `{"name": "Ada", "undeclared": "x", "https://example.com/groups": ["y"]}`)}
	values, _ := Extract(Default(true), docs)
	if diff := cmp.Diff(map[string]any{"name": "Ada"}, values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDropIsReadable(t *testing.T) {
	for want, d := range map[string]Drop{
		`attribute "plan": absent_upstream`:                                    {Attribute: "plan", Reason: AbsentUpstream},
		`attribute "plan" for "tier": shadowed`:                                {Attribute: "plan", Target: Key("tier"), Reason: Shadowed},
		`attribute "plan" for "tier": type_mismatch (got number, want string)`: {Attribute: "plan", Target: Key("tier"), Reason: TypeMismatch, Got: "number", Want: String},
		`static value for "email_verified": unverified_pair`:                   {Target: Key("email_verified"), Reason: UnverifiedPair},
	} {
		if got := d.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for reason, want := range map[Reason]bool{
		AbsentUpstream: false, NullUpstream: false, NotMapped: false, Shadowed: false,
		AccessTokenOpaque: true, UserinfoFailed: true, TypeMismatch: true, UnverifiedPair: true,
	} {
		if reason.Warn() != want {
			t.Errorf("%s warns: %v", reason, !want)
		}
	}
}

func TestDropJSON(t *testing.T) {
	got, err := json.Marshal([]Drop{
		{Attribute: "plan", Reason: AbsentUpstream},
		{Attribute: "plan", Target: Key("tier"), Reason: TypeMismatch, Got: "number", Want: String, Origin: "Caddyfile:8"},
	})
	want := `[{"attribute":"plan","reason":"absent_upstream"},` +
		`{"attribute":"plan","target":"tier","reason":"type_mismatch","got":"number","want":"string","origin":"Caddyfile:8"}]`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}
