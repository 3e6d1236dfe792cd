package broker_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// The post-authentication application of these tests. Its back end is the
// test itself.
const (
	appSite   = "https://welcome.example.com"
	appURL    = appSite + "/start?tenant=1"
	appSecret = "not-a-secret-welcome"
)

// application binds the application to the first connection. It may set
// plan, which the ID token shows, groups and amr.
func application(change ...func(*broker.Config)) func(*world, *broker.Config) {
	return func(_ *world, c *broker.Config) {
		c.CustomApps = true
		c.Context = []authn.Field{{Name: claims.Key("plan"), Type: claims.String}, {Name: claims.Key("tenant"), Type: claims.String}}
		c.Claims = []claims.Claim{
			{Name: "plan", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"profile"}},
			{Name: "groups", Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"profile"}},
		}
		c.Clients = append(c.Clients, oauth.Client{
			ID: "welcome", Secrets: [][32]byte{oauth.HashSecret(appSecret)},
			Grants: []string{oauth.GrantClientCredentials}, Scopes: []string{op.ScopeManagePostAuthn, "orders:read"},
		}, oauth.Client{
			ID: "farewell", Secrets: [][32]byte{oauth.HashSecret(appSecret)},
			Grants: []string{oauth.GrantClientCredentials}, Scopes: []string{op.ScopeManagePostAuthn},
		})
		c.Connections[0].Application = &op.Application{
			URL: appURL, ClientID: "welcome", MaySet: []string{"plan", "groups", "email", "amr"},
		}
		for _, f := range change {
			f(c)
		}
	}
}

func trusted(c *oauth.Client) { c.Consent = oauth.ConsentTrusted }

// clientToken returns an access token of the client's own.
func (w *world) clientToken(id, scope string) string {
	w.Helper()
	status, body := w.post("/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {appSecret}, "scope": {scope},
	})
	if status != http.StatusOK {
		w.Fatalf("no client token: %d %v", status, body)
	}
	return body["access_token"].(string)
}

// A visit is a sign-in that has reached the application.
type visit struct {
	w         *world
	b         *brokertest.Browser
	id, state string
	token     string
}

// visitApp signs a browser in as far as the application.
func (w *world) visitApp(b *brokertest.Browser, changes ...string) visit {
	w.Helper()
	b.StopBefore = appSite
	page := b.Get(authorizeURL(changes...))
	if page.Has("tenant-login-form") {
		page = b.SignIn("ada")
	}
	if page.Location == nil || !strings.HasPrefix(page.Location.String(), appURL) {
		w.Fatalf("no redirect to the application: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	query := page.Location.Query()
	b.StopBefore = clientSite
	return visit{w: w, b: b, id: query.Get("login_id"), state: query.Get("login_state"), token: w.clientToken("welcome", op.ScopeManagePostAuthn)}
}

// call sends a request as the application's back end does. A path that does
// not begin with a slash is one below the login.
func (v visit) call(method, path, body string, header ...string) *httptest.ResponseRecorder {
	v.w.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/post-authn/" + v.id + path
	}
	r := httptest.NewRequest(method, issuer+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+v.token)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	rec := httptest.NewRecorder()
	v.w.broker.ServeHTTP(rec, r)
	return rec
}

func (v visit) session(header ...string) *httptest.ResponseRecorder {
	v.w.Helper()
	return v.call(http.MethodGet, "?login_state="+url.QueryEscape(v.state), "", header...)
}

// verdict is a body with these members beside the login's.
func (v visit) verdict(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"id":"` + v.id + `","login_state":"` + v.state + `"` + members + `}`
}

func (v visit) complete(context string, header ...string) *httptest.ResponseRecorder {
	v.w.Helper()
	return v.call(http.MethodPost, "/post-authn/"+v.id+"/complete", v.verdict(`"authentication_context":`+context), header...)
}

func (v visit) abort(members string) *httptest.ResponseRecorder {
	v.w.Helper()
	return v.call(http.MethodPost, "/post-authn/"+v.id+"/abort", v.verdict(members))
}

// back returns the address of an answer that takes the browser back.
func (v visit) back(rec *httptest.ResponseRecorder) string {
	v.w.Helper()
	var body struct {
		RedirectTo string `json:"redirect_to"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || rec.Code != http.StatusOK ||
		!strings.HasPrefix(body.RedirectTo, issuer+"/oauth2/resume?") {
		v.w.Fatalf("the application got %d %s", rec.Code, rec.Body)
	}
	return body.RedirectTo
}

func TestM79_BrowserVisitsTheApplicationBeforeConsent(t *testing.T) {
	w := newWorld(t, options{config: application()})
	b := w.newBrowser()
	b.StopBefore = appSite
	b.Get(authorizeURL())
	page := b.SignIn("ada")
	if page.Location == nil || page.Status != http.StatusSeeOther {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	if page.Header.Get("Referrer-Policy") != "no-referrer" || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", page.Header)
	}
	query := page.Location.Query()
	if query.Get("tenant") != "1" || len(query.Get("login_id")) < 22 || len(query.Get("login_state")) != 43 || len(query) != 3 {
		t.Errorf("sent to %s", page.Location)
	}
	if strings.Contains(w.dump(), query.Get("login_state")) {
		t.Error("login_state is stored as it is")
	}

	t.Run("consent cannot be reached without it", func(t *testing.T) {
		for _, path := range []string{"/oauth2/consent", "/oauth2/resume"} {
			page := b.NewTab().Get(issuer + path + "?login_id=" + query.Get("login_id"))
			if page.Status != http.StatusBadRequest || page.Has("consent-form") {
				t.Errorf("%s: %d", path, page.Status)
			}
		}
	})
	t.Run("consent follows it", func(t *testing.T) {
		v := w.visitApp(b)
		page := b.Get(v.back(v.complete(`{}`)))
		if !page.Has("consent-form") {
			t.Fatalf("%d at %s", page.Status, page.URL)
		}
		if got := w.idToken(w.answer(b.Click("consent-allow"))); got["name"] != "Ada Example" {
			t.Errorf("ID token %v", got)
		}
	})
	t.Run("also for a protected site", func(t *testing.T) {
		b := w.newBrowser()
		b.StopBefore = appSite
		b.Get(gatedSite + "/orders?id=7")
		query := b.SignIn("ada").Location.Query()
		b.StopBefore = ""
		v := visit{w: w, b: b, id: query.Get("login_id"), state: query.Get("login_state"), token: w.clientToken("welcome", "")}
		b.Get(v.back(v.complete(`{"groups":["beta"]}`)))
		if page := b.Click("consent-allow"); page.URL.String() != gatedSite+"/orders?id=7" || !page.Has("app") {
			t.Errorf("%d at %s", page.Status, page.URL)
		}
		if id := payload(t, w.received().Header.Get("X-Id-Token")); id["groups"].([]any)[0] != "beta" {
			t.Errorf("ID token %v", id)
		}
	})
	t.Run("prompt=none", func(t *testing.T) {
		if got := w.authorize(b, "", "prompt", "none"); got.Get("error") != "interaction_required" || got.Has("code") {
			t.Errorf("the client got %v", got)
		}
	})
	for _, want := range []string{`"msg":"post_authn_started"`, `"msg":"post_authn_completed"`, `"changed":["groups"]`} {
		if !strings.Contains(w.logs.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

func TestM80_CompleteMergesByName(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: application()})
	b := w.newBrowser()
	v := w.visitApp(b)
	answer := w.answer(b.Get(v.back(v.complete(`{"plan":"gold-plan-of-ada","groups":["a","b"],"amr":["otp"]}`))))
	id := w.idToken(answer)
	groups, _ := id["groups"].([]any)
	amr, _ := id["amr"].([]any)
	if id["plan"] != "gold-plan-of-ada" || len(groups) != 2 || len(amr) != 1 || amr[0] != "otp" {
		t.Errorf("not merged: %v", id)
	}
	if id["name"] != "Ada Example" || id["email"] != "ada@example.com" {
		t.Errorf("lost: %v", id)
	}
	if log := w.logs.String(); !strings.Contains(log, `"changed":["amr","groups","plan"]`) || strings.Contains(log, "gold-plan-of-ada") {
		t.Error("the log lacks the names, or has a value")
	}
	t.Run("for this sign-in alone", func(t *testing.T) {
		v := w.visitApp(b)
		if got := w.idToken(w.answer(b.Get(v.back(v.complete(`{}`))))); got["plan"] != nil {
			t.Errorf("plan %v", got["plan"])
		}
	})
	t.Run("an application that may set nothing lets people pass", func(t *testing.T) {
		w := newWorld(t, options{client: trusted, config: application(func(c *broker.Config) { c.Connections[0].Application.MaySet = nil })})
		b := w.newBrowser()
		v := w.visitApp(b)
		if rec := v.complete(`{"plan":"gold"}`); rec.Code != http.StatusBadRequest {
			t.Errorf("set plan: %d", rec.Code)
		}
		rec := v.call(http.MethodPost, "/post-authn/"+v.id+"/complete", v.verdict(""))
		if got := w.answer(b.Get(v.back(rec))); !got.Has("code") {
			t.Errorf("the client got %v", got)
		}
	})
}

func TestD2_ApplicationSeesTheScriptsResultAndComesLast(t *testing.T) {
	o := scripted(`module.exports = async function (context) {
		return { authn_ctx: { plan: "script", groups: ["script"] } }
	}`, func(c *broker.Config) { application()(nil, c) })
	o.client = trusted
	w := newWorld(t, o)
	b := w.newBrowser()
	v := w.visitApp(b)
	context := decode(t, v.session().Body.Bytes())["authentication_context"].(map[string]any)
	if context["plan"] != "script" {
		t.Errorf("the application sees %v", context)
	}
	id := w.idToken(w.answer(b.Get(v.back(v.complete(`{"plan":"application"}`)))))
	if groups, _ := id["groups"].([]any); id["plan"] != "application" || len(groups) != 1 || groups[0] != "script" {
		t.Errorf("ID token %v", id)
	}
}

func TestM80_AbortReachesTheClient(t *testing.T) {
	w := newWorld(t, options{config: application(func(c *broker.Config) { c.Connections[0].ContextCache = time.Hour })})
	for name, c := range map[string]struct{ members, code, description string }{
		"nothing said":          {``, "access_denied", ""},
		"code and description":  {`"error":"temporarily_unavailable","error_description":"Try again tomorrow","status_code":503`, "temporarily_unavailable", "Try again tomorrow"},
		"a code that is none":   {`"error":"terms_refused","error_description":"Terms not accepted"`, "access_denied", "Terms not accepted"},
		"of another endpoint":   {`"error":"invalid_grant"`, "access_denied", ""},
		"a longest description": {`"error_description":"` + strings.Repeat("x", 200) + `"`, "access_denied", strings.Repeat("x", 200)},
	} {
		t.Run(name, func(t *testing.T) {
			b := w.newBrowser()
			v := w.visitApp(b)
			to := v.back(v.abort(c.members))
			got := w.answer(b.Get(to))
			if got.Get("error") != c.code || got.Get("error_description") != c.description || got.Has("code") ||
				got.Get("state") != "client-state" || got.Get("iss") != issuer {
				t.Errorf("the client got %v", got)
			}
			if keys, err := w.store.List(t.Context(), "login/", "", 1); err != nil || len(keys) > 0 {
				t.Errorf("the login remains: %q %v", keys, err)
			}
			if page := b.Get(to); page.Status != http.StatusBadRequest || page.Text("error-code") != "invalid_request" {
				t.Errorf("once more: %d at %s", page.Status, page.URL)
			}
			w.visitApp(b) // nothing was kept: the next sign-in goes there again
			w.clock.Advance(31 * time.Minute)
		})
	}
	if !strings.Contains(w.logs.String(), `"msg":"post_authn_aborted"`) {
		t.Error("nothing is in the log")
	}
	t.Run("a page where no redirect is possible", func(t *testing.T) {
		b := w.newBrowser()
		v := w.visitApp(b)
		to := v.back(v.abort(`"error":"temporarily_unavailable","status_code":451`))
		w.newBroker(options{
			client: func(c *oauth.Client) { c.RedirectURIs = []string{clientSite + "/moved"} }, config: application(),
		})
		page := b.Get(to)
		if page.Status != http.StatusUnavailableForLegalReasons || page.Text("error-code") != "temporarily_unavailable" {
			t.Errorf("%d %q at %s", page.Status, page.Text("error-code"), page.URL)
		}
	})
}

// What was completed answers for the browser as long as the connection says;
// the application is not visited with every request.
func TestApplicationAndContextCache(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: application(func(c *broker.Config) { c.Connections[0].ContextCache = time.Hour })})
	b := w.newBrowser()
	v := w.visitApp(b)
	b.Get(v.back(v.complete(`{"plan":"gold"}`)))
	if got := w.idToken(w.answer(b.Get(authorizeURL()))); got["plan"] != "gold" {
		t.Errorf("ID token %v", got)
	}
	t.Run("prompt=login visits it again", func(t *testing.T) {
		b.StopBefore = appSite
		b.Get(authorizeURL("prompt", "login"))
		if page := b.SignIn("ada"); page.Location == nil {
			t.Errorf("%d at %s", page.Status, page.URL)
		}
	})
}

func TestD9_ApplicationTimes(t *testing.T) {
	const short = 3 * time.Minute
	for name, c := range map[string]struct {
		ttl, wait time.Duration
		status    int
	}{
		"ten minutes":                 {0, 10*time.Minute - time.Second, http.StatusOK},
		"and not a second more":       {0, 10 * time.Minute, http.StatusNotFound},
		"its own time":                {short, short - time.Second, http.StatusOK},
		"and no more":                 {short, short, http.StatusNotFound},
		"never longer than a login":   {time.Hour, 30 * time.Minute, http.StatusNotFound},
		"but as long as the login is": {time.Hour, 29 * time.Minute, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{config: application(func(conf *broker.Config) {
				conf.Connections[0].Application.TTL = c.ttl
				conf.AccessLifetime = 2 * time.Hour
			})})
			v := w.visitApp(w.newBrowser())
			w.clock.Advance(c.wait)
			if rec := v.session(); rec.Code != c.status {
				t.Errorf("session: %d, want %d", rec.Code, c.status)
			}
			if rec := v.complete(`{}`); rec.Code != c.status {
				t.Errorf("complete: %d, want %d", rec.Code, c.status)
			}
		})
	}
	t.Run("the browser comes back too late", func(t *testing.T) {
		w := newWorld(t, options{config: application()})
		b := w.newBrowser()
		v := w.visitApp(b)
		w.clock.Advance(9 * time.Minute)
		completed := v.back(v.complete(`{}`))
		w.clock.Advance(9 * time.Minute)
		other := w.visitApp(w.newBrowser())
		aborted := other.back(other.abort(``))
		if page := b.NewTab().Get(completed); !page.Has("consent-form") {
			t.Fatalf("in time: %d at %s", page.Status, page.URL)
		}
		w.clock.Advance(10 * time.Minute)
		page := other.b.Get(aborted)
		if page.Status != http.StatusBadRequest || page.Text("error-code") != "invalid_request" {
			t.Errorf("%d at %s", page.Status, page.URL)
		}
	})
}

// The attacker begins a sign-in of his own, has the application complete it,
// and makes a victim's browser open the address that goes on with it: the
// victim would be signed in as the attacker, and type his secrets there.
func TestR47_ResumeInAnotherBrowser(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: application()})
	for _, verdict := range []string{"complete", "abort"} {
		t.Run(verdict, func(t *testing.T) {
			attacker := w.newBrowser()
			v := w.visitApp(attacker)
			rec := v.call(http.MethodPost, "/post-authn/"+v.id+"/"+verdict, v.verdict(""))
			to := v.back(rec)
			stranger, busy := w.newBrowser(), w.newBrowser()
			stranger.StopBefore = clientSite
			if page := stranger.Get(to); !strings.Contains(string(page.Body), "Your browser does not keep cookies") {
				t.Errorf("without cookies it says %s", page.Body)
			}
			w.visitApp(busy) // has a sign-in of its own
			for name, victim := range map[string]*brokertest.Browser{"without cookies": stranger, "with a sign-in of its own": busy} {
				victim.StopBefore = clientSite
				page := victim.Get(to)
				if page.Status != http.StatusBadRequest || page.Location != nil || page.URL.Host != "auth.example.com" {
					t.Errorf("%s: %d at %s", name, page.Status, page.URL)
				}
			}
			if got := w.answer(attacker.Get(to)); got.Has("code") == got.Has("error") {
				t.Errorf("in its own browser: %v", got)
			}
		})
	}
}

// Whoever has not got the address from the application cannot go on, in the
// right browser either.
func TestResumeNeedsItsCode(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) { application()(nil, c); c.Connections[0].Application = nil }})
	b := w.newBrowser()
	elsewhere := w.consentPage(b).URL.Query().Get("login_id") // visits no application
	w.newBroker(options{client: trusted, config: application()})
	if page := b.NewTab().Get(issuer + "/oauth2/resume?login_id=" + elsewhere + "&resume="); page.Status != http.StatusBadRequest {
		t.Errorf("a login that visits no application: %d at %s", page.Status, page.URL)
	}
	v := w.visitApp(b)
	early := issuer + "/oauth2/resume?" + url.Values{"login_id": {v.id}, "resume": {""}}.Encode()
	if page := b.NewTab().Get(early); page.Status != http.StatusBadRequest {
		t.Errorf("before the verdict: %d at %s", page.Status, page.URL)
	}
	to, err := url.Parse(v.back(v.complete(`{}`)))
	if err != nil {
		t.Fatal(err)
	}
	code := to.Query().Get("resume")
	if len(code) != 43 || strings.Contains(w.dump(), code) {
		t.Errorf("resume code %q is short, or stored as it is", code)
	}
	for name, query := range map[string]url.Values{
		"no code":             {"login_id": {v.id}},
		"another code":        {"login_id": {v.id}, "resume": {strings.Repeat("A", 43)}},
		"the login_state":     {"login_id": {v.id}, "resume": {v.state}},
		"a code cut short":    {"login_id": {v.id}, "resume": {code[:42]}},
		"another login":       {"login_id": {strings.Repeat("A", 22)}, "resume": {code}},
		"a parameter doubled": {"login_id": {v.id}, "resume": {code, code}},
	} {
		page := b.NewTab().Get(issuer + "/oauth2/resume?" + query.Encode())
		if page.Status != http.StatusBadRequest || page.Location != nil {
			t.Errorf("%s: %d at %s", name, page.Status, page.URL)
		}
	}
	if got := w.answer(b.Get(to.String())); !got.Has("code") {
		t.Errorf("after all that the client got %v", got)
	}
}

// Somebody goes back, or clicks twice.
func TestResumeTwiceHasOneOutcome(t *testing.T) {
	t.Run("with consent", func(t *testing.T) {
		w := newWorld(t, options{config: application()})
		b := w.newBrowser()
		v := w.visitApp(b)
		to := v.back(v.complete(`{}`))
		first := b.Get(to)
		if second := b.Get(to); !second.Has("consent-form") || second.URL.String() != first.URL.String() {
			t.Fatalf("%d at %s", second.Status, second.URL)
		}
		code := w.answer(b.Click("consent-allow")).Get("code")
		w.clock.Advance(11 * time.Minute)
		if got := w.answer(b.Get(to)).Get("code"); got != code {
			t.Error("another outcome after the answer")
		}
	})
	t.Run("without consent", func(t *testing.T) {
		w := newWorld(t, options{})
		meeting := w.meet(options{client: trusted, config: application()})
		b := w.newBrowser()
		v := w.visitApp(b)
		to := v.back(v.complete(`{}`))
		codes := make(chan string, 8)
		meeting.expect(cap(codes))
		for range cap(codes) {
			tab := b.NewTab()
			tab.StopBefore = clientSite
			go func() {
				page, err := tab.Visit(to)
				if err != nil || page.Location == nil {
					codes <- ""
					return
				}
				codes <- page.Location.Query().Get("code")
			}()
		}
		first := <-codes
		for range cap(codes) - 1 {
			if code := <-codes; code != first || code == "" {
				t.Errorf("codes %q and %q", first, code)
			}
		}
		if status, _ := w.exchange(first); status != http.StatusOK {
			t.Errorf("the code is not good: %d", status)
		}
	})
}

// A meeting holds those who are about to store a login until all are there:
// the worst moment.
type meeting struct {
	store.Store
	arrived atomic.Pointer[sync.WaitGroup]
}

// meet serves a broker whose logins are stored through a meeting.
func (w *world) meet(o options) *meeting {
	w.Helper()
	m := &meeting{Store: w.store}
	w.store = m
	w.newBroker(o)
	return m
}

// expect makes the next n wait for each other.
func (m *meeting) expect(n int) {
	arrived := new(sync.WaitGroup)
	arrived.Add(n)
	m.arrived.Store(arrived)
}

func (m *meeting) wait(key string) {
	if arrived := m.arrived.Load(); arrived != nil && strings.HasPrefix(key, "login/") {
		arrived.Done()
		arrived.Wait()
	}
}

func (m *meeting) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	m.wait(key)
	return m.Store.Swap(ctx, key, old, new, ttl)
}

func (m *meeting) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	m.wait(key)
	return m.Store.Put(ctx, key, value, ttl)
}

// R30: the connection is disabled while the user is at the application.
func TestR30_ConnectionIsDisabledDuringTheVisit(t *testing.T) {
	w := newWorld(t, options{client: trusted, config: application()})
	b := w.newBrowser()
	v, early := w.visitApp(b), w.visitApp(b)
	to := early.back(early.complete(`{}`))
	w.newBroker(options{client: trusted, config: application(func(c *broker.Config) { c.Connections[0].Disabled = true })})
	if rec := v.complete(`{}`); rec.Code != http.StatusNotFound {
		t.Errorf("complete: %d", rec.Code)
	}
	if page := b.Get(to); page.Status != http.StatusBadRequest || page.Location != nil {
		t.Errorf("resume: %d at %s", page.Status, page.URL)
	}
}

func TestM81_ApplicationNeedsTheFeature(t *testing.T) {
	w := newWorld(t, options{})
	for name, c := range map[string]struct {
		change func(*broker.Config)
		want   string
	}{
		"off by default":    {func(c *broker.Config) { c.CustomApps = false }, "feature custom_apps"},
		"on":                {func(*broker.Config) {}, ""},
		"unknown client":    {func(c *broker.Config) { c.Connections[0].Application.ClientID = "nobody" }, `client "nobody" is not configured`},
		"without the grant": {func(c *broker.Config) { c.Connections[0].Application.ClientID = "notes" }, "grants client_credentials"},
		"without the scope": {func(c *broker.Config) { c.Clients[1].Scopes = []string{"orders:read"} }, "scopes manage_post_authn"},
		"a plain address":   {func(c *broker.Config) { c.Connections[0].Application.URL = "http://welcome.example.com/" }, "https"},
		"a misspelled name": {func(c *broker.Config) { c.Connections[0].Application.MaySet = []string{"plam"} }, "plan"},
		"a reserved name":   {func(c *broker.Config) { c.Connections[0].Application.MaySet = []string{"sub"} }, `"sub"`},
	} {
		t.Run(name, func(t *testing.T) {
			config := broker.Config{
				Issuer: issuer, Connections: []broker.Connection{w.connection("auth0", "")},
				Clients: []oauth.Client{{ID: "notes", Secrets: [][32]byte{oauth.HashSecret(clientSecret)}, RedirectURIs: []string{callbackURL}}},
			}
			application(c.change)(w, &config)
			_, err := broker.New(config, broker.Deps{Store: w.store})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "provider auth0")) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
