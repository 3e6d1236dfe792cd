package authn

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func TestM80_ApplicationMergesByName(t *testing.T) {
	for name, tt := range map[string]struct {
		change string
		want   func(*Context)
		trace  []Entry
	}{
		"nothing": {`{}`, func(*Context) {}, []Entry{{}}},
		"a new name": {
			`{"plan": "gold"}`, func(c *Context) { c.Attributes["plan"] = "gold" }, []Entry{{Name: "plan"}},
		},
		"a name replaces": {
			`{"groups": []}`, func(c *Context) { c.Attributes["groups"] = []any{} },
			[]Entry{{Name: "groups", Reason: claims.AppReplaced}, {Name: "groups"}},
		},
		"members that are not sent stay": {
			`{"address": {"country": "FR"}}`,
			func(c *Context) { c.Attributes["address"].(map[string]any)["country"] = "FR" },
			[]Entry{{Name: "address.country", Reason: claims.AppReplaced}, {Name: "address.country"}},
		},
		"an empty object removes nothing": {`{"address": {}}`, func(*Context) {}, []Entry{{}}},
		"the same again":                  {`{"groups": ["staff"]}`, func(*Context) {}, []Entry{{}}},
		"amr and acr": {
			`{"amr": ["pwd", "otp"], "acr": "strong"}`,
			func(c *Context) { c.AMR, c.ACR, c.ACRTime = []string{"pwd", "otp"}, "strong", c.AuthTime },
			[]Entry{
				{Name: "amr", Reason: claims.AppReplaced},
				{Name: "amr"},
				{Name: "acr", Reason: claims.AppReplaced},
				{Name: "acr"},
			},
		},
		"another address without the flag": {
			`{"email": "victim@example.com"}`,
			func(c *Context) {
				c.Attributes["email"] = "victim@example.com"
				delete(c.Attributes, "email_verified")
			},
			[]Entry{
				{Name: "email", Reason: claims.AppReplaced},
				{Name: "email"},
				{Name: "email_verified", Reason: claims.UnverifiedPair},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			maySet := []string{"plan", "groups", "address", "email", "email_verified", "amr", "acr"}
			got, trace, err := mergeSchema(t).ApplyApplication(signedInContext(t), object(t, tt.change), maySet)
			if err != nil {
				t.Fatal(err)
			}
			want := signedInContext(t)
			tt.want(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.trace, without(trace)); diff != "" {
				t.Errorf("trace (-want +got):\n%s", diff)
			}
			for _, e := range trace {
				if e.Stage != StageApplication {
					t.Errorf("entry of stage %s", e.Stage)
				}
			}
		})
	}
}

// An application that was taken over sets what its operator never let it
// set: its own user's groups, or a second factor that nobody used.
func TestM80_ApplicationSetsNothingBeyondMaySet(t *testing.T) {
	for name, tt := range map[string]struct {
		change string
		maySet []string
		name   string
		reason claims.Reason
		words  []string
	}{
		"nothing may be set":      {`{"plan": "secret-value"}`, nil, "plan", claims.NotDeclared, []string{"may_set"}},
		"another may be set":      {`{"groups": ["secret-value"]}`, []string{"plan"}, "groups", claims.NotDeclared, []string{"may_set"}},
		"even the value it has":   {`{"name": "Ada"}`, []string{"plan"}, "name", claims.NotDeclared, []string{"may_set"}},
		"the good one with it":    {`{"plan": "gold", "score": 1}`, []string{"plan"}, "score", claims.NotDeclared, []string{"may_set"}},
		"unknown":                 {`{"paln": "secret-value"}`, []string{"plan"}, "paln", claims.NotDeclared, []string{"not in the context schema", `did you mean "plan"`}},
		"unknown, though may_set": {`{"paln": "secret-value"}`, []string{"paln"}, "paln", claims.NotDeclared, []string{"not in the context schema"}},
		"unknown member":          {`{"address": {"planet": "x"}}`, []string{"address"}, "address.planet", claims.NotDeclared, []string{"not in the context schema"}},
		"null unknown member":     {`{"address": {"planet": null}}`, []string{"address"}, "address.planet", claims.NotDeclared, []string{"not in the context schema"}},
		"mistyped":                {`{"score": "secret-value"}`, []string{"score"}, "score", claims.TypeMismatch, []string{"got string, want number"}},
		"null":                    {`{"groups": null}`, []string{"groups"}, "groups", claims.TypeMismatch, []string{"null"}},
		"null inside":             {`{"address": {"country": null}}`, []string{"address"}, "address.country", claims.TypeMismatch, []string{"null"}},
		"sub":                     {`{"sub": "secret-value"}`, []string{"sub"}, "sub", claims.ReservedName, []string{"reserved"}},
		"idp_sub":                 {`{"idp_sub": "secret-value"}`, []string{"idp_sub"}, "idp_sub", claims.ReservedName, []string{"reserved"}},
		"iss":                     {`{"iss": null}`, []string{"iss"}, "iss", claims.ReservedName, []string{"reserved"}},
		"amr not in may_set":      {`{"amr": ["mfa"]}`, []string{"plan", "acr"}, "amr", claims.NotDeclared, []string{"may_set"}},
		"acr not in may_set":      {`{"acr": "secret-value"}`, []string{"amr"}, "acr", claims.NotDeclared, []string{"may_set"}},
		"null amr":                {`{"amr": null}`, []string{"amr"}, "amr", claims.TypeMismatch, []string{"null"}},
		"no amr":                  {`{"amr": []}`, []string{"amr"}, "amr", claims.TypeMismatch, []string{"one string or more"}},
		"amr as a text":           {`{"amr": "mfa"}`, []string{"amr"}, "amr", claims.TypeMismatch, []string{"array"}},
		"amr of numbers":          {`{"amr": ["mfa", 1]}`, []string{"amr"}, "amr", claims.TypeMismatch, []string{"array"}},
		"empty method":            {`{"amr": [""]}`, []string{"amr"}, "amr", claims.TypeMismatch, []string{"empty"}},
		"empty acr":               {`{"acr": ""}`, []string{"acr"}, "acr", claims.TypeMismatch, []string{"empty"}},
		"acr as an array":         {`{"acr": ["x"]}`, []string{"acr"}, "acr", claims.TypeMismatch, []string{"string"}},
		"too large":               {`{"plan": "` + strings.Repeat("x", 70_000) + `"}`, []string{"plan"}, "plan", claims.TypeMismatch, []string{"64 KiB"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := signedInContext(t)
			got, trace, err := mergeSchema(t).ApplyApplication(c, object(t, tt.change), tt.maySet)
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
			if len(trace) != 1 || trace[0].Reason != tt.reason || trace[0].Stage != StageApplication {
				t.Errorf("trace %v", trace)
			}
		})
	}
}
