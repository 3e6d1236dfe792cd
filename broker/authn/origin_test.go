package authn

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

func TestTrace_Origins(t *testing.T) {
	trace := Trace{
		{Stage: StageAttribute, Name: "teams", From: `id_token https://example\.com/groups`},
		{Stage: StageAttribute, Name: "mail", From: "userinfo email"},
		{Stage: StageAttribute, Name: "nick", From: "id_token nickname", Reason: claims.AbsentUpstream},
		{Stage: StageMapping, Name: "groups", From: "teams", Type: "array"},
		{Stage: StageMapping, Name: "tenant", Type: "string"},
		{Stage: StageMapping, Name: "email", From: "mail", Type: "string"},
		{Stage: StageMapping, Name: "email", From: "other", Reason: claims.Shadowed},
		{Stage: StageMapping, Name: "nickname", From: "nick", Reason: claims.AbsentUpstream},
		{Stage: StageMapping, Name: "plan", From: "mail", Type: "string"},
		{Stage: StageMapping, Name: "address.country", From: "mail", Type: "string"},
		{Stage: StageScript, Name: "plan", Reason: claims.ScriptReplaced, Type: "string"},
		{Stage: StageScript, Name: "plan", Type: "string"},
		{Stage: StageScript, Name: "tenant", Reason: claims.ScriptRemoved, Type: "string"},
		{Stage: StageScript, Name: "sub", Reason: claims.ReservedName},
		{Stage: StageApplication, Name: "role", Type: "string"},
		{Stage: StageApplication, Name: "amr"},
	}
	want := Origins{
		"groups":          {Stage: StageMapping, Attribute: "teams", From: `id_token https://example\.com/groups`},
		"email":           {Stage: StageMapping, Attribute: "mail", From: "userinfo email"},
		"plan":            {Stage: StageScript},
		"address.country": {Stage: StageMapping, Attribute: "mail", From: "userinfo email"},
		"role":            {Stage: StageApplication},
		"amr":             {Stage: StageApplication},
	}
	if diff := cmp.Diff(want, trace.Origins()); diff != "" {
		t.Error(diff)
	}
}

func TestOrigin_Read(t *testing.T) {
	for from, want := range map[string][2]string{
		`id_token https://example\.com/groups`: {"id_token", "https://example.com/groups"},
		"userinfo address.country":             {"userinfo", "address.country"},
		`userinfo a\.b.c d`:                    {"userinfo", "a.b.c d"},
		`userinfo C:\\x`:                       {"userinfo", `C:\x`},
		`userinfo broken\`:                     {"userinfo", `broken\`},
		"":                                     {},
	} {
		document, claim := (Origin{Stage: StageMapping, Attribute: "a", From: from}).Read()
		if got := [2]string{document, claim}; got != want {
			t.Errorf("%s: %q, want %q", from, got, want)
		}
	}
}
