package authn

import (
	"encoding/json"
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
