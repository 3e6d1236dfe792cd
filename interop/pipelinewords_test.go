package interop_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// wordsInstallation has a connection with the words after the three that
// every connection has, in front of the stand-in tenant.
func wordsInstallation(t *testing.T, words, globals, gate string) *installation {
	t.Helper()
	issuer := "http://" + freeAddr(t)
	tenant := brokertest.Start(t, brokertest.Options{Clients: []brokertest.Client{{
		ID: "broker", Secret: upstreamSecret, Callbacks: []string{issuer + "/oauth2/callback/auth0"},
	}}})
	in := install(t, setup{
		issuer: issuer, clients: notesClient + "\n" + globals, gate: gate,
		provider: fmt.Sprintf("provider auth0 {\n\tdomain %s\n\tclient_id broker\n\tclient_secret {env.UPSTREAM_SECRET}\n%s\n}", tenant.Domain(), words),
	})
	in.tenant = tenant
	return in
}

// The function as the guide shows it, with every input and every key.
const guideScript = `module.exports = async function (context) {
  return {
    authn_ctx: {
      groups: [...context.authn_ctx.groups, "x"],
      seen: [context.amr.join("+"), context.acr, context.idp_sub, context.secrets.crm_key.length].join(" "),
    },
    acr: "urn:example:gold",
  };
}
`

// One connection uses all of it, and one sign-in shows all of it: the methods
// that the operator sets stand in place of the upstream's, the script sees
// them and has the last word, and the context that it made answers the same
// browser's next client without the upstream, and without another run.
func TestM34_M41_M42_M43_M76_OneSignIn(t *testing.T) {
	script := filepath.Join(t.TempDir(), "post_authn.js")
	if err := os.WriteFile(script, []byte(guideScript), 0o600); err != nil {
		t.Fatal(err)
	}
	in := wordsInstallation(t, `
	amr hwk pin
	context_cache 15m
	attribute teams id_token https://example\.com/groups string_array
	map teams groups
	script `+script+` {
		timeout 1s
		secret crm_key {env.UPSTREAM_SECRET}
	}`, "context seen string\nclaim groups id_token access_token\nclaim seen id_token access_token\n", "trusted\nheader X-Groups {claim.groups}\nheader X-Seen {claim.seen}\nheader X-Id-Token {id_token}")
	rp := in.startOpenIDClient(t)

	for user, upstream := range map[string]struct{ acr, groups string }{
		"ada": {"", "admin,staff,x"},               // the upstream tells no methods
		"mfa": {brokertest.MultiFactor, "staff,x"}, // it tells ["mfa"]
	} {
		t.Run(user, func(t *testing.T) {
			b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
			b.Get(in.site + "/orders")
			if page := b.SignIn(user); !page.Has("app") {
				t.Fatalf("signing in led to %s\n%s", page, page.Body)
			}
			asked, runs := in.tenant.Requests("/authorize"), strings.Count(in.logs.String(), `"script_executed"`)

			seen := fmt.Sprintf("hwk+pin %s auth0|%s %d", upstream.acr, user, len(upstreamSecret))
			header := in.last(t)
			if header.Get("X-Seen") != seen || header.Get("X-Groups") != upstream.groups {
				t.Errorf("X-Seen %q, want %q; X-Groups %q, want %q", header.Get("X-Seen"), seen, header.Get("X-Groups"), upstream.groups)
			}
			got := in.signIn(t, rp, b, true)
			for where, claims := range map[string]map[string]any{
				"the gate's ID token":       in.verified(t, rp, header.Get("X-Id-Token"), "gate:"+strings.TrimPrefix(in.site, "http://"), "ES256"),
				"the client's ID token":     in.verified(t, rp, got.Tokens.IDToken, "notes", "RS256"),
				"the client's access token": in.verified(t, rp, got.Tokens.AccessToken, in.issuer, "ES256"),
			} {
				if diff := cmp.Diff([]any{"hwk", "pin"}, claims["amr"]); diff != "" || claims["acr"] != "urn:example:gold" || claims["seen"] != seen {
					t.Errorf("%s: acr %v, seen %v, amr (-want +got):\n%s", where, claims["acr"], claims["seen"], diff)
				}
			}
			if n := in.tenant.Requests("/authorize"); n != asked {
				t.Errorf("the upstream was asked %d times more", n-asked)
			}
			if n := strings.Count(in.logs.String(), `"script_executed"`); n != runs {
				t.Errorf("the script ran %d times more", n-runs)
			}
			if strings.Contains(in.logs.String(), upstreamSecret) {
				t.Error("the script's secret is in the log")
			}
		})
	}
}

// The operator changes a mapping and a script under the feet of those who are
// signed in: they stay, with what they have, and the next sign-in is by the
// new settings, also where a context is in the cache.
func TestM45_M74_ReloadOfAMapping(t *testing.T) {
	const before = "map_static standard plan"
	in := wordsInstallation(t, "context_cache 15m\n"+before, "context plan string\nclaim plan id_token access_token\n", "trusted\nheader X-Plan {claim.plan}\nheader X-Id-Token {id_token}")
	rp := in.startOpenIDClient(t)
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	in.enter(t, b, "/")
	old := in.signIn(t, rp, b, true)
	if got := in.last(t).Get("X-Plan"); got != "standard" || old.Claims["plan"] != "standard" {
		t.Fatalf("plan %q and %v", got, old.Claims["plan"])
	}

	changed := strings.Replace(in.config, before, `attribute plan id_token https://example\.com/plan
map plan plan required`, 1)
	if status, body := in.load(t, changed); status != http.StatusOK {
		t.Fatalf("loading the new configuration answered %d: %s", status, body)
	}

	t.Run("the live session stays as it is", func(t *testing.T) {
		hops := len(b.History())
		b.StopBefore = ""
		if page := b.Get(in.site + "/again"); !page.Has("app") || len(b.History()) != hops+1 {
			t.Fatalf("the session is gone: %s", page)
		}
		if got := in.last(t).Get("X-Plan"); got != "standard" {
			t.Errorf("X-Plan %q", got)
		}
	})
	t.Run("tokens that were issued are good", func(t *testing.T) {
		if got := in.verified(t, rp, old.Tokens.AccessToken, in.issuer, "ES256")["plan"]; got != "standard" {
			t.Errorf("plan %v", got)
		}
		if got := in.userinfo(t, old.Tokens.AccessToken)["plan"]; got != "standard" {
			t.Errorf("plan at userinfo %v", got)
		}
	})
	t.Run("the cached context does not answer", func(t *testing.T) {
		asked := in.tenant.Requests("/authorize")
		got := in.signIn(t, rp, b, false)
		if got.Claims["plan"] != "enterprise" || in.tenant.Requests("/authorize") != asked+1 {
			t.Errorf("plan %v, and the upstream was asked %d times", got.Claims["plan"], in.tenant.Requests("/authorize")-asked)
		}
		if got.Claims["sub"] != old.Claims["sub"] {
			t.Error("the user is another one")
		}
	})
	t.Run("another browser", func(t *testing.T) {
		in.enter(t, brokertest.NewBrowser(t, brokertest.BrowserOptions{}), "/")
		if got := in.last(t).Get("X-Plan"); got != "enterprise" {
			t.Errorf("X-Plan %q", got)
		}
	})
	t.Run("a mapping that nothing can fill leaves all as it is", func(t *testing.T) {
		bad := strings.Replace(changed, "map plan plan", "map paln plan", 1)
		status, body := in.load(t, bad)
		if status != http.StatusBadRequest || !strings.Contains(body, `"paln" is not a declared attribute`) || !strings.Contains(body, `did you mean "plan"`) {
			t.Errorf("%d %s", status, body)
		}
		b.StopBefore = ""
		if page := b.Get(in.site + "/"); !page.Has("app") {
			t.Errorf("the session is gone: %s", page)
		}
	})
}

// A token that only its issuer can read gives no attributes and ends no
// sign-in, whosever it is.
func TestM52_OpaqueAccessToken(t *testing.T) {
	for name, start := range map[string]func(*testing.T, func(setup) setup) *installation{"stand-in tenant": standInTenantWith, "npm oidc-provider": npmProviderWith} {
		t.Run(name, func(t *testing.T) {
			in := start(t, func(s setup) setup {
				s.provider = strings.Replace(s.provider, "\taudience "+pipelineAPI+"\n", "", 1)
				return s
			})
			got := in.outputs(t)
			if got.IDToken["access_token_source"] != nil || got.IDToken["id_token_source"] != "id_token" || got.IDToken["userinfo_source"] != "userinfo" {
				t.Errorf("ID token %v", got.IDToken)
			}
			if !strings.Contains(in.logs.String(), "access_token_opaque") || !strings.Contains(in.logs.String(), "audience") {
				t.Error("the log does not point to audience")
			}
		})
	}
}
