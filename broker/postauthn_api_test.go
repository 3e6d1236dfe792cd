package broker_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

func TestM80_LoginSession(t *testing.T) {
	w := newWorld(t, options{
		client: func(c *oauth.Client) {
			c.URI, c.PolicyURI, c.TOSURI = "https://notes.example.com/", "https://notes.example.com/privacy", "https://notes.example.com/terms"
			c.LogoURI = "https://notes.example.com/logo.svg"
			c.Scopes = []string{"openid", "profile", "email", "phone", "orders:read"}
		},
		config: application(func(c *broker.Config) {
			c.Scopes = []claims.Scope{{Name: "orders:read", DisplayName: "Your orders", Description: "Read orders", Service: "Shop"}}
		}),
	})
	b := w.newBrowser()
	first := w.visitApp(b, "scope", "openid profile")
	b.Get(first.back(first.complete(`{}`)))
	w.answer(b.Click("consent-allow"))
	w.clock.Advance(time.Minute)

	v := w.visitApp(b, "scope", "openid profile orders:read", "max_age", "3600", "acr_values", "urn:a urn:b",
		"ui_locales", "en", "login_hint", "ada@example.com", "purpose", "To show your orders",
		"claims", `{"id_token":{"phone_number":null},"userinfo":{"email":{"essential":true}}}`)
	rec := v.session()
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/json" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	for _, secret := range []string{"client-state", "client-nonce", oauth.S256(testVerifier), "code_challenge", v.state, "eyJ"} {
		if strings.Contains(rec.Body.String(), secret) {
			t.Errorf("the session holds %q", secret)
		}
	}
	got := decode(t, rec.Body.Bytes())

	// What differs with each run.
	for name, check := range map[string]func(string) bool{
		"authorization_correlation_id": func(s string) bool { return strings.Contains(w.logs.String(), s) && len(s) == 26 },
		"subject":                      func(s string) bool { return len(s) == 64 },
		"auth_time":                    isRFC3339, "requested_at": isRFC3339,
	} {
		if text, _ := got[name].(string); !check(text) {
			t.Errorf("%s = %v", name, got[name])
		}
	}
	context := got["authentication_context"].(map[string]any)
	if context["sub"] != got["subject"] || context["idp_sub"] != got["idp_subject"] || context["name"] != "Ada Example" {
		t.Errorf("context %v", context)
	}
	u, err := url.Parse(got["request_url"].(string))
	if err != nil || !strings.HasPrefix(u.String(), issuer+"/oauth2/authorize?") {
		t.Errorf("request_url %v", got["request_url"])
	}
	wantParams := map[string]any{
		"client_id": []any{"notes"}, "redirect_uri": []any{callbackURL}, "response_type": []any{"code"},
		"scope": []any{"openid profile orders:read"}, "max_age": []any{"3600"}, "acr_values": []any{"urn:a urn:b"},
		"ui_locales": []any{"en"}, "login_hint": []any{"ada@example.com"}, "purpose": []any{"To show your orders"},
		"claims": []any{`{"id_token":{"phone_number":null},"userinfo":{"email":{"essential":true}}}`},
	}
	if diff := cmp.Diff(wantParams, got["request_query_params"]); diff != "" {
		t.Error(diff)
	}
	if len(u.Query()) != len(wantParams) {
		t.Errorf("request_url %s", u)
	}
	for _, name := range []string{
		"authorization_correlation_id", "subject", "auth_time", "requested_at", "authentication_context",
		"request_url", "request_query_params", "idp_subject", "id", "amr", "acr",
	} {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(got, name)
	}
	want := decode(t, []byte(`{
		"tenant_id": "default", "server_id": "default", "client_id": "notes", "idp_id": "auth0",
		"client_info": {
			"client_name": "Notes", "client_uri": "https://notes.example.com/", "description": "",
			"logo_uri": "https://notes.example.com/logo.svg", "policy_uri": "https://notes.example.com/privacy",
			"tos_uri": "https://notes.example.com/terms"
		},
		"authorization_details": [],
		"requested_redirect_uri": "https://client.example.com/callback", "requested_grant_type": "authorization_code",
		"requested_scopes": [
			{"requested_name": "openid", "display_name": "Confirm who you are", "description": "Recognise you when you come back", "service": "", "already_granted": true},
			{"requested_name": "profile", "display_name": "Profile", "description": "Your name, picture and other profile details", "service": "", "already_granted": true},
			{"requested_name": "orders:read", "display_name": "Your orders", "description": "Read orders", "service": "Shop", "already_granted": false}
		],
		"allowed_scopes": {
			"openid": {"display_name": "Confirm who you are", "description": "Recognise you when you come back", "service": ""},
			"profile": {"display_name": "Profile", "description": "Your name, picture and other profile details", "service": ""},
			"email": {"display_name": "Email", "description": "Your email address and whether it is verified", "service": ""},
			"phone": {"display_name": "Phone", "description": "Your phone number and whether it is verified", "service": ""},
			"orders:read": {"display_name": "Your orders", "description": "Read orders", "service": "Shop"}
		},
		"requested_audience": [], "requested_acr": "urn:a urn:b", "requested_max_age": 3600, "max_age": 3600,
		"requested_claims": {"id_token": {"phone_number": null}, "userinfo": {"email": {"essential": true}}},
		"requested_claims_to_consent": ["phone_number", "email"],
		"granted_scopes": [], "granted_audience": [],
		"login_approved": true, "login_rejected": false, "scope_grant_approved": false, "scope_grant_rejected": false,
		"error": null
	}`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	t.Run("empty is empty and not null", func(t *testing.T) {
		v := w.visitApp(b, "scope", "openid")
		got := decode(t, v.session().Body.Bytes())
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if got[name] == nil && name != "error" && name != "max_age" && name != "requested_max_age" {
				t.Errorf("%s is null", name)
			}
		}
	})
}

func decode(t testing.TB, raw []byte) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

func isRFC3339(s string) bool {
	_, err := time.Parse("2006-01-02T15:04:05Z07:00", s)
	return err == nil
}

func TestM80_StatusOfEveryCall(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: application()})
	b := w.newBrowser()
	v := w.visitApp(b)
	complete := "/post-authn/" + v.id + "/complete"
	abort := "/post-authn/" + v.id + "/abort"
	as := func(token string) visit { v := v; v.token = token; return v }
	post := func(path, body string, header ...string) *httptest.ResponseRecorder {
		return v.call(http.MethodPost, path, body, header...)
	}
	foreign := newWorld(t, options{config: application()}).clientToken("welcome", op.ScopeManagePostAuthn)
	for name, c := range map[string]struct {
		rec    *httptest.ResponseRecorder
		status int
	}{
		"no token":                 {v.session("Authorization", ""), 401},
		"a token of no use":        {as("a.b.c").session(), 401},
		"an empty token":           {as("").session(), 401},
		"another scheme":           {v.session("Authorization", "Basic d2VsY29tZTp4"), 401},
		"another broker's token":   {as(foreign).session(), 401},
		"no token, complete":       {v.complete(`{}`, "Authorization", ""), 401},
		"token without the scope":  {as(w.clientToken("welcome", "orders:read")).session(), 403},
		"the same, complete":       {as(w.clientToken("welcome", "orders:read")).complete(`{}`), 403},
		"not JSON":                 {post(complete, `{`), 400},
		"no object":                {post(complete, `[]`), 400},
		"nothing":                  {post(complete, ``), 400},
		"two objects":              {post(complete, v.verdict("")+`{}`), 400},
		"trailing text":            {post(complete, v.verdict("")+`x`), 400},
		"a name twice":             {post(complete, v.verdict(`"login_state":"`+v.state+`"`)), 400},
		"a name twice inside":      {v.complete(`{"plan":"a","plan":"b"}`), 400},
		"nested too deep":          {v.complete(strings.Repeat(`{"plan":`, 40) + `1` + strings.Repeat(`}`, 40)), 400},
		"no UTF-8":                 {v.complete("{\"plan\":\"\xff\"}"), 400},
		"no id":                    {post(complete, `{"login_state":"`+v.state+`"}`), 400},
		"another id":               {post(complete, strings.Replace(v.verdict(""), v.id, "other", 1)), 400},
		"no login_state":           {post(complete, `{"id":"`+v.id+`"}`), 400},
		"a number for login_state": {post(complete, `{"id":"`+v.id+`","login_state":1}`), 400},
		"an unknown member":        {post(complete, v.verdict(`"authentication_contxt":{}`)), 400},
		"a member of abort":        {post(complete, v.verdict(`"error":"x"`)), 400},
		"an array for the context": {v.complete(`[]`), 400},
		"null for the context":     {v.complete(`null`), 400},
		"an unknown attribute":     {v.complete(`{"plam":"gold"}`), 400},
		"one it may not set":       {v.complete(`{"tenant":"acme"}`), 400},
		"acr, not in may_set":      {v.complete(`{"acr":"urn:a"}`), 400},
		"a reserved one":           {v.complete(`{"sub":"somebody-else"}`), 400},
		"idp_sub":                  {v.complete(`{"idp_sub":"somebody-else"}`), 400},
		"a mistyped one":           {v.complete(`{"plan":7}`), 400},
		"a mistyped element":       {v.complete(`{"groups":["a",1]}`), 400},
		"a null":                   {v.complete(`{"plan":null}`), 400},
		"one good and one bad":     {v.complete(`{"plan":"gold","tenant":"acme"}`), 400},
		"form":                     {post(complete, v.verdict(""), "Content-Type", "application/x-www-form-urlencoded"), 415},
		"text":                     {post(complete, v.verdict(""), "Content-Type", "text/plain"), 415},
		"no type":                  {post(complete, v.verdict(""), "Content-Type", ""), 415},
		"too large":                {v.complete(`{"plan":"` + strings.Repeat("x", 64<<10) + `"}`), 413},
		"abort, a long text":       {v.abort(`"error_description":"` + strings.Repeat("x", 201) + `"`), 400},
		"abort, other letters":     {v.abort(`"error_description":"nicht erwünscht"`), 400},
		"abort, a line break":      {v.abort(`"error_description":"a\nb"`), 400},
		"abort, a quote":           {v.abort(`"error_description":"a\"b"`), 400},
		"abort, a number":          {v.abort(`"error":1`), 400},
		"abort, status 200":        {v.abort(`"status_code":200`), 400},
		"abort, status 4e2":        {v.abort(`"status_code":4e2`), 400},
		"abort, status as text":    {v.abort(`"status_code":"400"`), 400},
		"abort with attributes":    {post(abort, v.verdict(`"authentication_context":{}`)), 400},
		"a doubled parameter":      {v.call(http.MethodGet, "?login_state=a&login_state=b", ""), 400},
	} {
		t.Run(name, func(t *testing.T) {
			if c.rec.Code != c.status {
				t.Fatalf("%d %s, want %d", c.rec.Code, c.rec.Body, c.status)
			}
			if challenge := c.rec.Header().Get("WWW-Authenticate"); (c.status == 401 || c.status == 403) != strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("WWW-Authenticate: %q", challenge)
			}
			if c.rec.Header().Get("Cache-Control") != "no-store" {
				t.Error("may be cached")
			}
		})
	}
	t.Run("errors name the member", func(t *testing.T) {
		for body, want := range map[string]string{
			`"authentication_contxt":{}`:                    "authentication_contxt",
			`"authentication_context":{"plam":"x"}`:         "plan", // what was meant
			`"authentication_context":{"groups":"x"}`:       "groups",
			`"authentication_context":{"<b>\u0007ü\"":"x"}`: `'<b>\a\u00fc`,
		} {
			got := decode(t, post(complete, v.verdict(body)).Body.Bytes())
			if text, _ := got["error_description"].(string); got["error"] != "invalid_request" || !strings.Contains(text, want) {
				t.Errorf("%s: %v", body, got)
			}
		}
	})
	t.Run("and through all that the login stayed open", func(t *testing.T) {
		if rec := v.session(); rec.Code != http.StatusOK {
			t.Fatalf("session: %d %s", rec.Code, rec.Body)
		}
		if got := w.idToken(w.answer(b.Get(v.back(v.complete(`{"plan":"silver"}`))))); got["plan"] != "silver" {
			t.Errorf("ID token %v", got)
		}
	})
	if !strings.Contains(w.logs.String(), `"msg":"post_authn_refused"`) {
		t.Error("nothing is in the log")
	}
}

// The scope in the hands of a user, by the code flow of a client that has
// both grants, would let that user read and complete everybody's sign-ins.
func TestPostAuthnRefusesUsersTokens(t *testing.T) {
	w := newWorld(t, options{
		client: func(c *oauth.Client) {
			c.Grants = []string{oauth.GrantAuthorizationCode, oauth.GrantClientCredentials}
			c.Scopes, c.Consent = []string{"openid", op.ScopeManagePostAuthn}, oauth.ConsentTrusted
		},
		config: application(func(c *broker.Config) { c.Connections[0].Application.ClientID = "notes" }),
	})
	b := w.newBrowser()
	v := w.visitApp(b, "scope", "openid manage_post_authn")
	v.token = w.noteToken()
	_, tokens := w.exchange(w.answer(b.Get(v.back(v.complete(`{}`)))).Get("code"))
	if tokens["scope"] != "openid manage_post_authn" {
		t.Fatalf("scope %v", tokens["scope"])
	}
	v = w.visitApp(b, "scope", "openid")
	v.token = tokens["access_token"].(string)
	if rec := v.session(); rec.Code != http.StatusForbidden {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	v.token = w.noteToken()
	if rec := v.session(); rec.Code != http.StatusOK {
		t.Errorf("the client's own: %d %s", rec.Code, rec.Body)
	}
}

// noteToken is a token of the client itself.
func (w *world) noteToken() string {
	w.Helper()
	_, body := w.post("/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"notes"}, "client_secret": {clientSecret}, "scope": {op.ScopeManagePostAuthn},
	})
	return body["access_token"].(string)
}

// A right that the operator takes away does not live on in tokens.
func TestPostAuthnRightsAreTakenAway(t *testing.T) {
	w := newWorld(t, options{config: application()})
	v := w.visitApp(w.newBrowser())
	for name, c := range map[string]struct {
		change func(*broker.Config)
		status int
	}{
		"nothing": {func(*broker.Config) {}, http.StatusOK},
		"the scope": {func(c *broker.Config) {
			c.Clients[1].Scopes = []string{"orders:read"}
			c.Connections[0].Application.ClientID = "farewell"
		}, http.StatusForbidden},
		"the application": {func(c *broker.Config) { c.Connections[0].Application = nil }, http.StatusNotFound},
		"the client":      {func(c *broker.Config) { c.Connections[0].Application = nil; c.Clients = c.Clients[:1] }, http.StatusUnauthorized},
	} {
		w.newBroker(options{config: application(c.change)})
		if rec := v.session(); rec.Code != c.status {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}

// An application learns nothing of sign-ins that are not its own: not even
// that they exist.
func TestM80_LoginsOfOthersDoNotExist(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: application()})
	v := w.visitApp(w.newBrowser())
	unknown := v
	unknown.id = strings.Repeat("A", len(v.id))
	wrong := v
	wrong.state = strings.Repeat("A", len(v.state))
	none := v
	none.state = ""
	other := v
	other.token = w.clientToken("farewell", op.ScopeManagePostAuthn)
	consented := w.newBrowser() // a stored login that visits no application
	w.newBroker(options{config: func(_ *world, c *broker.Config) { application()(nil, c); c.Connections[0].Application = nil }})
	page := w.consentPage(consented)
	w.newBroker(options{client: trusted, config: application()})
	plain := v
	plain.id, plain.state = page.URL.Query().Get("login_id"), ""
	expired := w.visitApp(w.newBrowser())
	finished := w.visitApp(w.newBrowser())
	finished.back(finished.complete(`{}`))
	finished.state = wrong.state

	want := unknown.session()
	if want.Code != http.StatusNotFound {
		t.Fatalf("unknown: %d %s", want.Code, want.Body)
	}
	same := func(t *testing.T, v visit) {
		t.Helper()
		for what, rec := range map[string]*httptest.ResponseRecorder{"session": v.session(), "complete": v.complete(`{}`), "abort": v.abort(``)} {
			if rec.Code != want.Code || !bytes.Equal(rec.Body.Bytes(), want.Body.Bytes()) || cmp.Diff(rec.Header(), want.Header()) != "" {
				t.Errorf("%s: %d %s", what, rec.Code, rec.Body)
			}
		}
	}
	for name, v := range map[string]visit{
		"unknown id": unknown, "wrong state": wrong, "no state": none, "another application's": other,
		"no visit": plain, "wrong state of a finished one": finished,
	} {
		t.Run(name, func(t *testing.T) { same(t, v) })
	}
	if rec := v.session(); rec.Code != http.StatusOK {
		t.Errorf("its own: %d", rec.Code)
	}
	t.Run("expired", func(t *testing.T) {
		w.clock.Advance(9*time.Minute + 59*time.Second)
		expired.token = w.clientToken("welcome", "")
		w.clock.Advance(time.Second)
		same(t, expired)
	})
}

func TestM80_FinishedOnce(t *testing.T) {
	w := newWorld(t, options{config: application()})
	for _, first := range []string{"complete", "abort"} {
		t.Run("after "+first, func(t *testing.T) {
			b := w.newBrowser()
			v := w.visitApp(b)
			to := v.back(v.call(http.MethodPost, "/post-authn/"+v.id+"/"+first, v.verdict("")))
			again := func(want int) {
				t.Helper()
				for what, rec := range map[string]*httptest.ResponseRecorder{"session": v.session(), "complete": v.complete(`{"plan":"gold"}`), "abort": v.abort(``)} {
					if rec.Code != want {
						t.Errorf("%s: %d %s", what, rec.Code, rec.Body)
					}
				}
			}
			again(http.StatusConflict)
			b.Get(to)
			if first == "complete" {
				again(http.StatusConflict)
			} else {
				again(http.StatusNotFound) // nothing of it is left
			}
		})
	}
	t.Run("also when all arrive at once", func(t *testing.T) {
		w := newWorld(t, options{})
		meeting := w.meet(options{config: application()})
		for range 3 {
			v := w.visitApp(w.newBrowser())
			answers := make([]*httptest.ResponseRecorder, 16)
			meeting.expect(len(answers))
			var wg sync.WaitGroup
			for i := range answers {
				wg.Go(func() {
					if i%2 == 0 {
						answers[i] = v.complete(`{"plan":"gold"}`)
					} else {
						answers[i] = v.abort(``)
					}
				})
			}
			wg.Wait()
			meeting.arrived.Store(nil)
			count := map[int]int{}
			for _, rec := range answers {
				count[rec.Code]++
			}
			if count[http.StatusOK] != 1 || count[http.StatusConflict] != len(answers)-1 {
				t.Fatalf("answers by status: %v", count)
			}
		}
	})
}

// Guessing is hopeless, but noise has a bound: for the one id alone, there
// or not, and for a minute.
func TestM80_TooManyMisses(t *testing.T) {
	w := newWorld(t, options{config: application()})
	v, other := w.visitApp(w.newBrowser()), w.visitApp(w.newBrowser())
	wrong, unknown := v, v
	wrong.state = "wrong"
	unknown.id = "unknown"
	for _, miss := range []visit{wrong, unknown} {
		for range 10 {
			if rec := miss.session(); rec.Code != http.StatusNotFound {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
		}
		if rec := miss.session(); rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "60" {
			t.Errorf("one more: %d %v", rec.Code, rec.Header())
		}
	}
	if rec := v.session(); rec.Code != http.StatusTooManyRequests {
		t.Errorf("the right state: %d", rec.Code)
	}
	if rec := other.session(); rec.Code != http.StatusOK {
		t.Errorf("another sign-in: %d", rec.Code)
	}
	w.clock.Advance(time.Minute)
	if rec := v.session(); rec.Code != http.StatusOK {
		t.Errorf("a minute later: %d %s", rec.Code, rec.Body)
	}
}
