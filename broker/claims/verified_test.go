package claims

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An attacker controls what one document says of their address and cannot
// touch the other. Taking the address from the first and "verified" from
// the second would have the broker vouch for a mailbox that belongs to
// somebody else, whose account an application would then open. Class of
// Keycloak CVE-2026-14781.
func TestR40_VerifiedFlagComesFromTheDocumentOfTheValue(t *testing.T) {
	for name, tt := range map[string]struct {
		idToken, userinfo string
		want              string
		dropped           []Reason
	}{
		"both in the ID token": {
			`{"email": "ada@example.com", "email_verified": true}`, `{}`,
			`{"email": "ada@example.com", "email_verified": true}`, nil,
		},
		"both in userinfo": {
			`{}`, `{"email": "ada@example.com", "email_verified": true}`,
			`{"email": "ada@example.com", "email_verified": true}`, nil,
		},
		"the attack: address from userinfo, flag from the ID token": {
			`{"email_verified": true}`, `{"email": "victim@example.com"}`,
			`{"email": "victim@example.com"}`,
			[]Reason{UnverifiedPair},
		},
		"the other way round": {
			`{"email": "victim@example.com"}`, `{"email_verified": true}`,
			`{"email": "victim@example.com"}`,
			[]Reason{UnverifiedPair},
		},
		"the flag of the address, not of the other one": {
			`{"email_verified": true}`, `{"email": "victim@example.com", "email_verified": false}`,
			`{"email": "victim@example.com", "email_verified": false}`,
			[]Reason{UnverifiedPair},
		},
		"the loser's flag is not taken": {
			`{"email": "a@example.com", "email_verified": false}`, `{"email": "b@example.com", "email_verified": true}`,
			`{"email": "a@example.com", "email_verified": false}`,
			[]Reason{Shadowed},
		},
		"a mistyped flag is not replaced by the other document's": {
			`{"email": "a@example.com", "email_verified": "false"}`, `{"email": "b@example.com", "email_verified": true}`,
			`{"email": "a@example.com"}`,
			[]Reason{TypeMismatch, UnverifiedPair},
		},
		"a mistyped address takes its flag along": {
			`{"email": ["victim@example.com"], "email_verified": true}`, `{"email": "b@example.com"}`,
			`{"email": "b@example.com"}`,
			[]Reason{UnverifiedPair},
		},
		"no address at all": {
			`{"email_verified": true}`, `{"email_verified": true}`,
			`{}`,
			[]Reason{UnverifiedPair, UnverifiedPair},
		},
		"an explicit null is no address": {
			`{"email": null, "email_verified": true}`, `{"email": "victim@example.com"}`,
			`{"email": "victim@example.com"}`,
			[]Reason{UnverifiedPair},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, drops, err := mapAll(t, Default(true), DefaultMappings(true), Documents{
				IDToken: object(t, tt.idToken), Userinfo: object(t, tt.userinfo),
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, tt.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var flag []Reason
			for _, d := range drops {
				if d.Target.String() == "email_verified" {
					flag = append(flag, d.Reason)
				}
			}
			if diff := cmp.Diff(tt.dropped, flag); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

func TestR40_PhoneNumberLikewise(t *testing.T) {
	got, drops, err := mapAll(t, Default(true), DefaultMappings(true), Documents{
		IDToken:  object(t, `{"phone_number_verified": true, "email": "ada@example.com", "email_verified": true}`),
		Userinfo: object(t, `{"phone_number": "+4420", "email": "b@example.com", "email_verified": false}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := object(t, `{"phone_number": "+4420", "email": "ada@example.com", "email_verified": true}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Reason{UnverifiedPair}, reasons(drops, "phone_number_verified")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The operator has the address come from a claim that users edit
// themselves. The ID token's email_verified speaks of its email claim.
func TestR40_DefaultFlagVouchesForItsOwnClaimOnly(t *testing.T) {
	mail := Attribute{Name: "mail", Source: IDToken, Path: Key("https://example.com/mail")}
	confirmed := Attribute{Name: "confirmed", Source: IDToken, Path: Key("https://example.com/confirmed"), Type: Bool}
	flag := Attribute{Name: "flag", Source: IDToken, Path: Key("email_verified"), Type: Bool}
	remote := Attribute{Name: "remote", Source: Userinfo, Path: Key("confirmed"), Type: Bool}
	docs := Documents{
		IDToken: object(t, `{"email": "ada@example.com", "email_verified": true,
			"https://example.com/mail": "victim@example.com", "https://example.com/confirmed": true}`),
		Userinfo: object(t, `{"confirmed": true}`),
	}
	toEmail := Mapping{From: "mail", To: Key("email"), Type: String, Origin: "Caddyfile:5"}
	toFlag := func(from string) Mapping {
		return Mapping{From: from, To: Key("email_verified"), Type: Bool, Origin: "Caddyfile:6"}
	}
	for name, tt := range map[string]struct {
		custom []Mapping
		want   any
	}{
		"the default mapping does not vouch":              {[]Mapping{toEmail}, nil},
		"another claim mapped on purpose does":            {[]Mapping{toEmail, toFlag("confirmed")}, true},
		"the same claim mapped on purpose does":           {[]Mapping{toEmail, toFlag("flag")}, true},
		"not from another document, even on purpose":      {[]Mapping{toEmail, toFlag("remote")}, nil},
		"the order of the mappings does not matter":       {[]Mapping{toFlag("confirmed"), toEmail}, true},
		"a flag on purpose for the default address":       {[]Mapping{toFlag("confirmed")}, true},
		"a constant vouches for nobody's address":         {[]Mapping{toEmail, {Static: true, To: Key("email_verified"), Type: Bool}}, nil},
		"nor does the default for a constant":             {[]Mapping{{Static: "x@example.com", To: Key("email"), Type: String}}, nil},
		"a constant vouches for a constant (service use)": {[]Mapping{{Static: "x@example.com", To: Key("email"), Type: String}, {Static: true, To: Key("email_verified"), Type: Bool}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			attributes := append(Default(true), mail, confirmed, flag, remote)
			got, _, err := mapAll(t, attributes, append(tt.custom, DefaultMappings(true)...), docs)
			if err != nil {
				t.Fatal(err)
			}
			if got["email_verified"] != tt.want {
				t.Errorf("email %v, email_verified %v; want %v", got["email"], got["email_verified"], tt.want)
			}
		})
	}
	t.Run("a replaced default attribute is another claim", func(t *testing.T) {
		attributes := Override(Default(false), []Attribute{{Name: "email", Source: IDToken, Path: mail.Path}})
		got, _, err := mapAll(t, attributes, DefaultMappings(false), docs)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object(t, `{"email": "victim@example.com"}`), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestR40_RequiredFlagThatCannotBePairedEndsTheSignIn(t *testing.T) {
	mappings := DefaultMappings(true)
	for i := range mappings {
		mappings[i].Required = mappings[i].To.Equal(Key("email_verified"))
	}
	_, _, err := mapAll(t, Default(true), mappings, Documents{
		IDToken: object(t, `{"email_verified": true}`), Userinfo: object(t, `{"email": "victim@example.com"}`),
	})
	wantError(t, err, `"email_verified"`)
}
