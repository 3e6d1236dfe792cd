package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// A skip is a request that would be the next step of a sign-in, without the
// proof that the step before it was taken.
type skip struct {
	method, path string
	params       url.Values
	status       int
}

// skips are all that somebody can try who knows the login's id.
func skips(id string) map[string]skip {
	login, flow := url.Values{"login_id": {id}}, url.Values{"flow": {id}}
	with := func(v url.Values, pairs ...string) url.Values {
		out := url.Values{}
		for name := range v {
			out.Set(name, v.Get(name))
		}
		for i := 0; i < len(pairs); i += 2 {
			out.Set(pairs[i], pairs[i+1])
		}
		return out
	}
	const get, post = http.MethodGet, http.MethodPost
	return map[string]skip{
		"authorize, empty":               {get, "/oauth2/authorize", nil, 400},
		"authorize, empty form":          {post, "/oauth2/authorize", nil, 400},
		"chooser, empty":                 {get, "/oauth2/login", nil, 400},
		"chooser, empty form":            {post, "/oauth2/login", nil, 400},
		"chooser, choice of no login":    {get, "/oauth2/login", url.Values{"connection": {"second"}}, 400},
		"chooser, address of no login":   {post, "/oauth2/login", url.Values{"email": {"ada@partner.example"}}, 400},
		"callback, empty":                {get, "/oauth2/callback/auth0", nil, 400},
		"callback without state":         {get, "/oauth2/callback/auth0", url.Values{"code": {"x"}}, 400},
		"callback, the login for state":  {get, "/oauth2/callback/auth0", url.Values{"code": {"x"}, "state": {id}}, 400},
		"callback of no connection":      {get, "/oauth2/callback/nobody", url.Values{"code": {"x"}, "state": {id}}, 400},
		"return, empty":                  {get, "/oauth2/resume", nil, 400},
		"return without proof":           {get, "/oauth2/resume", login, 400},
		"return, the login for proof":    {get, "/oauth2/resume", with(login, "resume", id), 400},
		"consent, empty form":            {post, "/oauth2/consent", nil, 400},
		"consent, empty answer":          {post, "/oauth2/consent", login, 0},
		"consent, answer without proof":  {post, "/oauth2/consent", with(login, "decision", "allow", "scope", "profile"), 0},
		"consent, the login for proof":   {post, "/oauth2/consent", with(login, "decision", "allow", "login_state", id), 0},
		"consent, the chooser's id":      {post, "/oauth2/consent", with(flow, "decision", "allow"), 400},
		"consent, answer in the address": {get, "/oauth2/consent", with(login, "decision", "allow", "login_state", id), 0},
	}
}

// send makes the request with the browser's cookies, as one that a page of
// ours could have sent.
func (w *world) send(b *brokertest.Browser, s skip) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(s.method, issuer+s.path+"?"+s.params.Encode(), nil)
	if s.method == http.MethodPost {
		r = httptest.NewRequest(s.method, issuer+s.path, strings.NewReader(s.params.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", issuer)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range b.Cookies(issuer) {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	w.broker.ServeHTTP(rec, r)
	return rec
}

// wantNoStep checks that the request led nowhere.
func (w *world) wantNoStep(t *testing.T, s skip, rec *httptest.ResponseRecorder) {
	t.Helper()
	if rec.Code/100 != 4 || s.status != 0 && rec.Code != s.status {
		t.Errorf("answered %d", rec.Code)
	}
	if to := rec.Header().Get("Location"); to != "" {
		t.Errorf("leads to %s", to)
	}
	dump := w.dump()
	for _, kind := range []string{"grant/", "consent/"} {
		if strings.Contains(dump, "\n"+kind) || strings.HasPrefix(dump, kind) {
			t.Errorf("a record %s exists", kind)
		}
	}
}

// Wherever a sign-in stands, no request that lacks the proof of the step
// before brings it further. The attacker sits at the browser, knows the
// login's id, and wants a code without choosing, signing in, visiting the
// application or consenting.
func TestR53_EveryStepDemandsProofOfTheOneBefore(t *testing.T) {
	for stage, reach := range map[string]func(*world, *brokertest.Browser) (id string){
		"nothing has begun": func(*world, *brokertest.Browser) string { return strings.Repeat("A", 22) },
		"at the chooser": func(_ *world, b *brokertest.Browser) string {
			return b.Get(authorizeURL()).URL.Query().Get("flow")
		},
		"at the provider": func(_ *world, b *brokertest.Browser) string {
			id := b.Get(authorizeURL()).URL.Query().Get("flow")
			b.Click("connection-auth0")
			return id
		},
		"at the application": func(w *world, b *brokertest.Browser) string {
			return w.visitApp(b, "idp_hint", "auth0").id
		},
		"at the consent page": func(w *world, b *brokertest.Browser) string {
			b.Get(authorizeURL())
			b.Click("connection-second")
			page := b.SignIn("ada")
			if !page.Has("consent-form") {
				w.Fatalf("%d at %s", page.Status, page.URL)
			}
			return page.URL.Query().Get("login_id")
		},
	} {
		t.Run(stage, func(t *testing.T) {
			w := newWorld(t, options{config: func(w *world, c *broker.Config) {
				application()(w, c)
				second := w.connection("second", "Partners")
				second.Domains = []string{"partner.example"}
				c.Connections = append(c.Connections, second)
			}})
			b := w.newBrowser()
			id := reach(w, b)
			asked, redeemed := w.authorizations(), w.tenant.Requests("/oauth/token")
			for name, s := range skips(id) {
				if stage == "at the consent page" && s.path == "/oauth2/consent" && s.method == http.MethodGet {
					continue // that is the page itself; it takes no answer
				}
				t.Run(name, func(t *testing.T) { w.wantNoStep(t, s, w.send(b, s)) })
			}
			if w.authorizations() != asked || w.tenant.Requests("/oauth/token") != redeemed {
				t.Error("the provider was asked")
			}
		})
	}
}

// Whatever somebody is shown about a failure, it has the reference under
// which the operator finds it.
func TestS96_ReferenceIsTheLogs(t *testing.T) {
	t.Run("an error page", func(t *testing.T) {
		w := newWorld(t, options{})
		page := w.newBrowser().Get(issuer + "/oauth2/login?flow=unknown")
		refusal(t, w, page.Text("error-trace"))
	})
	t.Run("the error that the client gets, and the page of a gated site", func(t *testing.T) {
		w := newWorld(t, options{})
		w.tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Status: 500}}})
		description := w.authorize(w.newBrowser(), "ada").Get("error_description")
		b := w.newBrowser()
		b.Get(gatedSite + "/")
		shown := b.SignIn("ada").Text("error-trace")
		_, told, _ := strings.Cut(strings.TrimSuffix(description, ")"), "trace ")
		for where, trace := range map[string]string{"client": told, "page": shown} {
			if len(trace) != 26 || !strings.Contains(w.logs.String(), `"msg":"sign-in failed upstream","trace":"`+trace+`"`) {
				t.Errorf("the %s has the reference %q, which is not the log's", where, trace)
			}
		}
	})
}
