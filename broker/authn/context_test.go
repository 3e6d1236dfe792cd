package authn

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func full(t testing.TB) *Context {
	return &Context{
		Attributes: object(t, `{"name": "Ada <ada&co>", "id": 9007199254740993, "big": 123456789012345678901234567890,
			"float": 1.10, "exp": 1E+2, "no": false, "empty": "", "none": [], "obj": {"null": null, "n": [1, {"m": 2}]},
			"line": "\u2028", "nul": "\u0000"}`),
		Connection: "acme", Issuer: "https://tenant.example/", IDPSubject: "auth0|1", Subject: "f00d",
		UpstreamSID: "upstream-session", AuthTime: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC),
		AMR: []string{"pwd", "mfa"}, ACR: "urn:example:loa2",
	}
}

func TestContextRoundTrip(t *testing.T) {
	for name, c := range map[string]*Context{
		"full":          full(t),
		"zero":          {},
		"empty":         {Attributes: map[string]any{}},
		"no attributes": {Connection: "acme", Issuer: "https://tenant.example/", IDPSubject: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var back Context
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, &back); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := json.Marshal(&back)
			if err != nil || string(again) != string(text) {
				t.Errorf("second time %s, first time %s, %v", again, text, err)
			}
		})
	}
	t.Run("inside a record that decodes numbers as floats", func(t *testing.T) {
		type record struct {
			Context *Context `json:"context"`
			Other   any      `json:"other"`
		}
		text, err := json.Marshal(record{Context: full(t), Other: 1})
		if err != nil {
			t.Fatal(err)
		}
		var back record
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(full(t), back.Context); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("inside an authorization", func(t *testing.T) {
		a := Authorization{ID: "1", Scopes: []string{"openid"}, Context: full(t)}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back Authorization
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, back); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A record that is decoded twice into one variable must not mix two
// persons: encoding/json merges into a map that is already there.
func TestUnmarshalReplacesTheWholeContext(t *testing.T) {
	c := full(t)
	if err := json.Unmarshal([]byte(`{"attributes": {"name": "Grace"}, "connection": "partner"}`), c); err != nil {
		t.Fatal(err)
	}
	want := &Context{Attributes: map[string]any{"name": "Grace"}, Connection: "partner"}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnmarshalErrorsLeaveTheContextAlone(t *testing.T) {
	for _, text := range []string{`{"attributes": []}`, `{"amr": "pwd"}`, `{"auth_time": "yesterday"}`, `[]`, `"x"`} {
		c := full(t)
		if err := json.Unmarshal([]byte(text), c); err == nil {
			t.Errorf("%s passes", text)
		}
		if diff := cmp.Diff(full(t), c); diff != "" {
			t.Errorf("%s changed the context (-want +got):\n%s", text, diff)
		}
	}
}

func TestContextJSONNames(t *testing.T) {
	c := &Context{
		Attributes: map[string]any{"name": "Ada"}, Connection: "acme", Issuer: "https://tenant.example/",
		IDPSubject: "auth0|1", Subject: "f00d", UpstreamSID: "s", AuthTime: signedIn, AMR: []string{"pwd"}, ACR: "a",
	}
	got, err := json.Marshal(c)
	want := `{"attributes":{"name":"Ada"},"connection":"acme","issuer":"https://tenant.example/",` +
		`"idp_sub":"auth0|1","sub":"f00d","upstream_sid":"s","auth_time":"2026-01-02T03:04:05Z","amr":["pwd"],"acr":"a"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	short, err := json.Marshal(&Context{Attributes: map[string]any{}})
	if want := `{"attributes":{},"connection":"","issuer":"","idp_sub":"","sub":""}`; err != nil || string(short) != want {
		t.Errorf("got  %s, %v\nwant %s", short, err, want)
	}
}

func TestContextClone(t *testing.T) {
	original := full(t)
	clone := original.Clone()
	if diff := cmp.Diff(original, clone); diff != "" {
		t.Fatalf("(-original +clone):\n%s", diff)
	}
	clone.AMR[0] = "changed"
	clone.Attributes["name"] = "changed"
	clone.Attributes["obj"].(map[string]any)["n"].([]any)[1].(map[string]any)["m"] = "changed"
	clone.ACR = "changed"
	if diff := cmp.Diff(full(t), original); diff != "" {
		t.Errorf("writing to the clone changed the original (-want +got):\n%s", diff)
	}
	if (*Context)(nil).Clone() != nil {
		t.Error("the clone of nil is something")
	}
	if diff := cmp.Diff(&Context{}, (&Context{}).Clone()); diff != "" {
		t.Errorf("the clone of the zero context (-want +got):\n%s", diff)
	}
}

func TestView(t *testing.T) {
	c := &Context{
		Attributes: object(t, `{"name": "Ada", "sub": "forged", "acr": "forged", "iss": "forged", "scp": ["forged"]}`),
		IDPSubject: "auth0|1", Subject: "f00d", AMR: []string{"pwd"},
	}
	got := c.View([]string{"openid", "email"})
	want := object(t, `{"name": "Ada", "sub": "f00d", "idp_sub": "auth0|1", "amr": ["pwd"], "scp": ["openid", "email"]}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got["name"] = "changed"
	if c.Attributes["name"] != "Ada" {
		t.Error("the view is the context itself")
	}
	t.Run("what is unknown is absent", func(t *testing.T) {
		if got := (&Context{}).View(nil); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("computed values can be told by a claim", func(t *testing.T) {
		declared := []claims.Claim{
			{Name: "idp_sub", Types: []claims.TokenType{claims.AccessToken}},
			{Name: "scp", Types: []claims.TokenType{claims.AccessToken}},
		}
		got := claims.Release(c.View([]string{"openid"}), nil, claims.AccessToken, declared, nil)
		if diff := cmp.Diff(object(t, `{"idp_sub": "auth0|1", "scp": ["openid"]}`), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestSchemaDefaults(t *testing.T) {
	s, err := NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]claims.Type{"groups": claims.StringArray, "sub": claims.String, "idp_sub": claims.String, "scp": claims.StringArray}
	for _, a := range claims.Default(false) {
		want[a.Name] = a.Type
	}
	got := make(map[string]claims.Type)
	for _, f := range s.Fields() {
		got[f.Name.String()] = f.Type
		if f.Description == "" {
			t.Errorf("%s has no description", f.Name)
		}
		if computed := strings.Contains("sub idp_sub scp", f.Name.String()); f.Computed != computed {
			t.Errorf("%s computed: %v", f.Name, f.Computed)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got) != 28 {
		t.Errorf("%d names, want 28", len(got))
	}
}

func TestM69_OwnContextNames(t *testing.T) {
	s, err := NewSchema(
		Field{Name: claims.Key("tenant"), Type: claims.String, Description: "Tenant"},
		Field{Name: path(t, "org.roles"), Type: claims.StringArray},
		Field{Name: path(t, "org.unit"), Type: claims.Object},
		Field{Name: claims.Key("groups"), Type: claims.StringArray, Description: "Your teams"},
		Field{Name: path(t, "address.planet"), Type: claims.String, Computed: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]claims.Type{
		"tenant": claims.String, "org.roles": claims.StringArray, "org.unit": claims.Object,
		"groups": claims.StringArray, "address.planet": claims.String, "email": claims.String,
	} {
		if got, err := s.Target(path(t, name)); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	fields := s.Fields()
	if last := fields[len(fields)-1]; last.Name.String() != "address.planet" || last.Computed {
		t.Errorf("the last field is %+v", last)
	}
	for _, f := range fields {
		if f.Name.String() == "groups" && f.Description != "Your teams" {
			t.Errorf("groups is described as %q", f.Description)
		}
	}
	if _, known := s.Type(path(t, "org")); known {
		t.Error("a part of a name is a name")
	}
}

func TestSchemaErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		own   []Field
		words []string
	}{
		"a default with another type": {[]Field{{Name: claims.Key("groups"), Type: claims.String}}, []string{`"groups"`, "string", "string_array"}},
		"twice":                       {[]Field{{Name: claims.Key("a"), Type: claims.String}, {Name: claims.Key("a"), Type: claims.String}}, []string{`"a"`, "twice"}},
		"a default twice":             {[]Field{{Name: claims.Key("email"), Type: claims.String}, {Name: claims.Key("email"), Type: claims.String}}, []string{`"email"`, "twice"}},
		"no name":                     {[]Field{{Type: claims.String}}, []string{"name is empty"}},
		"no type":                     {[]Field{{Name: claims.Key("a")}}, []string{`"a"`, "unknown type"}},
		"unknown type":                {[]Field{{Name: claims.Key("a"), Type: "text"}}, []string{`"text"`, "object_array"}},
		"computed":                    {[]Field{{Name: claims.Key("sub"), Type: claims.String}}, []string{`"sub"`, "reserved"}},
		"protocol":                    {[]Field{{Name: claims.Key("iss"), Type: claims.String}}, []string{`"iss"`, "reserved"}},
		"inside a protocol name":      {[]Field{{Name: path(t, "cnf.jkt"), Type: claims.String}}, []string{`"cnf.jkt"`, "reserved"}},
		"amr":                         {[]Field{{Name: claims.Key("amr"), Type: claims.StringArray}}, []string{"reserved"}},
		"around a default":            {[]Field{{Name: claims.Key("address"), Type: claims.Object}}, []string{`"address"`, `"address.formatted"`}},
		"inside a default":            {[]Field{{Name: path(t, "groups.first"), Type: claims.String}}, []string{`"groups"`, `"groups.first"`}},
		"inside another":              {[]Field{{Name: claims.Key("a"), Type: claims.Object}, {Name: path(t, "a.b"), Type: claims.String}}, []string{`"a"`, `"a.b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSchema(tt.own...)
			wantError(t, err, append(tt.words, "context")...)
		})
	}
}

func TestParseAMR(t *testing.T) {
	for text, want := range map[string][]string{
		`["pwd"]`:                         {"pwd"},
		`["pwd", "mfa"]`:                  {"pwd", "mfa"},
		`"pwd"`:                           {"pwd"}, // D12: an array of one
		`["pwd", 1, null, {}, ["x"], ""]`: {"pwd"}, // D12: others are left out
		`"pwd mfa"`:                       {"pwd mfa"},
		`[]`:                              nil,
		`[1]`:                             nil,
		`""`:                              nil,
		`null`:                            nil,
		`1`:                               nil,
		`true`:                            nil,
		`{"amr": "pwd"}`:                  nil,
	} {
		v := object(t, `{"amr": `+text+`}`)["amr"]
		if diff := cmp.Diff(want, ParseAMR(v)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestM41_AMRValues(t *testing.T) {
	if err := ValidateAMR(AMRValues(), false); err != nil {
		t.Error(err)
	}
	if got := len(AMRValues()); got != 21 {
		t.Errorf("%d methods, RFC 8176 and its registry have 21", got)
	}
	for _, custom := range []string{"MFA", "passkey", "pwd "} {
		wantError(t, ValidateAMR([]string{"pwd", custom}, false), custom, "RFC 8176", "allow_custom_amr", "mfa")
		if err := ValidateAMR([]string{custom}, true); err != nil {
			t.Error(err)
		}
	}
	if ValidateAMR([]string{""}, true) == nil {
		t.Error("an empty method passes")
	}
	if err := ValidateAMR(nil, false); err != nil {
		t.Error(err)
	}
}
