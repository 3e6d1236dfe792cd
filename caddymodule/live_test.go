package caddymodule

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

const (
	authHost = "auth.example.com"
	appHost  = "app.example.com"
)

// TestM28_MinimalLoads proves that the Caddyfile of the README loads, with
// the provider out of reach and nothing prepared, and that it protects.
func TestM28_MinimalLoads(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	s.load(s.config(minimal, authHost, appHost))

	b := s.browser(authHost, appHost)
	b.StopBefore = "https://" + authHost
	page := b.Get("https://" + appHost + "/orders?page=2")
	if page.Location == nil || page.Location.Path != "/oauth2/authorize" {
		t.Fatalf("no redirect to sign in: %d %s", page.Status, page.Body)
	}
	query := page.Location.Query()
	if got, want := query.Get("client_id"), "gate:"+appHost; got != want {
		t.Errorf("client_id %q, want %q", got, want)
	}
	if got, want := query.Get("redirect_uri"), "https://"+appHost+"/.auth/callback"; got != want {
		t.Errorf("redirect_uri %q, want %q", got, want)
	}
	var metadata struct {
		Issuer string `json:"issuer"`
	}
	if err := b.Get("https://" + authHost + "/.well-known/openid-configuration").JSON(&metadata); err != nil {
		t.Fatal(err)
	}
	if want := "https://" + authHost; metadata.Issuer != want {
		t.Errorf("issuer %q, want %q", metadata.Issuer, want)
	}
}

// TestM30_RedirectURLIsLogged proves that the operator can read off what to
// enter at the provider before anybody signs in.
func TestM30_RedirectURLIsLogged(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	s.load(s.config(minimal, authHost, appHost))
	if want := `"redirect_url":"https://auth.example.com/oauth2/callback/auth0"`; !strings.Contains(s.logs(), want) {
		t.Errorf("the log lacks %s", want)
	}
}

// TestM33_SecretStaysOut proves that a secret is neither in the log, at the
// most talkative level, nor in the configuration that the admin API shows.
func TestM33_SecretStaysOut(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	config := s.config(minimal, authHost, appHost)
	admin := brokertest.FreePort(t)
	config = []byte(strings.Replace(string(config), `"disabled":true`, `"listen":"127.0.0.1:`+admin+`"`, 1))
	s.load(config)

	resp, err := http.Get("http://127.0.0.1:" + admin + "/config/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	shown, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(shown), "{env.AUTH0_CLIENT_SECRET}") {
		t.Errorf("the admin API does not show the placeholder: %s", shown)
	}
	for where, text := range map[string]string{"admin API": string(shown), "log": s.logs()} {
		if strings.Contains(text, upstreamSecret) {
			t.Errorf("the secret is in the %s", where)
		}
	}
}

// TestM33_LiteralSecretWarns proves that a secret in the Caddyfile works,
// and that the operator is told about it without seeing it in the log.
func TestM33_LiteralSecretWarns(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	s.load(s.config(strings.Replace(minimal, "{env.AUTH0_CLIENT_SECRET}", upstreamSecret, 1), authHost, appHost))
	logs := s.logs()
	if want := "provider auth0: client_secret is written literally"; !strings.Contains(logs, want) {
		t.Errorf("the log lacks %q", want)
	}
	if strings.Contains(logs, upstreamSecret) {
		t.Error("the secret is in the log")
	}
}

// TestM38_BadReloadKeepsTheOld proves that a configuration with a mistake
// changes nothing, be it found at provisioning or at start.
func TestM38_BadReloadKeepsTheOld(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	s.load(s.config(minimal, authHost, appHost))
	blocked := filepath.Join(s.dir, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ input, want string }{
		"unset variable": {
			strings.Replace(minimal, "AUTH0_DOMAIN", "NO_DOMAIN", 1), "domain {env.NO_DOMAIN} is empty",
		},
		"store that cannot be opened": {
			strings.Replace(minimal, "\t\tissuer", "\t\tstorage embedded "+blocked+"/a.db\n\t\tissuer", 1), "opening the store",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := caddy.Load(s.config(test.input, authHost, appHost), true)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			// The refused configuration may have begun to listen beside the
			// old one. What it accepted is reset; browsers then try again.
			b, keys := s.browser(authHost, appHost), "https://"+authHost+"/.well-known/jwks.json"
			page, err := b.Visit(keys)
			if err != nil {
				page = b.Get(keys)
			}
			if page.Status != http.StatusOK {
				t.Errorf("the old configuration is gone: %d", page.Status)
			}
		})
	}
	if n, _ := states.References(s.database()); n != 1 {
		t.Errorf("the store has %d references, want 1", n)
	}
}

// TestOneProcessPerFile proves that a second process is refused with an
// error that says what is the matter. Another store stands in for it.
func TestOneProcessPerFile(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	other, err := open(context.Background(), s.database())
	if err != nil {
		t.Fatal(err)
	}
	config := s.config(minimal, authHost, appHost)
	err = caddy.Load(config, true)
	if err == nil || !strings.Contains(err.Error(), s.database()+": another process holds it") {
		t.Errorf("error %v does not tell that the file is in use", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	s.load(config)
}

// An application behind a gate, which remembers what it got.
type application struct {
	*httptest.Server
	mu   sync.Mutex
	last *http.Request
}

func startApplication(t *testing.T) *application {
	t.Helper()
	a := new(application)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.last = r.Clone(context.Background())
		a.mu.Unlock()
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><title>App</title><h1 id="app">App</h1>`)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *application) address() string { return a.Listener.Addr().String() }

func (a *application) header(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		return ""
	}
	return a.last.Header.Get(name)
}

// startTenant starts a stand-in tenant and sets the variables that lead to
// it. The result is the block that lets the broker call it.
func startTenant(t *testing.T) (*brokertest.Server, string) {
	t.Helper()
	tenant := brokertest.StartTLS(t, brokertest.Options{Clients: []brokertest.Client{{
		ID: "upstream-client", Secret: upstreamSecret,
		Callbacks: []string{"https://" + authHost + "/oauth2/callback/auth0"},
	}}})
	setVariables(t)
	t.Setenv("AUTH0_DOMAIN", tenant.Domain())
	return tenant, "\t\toutbound {\n\t\t\ttrusted_roots " + tenant.CA.File(t) + "\n\t\t\tallow 127.0.0.0/8\n\t\t}\n"
}

// enter signs ada in at a gated page and agrees to what is asked.
func enter(t *testing.T, b *brokertest.Browser, address string) *brokertest.Page {
	t.Helper()
	page := b.Get(address)
	if page.Has("tenant-login-form") {
		page = b.SignIn("ada")
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if !page.Has("app") {
		t.Fatalf("signing in did not reach the application: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	return page
}

// liveBrowser trusts both the server and the tenant.
func (s *server) liveBrowser(tenant *brokertest.Server, hosts ...string) *brokertest.Browser {
	s.Helper()
	resolve := map[string]string{}
	for _, h := range hosts {
		resolve[h] = "127.0.0.1:" + s.https
	}
	roots := s.ca.Pool()
	roots.AppendCertsFromPEM(tenant.CA.PEM())
	return brokertest.NewBrowser(s.T, brokertest.BrowserOptions{Resolve: resolve, RootCAs: roots})
}

// TestM1_M2_SignInAndReload signs a person in through Caddy, and proves
// that a reload ends neither the session nor the provider's metadata, and
// that a restart leaves the session alive, too.
func TestM1_M2_SignInAndReload(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	s := newServer(t)
	input := strings.Replace(minimal, "\t\tprovider", outbound+"\t\tprovider", 1)
	input = strings.Replace(input, "localhost:3000", app.address()+" {\n\t\theader_up X-User {http.auth.user.id}\n\t\theader_up X-Email {http.auth.user.email}\n\t\theader_up X-Roles {http.auth.user.roles}\n\t}", 1)
	config := s.config(input, authHost, appHost)
	s.load(config)

	b := s.liveBrowser(tenant, authHost, appHost)
	page := enter(t, b, "https://"+appHost+"/orders?page=2")
	if got, want := page.URL.String(), "https://"+appHost+"/orders?page=2"; got != want {
		t.Errorf("came back to %s, want %s", got, want)
	}
	if !strings.HasPrefix(app.header("Authorization"), "Bearer ") {
		t.Error("the application got no access token")
	}
	if sub := app.header("Remote-User"); sub == "" || sub != app.header("X-User") {
		t.Errorf("Remote-User %q, {http.auth.user.id} %q: want the same", sub, app.header("X-User"))
	}
	if got, want := app.header("X-Email"), app.header("Remote-Email"); got != want || got == "" {
		t.Errorf("{http.auth.user.email} is %q, want %q", got, want)
	}
	fetched := tenant.Requests("/.well-known/openid-configuration")

	s.load([]byte(strings.Replace(string(config), `"issuer"`, `"ui":{"title":"Changed"},"issuer"`, 1)))
	if page := b.Get("https://" + appHost + "/"); !page.Has("app") {
		t.Errorf("the session is gone after a reload: %s", page.URL)
	}
	other := s.liveBrowser(tenant, authHost, appHost)
	enter(t, other, "https://"+appHost+"/")
	if got := tenant.Requests("/.well-known/openid-configuration"); got != fetched {
		t.Errorf("metadata was fetched %d times, want %d: a reload must keep it", got, fetched)
	}

	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	assertPoolsEmpty(t)
	s.load(config)
	if page := b.Get("https://" + appHost + "/"); !page.Has("app") {
		t.Errorf("the session is gone after a restart: %s", page.URL)
	}
}

// TestSingleHost proves that broker and application can share a host, also
// where the application rewrites paths.
func TestSingleHost(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	s := newServer(t)
	s.load(s.config(globals(provider4+"\n"+outbound, authHost+" {\n\tauth_gate\n\tauth_broker\n\trewrite * /index.html\n\treverse_proxy "+app.address()+"\n}\n"), authHost))
	enter(t, s.liveBrowser(tenant, authHost), "https://"+authHost+"/")
}

// TestGateWithMatcher proves that a gate for some paths can be signed in at:
// the place where sign-ins return to is the gate's, whatever the matcher.
func TestGateWithMatcher(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	s := newServer(t)
	s.load(s.config(globals(provider4+"\n"+outbound, authHost+" {\n\tauth_broker\n}\n"+
		appHost+" {\n\tauth_gate /admin/*\n\treverse_proxy "+app.address()+"\n}\n"), authHost, appHost))
	b := s.liveBrowser(tenant, authHost, appHost)
	if page := b.Get("https://" + appHost + "/"); !page.Has("app") || app.header("Remote-User") != "" {
		t.Errorf("a path without gate: %d %s", page.Status, page.URL)
	}
	enter(t, b, "https://"+appHost+"/admin/users")
	if app.header("Remote-User") == "" {
		t.Error("the application was not told who signed in")
	}
}

// TestGateOrigins proves from the outside which client each site is: the
// port counts unless it is the scheme's own, and hosts names others.
func TestGateOrigins(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	other := brokertest.FreePort(t)
	s.load(s.config(globals(provider4, "(gate) {\n\tauth_gate {\n\t\tname {args[0]}\n\t}\n}\n"+
		appHost+" {\n\timport gate \"One\"\n}\n"+
		"two.example.com {\n\timport gate \"Three\"\n}\n"+
		appHost+":"+other+" {\n\timport gate \"Two\"\n}\n"+
		"http://localhost {\n\tauth_gate\n}\n"+
		"*.wild.example.com {\n\tauth_gate {\n\t\thosts a.wild.example.com https://b.wild.example.com\n\t}\n}\n",
	), authHost, appHost, "two.example.com", "*.wild.example.com"))
	for _, test := range []struct{ address, dial, client string }{
		{"https://" + appHost, s.https, "gate:" + appHost},
		{"https://two.example.com", s.https, "gate:two.example.com"},
		{"https://" + appHost + ":" + s.https, s.https, "gate:" + appHost + ":" + s.https},
		{"https://" + appHost + ":" + other, other, "gate:" + appHost + ":" + other},
		{"http://localhost:" + s.http, s.http, "gate:localhost:" + s.http},
		{"https://a.wild.example.com", s.https, "gate:a.wild.example.com"},
		{"https://b.wild.example.com", s.https, "gate:b.wild.example.com"},
		{"https://c.wild.example.com", s.https, ""},
	} {
		t.Run(test.address, func(t *testing.T) {
			u, err := url.Parse(test.address)
			if err != nil {
				t.Fatal(err)
			}
			b := brokertest.NewBrowser(t, brokertest.BrowserOptions{
				Resolve: map[string]string{u.Hostname(): net.JoinHostPort("127.0.0.1", test.dial)}, RootCAs: s.ca.Pool(),
			})
			b.StopBefore = "https://" + authHost
			page := b.Get(test.address + "/")
			if test.client == "" {
				if page.Status != http.StatusMisdirectedRequest {
					t.Errorf("status %d, want 421", page.Status)
				}
				return
			}
			if page.Location == nil {
				t.Fatalf("no redirect to sign in: %d", page.Status)
			}
			query := page.Location.Query()
			if got := query.Get("client_id"); got != test.client {
				t.Errorf("client_id %q, want %q", got, test.client)
			}
			if got, want := query.Get("redirect_uri"), test.address+"/.auth/callback"; got != want {
				t.Errorf("redirect_uri %q, want %q", got, want)
			}
		})
	}
}

// TestM28_JSON proves that the module can be configured without Caddyfile,
// where no origin says which site a gate stands in.
func TestM28_JSON(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	var config map[string]any
	if err := json.Unmarshal(s.config(minimal, authHost, appHost), &config); err != nil {
		t.Fatal(err)
	}
	strip(config)
	err := validate(s.quiet(encode(t, config)))
	if want := "handler auth_gate: auth_gate: its site cannot be found; write its origins"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a gate without origin: error %v, want %q", err, want)
	}
	raw := strings.Replace(string(encode(t, config)), `"handler":"auth_gate"`, `"handler":"auth_gate","hosts":["https://`+appHost+`"]`, 1)
	if err := validate(s.quiet([]byte(raw))); err != nil {
		t.Errorf("a gate with hosts: %v", err)
	}
}

// strip removes every origin.
func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "origin")
		for _, child := range v {
			strip(child)
		}
	case []any:
		for _, child := range v {
			strip(child)
		}
	}
}
