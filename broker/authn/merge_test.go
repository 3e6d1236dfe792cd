package authn

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// mergeSchema has a field of each kind beside the defaults.
func mergeSchema(t testing.TB) *Schema {
	t.Helper()
	s, err := NewSchema(
		Field{Name: claims.Key("plan"), Type: claims.String},
		Field{Name: claims.Key("score"), Type: claims.Number},
		Field{Name: claims.Key("profile_data"), Type: claims.Object},
		Field{Name: claims.Key("anything"), Type: claims.Any},
		Field{Name: path(t, "org.unit"), Type: claims.String},
		Field{Name: path(t, "org.roles.own"), Type: claims.StringArray},
		Field{Name: path(t, `https://example\.com/tier`), Type: claims.String},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signedInContext is the context of somebody who has signed in.
func signedInContext(t testing.TB) *Context {
	t.Helper()
	return &Context{
		Attributes: object(t, `{"name": "Ada", "email": "ada@example.com", "email_verified": true,
			"groups": ["staff"], "address": {"country": "GB", "locality": "London"}, "score": 9007199254740993}`),
		Connection: "acme", Issuer: "https://tenant.example/", IDPSubject: "auth0|1", Subject: "f00d",
		AuthTime: signedIn, AMR: []string{"pwd"}, AMRTime: signedIn.Add(-time.Hour),
		ACR: "basic", ACRTime: signedIn.Add(time.Hour),
	}
}

// script applies attributes that a script returned, written as JSON.
func script(t testing.TB, c *Context, attributes string) (*Context, Trace, error) {
	t.Helper()
	return mergeSchema(t).ApplyScript(c, Change{Attributes: object(t, attributes)})
}

// without returns the trace without types, sizes and stage.
func without(trace Trace) []Entry {
	var out []Entry
	for _, e := range trace {
		out = append(out, Entry{Name: e.Name, Reason: e.Reason})
	}
	return out
}

func TestM70M71_ScriptMergesByTopLevelKey(t *testing.T) {
	const was = `{"name": "Ada", "email": "ada@example.com", "email_verified": true, "groups": ["staff"],
		"address": {"country": "GB", "locality": "London"}, "score": 9007199254740993`
	for name, tt := range map[string]struct {
		change, want string
		trace        []Entry
	}{
		"nothing":                     {`{}`, was + `}`, []Entry{{}}},
		"a new name needs no mapping": {`{"plan": "gold"}`, was + `, "plan": "gold"}`, []Entry{{Name: "plan"}}},
		"a key replaces": {
			`{"groups": ["a", "b"]}`, strings.Replace(was, `["staff"]`, `["a", "b"]`, 1) + `}`,
			[]Entry{{Name: "groups", Reason: claims.ScriptReplaced}, {Name: "groups"}},
		},
		"null removes": {
			`{"groups": null}`, strings.Replace(was, `"groups": ["staff"],`, ``, 1) + `}`,
			[]Entry{{Name: "groups", Reason: claims.ScriptRemoved}},
		},
		"null removes an object whole": {
			`{"address": null}`, strings.Replace(was, `"address": {"country": "GB", "locality": "London"},`, ``, 1) + `}`,
			[]Entry{{Name: "address.locality", Reason: claims.ScriptRemoved}, {Name: "address.country", Reason: claims.ScriptRemoved}},
		},
		"null of what is not there": {`{"nickname": null}`, was + `}`, []Entry{{}}},
		"an object replaces the object whole": {
			`{"address": {"country": "FR", "region": "IDF"}}`,
			strings.Replace(was, `{"country": "GB", "locality": "London"}`, `{"country": "FR", "region": "IDF"}`, 1) + `}`,
			[]Entry{
				{Name: "address.locality", Reason: claims.ScriptRemoved},
				{Name: "address.region"},
				{Name: "address.country", Reason: claims.ScriptReplaced},
				{Name: "address.country"},
			},
		},
		"a null inside is as good as absent": {
			`{"address": {"country": "GB", "locality": null}}`,
			strings.Replace(was, `, "locality": "London"`, ``, 1) + `}`,
			[]Entry{{Name: "address.locality", Reason: claims.ScriptRemoved}},
		},
		"an empty object is as good as absent": {`{"org": {}}`, was + `}`, []Entry{{}}},
		"names far inside": {
			`{"org": {"unit": "u", "roles": {"own": ["r"]}}}`, was + `, "org": {"unit": "u", "roles": {"own": ["r"]}}}`,
			[]Entry{{Name: "org.unit"}, {Name: "org.roles.own"}},
		},
		"dots in a key": {`{"https://example.com/tier": "1"}`, was + `, "https://example.com/tier": "1"}`, []Entry{{Name: `https://example\.com/tier`}}},
		"an object of one's own": {
			`{"profile_data": {"a": {"b": [1, null, {"c": 1.10}]}}}`, was + `, "profile_data": {"a": {"b": [1, null, {"c": 1.10}]}}}`,
			[]Entry{{Name: "profile_data"}},
		},
		"any": {`{"anything": [1, "a", {}]}`, was + `, "anything": [1, "a", {}]}`, []Entry{{Name: "anything"}}},
		"falsy values are values": {
			`{"plan": "", "score": 0, "groups": []}`,
			`{"name": "Ada", "email": "ada@example.com", "email_verified": true, "groups": [], "plan": "",
			"address": {"country": "GB", "locality": "London"}, "score": 0}`,
			[]Entry{
				{Name: "groups", Reason: claims.ScriptReplaced},
				{Name: "groups"},
				{Name: "plan"},
				{Name: "score", Reason: claims.ScriptReplaced},
				{Name: "score"},
			},
		},
		"the same again": {was + `}`, was + `}`, []Entry{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, trace, err := script(t, signedInContext(t), tt.change)
			if err != nil {
				t.Fatal(err)
			}
			want := signedInContext(t)
			want.Attributes = object(t, tt.want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.trace, without(trace)); diff != "" {
				t.Errorf("trace (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("what a script returned is in a token minted afterwards", func(t *testing.T) {
		got, _, err := script(t, signedInContext(t), `{"plan": "gold"}`)
		if err != nil {
			t.Fatal(err)
		}
		plan := []claims.Claim{{Name: "plan", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"teams"}}}
		released := claims.Release(got.View(nil), []string{"teams"}, claims.IDToken, plan, nil)
		if diff := cmp.Diff(map[string]any{"plan": "gold"}, released); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("a context without attributes", func(t *testing.T) {
		got, _, err := script(t, &Context{IDPSubject: "1"}, `{"plan": "gold"}`)
		if err != nil || got.Attributes["plan"] != "gold" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// The upstream's user writes {"sub": "admin", "amr": ["mfa"]} into their
// profile, and a script that copies the profile returns it. Class of Zitadel
// CVE-2024-29892.
func TestR34_ScriptCannotSetReservedNames(t *testing.T) {
	reserved := []string{
		"sub", "idp_sub", "scp", "amr", "acr", "iss", "aud", "exp", "nbf", "iat", "jti", "nonce", "azp",
		"at_hash", "sid", "auth_time", "client_id", "scope", "cnf", "act", "may_act", "idp",
	}
	for _, name := range reserved {
		for _, value := range []any{"forged", nil, []any{"mfa"}, map[string]any{"sub": "admin"}, json.Number("1"), 1.5} {
			ch := Change{Attributes: map[string]any{name: value, "plan": "gold"}}
			got, trace, err := mergeSchema(t).ApplyScript(signedInContext(t), ch)
			if err != nil {
				t.Fatalf("%s: %v; it is to be ignored", name, err)
			}
			want := signedInContext(t)
			want.Attributes["plan"] = "gold"
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			told := []Entry{{Name: name, Reason: claims.ReservedName}, {Name: "plan"}}
			if diff := cmp.Diff(told, without(trace)); diff != "" {
				t.Errorf("%s: trace (-want +got):\n%s", name, diff)
			}
		}
	}
	t.Run("only the top-level ones count", func(t *testing.T) {
		ch := Change{
			Attributes: object(t, `{"amr": ["hwk"], "acr": "forged", "idp_sub": "forged"}`),
			AMR:        &[]string{"mfa"}, ACR: new("strong"), IDPSubject: new("auth0|2"),
		}
		got, _, err := mergeSchema(t).ApplyScript(signedInContext(t), ch)
		if err != nil {
			t.Fatal(err)
		}
		if got.ACR != "strong" || got.IDPSubject != "auth0|2" || !cmp.Equal(got.AMR, []string{"mfa"}) {
			t.Errorf("got %v, %q, %q", got.AMR, got.ACR, got.IDPSubject)
		}
	})
}

func TestD11_ScriptErrors(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40)
	for name, tt := range map[string]struct {
		change string
		name   string
		reason claims.Reason
		words  []string
	}{
		"unknown name":            {`{"gruops": ["secret-value"]}`, "gruops", claims.NotDeclared, []string{`"gruops"`, "not in the context schema", `did you mean "groups"`}},
		"null of an unknown name": {`{"gruops": null}`, "gruops", claims.NotDeclared, []string{`did you mean "groups"`}},
		"unknown object":          {`{"adress": {"country": "secret-value"}}`, "adress", claims.NotDeclared, []string{`did you mean "address"`}},
		"unknown member":          {`{"address": {"contry": "secret-value"}}`, "address.contry", claims.NotDeclared, []string{`did you mean "address.country"`}},
		"a dotted name as a key":  {`{"address.country": "secret-value"}`, `address\.country`, claims.NotDeclared, []string{`did you mean "address.country"`}},
		"case counts":             {`{"Email": "secret-value"}`, "Email", claims.NotDeclared, []string{`did you mean "email"`}},
		"wrong type":              {`{"score": "secret-value"}`, "score", claims.TypeMismatch, []string{"got string, want number"}},
		"no weak conversion":      {`{"email_verified": "1"}`, "email_verified", claims.TypeMismatch, []string{"got string, want bool"}},
		"a scalar for an array":   {`{"groups": "secret-value"}`, "groups", claims.TypeMismatch, []string{"got string, want string_array"}},
		"one bad element":         {`{"groups": ["secret-value", 1]}`, "groups", claims.TypeMismatch, []string{"want string_array"}},
		"no object":               {`{"address": "secret-value"}`, "address", claims.TypeMismatch, []string{"got string, want object"}},
		"array for an object":     {`{"address": ["secret-value"]}`, "address", claims.TypeMismatch, []string{"got array, want object"}},
		"wrong type of a member":  {`{"org": {"roles": {"own": "secret-value"}}}`, "org.roles.own", claims.TypeMismatch, []string{"want string_array"}},
		"too deep":                {`{"anything": ` + deep + `}`, "anything", claims.TypeMismatch, []string{"32 levels"}},
		"too large":               {`{"anything": "` + strings.Repeat("x", 70_000) + `"}`, "anything", claims.TypeMismatch, []string{"64 KiB"}},
		"too large altogether":    {`{"anything": "` + strings.Repeat("x", 40_000) + `", "plan": "` + strings.Repeat("x", 40_000) + `"}`, "plan", claims.TypeMismatch, []string{"64 KiB"}},
		"too many":                {`{"anything": [` + strings.Repeat("[],", 20_000) + `1]}`, "anything", claims.TypeMismatch, []string{"64 KiB"}},
		"the good ones with it":   {`{"plan": "gold", "name": 1}`, "name", claims.TypeMismatch, []string{"got number, want string"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := signedInContext(t)
			got, trace, err := script(t, c, tt.change)
			var wrong *ChangeError
			if !errors.As(err, &wrong) || got != nil {
				t.Fatalf("got %v, %v; want a ChangeError", got, err)
			}
			if wrong.Name != tt.name || wrong.Reason != tt.reason {
				t.Errorf("got %q, %s; want %q, %s", wrong.Name, wrong.Reason, tt.name, tt.reason)
			}
			wantError(t, err, tt.words...)
			if strings.Contains(err.Error(), "secret-value") {
				t.Errorf("error %q holds a value", err)
			}
			if diff := cmp.Diff(signedInContext(t), c); diff != "" {
				t.Errorf("the context changed (-want +got):\n%s", diff)
			}
			if len(trace) != 1 || trace[0].Reason != tt.reason || trace[0].Stage != StageScript {
				t.Errorf("trace %v", trace)
			}
		})
	}
}

// Whoever names an attribute chooses the text; a page of it in the log, or
// an hour of comparing it with every name, is not theirs to have.
func TestChangeErrorNamesAreBounded(t *testing.T) {
	long := "\x1b[31m" + strings.Repeat("ä", 30_000)
	start := time.Now()
	_, trace, err := mergeSchema(t).ApplyScript(signedInContext(t), Change{Attributes: map[string]any{long: "x"}})
	if err == nil || len(err.Error()) > 400 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("got %.500v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("took %s", d)
	}
	if trace[0].Name != "" {
		t.Errorf("the trace keeps %q", trace[0].Name)
	}
}

// Not everything that is passed as attributes was decoded from JSON. What
// would not encode, or not come back as it was, must fail here, where the
// sign-in can still end cleanly.
func TestScriptValuesMustBeJSON(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	for name, v := range map[string]any{
		"float":                1.5,
		"int":                  1,
		"list of strings":      []string{"a"},
		"NaN":                  json.Number("NaN"),
		"empty number":         []any{json.Number("")},
		"invalid UTF-8":        "\xff",
		"invalid UTF-8 inside": map[string]any{"a": []any{"\xff"}},
		"invalid key":          map[string]any{"\xff": "a"},
		"function":             func() {},
		"cycle":                cycle,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := mergeSchema(t).ApplyScript(signedInContext(t), Change{Attributes: map[string]any{"anything": v}})
			wantError(t, err, `"anything"`)
		})
	}
}

func TestScriptSetsMethodsAndSubject(t *testing.T) {
	apply := func(t *testing.T, ch Change) (*Context, Trace) {
		t.Helper()
		got, trace, err := mergeSchema(t).ApplyScript(signedInContext(t), ch)
		if err != nil {
			t.Fatal(err)
		}
		return got, trace
	}
	t.Run("amr replaces", func(t *testing.T) {
		got, trace := apply(t, Change{AMR: &[]string{"pwd", "mfa"}})
		if diff := cmp.Diff([]string{"pwd", "mfa"}, got.AMR); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		want := []Entry{{Name: "amr", Reason: claims.ScriptReplaced}, {Name: "amr"}}
		if diff := cmp.Diff(want, without(trace)); diff != "" {
			t.Errorf("trace (-want +got):\n%s", diff)
		}
	})
	// The person's second factor is an hour old. A script that adds a
	// method must not make a policy believe that it was used just now.
	t.Run("new methods are as old as the older of sign-in and what they replace", func(t *testing.T) {
		got, _ := apply(t, Change{AMR: &[]string{"pwd", "mfa"}, ACR: new("strong")})
		if !got.AMRTime.Equal(signedIn.Add(-time.Hour)) || !got.ACRTime.Equal(signedIn) {
			t.Errorf("got %v, %v", got.AMRTime, got.ACRTime)
		}
	})
	t.Run("the same ones keep their time", func(t *testing.T) {
		got, trace := apply(t, Change{AMR: &[]string{"pwd"}, ACR: new("basic"), IDPSubject: new("auth0|1")})
		if diff := cmp.Diff(signedInContext(t), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]Entry{{}}, without(trace)); diff != "" {
			t.Errorf("trace (-want +got):\n%s", diff)
		}
	})
	t.Run("empty ones are removed", func(t *testing.T) {
		got, trace := apply(t, Change{AMR: &[]string{}, ACR: new("")})
		if got.AMR != nil || got.ACR != "" || !got.AMRTime.IsZero() || !got.ACRTime.IsZero() {
			t.Errorf("got %v since %v, %q since %v", got.AMR, got.AMRTime, got.ACR, got.ACRTime)
		}
		want := []Entry{{Name: "amr", Reason: claims.ScriptRemoved}, {Name: "acr", Reason: claims.ScriptRemoved}}
		if diff := cmp.Diff(want, without(trace)); diff != "" {
			t.Errorf("trace (-want +got):\n%s", diff)
		}
	})
	// Left in place, the old subject would have tokens of one person carry
	// the claims of another.
	t.Run("another idp_sub is another person", func(t *testing.T) {
		got, trace := apply(t, Change{IDPSubject: new("auth0|2")})
		if got.IDPSubject != "auth0|2" || got.Subject != "" {
			t.Errorf("got %q as %q", got.IDPSubject, got.Subject)
		}
		want := []Entry{{Name: "idp_sub", Reason: claims.ScriptReplaced}, {Name: "idp_sub"}}
		if diff := cmp.Diff(want, without(trace)); diff != "" {
			t.Errorf("trace (-want +got):\n%s", diff)
		}
	})
	for name, tt := range map[string]struct {
		ch    Change
		words []string
	}{
		"empty idp_sub":         {Change{IDPSubject: new("")}, []string{`"idp_sub"`, "empty"}},
		"idp_sub of no text":    {Change{IDPSubject: new("\xff")}, []string{`"idp_sub"`, "UTF-8"}},
		"endless idp_sub":       {Change{IDPSubject: new(strings.Repeat("x", 1025))}, []string{`"idp_sub"`, "1024"}},
		"empty method":          {Change{AMR: &[]string{"pwd", ""}}, []string{`"amr"`, "empty"}},
		"method of no text":     {Change{AMR: &[]string{"\xff"}}, []string{`"amr"`, "UTF-8"}},
		"too many methods":      {Change{AMR: new(strings.Split(strings.Repeat("x ", 32)+"x", " "))}, []string{`"amr"`, "32"}},
		"acr of no text":        {Change{ACR: new("\xff")}, []string{`"acr"`, "UTF-8"}},
		"good attributes first": {Change{Attributes: map[string]any{"plan": "gold"}, IDPSubject: new("")}, []string{`"idp_sub"`}},
	} {
		t.Run(name, func(t *testing.T) {
			c := signedInContext(t)
			got, trace, err := mergeSchema(t).ApplyScript(c, tt.ch)
			wantError(t, err, tt.words...)
			if got != nil || len(trace) != 1 || trace[0].Reason == "" {
				t.Errorf("got %v, %v", got, trace)
			}
			if diff := cmp.Diff(signedInContext(t), c); diff != "" {
				t.Errorf("the context changed (-want +got):\n%s", diff)
			}
		})
	}
}

// Somebody has a script copy the address they typed in. Were the flag of
// the verified one left beside it, the broker would vouch for a mailbox they
// never had.
func TestVerifiedFlagsGoWithTheirValue(t *testing.T) {
	for name, tt := range map[string]struct{ change, email, flag string }{
		"another value without the flag": {`{"email": "victim@example.com"}`, `"victim@example.com"`, `null`},
		"another value with the flag":    {`{"email": "new@example.com", "email_verified": true}`, `"new@example.com"`, `true`},
		"another value, not verified":    {`{"email": "new@example.com", "email_verified": false}`, `"new@example.com"`, `false`},
		"a null is no word on the flag":  {`{"email": "victim@example.com", "email_verified": null}`, `"victim@example.com"`, `null`},
		"the equal value":                {`{"email": "ada@example.com"}`, `"ada@example.com"`, `true`},
		"case makes another value":       {`{"email": "Ada@example.com"}`, `"Ada@example.com"`, `null`},
		"no value":                       {`{"email": null}`, `null`, `null`},
		"no value, but the flag":         {`{"email": null, "email_verified": true}`, `null`, `null`},
		"the flag alone":                 {`{"email_verified": false}`, `"ada@example.com"`, `false`},
		"something else":                 {`{"phone_number": "+4420"}`, `"ada@example.com"`, `true`},
	} {
		t.Run(name, func(t *testing.T) {
			got, trace, err := script(t, signedInContext(t), tt.change)
			if err != nil {
				t.Fatal(err)
			}
			want := object(t, `{"email": `+tt.email+`, "email_verified": `+tt.flag+`}`)
			for _, key := range []string{"email", "email_verified"} {
				if diff := cmp.Diff(want[key], got.Attributes[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
			unpaired := Entry{Name: "email_verified", Reason: claims.UnverifiedPair}
			told := containsEntry(trace, unpaired)
			if removed := tt.flag == `null` && tt.change != `{"email": "victim@example.com", "email_verified": null}`; told != removed {
				t.Errorf("told of it: %v, want %v: %v", told, removed, trace)
			}
		})
	}
	t.Run("phone_number likewise, without a value before", func(t *testing.T) {
		got, trace, err := script(t, signedInContext(t), `{"phone_number_verified": true}`)
		if err != nil {
			t.Fatal(err)
		}
		if _, flagged := got.Attributes["phone_number_verified"]; flagged {
			t.Error("a flag vouches for nothing")
		}
		if !containsEntry(trace, Entry{Name: "phone_number_verified", Reason: claims.UnverifiedPair}) {
			t.Errorf("trace %v", trace)
		}
	})
}

func containsEntry(trace Trace, want Entry) bool {
	return slices.Contains(without(trace), want)
}

func TestScriptSharesNothing(t *testing.T) {
	c := signedInContext(t)
	ch := Change{
		Attributes: object(t, `{"profile_data": {"a": ["x"]}, "address": {"country": "FR"}}`),
		AMR:        &[]string{"mfa"},
	}
	got, _, err := mergeSchema(t).ApplyScript(c, ch)
	if err != nil {
		t.Fatal(err)
	}
	ch.Attributes["profile_data"].(map[string]any)["a"].([]any)[0] = "changed"
	ch.Attributes["address"].(map[string]any)["country"] = "changed"
	(*ch.AMR)[0] = "changed"
	c.Attributes["groups"].([]any)[0] = "changed"
	want := signedInContext(t)
	want.Attributes["profile_data"] = object(t, `{"a": ["x"]}`)
	want.Attributes["address"] = object(t, `{"country": "FR"}`)
	want.AMR = []string{"mfa"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What the operator trusts is the upstream's address, and not one that a
// script or an application puts in its place.
func TestTrustEmail_EndsWithTheAddress(t *testing.T) {
	s, err := NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	c := &Context{Attributes: object(t, `{"email": "ada@example.com", "name": "Ada"}`), IDPSubject: "ada", TrustEmail: true}
	for change, want := range map[string]bool{
		`{"email": "victim@example.com"}`: false,
		`{"email": "ada@example.com"}`:    true,
		`{"name": "Countess"}`:            true,
	} {
		scripted, _, err := s.ApplyScript(c, Change{Attributes: object(t, change)})
		if err != nil {
			t.Fatal(err)
		}
		extended, _, err := s.ApplyApplication(c, object(t, change), []string{"email", "name"})
		if err != nil {
			t.Fatal(err)
		}
		if scripted.TrustEmail != want || extended.TrustEmail != want {
			t.Errorf("%s: trusted after script %v, after application %v; want %v", change, scripted.TrustEmail, extended.TrustEmail, want)
		}
	}
}
