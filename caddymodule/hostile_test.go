package caddymodule

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// hostileSite uses what the gate publishes wherever Caddy takes a
// placeholder.
const hostileSite = ` {
	log
	route {
		auth_gate {
			trusted
			header X-Gate {claim.name}
			header X-Gate-Pair "a={claim.name};b={claim.nickname}"
			header X-Gate-List {claim.groups}
		}
		reverse_proxy /plain ADDRESS
		vars who "{http.auth.user.name}"
		map {http.auth.user.name} {mapped} {
			default "<{http.auth.user.name}>"
		}
		request_header X-Name "<{http.auth.user.name}>"
		request_header X-Vars "<{vars.who}>"
		request_header X-Mapped "{mapped}"
		request_header X-Groups "{http.auth.user.groups}"
		header X-Answer "<{http.auth.user.name}>"
		log_append who "{http.auth.user.name}"
		respond /echo "<{http.auth.user.name}|{vars.who}>"
		redir /go "/there?who={http.auth.user.name}"
		reverse_proxy ADDRESS {
			header_up X-Up "<{http.auth.user.name}>"
			header_up X-Up-Name "{header.X-Name}"
		}
	}
}
`

// hostileServer is a server with that site. The browsers it returns are for
// ada, who calls herself as told.
func hostileServer(t *testing.T) (s *server, app *application, browserOf func(name string) *brokertest.Browser) {
	t.Helper()
	tenant, outbound := startTenant(t)
	app = startApplication(t)
	s = newServer(t)
	s.load(s.config(globals(provider4+" {\n\t\t\tattribute teams id_token https://example\\.com/groups string_array\n\t\t\tmap teams groups\n\t\t}\n\t\tclaim groups id_token\n"+outbound,
		authHost+" {\n\tauth_broker\n}\n"+appHost+strings.ReplaceAll(hostileSite, "ADDRESS", app.address())), authHost, appHost))
	return s, app, func(text string) *brokertest.Browser {
		t.Helper()
		user, ok := tenant.User("ada")
		if !ok {
			t.Fatal("the tenant has no ada")
		}
		user.Claims["name"], user.Claims["nickname"], user.Claims["https://example.com/groups"] = text, text, []string{text, "staff"}
		tenant.PutUser(user)
		return s.liveBrowser(tenant, authHost, appHost)
	}
}

// Whoever may choose a display name may write a placeholder of Caddy's into
// it. It is a text everywhere, also where Caddy expands twice what it is
// given (class of CVE-2026-30852, GHSA-j8px-rmrx-76h9).
func TestR8_PlaceholdersOfAHostileUserStayTexts(t *testing.T) {
	const secret = "not-a-secret-value"
	t.Setenv("HOSTILE_SECRET", secret)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	s, app, browserOf := hostileServer(t)
	for _, text := range []string{
		"{env.HOSTILE_SECRET}", "{file." + file + "}", "{http.request.header.X-Secret}", "{http.request.cookie.__Host-auth_gate}",
		"{http.auth.user.email}", "{vars.who}", "{http.vars.who}", "{access_token}", "{claim.email}", "{$HOSTILE_SECRET}", "${HOSTILE_SECRET}",
		"{{env.HOSTILE_SECRET}}", `{{env "HOSTILE_SECRET"}}`, `\{env.HOSTILE_SECRET\}`, "{env.HOSTILE_SECRET", "{http.request.header.{env.HOSTILE_SECRET}}", "{system.hostname}",
	} {
		t.Run(text, func(t *testing.T) {
			b := browserOf(text)
			page := enter(t, b, "https://"+appHost+"/")
			for header, want := range map[string]string{
				"X-Gate": text, "X-Gate-Pair": "a=" + text + ";b=" + text, "X-Gate-List": text + ",staff",
				"X-Name": "<" + text + ">", "X-Vars": "<" + text + ">", "X-Mapped": "<" + text + ">", "X-Up": "<" + text + ">", "X-Up-Name": "<" + text + ">",
			} {
				if got := app.header(header); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
			if got := page.Header.Get("X-Answer"); got != "<"+text+">" {
				t.Errorf("the answer's header is %q", got)
			}
			if got := string(b.Get("https://" + appHost + "/echo").Body); got != "<"+text+"|"+text+">" {
				t.Errorf("the answer's body is %q", got)
			}
			b.StopBefore = "https://" + appHost + "/there"
			if page := b.Get("https://" + appHost + "/go"); page.Location == nil || page.Location.Query().Get("who") != text {
				t.Errorf("the redirect goes to %v", page.Location)
			}
		})
	}
	if logs := s.logs(); strings.Contains(logs, secret) || !strings.Contains(logs, "{env.HOSTILE_SECRET}") {
		t.Error("the log has the secret, or nothing of the test")
	}
}

// A line break in a name makes no header, in whichever placeholder it is used.
// The gate leaves its own headers out. What an operator passes on himself, by
// header_up say, Caddy refuses to send: the request fails, and nobody else's.
func TestR9_LineBreaksOfAHostileUser(t *testing.T) {
	_, app, browserOf := hostileServer(t)
	for _, text := range []string{"a\r\nX-Injected: yes", "a\nX-Injected: yes", "a\rb", "a\x00b", "\x1b[2Ja", "a\x7f"} {
		t.Run(url.QueryEscape(text), func(t *testing.T) {
			b := browserOf(text)
			b.Get("https://" + appHost + "/plain")
			page := b.SignIn("ada")
			if !page.Has("app") {
				t.Fatalf("signing in led to %s\n%s", page, page.Body)
			}
			for _, header := range []string{"X-Gate", "X-Gate-Pair", "X-Gate-List", "X-Injected"} {
				if got := app.header(header); got != "" {
					t.Errorf("%s is %q", header, got)
				}
			}
			for _, path := range []string{"/", "/echo", "/go"} {
				b.StopBefore = "https://" + appHost + "/there"
				page := b.Get("https://" + appHost + path)
				if page.Header.Get("X-Injected") != "" || app.header("X-Injected") != "" {
					t.Errorf("%s: a header was injected", path)
				}
				if path == "/" && (!page.Has("app") || app.header("X-Up") != "<>") {
					t.Errorf("the operator's own header is %q, the page %s", app.header("X-Up"), page)
				}
			}
		})
	}
	if page := enter(t, browserOf("Ada Example"), "https://"+appHost+"/"); app.header("X-Up") != "<Ada Example>" {
		t.Errorf("the next person: %s, X-Up %q", page, app.header("X-Up"))
	}
}
