package broker_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestM1_UserOfTheTenantNeedsNoLocalAccount(t *testing.T) {
	w := newWorld(t, options{})
	w.enter(w.newBrowser(), "/", "no-email")
	if got := w.received().Header.Get("Remote-User"); len(got) != 64 {
		t.Errorf("Remote-User = %q, want a subject of 64 hex digits", got)
	}
}

func TestM3_DefectiveIDTokenSignsNobodyIn(t *testing.T) {
	w := newWorld(t, options{})
	for _, defect := range brokertest.Defects() {
		t.Run(string(defect), func(t *testing.T) {
			w.tenant.SetFaults(brokertest.Faults{IDToken: defect})
			defer w.tenant.Heal()
			b := w.newBrowser()
			answer := w.authorize(b, "ada")
			if answer.Has("code") || answer.Get("error") == "" {
				t.Errorf("the client got %v", answer)
			}
			if b.Cookie(issuer, "__Host-auth_broker_sso") != nil {
				t.Error("an SSO session began")
			}
		})
	}
}

func TestM4_OnlyTheCodeFlow(t *testing.T) {
	w := newWorld(t, options{})
	for _, responseType := range []string{"token", "id_token", "code id_token", "code token", "none"} {
		b := w.newBrowser()
		b.StopBefore = clientSite
		answer := w.answer(b.Get(authorizeURL("response_type", responseType)))
		if answer.Get("error") != "unsupported_response_type" || answer.Get("state") != "client-state" || answer.Get("iss") != issuer {
			t.Errorf("response_type=%s: %v", responseType, answer)
		}
	}
	w.authorize(w.newBrowser(), "ada")
	if got := w.tenant.LastAuthorize().Get("response_type"); got != "code" {
		t.Errorf("upstream response_type = %q", got)
	}
}

// These five demands are about the one request that goes upstream.
func TestM2_M5_M7_M30_M32_RequestUpstreamIsOurOwn(t *testing.T) {
	w := newWorld(t, options{})
	w.authorize(w.newBrowser(), "ada", "login_hint", "ada@example.com")
	got := w.tenant.LastAuthorize()
	for name, want := range map[string]string{
		"client_id":    upstreamID,                       // M32
		"redirect_uri": w.broker.CallbackURLs()["auth0"], // M30
		"scope":        "openid profile email",           // M5
		"login_hint":   "", "code_challenge_method": "S256",
	} {
		if got.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Get(name), want)
		}
	}
	if w.broker.CallbackURLs()["auth0"] != issuer+"/oauth2/callback/auth0" {
		t.Errorf("callback %v", w.broker.CallbackURLs())
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if got.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	for name, values := range got {
		if slices.ContainsFunc(values, func(v string) bool {
			return strings.Contains(v, "client-state") || strings.Contains(v, "client-nonce") || strings.Contains(v, clientSite)
		}) {
			t.Errorf("the client's own values leak in %s", name)
		}
	}
}

func TestM6_UnknownClientAndUnregisteredAddressAreNotRedirected(t *testing.T) {
	w := newWorld(t, options{})
	for name, c := range map[string]struct{ url, code string }{
		"unknown client":        {authorizeURL("client_id", "stranger"), "invalid_client"},
		"no client":             {authorizeURL("client_id", ""), "invalid_client"},
		"unregistered address":  {authorizeURL("redirect_uri", "https://evil.example.com/callback"), "invalid_redirect_uri"},
		"address with a suffix": {authorizeURL("redirect_uri", callbackURL+"/x"), "invalid_redirect_uri"},
		"no address":            {authorizeURL("redirect_uri", ""), "invalid_redirect_uri"},
		"parameter given twice": {authorizeURL() + "&client_id=notes", "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			page := w.newBrowser().Get(c.url)
			if page.Status/100 != 4 || page.URL.Host != "auth.example.com" {
				t.Fatalf("%d at %s", page.Status, page.URL)
			}
			if got := page.Text("error-code"); got != c.code {
				t.Errorf("error-code = %q, want %q", got, c.code)
			}
			if trace := page.Text("error-trace"); trace == "" || !strings.Contains(w.logs.String(), trace) {
				t.Errorf("correlation id %q is not in the log", trace)
			}
		})
	}
	for name, url := range map[string]string{
		"no challenge":    authorizeURL("code_challenge", "", "code_challenge_method", ""),
		"plain challenge": authorizeURL("code_challenge_method", "plain"),
		"short challenge": authorizeURL("code_challenge", "abc"),
	} {
		t.Run(name, func(t *testing.T) {
			b := w.newBrowser()
			b.StopBefore = clientSite
			if got := w.answer(b.Get(url)).Get("error"); got != "invalid_request" {
				t.Errorf("error = %q", got)
			}
		})
	}
}

func TestM8_M9_RefusalsUpstreamBecomeCleanErrors(t *testing.T) {
	w := newWorld(t, options{})
	for user, want := range map[string]string{"denied": "access_denied", "blocked": "access_denied"} {
		t.Run(user, func(t *testing.T) {
			b := w.newBrowser()
			answer := w.authorize(b, user)
			if answer.Get("error") != want || answer.Has("code") {
				t.Errorf("the client got %v", answer)
			}
			if b.Cookie(issuer, "__Host-auth_broker_sso") != nil {
				t.Error("a session remains")
			}
		})
	}
	t.Run("silent sign-in without a session", func(t *testing.T) {
		if got := w.authorize(w.newBrowser(), "", "prompt", "none").Get("error"); got != "login_required" {
			t.Errorf("error = %q", got)
		}
	})
	t.Run("the gate shows a page", func(t *testing.T) {
		b := w.newBrowser()
		b.Get(gatedSite + "/")
		page := b.SignIn("denied")
		if page.URL.Host != "app.example.com" || page.Text("error-code") != "access_denied" || page.Status/100 != 4 {
			t.Errorf("%d at %s: %q", page.Status, page.URL, page.Text("error-code"))
		}
		if trace := page.Text("error-trace"); !strings.Contains(w.logs.String(), trace) || trace == "" {
			t.Errorf("correlation id %q is not the log's", trace)
		}
	})
}

// An attacker replays, alters or transplants the answer of the provider.
func TestM10_CallbackCountsOnceInTheBrowserThatBegan(t *testing.T) {
	w := newWorld(t, options{config: twoConnections})
	stopped := func(t *testing.T) (*brokertest.Browser, *url.URL) {
		b := w.newBrowser()
		b.StopBefore = issuer + "/oauth2/callback/"
		b.Get(authorizeURL("idp_hint", "auth0"))
		page := b.SignIn("ada")
		if page.Location == nil {
			t.Fatalf("no callback: %d %s", page.Status, page.URL)
		}
		b.StopBefore = clientSite
		return b, page.Location
	}
	refused := func(t *testing.T, page *brokertest.Page) {
		t.Helper()
		if page.Status != http.StatusBadRequest || page.Text("error-code") != "invalid_request" {
			t.Errorf("answered %d %q at %s", page.Status, page.Text("error-code"), page.URL)
		}
	}
	t.Run("replay in the same browser", func(t *testing.T) {
		b, callback := stopped(t)
		if page := b.Get(callback.String()); !page.Has("consent-form") {
			t.Fatalf("%d %s", page.Status, page.URL)
		}
		refused(t, b.Get(callback.String()))
	})
	t.Run("replay with the old cookie", func(t *testing.T) {
		b, callback := stopped(t)
		cookie := b.Cookie(issuer, "__Host-auth_broker_flow")
		b.Get(callback.String())
		b.SetCookie(issuer, cookie)
		refused(t, b.Get(callback.String()))
	})
	t.Run("another browser without cookies", func(t *testing.T) {
		_, callback := stopped(t)
		refused(t, w.newBrowser().Get(callback.String()))
	})
	t.Run("another browser with a sign-in of its own", func(t *testing.T) {
		_, callback := stopped(t)
		other, _ := stopped(t)
		refused(t, other.Get(callback.String()))
	})
	t.Run("another connection", func(t *testing.T) {
		b, callback := stopped(t)
		callback.Path = strings.Replace(callback.Path, "auth0", "second", 1)
		refused(t, b.Get(callback.String()))
	})
	t.Run("state with one character changed", func(t *testing.T) {
		b, callback := stopped(t)
		query := callback.Query()
		state := []byte(query.Get("state"))
		state[len(state)/2] ^= 1
		query.Set("state", string(state))
		callback.RawQuery = query.Encode()
		refused(t, b.Get(callback.String()))
	})
	t.Run("no state", func(t *testing.T) {
		b, callback := stopped(t)
		callback.RawQuery = url.Values{"code": {callback.Query().Get("code")}}.Encode()
		refused(t, b.Get(callback.String()))
	})
	t.Run("state twice", func(t *testing.T) {
		b, callback := stopped(t)
		callback.RawQuery += "&state=" + url.QueryEscape(callback.Query().Get("state"))
		refused(t, b.Get(callback.String()))
	})
	t.Run("a corrupted cookie", func(t *testing.T) {
		b, callback := stopped(t)
		cookie := b.Cookie(issuer, "__Host-auth_broker_flow")
		cookie.Value = "A" + cookie.Value[:len(cookie.Value)-2]
		b.SetCookie(issuer, cookie)
		refused(t, b.Get(callback.String()))
	})
	t.Run("after its ten minutes", func(t *testing.T) {
		b, callback := stopped(t)
		w.clock.Advance(11 * time.Minute)
		refused(t, b.Get(callback.String()))
	})
}

func TestM11_CodeExchangeUpstream(t *testing.T) {
	w := newWorld(t, options{})
	w.authorize(w.newBrowser(), "ada")
	got := w.tenant.LastToken()
	if got.Get("client_id") != upstreamID || got.Get("client_secret") == "" || got.Get("code_verifier") == "" ||
		got.Get("redirect_uri") != issuer+"/oauth2/callback/auth0" {
		t.Error("the exchange lacks client id, secret, verifier or redirect URI")
	}
}

// Whatever the tenant issues must end inside the broker.
func TestM12_UpstreamTokensGoNowhere(t *testing.T) {
	var seen []string
	w := newWorld(t, options{})
	w.tenant.SetFaults(brokertest.Faults{EditTokenResponse: func(r map[string]any) {
		for _, name := range []string{"access_token", "id_token"} {
			if token, _ := r[name].(string); token != "" {
				seen = append(seen, token, token[len(token)-40:])
			}
		}
	}})
	b := w.newBrowser()
	page := w.enter(b, "/", "ada")
	answer := w.authorize(b, "ada")
	_, tokens := w.exchange(answer.Get("code"))
	if len(seen) < 4 {
		t.Fatal("the tenant issued nothing")
	}
	body, _ := json.Marshal(tokens)
	header, _ := json.Marshal(w.received().Header)
	history, _ := json.Marshal(b.History())
	for _, token := range seen {
		for where, text := range map[string]string{
			"the log": w.logs.String(), "a token response": string(body), "the application's headers": string(header),
			"the page": string(page.Body), "an address": string(history), "the store": w.dump(),
		} {
			if strings.Contains(text, token) {
				t.Errorf("an upstream token is in %s", where)
			}
		}
	}
}

// dump returns all keys and values of the store.
func (w *world) dump() string {
	keys, err := w.store.List(w.Context(), "", "", 10_000)
	if err != nil {
		w.Fatal(err)
	}
	var out strings.Builder
	for _, key := range keys {
		value, _ := w.store.Get(w.Context(), key)
		out.WriteString(key + "\n" + string(value) + "\n")
	}
	return out.String()
}

func TestUpstreamFaultsHaveReadableReasons(t *testing.T) {
	for name, c := range map[string]struct {
		faults brokertest.Faults
		reason string
		hint   string
	}{
		"tenant down":                 {brokertest.Faults{Down: true}, "upstream_unreachable", ""},
		"discovery of another issuer": {brokertest.Faults{EditDiscovery: func(d map[string]any) { d["issuer"] = "https://other.example.com/" }}, "upstream_misconfigured", ""},
		"clock an hour ahead":         {brokertest.Faults{ClockOffset: time.Hour}, "clock_skew", "clock"},
		"clock a day behind":          {brokertest.Faults{ClockOffset: -24 * time.Hour}, "clock_skew", "clock"},
		"no ID token":                 {brokertest.Faults{NoIDToken: true}, "id_token_missing", "first-party"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{})
			w.tenant.SetFaults(c.faults)
			b := w.newBrowser()
			page := b.Get(gatedSite + "/")
			if page.Has("tenant-login-form") {
				page = b.SignIn("ada")
			}
			if page.URL.Host != "app.example.com" || page.Status < 400 {
				t.Fatalf("%d at %s", page.Status, page.URL)
			}
			log := w.logs.String()
			if !strings.Contains(log, `"reason":"`+c.reason+`"`) || !strings.Contains(log, c.hint) {
				t.Errorf("the log has no %s with %q:\n%s", c.reason, c.hint, log)
			}
			if trace := page.Text("error-trace"); trace == "" || !strings.Contains(log, trace) {
				t.Errorf("correlation id %q is not the log's", trace)
			}
			if w.receivedCount() != 0 {
				t.Error("a request reached the application")
			}
		})
	}
	t.Run("wrong secret", func(t *testing.T) {
		w := newWorld(t, options{tenant: brokertest.Options{Clients: []brokertest.Client{{
			ID: upstreamID, Secret: "not-the-secret", Callbacks: []string{issuer + "/oauth2/callback/auth0"},
		}}}})
		answer := w.authorize(w.newBrowser(), "ada")
		if answer.Get("error") != "temporarily_unavailable" || !strings.Contains(answer.Get("error_description"), "client_secret_rejected") {
			t.Errorf("the client got %v", answer)
		}
		if log := w.logs.String(); !strings.Contains(log, "client_secret_rejected") || strings.Contains(log, upstreamSecret) {
			t.Error("the log lacks the reason, or holds the secret")
		}
	})
}

func TestPromptLoginAndMaxAge(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	first := w.idToken(w.authorize(b, "ada"))
	w.clock.Advance(2 * time.Minute)

	t.Run("neither: same authentication", func(t *testing.T) {
		if got := w.idToken(w.authorize(b, "ada")); got["auth_time"] != first["auth_time"] || got["sub"] != first["sub"] {
			t.Errorf("auth_time %v, was %v", got["auth_time"], first["auth_time"])
		}
	})
	for _, change := range [][]string{{"prompt", "login"}, {"max_age", "1"}} {
		t.Run(strings.Join(change, "="), func(t *testing.T) {
			w.clock.Advance(time.Minute)
			b.StopBefore = clientSite
			if page := b.Get(authorizeURL(change...)); !page.Has("tenant-login-form") {
				t.Fatalf("no password asked: %d %s", page.Status, page.URL)
			}
			got := w.idToken(w.answer(b.SignIn("ada")))
			if got["auth_time"].(float64) <= first["auth_time"].(float64) {
				t.Errorf("auth_time %v, was %v", got["auth_time"], first["auth_time"])
			}
		})
	}
	t.Run("max_age=10000: same authentication", func(t *testing.T) {
		b.StopBefore = clientSite
		if page := b.Get(authorizeURL("max_age", "10000")); page.Has("tenant-login-form") {
			t.Error("a password was asked for")
		}
	})
	t.Run("prompt=none with a session", func(t *testing.T) {
		if got := w.authorize(b, "", "prompt", "none"); !got.Has("code") {
			t.Errorf("the client got %v", got)
		}
	})
}

// idToken redeems the code of an answer and returns the ID token's claims.
func (w *world) idToken(answer url.Values) map[string]any {
	w.Helper()
	status, tokens := w.exchange(answer.Get("code"))
	if status != http.StatusOK {
		w.Fatalf("token endpoint: %d %v (answer %v)", status, tokens, answer)
	}
	return payload(w.T, tokens["id_token"])
}

func TestS22_ManyTabs(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	const tabs = 12
	var open []*brokertest.Browser
	for i := range tabs {
		tab := b.NewTab()
		if page := tab.Get(gatedSite + "/page?tab=" + string(rune('a'+i))); !page.Has("tenant-login-form") {
			t.Fatalf("tab %d: %d %s", i, page.Status, page.URL)
		}
		if c := b.Cookie(issuer, "__Host-auth_broker_flow"); len(c.Value) > 4000 {
			t.Fatalf("the cookie has %d bytes", len(c.Value))
		}
		open = append(open, tab)
	}
	first := open[tabs-1].SignIn("ada")
	if first.Has("consent-form") {
		open[tabs-1].Click("consent-allow")
	}
	for i, tab := range open[:tabs-1] {
		page := tab.SignIn("ada")
		if page.Has("error-code") { // the login was dropped: one click and the page is there
			if page.Status != http.StatusBadRequest {
				t.Errorf("tab %d: %d", i, page.Status)
			}
			retry := page.ByID("error-retry")
			if retry == nil {
				t.Fatalf("tab %d: no way on:\n%s", i, page.Body)
			}
			page = tab.Click("error-retry")
		}
		if want := gatedSite + "/page?tab=" + string(rune('a'+i)); page.URL.String() != want {
			t.Errorf("tab %d ended at %s, want %s", i, page.URL, want)
		}
	}
}

// A restart and a change of configuration in the middle of a sign-in.
func TestPendingSignInSurvivesARestart(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	b.Get(gatedSite + "/deep?x=1")
	w.newBroker(options{})
	// The browser learns the new addresses by itself: they are in a map that
	// is read at each connection.
	page := b.SignIn("ada")
	if !page.Has("consent-form") {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	w.newBroker(options{})
	if page = b.Click("consent-allow"); page.URL.String() != gatedSite+"/deep?x=1" {
		t.Errorf("ended at %s", page.URL)
	}
	w.newBroker(options{})
	if page = b.Get(gatedSite + "/"); !page.Has("app") {
		t.Errorf("the session was lost: %d %s", page.Status, page.URL)
	}
}

func TestM91_ReturnsToTheOriginalPage(t *testing.T) {
	w := newWorld(t, options{})
	page := w.enter(w.newBrowser(), "/a/b%20c?x=1&y=%2F&z", "ada")
	if got := page.URL.String(); got != gatedSite+"/a/b%20c?x=1&y=%2F&z" {
		t.Errorf("ended at %s", got)
	}
}

func TestM50_M66_StandardClaimsWithoutConfiguration(t *testing.T) {
	w := newWorld(t, options{})
	w.enter(w.newBrowser(), "/", "ada")
	id := payload(t, w.received().Header.Get("X-Id-Token"))
	for name, want := range map[string]any{
		"name": "Ada Example", "given_name": "Ada", "email": "ada@example.com", "email_verified": true,
		"updated_at": float64(1767262830), // Auth0 sends it as a text
	} {
		if id[name] != want {
			t.Errorf("%s = %v, want %v", name, id[name], want)
		}
	}
	if _, mapped := id["https://example.com/groups"]; mapped {
		t.Error("a claim that nobody mapped is in the token")
	}
}

func TestDiscoveryDocumentsAgree(t *testing.T) {
	w := newWorld(t, options{})
	var bodies []string
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		rec := httptest.NewRecorder()
		w.broker.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, issuer+path, nil))
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/json" || rec.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", path, rec.Code, rec.Header())
		}
		bodies = append(bodies, rec.Body.String())
	}
	if bodies[0] != bodies[1] {
		t.Error("the two documents differ")
	}
}
