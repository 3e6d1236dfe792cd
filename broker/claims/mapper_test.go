package claims

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything is an ID token with all the standard claims, and more.
const everything = `{
	"iss": "https://tenant.example/", "sub": "auth0|1", "aud": "broker", "nonce": "n", "amr": ["pwd"],
	"name": "Ada Lovelace", "given_name": "Ada", "middle_name": "A", "family_name": "Lovelace",
	"nickname": "ada", "preferred_username": "ada", "email": "ada@example.com", "email_verified": true,
	"phone_number": "+4420", "phone_number_verified": false, "profile": "https://example.com/ada",
	"picture": "https://example.com/ada.png", "website": "https://example.com", "gender": "female",
	"birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB", "updated_at": 1311280970,
	"address": {"formatted": "1 Main St", "street_address": "1 Main St", "locality": "London",
		"region": "LND", "postal_code": "N1", "country": "GB", "planet": "Earth"},
	"groups": ["staff"], "https://example.com/roles": ["admin"]
}`

func TestM66_StandardClaimsAreMappedOutOfTheBox(t *testing.T) {
	want := object(t, everything)
	for _, unmapped := range []string{"iss", "sub", "aud", "nonce", "amr", "groups", "https://example.com/roles"} {
		delete(want, unmapped)
	}
	delete(want["address"].(map[string]any), "planet")

	for name, docs := range map[string]Documents{
		"from the ID token":       {IDToken: object(t, everything), Userinfo: {}},
		"from userinfo":           {IDToken: {}, Userinfo: object(t, everything)},
		"the ID token goes first": {IDToken: object(t, everything), Userinfo: object(t, `{"name": "Other", "locale": "fr", "email": "other@example.com"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := mapAll(t, Default(true), DefaultMappings(true), docs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("userinfo fills what the ID token lacks", func(t *testing.T) {
		got, _, err := mapAll(t, Default(true), DefaultMappings(true), Documents{
			IDToken:  object(t, `{"name": "Ada", "nickname": null}`),
			Userinfo: object(t, `{"nickname": "ada", "address": {"country": "GB"}}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := object(t, `{"name": "Ada", "nickname": "ada", "address": {"country": "GB"}}`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("userinfo is not read when it is off", func(t *testing.T) {
		got, _, err := mapAll(t, Default(false), DefaultMappings(false), Documents{
			IDToken: {}, Userinfo: object(t, everything),
		})
		if err != nil || len(got) != 0 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestM59_MismatchYieldsNothing(t *testing.T) {
	for claim, values := range map[string][]string{
		"name":           {`1`, `true`, `["Ada"]`, `{}`},
		"email_verified": {`"true"`, `1`, `"1"`},
		"updated_at":     {`"1311280970"`, `"2020-01-01T00:00:00Z"`, `true`},
	} {
		for _, value := range values {
			t.Run(claim+" "+value, func(t *testing.T) {
				doc := object(t, `{"email": "ada@example.com", "`+claim+`": `+value+`}`)
				got, drops, err := mapAll(t, Default(false), DefaultMappings(false), Documents{IDToken: doc})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(object(t, `{"email": "ada@example.com"}`), got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]Reason{TypeMismatch}, reasons(drops, claim)); diff != "" {
					t.Errorf("reasons (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// one maps a single attribute of the ID token.
func one(t *testing.T, a Attribute, m Mapping, doc string) (any, bool, []Drop) {
	t.Helper()
	a.Name, a.Source, a.Path = "a", IDToken, Key("a")
	m.From, m.To = "a", Key("target")
	got, drops, err := mapAll(t, []Attribute{a}, []Mapping{m}, Documents{IDToken: object(t, doc)})
	if err != nil {
		t.Fatal(err)
	}
	v, present := got["target"]
	return v, present, drops
}

func TestM59_DeclaredAndTargetTypes(t *testing.T) {
	t.Run("both must agree with the value", func(t *testing.T) {
		for value, types := range samples {
			for _, declared := range Types() {
				for _, wanted := range Types() {
					got, present, _ := one(t, Attribute{Type: declared}, Mapping{Type: wanted}, `{"a": `+value+`}`)
					want := slices.Contains(types, declared) && slices.Contains(types, wanted)
					if present != want {
						t.Errorf("%s declared %s to %s: got %#v, %v; want it there: %v", value, declared, wanted, got, present, want)
					}
				}
			}
		}
	})
	t.Run("the default type is string", func(t *testing.T) {
		if got, _, _ := one(t, Attribute{}, Mapping{Type: Any}, `{"a": "x"}`); got != "x" {
			t.Errorf("got %v", got)
		}
		if got, present, _ := one(t, Attribute{}, Mapping{Type: Any}, `{"a": 1}`); present {
			t.Errorf("a number passed for a string: %v", got)
		}
	})
	t.Run("weak converts whatever was declared", func(t *testing.T) {
		for value, want := range map[string]any{`"staff"`: []any{"staff"}, `["a"]`: []any{"a"}, `5`: []any{"5"}} {
			got, _, _ := one(t, Attribute{}, Mapping{Type: StringArray, Weak: true}, `{"a": `+value+`}`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", value, diff)
			}
		}
	})
	t.Run("weak that cannot convert yields nothing", func(t *testing.T) {
		_, present, drops := one(t, Attribute{}, Mapping{Type: Bool, Weak: true}, `{"a": "yes"}`)
		if present || !cmp.Equal(reasons(drops, "target"), []Reason{TypeMismatch}) {
			t.Errorf("present %v, drops %v", present, drops)
		}
	})
	t.Run("the drop names the types and the place", func(t *testing.T) {
		_, _, drops := one(t, Attribute{Type: String}, Mapping{Type: String, Origin: "Caddyfile:8"}, `{"a": 1}`)
		want := []Drop{{Attribute: "a", Target: Key("target"), Reason: TypeMismatch, Got: "number", Want: String, Origin: "Caddyfile:8"}}
		if diff := cmp.Diff(want, drops); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestIntegersStayExact(t *testing.T) {
	const id = "12345678901234567891234567890"
	got, _, _ := one(t, Attribute{Type: Number}, Mapping{Type: Number}, `{"a": `+id+`}`)
	if diff := cmp.Diff(decode(t, id), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// precedence has three attributes and mappings from all to one target.
func precedence(required bool) ([]Attribute, []Mapping) {
	var attributes []Attribute
	var mappings []Mapping
	for _, name := range []string{"first", "second", "third"} {
		attributes = append(attributes, Attribute{Name: name, Source: IDToken, Path: Key(name)})
		mappings = append(mappings, Mapping{From: name, To: Key("plan"), Type: String, Required: required && name == "second"})
	}
	return attributes, mappings
}

func TestD5_FirstThatYieldsWins(t *testing.T) {
	attributes, mappings := precedence(false)
	for doc, want := range map[string]any{
		`{"first": "1", "second": "2", "third": "3"}`:  "1",
		`{"second": "2", "third": "3"}`:                "2",
		`{"first": null, "third": "3"}`:                "3",
		`{"first": 1, "second": "2"}`:                  "2", // a mismatch yields nothing
		`{"first": "", "second": "2"}`:                 "",  // an empty text is a value
		`{"first": 1, "second": true, "third": ["3"]}`: nil,
		`{}`: nil,
	} {
		t.Run(doc, func(t *testing.T) {
			got, _, err := mapAll(t, attributes, mappings, Documents{IDToken: object(t, doc)})
			if err != nil || got["plan"] != want {
				t.Errorf("got %v, %v; want %v", got["plan"], err, want)
			}
		})
	}
	t.Run("the others are told to be shadowed", func(t *testing.T) {
		_, drops, _ := mapAll(t, attributes, mappings, Documents{IDToken: object(t, `{"first": 1, "second": "2", "third": "3"}`)})
		if diff := cmp.Diff([]Reason{TypeMismatch, Shadowed}, reasons(drops, "plan")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("custom before default", func(t *testing.T) {
		attributes := append(Default(false), Attribute{Name: "full", Source: IDToken, Path: Key("full")})
		mappings := append([]Mapping{{From: "full", To: Key("name"), Type: String}}, DefaultMappings(false)...)
		got, _, _ := mapAll(t, attributes, mappings, Documents{IDToken: object(t, `{"name": "default", "full": "custom"}`)})
		if got["name"] != "custom" {
			t.Errorf("got %v", got["name"])
		}
		got, _, _ = mapAll(t, attributes, mappings, Documents{IDToken: object(t, `{"name": "default"}`)})
		if got["name"] != "default" {
			t.Errorf("without the custom one: got %v", got["name"])
		}
	})
}

func TestD4_RequiredTargetEndsTheSignIn(t *testing.T) {
	attributes, mappings := precedence(true)
	for _, doc := range []string{`{}`, `{"first": null}`, `{"second": 2}`} {
		t.Run(doc, func(t *testing.T) {
			got, drops, err := mapAll(t, attributes, mappings, Documents{IDToken: object(t, doc)})
			if !errors.Is(err, ErrRequired) || got != nil {
				t.Fatalf("got %v, %v; want ErrRequired and no context", got, err)
			}
			wantError(t, err, `"plan"`)
			if len(drops) == 0 {
				t.Error("nothing tells why")
			}
		})
	}
	t.Run("any mapping may fill it", func(t *testing.T) {
		for _, doc := range []string{`{"first": "x"}`, `{"second": "x"}`, `{"third": "x"}`, `{"first": ""}`} {
			if _, _, err := mapAll(t, attributes, mappings, Documents{IDToken: object(t, doc)}); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	})
	t.Run("all that is missing is named", func(t *testing.T) {
		mappings := append(mappings, Mapping{From: "first", To: path(t, "address.country"), Type: String, Required: true})
		_, _, err := mapAll(t, attributes, mappings, Documents{})
		wantError(t, err, `"plan"`, `"address.country"`)
	})
}

func TestM63_UnmappedAttributesGoNowhere(t *testing.T) {
	attributes := []Attribute{
		{Name: "plan", Source: IDToken, Path: Key("plan"), Origin: "Caddyfile:5"},
		{Name: "name", Source: IDToken, Path: Key("name")},
	}
	mappings := []Mapping{{From: "name", To: Key("name"), Type: String}}
	got, drops, err := mapAll(t, attributes, mappings, Documents{IDToken: object(t, `{"plan": "gold", "name": "Ada"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"name": "Ada"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []Drop{{Attribute: "plan", Reason: NotMapped, Origin: "Caddyfile:5"}}
	if diff := cmp.Diff(want, drops); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestM68_OneAttributeMayHaveSeveralTargets(t *testing.T) {
	attributes := []Attribute{{Name: "teams", Source: IDToken, Path: Key("https://example.com/groups"), Type: StringArray}}
	mappings := []Mapping{
		{From: "teams", To: Key("groups"), Type: StringArray},
		{From: "teams", To: path(t, `org.te\.ams`), Type: StringArray},
	}
	got, _, err := mapAll(t, attributes, mappings, Documents{IDToken: object(t, `{"https://example.com/groups": ["a", "b"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(object(t, `{"groups": ["a", "b"], "org": {"te.ams": ["a", "b"]}}`), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got["groups"].([]any)[0] = "changed"
	if inner, _ := path(t, `org.te\.ams.0`).Lookup(got); inner != "a" {
		t.Error("the two targets share memory")
	}
}

func TestStaticMapping(t *testing.T) {
	for name, tt := range map[string]struct {
		m    Mapping
		want any
	}{
		"string":         {Mapping{Type: String, Static: "acme"}, "acme"},
		"number":         {Mapping{Type: Number, Static: 42}, decode(t, `42`)},
		"bool false":     {Mapping{Type: Bool, Static: false}, false},
		"strings":        {Mapping{Type: StringArray, Static: []string{"a", "b"}}, []any{"a", "b"}},
		"object":         {Mapping{Type: Object, Static: map[string]int{"a": 1}}, decode(t, `{"a": 1}`)},
		"weak":           {Mapping{Type: Number, Static: "0x10", Weak: true}, decode(t, `16`)},
		"empty string":   {Mapping{Type: String, Static: ""}, ""},
		"large integers": {Mapping{Type: Number, Static: int64(9007199254740993)}, decode(t, `9007199254740993`)},
	} {
		t.Run(name, func(t *testing.T) {
			tt.m.To = Key("tenant")
			for range 2 { // the first sign-in leaves nothing for the second
				got, drops, err := mapAll(t, nil, []Mapping{tt.m}, nil)
				if err != nil || drops != nil {
					t.Fatal(drops, err)
				}
				if diff := cmp.Diff(tt.want, got["tenant"]); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
	t.Run("users do not share the constant", func(t *testing.T) {
		m, err := NewMapper(nil, []Mapping{{To: Key("roles"), Type: StringArray, Static: []string{"user"}}})
		if err != nil {
			t.Fatal(err)
		}
		first, _, _, _ := m.Map(nil)
		first["roles"].([]any)[0] = "admin"
		second, _, _, _ := m.Map(nil)
		if diff := cmp.Diff([]any{"user"}, second["roles"]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("a default for who has none", func(t *testing.T) {
		attributes := []Attribute{{Name: "plan", Source: IDToken, Path: Key("plan")}}
		mappings := []Mapping{{From: "plan", To: Key("plan"), Type: String}, {To: Key("plan"), Type: String, Static: "free"}}
		for doc, want := range map[string]string{`{"plan": "gold"}`: "gold", `{}`: "free", `{"plan": 1}`: "free"} {
			got, _, _ := mapAll(t, attributes, mappings, Documents{IDToken: object(t, doc)})
			if got["plan"] != want {
				t.Errorf("%s: got %v, want %s", doc, got["plan"], want)
			}
		}
	})
}

// Documents are discarded after the sign-in, but until then others read
// them: what is built must not write through to them.
func TestContextSharesNothingWithTheDocuments(t *testing.T) {
	const text = `{"profile": {"plan": "gold", "tags": ["a"]}}`
	doc := object(t, text)
	attributes := []Attribute{{Name: "p", Source: IDToken, Path: Key("profile"), Type: Object}}
	mappings := []Mapping{{From: "p", To: Key("account"), Type: Object}}
	got, _, err := mapAll(t, attributes, mappings, Documents{IDToken: doc})
	if err != nil {
		t.Fatal(err)
	}
	path(t, "account.plan").set(got, "changed")
	tags, _ := path(t, "account.tags").Lookup(got)
	tags.([]any)[0] = "changed"
	if diff := cmp.Diff(object(t, text), doc); diff != "" {
		t.Errorf("the document changed (-want +got):\n%s", diff)
	}
}

func TestNewMapperErrors(t *testing.T) {
	attributes := []Attribute{
		{Name: "teams", Source: IDToken, Path: Key("teams"), Type: StringArray},
		{Name: "plan", Source: IDToken, Path: Key("plan")},
	}
	for name, tt := range map[string]struct {
		mappings []Mapping
		words    []string
	}{
		"M47 undeclared source": {
			[]Mapping{{From: "team", To: Key("groups"), Type: StringArray, Origin: "Caddyfile:8"}},
			[]string{"Caddyfile:8", `"team"`, "not a declared attribute", `did you mean "teams"`},
		},
		"case counts": {
			[]Mapping{{From: "Plan", To: Key("plan"), Type: String}},
			[]string{"#1", `"Plan"`, `did you mean "plan"`},
		},
		"no source":           {[]Mapping{{To: Key("plan"), Type: String}}, []string{"source is empty"}},
		"source and constant": {[]Mapping{{From: "plan", Static: "x", To: Key("plan"), Type: String}}, []string{"exclude"}},
		"no target":           {[]Mapping{{From: "plan", Type: String}}, []string{"target is empty"}},
		"no type":             {[]Mapping{{From: "plan", To: Key("plan")}}, []string{"unknown type"}},
		"two types for one target": {
			[]Mapping{{From: "plan", To: Key("x"), Type: String}, {From: "teams", To: Key("x"), Type: StringArray}},
			[]string{"#2", `"x"`, "string_array", "earlier mapping"},
		},
		"one target inside another": {
			[]Mapping{{From: "plan", To: path(t, "x.y"), Type: String}, {From: "teams", To: Key("x"), Type: StringArray}},
			[]string{`"x"`, `"x.y"`, "inside"},
		},
		"constant of the wrong type": {[]Mapping{{Static: "x", To: Key("n"), Type: Number}}, []string{"static value", "got string", "want number"}},
		"constant that is no JSON":   {[]Mapping{{Static: func() {}, To: Key("n"), Type: Any}}, []string{"static value"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewMapper(attributes, tt.mappings)
			wantError(t, err, append(tt.words, "mapping")...)
		})
	}
	t.Run("one attribute name twice", func(t *testing.T) {
		_, err := NewMapper(append(attributes, attributes[0]), nil)
		wantError(t, err, `"teams"`, "already declared")
	})
}

// An upstream, or an operator by mistake, maps a claim onto a name that
// tells tokens how to be understood: the user would choose their own "sub"
// or look as if they had used a second factor.
func TestReservedTargetsAreRefused(t *testing.T) {
	attributes := []Attribute{{Name: "a", Source: IDToken, Path: Key("a")}}
	names := strings.Fields("sub idp_sub scp amr acr iss aud exp nbf iat jti nonce azp at_hash sid auth_time client_id scope cnf act may_act idp")
	for _, name := range append(names, "act.sub", "cnf.jkt") {
		t.Run(name, func(t *testing.T) {
			_, err := NewMapper(attributes, []Mapping{{From: "a", To: path(t, name), Type: String}})
			wantError(t, err, name, "reserved")
			_, err = NewMapper(nil, []Mapping{{Static: "x", To: path(t, name), Type: String}})
			wantError(t, err, name, "reserved")
		})
	}
	for _, name := range []string{"subject", "Sub", "x.sub", "user.amr"} {
		if _, err := NewMapper(attributes, []Mapping{{From: "a", To: path(t, name), Type: String}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"email", "email_verified", "name", "given_name", "groups", "gender"}
	for name, want := range map[string][]string{
		"emial":    {"email"},
		"Email":    {"email"},
		"groups_":  {"groups"},
		"nmae":     {"name"},
		"genders":  {"gender"},
		"zzzzzzzz": nil,
		"":         nil,
	} {
		if diff := cmp.Diff(want, Nearest(name, names)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
	if got := DidYouMean("zzz", names); got != "" {
		t.Errorf("got %q", got)
	}
	if got := Nearest("aaaa", []string{"aaab", "aaac", "aaad", "aaae", "aaaa"}); len(got) != 3 || got[0] != "aaaa" {
		t.Errorf("got %q, want three, the same word first", got)
	}
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"abc", "abc", 0}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// An upstream may send what a decoder can just hold. Inside our own records
// the same value would be one that no decoder reads again.
func TestD4_ValueNestedTooDeeply(t *testing.T) {
	attributes := []Attribute{{Name: "deep", Source: IDToken, Path: path(t, "deep"), Type: Any}}
	mappings := []Mapping{{From: "deep", To: path(t, "deep"), Type: Any}}
	for levels, want := range map[int][]Reason{maxLevels: nil, maxLevels + 1: {TypeMismatch}, 9_000: {TypeMismatch}} {
		for _, part := range []string{"[]", `{"a":}`} {
			open, end := part[:len(part)-1], part[len(part)-1:]
			value := strings.Repeat(open, levels-1) + "[]" + strings.Repeat(end, levels-1)
			context, drops, err := mapAll(t, attributes, mappings, Documents{IDToken: {"deep": decode(t, value)}})
			if err != nil {
				t.Fatal(err)
			}
			if got := reasons(drops, "deep"); !slices.Equal(got, want) || (context["deep"] == nil) != (want != nil) {
				t.Errorf("%d levels of %s: %v", levels, part, got)
			}
		}
	}
}
