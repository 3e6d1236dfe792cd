package claims

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// person is a context with every standard claim, and what must stay here.
func person(t testing.TB) map[string]any {
	return object(t, `{
		"name": "Ada Lovelace", "given_name": "Ada", "middle_name": "A", "family_name": "Lovelace",
		"nickname": "ada", "preferred_username": "ada", "profile": "https://example.com/ada",
		"picture": "https://example.com/ada.png", "website": "https://example.com", "gender": "female",
		"birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB", "updated_at": 1311280970,
		"email": "ada@example.com", "email_verified": false,
		"phone_number": "+4420", "phone_number_verified": true,
		"address": {"formatted": "1 Main St", "street_address": "1 Main St", "locality": "London",
			"region": "LND", "postal_code": "N1", "country": "GB"},
		"groups": ["staff"], "plan": "gold", "internal": {"score": 7}
	}`)
}

// byScope is the table of the standard scopes.
var byScope = map[string]string{
	"openid": "",
	"profile": "name given_name family_name middle_name nickname preferred_username profile picture " +
		"website gender birthdate zoneinfo locale updated_at",
	"email":                    "email email_verified",
	"address":                  "address",
	"phone":                    "phone_number phone_number_verified",
	"offline_access":           "",
	"introspect_tokens":        "",
	"revoke_tokens":            "",
	"list_clients_with_access": "",
	"revoke_client_access":     "",
	"manage_post_authn":        "",
}

func names(released map[string]any) []string {
	var out []string
	for name := range released {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func sorted(words string) []string {
	out := strings.Fields(words)
	slices.Sort(out)
	if len(out) == 0 {
		return nil
	}
	return out
}

func TestM24_EachScopeReleasesItsClaimsAndNoOthers(t *testing.T) {
	for scope, want := range byScope {
		t.Run(scope, func(t *testing.T) {
			for _, typ := range []TokenType{IDToken, Userinfo} {
				got := Release(person(t), []string{scope}, typ, DefaultClaims(), nil)
				if diff := cmp.Diff(sorted(want), names(got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", typ, diff)
				}
				for name, v := range got {
					if diff := cmp.Diff(person(t)[name], v); diff != "" {
						t.Errorf("%s (-want +got):\n%s", name, diff)
					}
				}
			}
		})
	}
	t.Run("several scopes add up", func(t *testing.T) {
		got := Release(person(t), []string{"openid", "phone", "email"}, IDToken, DefaultClaims(), nil)
		if diff := cmp.Diff(sorted(byScope["email"]+" "+byScope["phone"]), names(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("M95 a withheld scope releases nothing", func(t *testing.T) {
		for _, granted := range [][]string{nil, {}, {"openid"}, {"Email"}, {"email "}, {"emails"}, {""}} {
			if got := Release(person(t), granted, IDToken, DefaultClaims(), nil); len(got) != 0 {
				t.Errorf("%q released %v", granted, names(got))
			}
		}
	})
}

func TestM23_ClaimsComeFromTheContextAndOnlyWhenDeclared(t *testing.T) {
	all := slices.Collect(func(yield func(string) bool) {
		for scope := range byScope {
			if !yield(scope) {
				return
			}
		}
	})
	t.Run("undeclared values of the context stay", func(t *testing.T) {
		for _, typ := range TokenTypes() {
			got := Release(person(t), append(all, "groups", "plan", "internal"), typ, DefaultClaims(), []string{"groups", "plan", "internal"})
			for _, name := range []string{"groups", "plan", "internal"} {
				if v, leaked := got[name]; leaked {
					t.Errorf("%s holds %s = %v", typ, name, v)
				}
			}
		}
	})
	t.Run("an unmapped upstream claim is absent", func(t *testing.T) {
		context, _, err := mapAll(t, Default(false), DefaultMappings(false), Documents{IDToken: object(t, everything)})
		if err != nil {
			t.Fatal(err)
		}
		declared := append(DefaultClaims(), Claim{Name: "groups", Types: TokenTypes()}, Claim{Name: "https://example.com/roles", Types: TokenTypes()})
		for _, typ := range TokenTypes() {
			got := Release(context, all, typ, declared, nil)
			for _, name := range []string{"groups", "https://example.com/roles", "iss", "nonce"} {
				if v, leaked := got[name]; leaked {
					t.Errorf("%s holds %s = %v", typ, name, v)
				}
			}
		}
	})
	t.Run("the access token has no claims by default", func(t *testing.T) {
		for _, typ := range []TokenType{AccessToken, Introspection} {
			if got := Release(person(t), all, typ, DefaultClaims(), nil); len(got) != 0 {
				t.Errorf("%s holds %v", typ, names(got))
			}
		}
	})
	t.Run("an absent source makes no claim", func(t *testing.T) {
		context := object(t, `{"name": null, "email": "", "email_verified": false, "updated_at": 0}`)
		got := Release(context, all, IDToken, DefaultClaims(), nil)
		if diff := cmp.Diff(object(t, `{"email": "", "email_verified": false, "updated_at": 0}`), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("no context, no claims", func(t *testing.T) {
		if got := Release(nil, all, IDToken, DefaultClaims(), nil); got == nil || len(got) != 0 {
			t.Errorf("got %#v, want an empty map", got)
		}
	})
}

func TestClaimTypes(t *testing.T) {
	for declared, want := range map[TokenType][]TokenType{
		IDToken:       {IDToken, Userinfo},
		AccessToken:   {AccessToken, Introspection},
		Userinfo:      {Userinfo},
		Introspection: {Introspection},
	} {
		t.Run(string(declared), func(t *testing.T) {
			c := Claim{Name: "plan", Types: []TokenType{declared}}
			for _, typ := range TokenTypes() {
				_, got := Release(person(t), nil, typ, []Claim{c}, nil)["plan"]
				if wanted := slices.Contains(want, typ); got != wanted {
					t.Errorf("in %s: %v, want %v", typ, got, wanted)
				}
			}
		})
	}
}

func TestM72_ClaimIsReleasedIffAScopeCarriesIt(t *testing.T) {
	c := Claim{Name: "plan", Types: []TokenType{IDToken}, Scopes: []string{"billing", "support"}}
	for granted, want := range map[string]bool{
		"": false, "openid": false, "openid billing": true, "support": true, "billing support": true, "billin": false,
	} {
		_, got := Release(person(t), strings.Fields(granted), IDToken, []Claim{c}, nil)["plan"]
		if got != want {
			t.Errorf("granted %q: %v, want %v", granted, got, want)
		}
	}
	t.Run("without scopes always", func(t *testing.T) {
		got := Release(person(t), nil, IDToken, []Claim{{Name: "plan", Types: []TokenType{IDToken}}}, nil)
		if got["plan"] != "gold" {
			t.Errorf("got %v", got)
		}
	})
}

func TestClaimsParameter(t *testing.T) {
	claims := append(DefaultClaims(), Claim{Name: "plan", Types: []TokenType{Userinfo}, Scopes: []string{"billing"}})
	for name, tt := range map[string]struct {
		typ       TokenType
		requested string
		want      string
	}{
		"needs no scope":                     {IDToken, "email", "email"},
		"several, unknown ones are ignored":  {Userinfo, "nonsense email name plan sub", "email name plan"},
		"not for a type it is not in":        {IDToken, "plan", ""},
		"not into an access token":           {AccessToken, "email name", ""},
		"the address as a whole":             {IDToken, "address", "address"},
		"parts of the address are no claims": {IDToken, "address.country country", ""},
		"case counts":                        {IDToken, "Email", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Release(person(t), []string{"openid"}, tt.typ, claims, strings.Fields(tt.requested))
			if diff := cmp.Diff(sorted(tt.want), names(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestClaimSource(t *testing.T) {
	context := object(t, `{"groups": ["a"], "org": {"plan": "gold"}, "a.b": 1, "https://example.com/x": 2}`)
	for name, tt := range map[string]struct {
		c    Claim
		want any
	}{
		"its own name":                   {Claim{Name: "groups"}, []any{"a"}},
		"another name":                   {Claim{Name: "roles", From: Key("groups")}, []any{"a"}},
		"a place inside":                 {Claim{Name: "plan", From: path(t, "org.plan")}, "gold"},
		"an element":                     {Claim{Name: "group", From: path(t, "groups.0")}, "a"},
		"dots in a name have no meaning": {Claim{Name: "a.b"}, decode(t, `1`)},
		"a URL as name":                  {Claim{Name: "https://example.com/x"}, decode(t, `2`)},
		"nothing there":                  {Claim{Name: "org.plan"}, nil},
		"nothing at the path":            {Claim{Name: "groups", From: path(t, "groups.1")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tt.c.Types = []TokenType{IDToken}
			got, present := Release(context, nil, IDToken, []Claim{tt.c}, nil)[tt.c.Name]
			if diff := cmp.Diff(tt.want, got); diff != "" || present != (tt.want != nil) {
				t.Errorf("present %v (-want +got):\n%s", present, diff)
			}
		})
	}
}

// A claim set that says "sub" or "exp", or "active" to a resource server,
// would let data of the upstream decide who a token is and whether it
// counts, wherever a minter forgets to write its own last.
func TestReleaseNeverTouchesProtocolClaims(t *testing.T) {
	protocol := strings.Fields("iss sub aud exp nbf iat jti nonce azp at_hash sid auth_time client_id scope cnf act may_act idp amr acr")
	for _, name := range append(protocol, "active", "token_type", "username") {
		c := Claim{Name: name, Types: TokenTypes(), From: Key("plan")}
		if v, leaked := Release(person(t), nil, Introspection, []Claim{c}, []string{name})[name]; leaked {
			t.Errorf("introspection: %s = %v", name, v)
		}
		if !slices.Contains(protocol, name) {
			continue
		}
		for _, typ := range TokenTypes() {
			if v, leaked := Release(person(t), nil, typ, []Claim{c}, []string{name})[name]; leaked {
				t.Errorf("%s: %s = %v", typ, name, v)
			}
		}
		wantError(t, ValidateClaims([]Claim{c}), name, "sets this claim itself")
	}
	t.Run("username is free in tokens", func(t *testing.T) {
		c := Claim{Name: "username", Types: []TokenType{IDToken}, From: Key("nickname")}
		if got := Release(person(t), nil, IDToken, []Claim{c}, nil); got["username"] != "ada" {
			t.Errorf("got %v", got)
		}
	})
}

func TestReleaseSharesNothingWithTheContext(t *testing.T) {
	context := person(t)
	got := Release(context, []string{"address"}, IDToken, append(DefaultClaims(), Claim{Name: "groups", Types: []TokenType{IDToken}}), nil)
	got["address"].(map[string]any)["country"] = "changed"
	got["groups"].([]any)[0] = "admin"
	if diff := cmp.Diff(person(t), context); diff != "" {
		t.Errorf("the context changed (-want +got):\n%s", diff)
	}
}

func TestFirstDeclarationOfANameWins(t *testing.T) {
	claims := []Claim{
		{Name: "who", Types: []TokenType{IDToken}, From: Key("missing")},
		{Name: "who", Types: []TokenType{IDToken}, From: Key("name")},
		{Name: "who", Types: []TokenType{IDToken}, From: Key("email")},
	}
	if got := Release(person(t), nil, IDToken, claims, nil); got["who"] != "Ada Lovelace" {
		t.Errorf("got %v, want the first that yields", got["who"])
	}
}

func TestValidateClaims(t *testing.T) {
	if err := ValidateClaims(DefaultClaims()); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	idToken, access := []TokenType{IDToken}, []TokenType{AccessToken}
	for name, tt := range map[string]struct {
		claims []Claim
		words  []string // none: valid
	}{
		"one name for different tokens": {[]Claim{{Name: "a", Types: idToken}, {Name: "a", Types: access}}, nil},
		"computed ones may be told":     {[]Claim{{Name: "idp_sub", Types: access}, {Name: "scp", Types: access}}, nil},
		"no name":                       {[]Claim{{Types: idToken}}, []string{"name is empty"}},
		"no type":                       {[]Claim{{Name: "a"}}, []string{`"a"`, "no token type", "access_token"}},
		"unknown type":                  {[]Claim{{Name: "a", Types: []TokenType{"refresh_token"}}}, []string{`"refresh_token"`, "introspection"}},
		"an assertion is no token":      {[]Claim{{Name: "a", Types: []TokenType{"assertion"}}}, []string{`"assertion"`}},
		"twice for one token":           {[]Claim{{Name: "a", Types: idToken}, {Name: "a", Types: idToken}}, []string{`"a"`, "twice", "id_token"}},
		"twice by implication":          {[]Claim{{Name: "a", Types: idToken}, {Name: "a", Types: []TokenType{Userinfo}}}, []string{"twice", "userinfo"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := ValidateClaims(tt.claims)
			if tt.words == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, tt.words...)
		})
	}
}

func TestDefaultScopes(t *testing.T) {
	known := make(map[string]Scope)
	for _, s := range DefaultScopes() {
		if _, twice := known[s.Name]; twice {
			t.Errorf("%s is there twice", s.Name)
		}
		known[s.Name] = s
		if s.DisplayName == "" || s.Description == "" || s.ImplicitGrant || s.Transient {
			t.Errorf("%+v", s)
		}
		if _, listed := byScope[s.Name]; !listed {
			t.Errorf("unexpected scope %s", s.Name)
		}
		service := s.Service == ServiceOAuth2
		if want := strings.Contains(s.Name, "tokens") || strings.Contains(s.Name, "client") || s.Name == "manage_post_authn"; service != want {
			t.Errorf("%s belongs to service %q", s.Name, s.Service)
		}
	}
	for name, display := range map[string]string{
		"openid": "Confirm who you are", "profile": "Profile", "email": "Email", "address": "Address",
		"phone": "Phone", "offline_access": "Access while you are away",
	} {
		if got := known[name].Label(); got != display {
			t.Errorf("%s is displayed as %q, want %q", name, got, display)
		}
	}
	if len(known) != len(byScope) {
		t.Errorf("%d scopes, want %d", len(known), len(byScope))
	}
	if got := (Scope{Name: "orders:read"}).Label(); got != "orders:read" {
		t.Errorf("without a display name: %q", got)
	}
}

func TestDefaultClaimsNameKnownScopes(t *testing.T) {
	for _, c := range DefaultClaims() {
		for _, s := range c.Scopes {
			if !slices.ContainsFunc(DefaultScopes(), func(d Scope) bool { return d.Name == s }) {
				t.Errorf("claim %s names scope %s, which is not there", c.Name, s)
			}
		}
	}
}

func TestClaimJSON(t *testing.T) {
	const text = `{"name":"groups","types":["id_token","access_token"],"source_path":"org.groups","scopes":["teams"]}`
	var c Claim
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	back, err := json.Marshal(c)
	if err != nil || string(back) != text {
		t.Errorf("JSON %s, %v; want %s", back, err, text)
	}
	short, err := json.Marshal(Claim{Name: "a", Types: []TokenType{Userinfo}})
	if want := `{"name":"a","types":["userinfo"]}`; err != nil || string(short) != want {
		t.Errorf("JSON %s, %v; want %s", short, err, want)
	}
}
