package authn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

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
