package op

import (
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// Each line names what to look at, whichever stage lost the value.
func TestM73_ExplainNamesTheStage(t *testing.T) {
	attribute := authn.Entry{Stage: authn.StageAttribute, Name: "teams", From: "access_token groups", Origin: "Caddyfile:7"}
	mapping := func(reason claims.Reason) authn.Trace {
		return authn.Trace{attribute, {Stage: authn.StageMapping, Name: "groups", From: "teams", Reason: reason, Origin: "Caddyfile:9"}}
	}
	groups := []claims.TokenType{claims.IDToken}
	for name, test := range map[string]struct {
		entries authn.Trace
		claim   claims.Claim
		context map[string]any
		want    string
	}{
		"null": {
			mapping(claims.NullUpstream),
			claims.Claim{Name: "groups", Types: groups},
			nil,
			`groups is not in the ID token of web: null_upstream: attribute "teams" (Caddyfile:7) found null at access_token groups`,
		},
		"opaque access token": {
			mapping(claims.AccessTokenOpaque),
			claims.Claim{Name: "groups", Types: groups},
			nil,
			`groups is not in the ID token of web: access_token_opaque: attribute "teams" (Caddyfile:7) reads the access token, which is not a JWT that the broker can verify`,
		},
		"no userinfo": {
			mapping(claims.UserinfoFailed),
			claims.Claim{Name: "groups", Types: groups},
			nil,
			`groups is not in the ID token of web: userinfo_failed: attribute "teams" (Caddyfile:7) reads userinfo, which did not answer`,
		},
		"a flag of another document": {
			mapping(claims.UnverifiedPair),
			claims.Claim{Name: "groups", Types: groups},
			nil,
			`groups is not in the ID token of web: unverified_pair: attribute "teams" (Caddyfile:7) is not from the document that told the value which it vouches for`,
		},
		"not mapped": {
			mapping(""),
			claims.Claim{Name: "plan", Types: groups},
			nil,
			`plan is not in the ID token of web: not_mapped: nothing is mapped to plan in the authentication context`,
		},
		"a member": {
			mapping(""),
			claims.Claim{Name: "team", From: mustPath(t, "groups.0"), Types: groups},
			nil,
			`team is not in the ID token of web: absent_upstream: groups arrived without it`,
		},
		"removed by the script": {
			append(mapping(""), authn.Entry{Stage: authn.StageScript, Name: "groups", Reason: claims.ScriptRemoved}),
			claims.Claim{Name: "groups", Types: groups},
			nil,
			`groups is not in the ID token of web: script_removed: the post-authentication script did that`,
		},
		"what nobody told": {
			authn.Trace{{Stage: authn.StageAMR, Name: "acr", Reason: claims.AbsentUpstream}},
			claims.Claim{Name: "acr_copy", From: claims.Key("acr"), Types: groups},
			nil,
			`acr_copy is not in the ID token of web: absent_upstream: nothing tells acr`,
		},
		"from the cache": {
			authn.Trace{{Stage: authn.StageCache}},
			claims.Claim{Name: "groups", Types: groups},
			nil,
			`groups is not in the ID token of web: absent_upstream: the authentication context was made by an earlier sign-in, which can tell more`,
		},
		"another token": {
			nil,
			claims.Claim{Name: "groups", Types: []claims.TokenType{claims.AccessToken}},
			map[string]any{"groups": "x"},
			`groups is not in the ID token of web: claim_not_declared: it is declared for other tokens; it is in the access token and introspection`,
		},
		"userinfo alone": {
			nil,
			claims.Claim{Name: "groups", Types: []claims.TokenType{claims.Userinfo}},
			map[string]any{"groups": "x"},
			`groups is not in the ID token of web: opaque: it is declared for userinfo or introspection alone; it is in the userinfo`,
		},
		"not asked for": {
			nil,
			claims.Claim{Name: "groups", Types: groups, Scopes: []string{"email"}},
			map[string]any{"groups": "x"},
			`groups is not in the ID token of web: scope_not_requested: the client asked for openid`,
		},
		"replaced by the application": {
			authn.Trace{{Stage: authn.StageApplication, Name: "groups", Reason: claims.AppReplaced}, {Stage: authn.StageApplication, Name: "groups"}},
			claims.Claim{Name: "groups", Types: groups},
			map[string]any{"groups": "x"},
			`groups is in the ID token and userinfo of web: string, 3 bytes; app_replaced: the post-authentication application set another value than was there`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &TraceRecord{
				TraceSummary: TraceSummary{Client: "web", Outcome: OutcomeCode},
				Requested:    TraceItems{Scopes: []string{"openid"}}, Granted: TraceItems{Scopes: []string{"openid"}},
				Entries: test.entries, Deliveries: map[claims.TokenType][]claims.Delivery{},
			}
			p := claims.Permission{Allowed: []string{"openid", "email"}, Requested: r.Requested.Scopes, Granted: r.Granted.Scopes}
			for _, typ := range claims.TokenTypes() {
				r.Deliveries[typ] = r.Entries.Explain(&authn.Context{Attributes: test.context}, typ, []claims.Claim{test.claim}, p)
			}
			if got := r.Explain(test.claim.Name); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func mustPath(t *testing.T, text string) claims.Path {
	t.Helper()
	p, err := claims.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
