package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

const origin = "https://app.example.com"

// fakeBroker stands in for the OpenID Provider.
type fakeBroker struct {
	claims  map[string]any
	codes   map[string]*authn.Authorization
	minted  int
	now     func() time.Time
	mintErr error
}

func (f *fakeBroker) AuthorizeURL() string { return "https://auth.example.com/oauth2/authorize" }

func (f *fakeBroker) Redeem(_ context.Context, _ *oauth.Client, code, _, _ string) (*authn.Authorization, error) {
	a := f.codes[code]
	if a == nil {
		return nil, &oauth.Error{Code: oauth.InvalidGrant}
	}
	delete(f.codes, code)
	return a, nil
}

func (f *fakeBroker) Mint(context.Context, *oauth.Client, *authn.Authorization) (token.Tokens, error) {
	f.minted++
	return token.Tokens{AccessToken: "access", IDToken: "id", ExpiresIn: 5 * time.Minute, Expires: f.now().Add(5 * time.Minute)}, f.mintErr
}

func (f *fakeBroker) UserClaims(*authn.Authorization) map[string]any { return f.claims }

// rig is a gate with its surroundings.
type rig struct {
	testing.TB
	gate     *Gate
	broker   *fakeBroker
	clock    *brokertest.Clock
	store    store.Store
	sessions *session.Manager
}

func newRig(t testing.TB, change func(*Config, *Deps)) *rig {
	clock := brokertest.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	s := store.NewMemory(clock.Now)
	r := &rig{TB: t, clock: clock, store: s, broker: &fakeBroker{now: clock.Now, codes: map[string]*authn.Authorization{}, claims: map[string]any{}}}
	r.sessions = &session.Manager{Store: s, Now: clock.Now, Limits: session.Limits{Idle: time.Hour, Lifetime: 12 * time.Hour}}
	pages, err := ui.New(ui.Options{StylePath: PathStyle})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(origin)
	config := Config{Sites: []Site{{Origin: u, Client: &oauth.Client{ID: ClientID(u), Gate: true, Scopes: []string{"openid"}}}}}
	deps := Deps{
		Broker: r.broker, Sessions: r.sessions, Sealer: &session.Sealer{Store: s},
		Cache: NewCache(1000), Pages: pages, Log: zap.NewNop(), Now: clock.Now,
	}
	if change != nil {
		change(&config, &deps)
	}
	r.sessions.Ended = deps.Cache.Drop
	if r.gate, err = New(config, deps); err != nil {
		t.Fatal(err)
	}
	return r
}

// session signs somebody in and returns the cookie.
func (r *rig) session() string {
	ctx := context.Background()
	sso, _, err := r.sessions.SignedIn(ctx, "", "auth0", session.Login{Subject: "subject"})
	if err != nil {
		r.Fatal(err)
	}
	_, handle, err := r.sessions.CreateGate(ctx, &authn.Authorization{
		ClientID: "gate:app.example.com", SID: sso.SID, Subject: "subject", Context: &authn.Context{Subject: "subject"},
	})
	if err != nil {
		r.Fatal(err)
	}
	return "__Host-auth_gate=" + handle
}

// get returns a navigation request with headers.
func get(target string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, origin+target, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// serve sends a request through the gate and returns the answer, and the
// request as the application got it, nil if it did not.
func (r *rig) serve(req *http.Request) (*httptest.ResponseRecorder, *http.Request) {
	rec := httptest.NewRecorder()
	var passed *http.Request
	original := *req.URL
	err := r.gate.Serve(rec, req, &original, func(_ http.ResponseWriter, req *http.Request, _ *Visitor) error {
		passed = req
		return nil
	})
	if err != nil {
		r.Fatalf("Serve: %v", err)
	}
	return rec, passed
}

var everyManaged = []string{"Authorization", "X-Id-Token", "Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"}

// A visitor sends the header the application trusts, and has no value of
// that header himself. Class of CVE-2026-30851.
func TestR01_AbsentClaimMeansNoHeader(t *testing.T) {
	r := newRig(t, func(c *Config, _ *Deps) { c.Public = []string{"/open/*"} })
	cookie := r.session()
	for _, name := range everyManaged {
		for branch, path := range map[string]string{"protected": "/", "public": "/open/x"} {
			_, passed := r.serve(get(path, "Cookie", cookie, name, "forged"))
			if passed == nil {
				t.Fatalf("%s: did not pass", branch)
			}
			for _, v := range passed.Header.Values(name) {
				if strings.Contains(v, "forged") {
					t.Errorf("%s path: %s: %s", branch, name, v)
				}
			}
		}
	}
	if _, passed := r.serve(get("/", "Cookie", cookie, "Remote-Name", "forged")); len(passed.Header.Values("Remote-Name")) != 0 {
		t.Error("Remote-Name without a name")
	}
}

// Attackers spell the name so that a CGI-like application folds it onto the
// real one. Class of CVE-2025-64484, GHSA-49wc-4hcv-v58q.
func TestR02_R03_EverySpellingIsRemoved(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	n := 0
	for _, name := range everyManaged {
		for _, spelling := range spellings(name) {
			req := get("/", "Cookie", cookie)
			req.Header[spelling] = []string{"forged"}
			_, passed := r.serve(req)
			for key, values := range passed.Header {
				if strings.Contains(strings.Join(values, ""), "forged") {
					t.Errorf("%q arrives as %q", spelling, key)
				}
			}
			n++
		}
	}
	if n < 200 {
		t.Fatalf("only %d spellings", n)
	}
}

// spellings returns name with each separator replaced by each of the three,
// in several cases.
func spellings(name string) (out []string) {
	forms := []string{""}
	for _, c := range name {
		var next []string
		for _, f := range forms {
			if c == '-' {
				next = append(next, f+"-", f+"_", f+".")
				continue
			}
			next = append(next, f+string(c))
		}
		forms = next
	}
	for _, f := range forms {
		mixed := []byte(f)
		for i := range mixed {
			if i%2 == 0 {
				mixed[i] = strings.ToUpper(f)[i]
			} else {
				mixed[i] = strings.ToLower(f)[i]
			}
		}
		out = append(out, f, strings.ToLower(f), strings.ToUpper(f), string(mixed), http.CanonicalHeaderKey(f), strings.ToLower(f[:1])+f[1:], strings.ToUpper(f[:1])+strings.ToLower(f[1:]), f[:1]+strings.ToUpper(f[1:]), strings.ToLower(f[:2])+strings.ToUpper(f[2:]), strings.ToUpper(f[:2])+strings.ToLower(f[2:]))
	}
	return out
}

// reverse_proxy deletes what Connection names, after the gate has set it.
// Class of GHSA-w9mr-28mw-j8hg, CVE-2024-45410.
func TestR04_ConnectionCannotDeleteOurHeaders(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	for name, c := range map[string]struct{ sent, want []string }{
		"alone":           {[]string{"Remote-User"}, nil},
		"lower case":      {[]string{"remote-user"}, nil},
		"with others":     {[]string{"keep-alive, Remote-User,x-custom"}, []string{"keep-alive, x-custom"}},
		"tabs":            {[]string{"keep-alive,\tREMOTE-USER\t"}, []string{"keep-alive"}},
		"repeated lines":  {[]string{"Upgrade", "X_Id.Token", "authorization"}, []string{"Upgrade"}},
		"nothing of ours": {[]string{"Upgrade"}, []string{"Upgrade"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := get("/", "Cookie", cookie)
			req.Header["Connection"] = c.sent
			_, passed := r.serve(req)
			got := passed.Header["Connection"]
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("Connection %q, want %q", got, c.want)
			}
			if passed.Header.Get("Remote-User") != "subject" {
				t.Error("Remote-User is lost")
			}
		})
	}
}

func TestR05_ConfiguredNameInAnySpelling(t *testing.T) {
	h, err := ParseHeader("x-AUTH-user", "{sub}")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config, _ *Deps) { c.Headers = []Header{h} })
	cookie := r.session()
	for _, spelling := range spellings("X-Auth-User") {
		req := get("/", "Cookie", cookie)
		req.Header[spelling] = []string{"forged"}
		_, passed := r.serve(req)
		if got := passed.Header["X-Auth-User"]; len(got) != 1 || got[0] != "subject" {
			t.Errorf("%q: X-Auth-User = %q", spelling, got)
		}
	}
	t.Run("the defaults are still removed", func(t *testing.T) {
		if _, passed := r.serve(get("/", "Cookie", cookie, "Remote-User", "forged")); passed.Header.Get("Remote-User") != "" {
			t.Error("Remote-User arrives")
		}
	})
}

func TestR06_MutatedCookiesNeverPass(t *testing.T) {
	r := newRig(t, nil)
	cookie := []byte(r.session())
	start := len("__Host-auth_gate=")
	for i := range 10_000 {
		mutant := append([]byte{}, cookie...)
		mutant[start+i%(len(cookie)-start)] ^= byte(1 + i%127)
		if i%7 == 0 {
			mutant = mutant[:start+i%(len(cookie)-start)]
		}
		req := get("/")
		req.Header["Cookie"] = []string{string(mutant)}
		if rec, passed := r.serve(req); passed != nil || rec.Code == http.StatusOK || rec.Code >= 500 {
			t.Fatalf("%q: %d", mutant, rec.Code)
		}
	}
}

func TestR07_R08_R09_ValuesCannotForge(t *testing.T) {
	r := newRig(t, func(c *Config, _ *Deps) {
		for _, line := range [][2]string{{"X-Value", "{claim.value}"}, {"X-Pair", "a={claim.value};b"}} {
			h, err := ParseHeader(line[0], line[1])
			if err != nil {
				t.Fatal(err)
			}
			c.Headers = append(c.Headers, h)
		}
	})
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"text":                {"Ada", "Ada"},
		"placeholder":         {"{env.SECRET} {http.request.header.X}", "{env.SECRET} {http.request.header.X}"},
		"line break":          {"a\r\nX-Admin: 1", ""},
		"NUL":                 {"a\x00b", ""},
		"delete":              {"a\x7fb", ""},
		"UTF-8":               {"Zoë", "Zo%C3%AB"},
		"percent":             {"100%", "100%25"},
		"list":                {[]any{"admin", "staff"}, "admin,staff"},
		"comma in an element": {[]any{"a,admin", "b"}, "a%2Cadmin,b"},
		"control in a list":   {[]any{"a", "b\n"}, ""},
		"list in a list":      {[]any{[]any{"a", "b"}, "a,b"}, `["a"%2C"b"],a%2Cb`},
		"spaces at the ends":  {" admin ", "%20admin%20"},
		"spaces in a list":    {[]any{" a", "b c", "d "}, "%20a,b c,d%20"},
		"empty list":          {[]any{}, ""},
		"bool":                {true, "true"},
		"too long":            {strings.Repeat("x", 9<<10), ""},
		"absent":              {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r.broker.claims = map[string]any{"value": c.value}
			_, passed := r.serve(get("/", "Cookie", r.session(), "X-Value", "forged", "X-Value", "again"))
			if got := passed.Header.Get("X-Value"); got != c.want || len(passed.Header["X-Value"]) > 1 {
				t.Errorf("X-Value = %q, want %q", passed.Header["X-Value"], c.want)
			}
			if c.want == "" && passed.Header.Get("X-Pair") != "" {
				t.Errorf("X-Pair = %q without a value", passed.Header.Get("X-Pair"))
			}
		})
	}
}

func TestRemoteEmailOnlyWhenVerified(t *testing.T) {
	r := newRig(t, nil)
	for _, c := range []struct {
		verified any
		want     string
	}{{true, "ada@example.com"}, {false, ""}, {nil, ""}, {"true", ""}} {
		r.broker.claims = map[string]any{"email": "ada@example.com", "email_verified": c.verified}
		if _, passed := r.serve(get("/", "Cookie", r.session())); passed.Header.Get("Remote-Email") != c.want {
			t.Errorf("email_verified %v: Remote-Email = %q", c.verified, passed.Header.Get("Remote-Email"))
		}
	}
}

func TestS06_OurCookiesStayHere(t *testing.T) {
	r := newRig(t, nil)
	own := r.session()
	for _, c := range []struct{ sent, want []string }{
		{[]string{own}, nil},
		{[]string{"a=1; " + own + "; b=2"}, []string{"a=1; b=2"}},
		{[]string{"a=1", own + ";c=3"}, []string{"a=1", "c=3"}},
		{[]string{own, `app="quoted value"; x`}, []string{`app="quoted value"; x`}},
		{[]string{own + "; __Host-auth_gate_flow=x"}, nil},
	} {
		req := get("/")
		req.Header["Cookie"] = c.sent
		_, passed := r.serve(req)
		if passed == nil {
			t.Fatalf("%q did not pass", c.sent)
		}
		if got := passed.Header["Cookie"]; strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("sent %q, application got %q, want %q", c.sent, got, c.want)
		}
	}
	t.Run("two session cookies are none", func(t *testing.T) {
		req := get("/")
		req.Header["Cookie"] = []string{own + "; " + own}
		if _, passed := r.serve(req); passed != nil {
			t.Error("passed")
		}
	})
}

func TestR14_R15_R17_PublicPaths(t *testing.T) {
	r := newRig(t, func(c *Config, _ *Deps) { c.Public = []string{"/healthz", "/assets/*"} })
	for target, public := range map[string]bool{
		"/healthz": true, "/healthz?x=1": true, "/assets/app.css": true, "/assets/": true, "/assets/a/b": true,
		"/": false, "/healthz/": false, "/healthzz": false, "/assets": false, "/assetsx": false, "/Healthz": false,
		"/?x=/healthz": false, "/admin?/assets/": false, "/assets/../admin": false, "/assets/%2e%2e/admin": false,
		"/assets/..%2fadmin": false, "/assets//admin": false, "//assets/x": false, "/assets/.": false, "/assets/..": false,
		"/assets/x;/../y": false, "/assets/%5c..%5cadmin": false, "/%68ealthz": false, "/healthz%23": false, "/healthz%00": false,
		"/assets/%252e%252e/admin": false, "/assets/./x": false,
	} {
		req := get("/")
		u, err := url.Parse(origin + target)
		if err != nil {
			t.Fatal(err)
		}
		req.URL = u
		rec, passed := r.serve(req)
		if (passed != nil) != public {
			t.Errorf("%s: public %v, want %v (%d)", target, passed != nil, public, rec.Code)
		}
	}
	for _, bad := range []string{"", "assets", "/a*", "/x/../y", "/%61", "/a//b", "*"} {
		if _, err := parsePublic([]string{bad}); err == nil {
			t.Errorf("public %q was accepted", bad)
		}
	}
}

func TestHosts(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	for host, known := range map[string]bool{
		"app.example.com": true, "APP.example.COM": true, "app.example.com.": true, "app.example.com:443": true,
		"app.example.com:8443": false, "evil.example.com": false, "app.example.com.evil.example": false, "": false,
	} {
		req := get("/", "Cookie", cookie)
		req.Host = host
		rec, passed := r.serve(req)
		if (passed != nil) != known || !known && rec.Code != http.StatusMisdirectedRequest {
			t.Errorf("host %q: passed %v, %d", host, passed != nil, rec.Code)
		}
	}
}

func TestS11_NavigationsRedirectTheRestIsTold(t *testing.T) {
	r := newRig(t, nil)
	request := func(method string, header ...string) *http.Request {
		req := httptest.NewRequest(method, origin+"/orders?id=7", nil)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return req
	}
	for name, c := range map[string]struct {
		req      *http.Request
		redirect bool
	}{
		"navigation":            {request("GET", "Sec-Fetch-Mode", "navigate", "Accept", "text/html"), true},
		"older browser":         {request("GET", "Accept", "text/html,*/*"), true},
		"fetch":                 {request("GET", "Sec-Fetch-Mode", "cors", "Accept", "*/*"), false},
		"XHR of an old browser": {request("GET", "X-Requested-With", "XMLHttpRequest", "Accept", "text/html"), false},
		"image":                 {request("GET", "Sec-Fetch-Mode", "no-cors", "Accept", "image/*"), false},
		"event stream":          {request("GET", "Accept", "text/event-stream"), false},
		"WebSocket":             {request("GET", "Upgrade", "websocket", "Connection", "Upgrade", "Accept", "text/html"), false},
		"gRPC":                  {request("POST", "Content-Type", "application/grpc"), false},
		"form":                  {request("POST", "Sec-Fetch-Mode", "navigate", "Accept", "text/html"), false},
		"HEAD":                  {request("HEAD", "Sec-Fetch-Mode", "navigate"), false},
		"OPTIONS":               {request("OPTIONS"), false},
		"curl":                  {request("GET", "Accept", "*/*"), false},
		"method nobody knows":   {request("BREW"), false},
	} {
		t.Run(name, func(t *testing.T) {
			rec, passed := r.serve(c.req)
			if passed != nil {
				t.Fatal("passed")
			}
			if got := rec.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if c.redirect {
				if rec.Code != http.StatusFound || !strings.HasPrefix(rec.Header().Get("Location"), "https://auth.example.com/oauth2/authorize?") || rec.Header().Get("Vary") != "Cookie" {
					t.Errorf("%d %v", rec.Code, rec.Header())
				}
				return
			}
			body, _ := io.ReadAll(rec.Body)
			if rec.Code != http.StatusUnauthorized || !strings.Contains(string(body), `"error":"login_required"`) ||
				!strings.Contains(string(body), `"login_url":"https://app.example.com/.auth/login"`) || rec.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%d %s", rec.Code, body)
			}
		})
	}
}

// testSite is a site without settings.
func testSite(t testing.TB) *site {
	u, _ := url.Parse(origin)
	s, err := newSite(Site{Origin: u})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The address to return to is chosen by whoever made the link.
func TestR19_ReturnTo(t *testing.T) {
	site := testSite(t)
	hostile := []string{
		"", "//evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example", "https:evil.example", "javascript:alert(1)",
		"/\tevil", "/\n/evil", "/ evil", "/a\x00b", "/a\\b", "data:text/html,x", "evil", "?x", "#x", "/\x7f", "///evil.example", "//",
		"/é", "/.auth/logout", "/.auth/login?return_to=/", "/" + strings.Repeat("x", 3000),
		"/x/../.auth/login?return_to=/x/../.auth/login", "/./.auth/login", "/x/..", "/.", "/..#x", "/x/%2e%2e/.auth/login", "/%2E/a",
		"/.auth%2flogin", "/%2eauth/login", "/.%61uth/login?return_to=/", "/a%5Cb", "/.auth//login", "/.auth", "/100%",
		"/%2f%2fevil.example",
	}
	for _, s := range hostile {
		if got := site.returnTo(s); got != "/" {
			t.Errorf("returnTo(%q) = %q", s, got)
		}
	}
	for _, s := range []string{"/", "/a", "/a?b=c&d=%2F%2Fe", "/a//b", "/@evil", "/a:b", "/a%20b", "/a%2Fb", "/...", "/.well-known/x", "/a?x=/../.auth/login", "/.authors"} {
		if got := site.returnTo(s); got != s {
			t.Errorf("returnTo(%q) = %q", s, got)
		}
	}
}

func FuzzF6_ReturnTo(f *testing.F) {
	for _, s := range []string{"/", "//e", "/\\e", "/a?b", "https://e", "/%2f%2fe", "/\t/e", "/@e", "/:80@e", "/x/%2e./.auth/login"} {
		f.Add(s)
	}
	site := testSite(f)
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(origin + site.returnTo(s))
		if err != nil {
			return
		}
		if u.Host != "app.example.com" || u.User != nil || u.Scheme != "https" || strings.ContainsAny(site.returnTo(s), "\\\t\r\n") {
			t.Errorf("returnTo(%q) leads to %s", s, u)
		}
		if strings.HasPrefix(path.Clean(u.Path)+"/", site.Reserved) || path.Clean(u.EscapedPath()) == ".." {
			t.Errorf("returnTo(%q) leads to the gate", s)
		}
	})
}

func FuzzF7_Strip(f *testing.F) {
	for _, s := range []string{"Remote-User", "remote_user", "REMOTE.USER", "X-Id_Token", "Cookie", "x"} {
		f.Add(s, "Connection: "+s)
	}
	managed := newManagedNames(nil)
	f.Fuzz(func(t *testing.T, name, connection string) {
		req := &http.Request{Header: http.Header{name: {"v"}, "Connection": {connection, name}, "Accept": {"*/*"}}}
		managed.strip(req)
		for key := range req.Header {
			if managed.folded[fold(key)] {
				t.Errorf("%q is left", key)
			}
		}
		for _, line := range req.Header["Connection"] {
			for option := range strings.SplitSeq(line, ",") {
				if managed.folded[fold(strings.TrimSpace(option))] {
					t.Errorf("Connection still names %q", option)
				}
			}
		}
	})
}

// A failing store must close the gate.
func TestS01_StoreFailureClosesTheGate(t *testing.T) {
	broken := &brokenStore{}
	r := newRig(t, func(_ *Config, d *Deps) {
		broken.Store = d.Sessions.Store
		d.Sessions.Store = broken
	})
	cookie := r.session()
	if _, passed := r.serve(get("/", "Cookie", cookie)); passed == nil {
		t.Fatal("the healthy store does not let through")
	}
	other := r.session()
	broken.err = errors.New("disk on fire")
	rec, passed := r.serve(get("/", "Cookie", other))
	if passed != nil || rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || strings.Contains(rec.Body.String(), "fire") {
		t.Errorf("passed %v, %d", passed != nil, rec.Code)
	}
	if _, passed := r.serve(get("/", "Cookie", cookie)); passed == nil {
		t.Error("a session that is known does not need the store")
	}
}

type brokenStore struct {
	store.Store
	err error
}

func (b *brokenStore) Get(ctx context.Context, key string) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Get(ctx, key)
}

func TestS01_MintFailureClosesTheGate(t *testing.T) {
	r := newRig(t, nil)
	r.broker.mintErr = errors.New("no key")
	if rec, passed := r.serve(get("/", "Cookie", r.session())); passed != nil || rec.Code != http.StatusServiceUnavailable {
		t.Errorf("passed %v, %d", passed != nil, rec.Code)
	}
}

func TestR46_LogoutEndsTheSession(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	if rec, _ := r.serve(get("/.auth/logout", "Cookie", cookie, "Sec-Fetch-Site", "cross-site")); !strings.Contains(rec.Body.String(), `id="logout-confirm"`) {
		t.Fatalf("a stranger's link: %d", rec.Code)
	}
	if _, passed := r.serve(get("/", "Cookie", cookie)); passed == nil {
		t.Fatal("a stranger's link signed somebody out")
	}
	forged := httptest.NewRequest(http.MethodPost, origin+"/.auth/logout", strings.NewReader("token=x"))
	forged.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	forged.Header.Set("Cookie", cookie)
	if rec, _ := r.serve(forged); rec.Code != http.StatusForbidden {
		t.Errorf("a forged form: %d", rec.Code)
	}
	if rec, _ := r.serve(get("/.auth/logout", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")); !strings.Contains(rec.Body.String(), `id="logout-done"`) {
		t.Errorf("logout: %d %s", rec.Code, rec.Body)
	}
	if rec, passed := r.serve(get("/", "Cookie", cookie)); passed != nil || rec.Code != http.StatusFound {
		t.Errorf("the old cookie: passed %v, %d", passed != nil, rec.Code)
	}
}

func TestR48_S17_LimitsHold(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		r := newRig(t, nil)
		cookie := r.session()
		for range 4 {
			r.clock.Advance(50 * time.Minute)
			if _, passed := r.serve(get("/", "Cookie", cookie)); passed == nil {
				t.Fatal("a session in use ended")
			}
		}
		r.clock.Advance(61 * time.Minute)
		if _, passed := r.serve(get("/", "Cookie", cookie)); passed != nil {
			t.Error("an idle session lives")
		}
	})
	t.Run("absolute", func(t *testing.T) {
		r := newRig(t, nil)
		cookie := r.session()
		for range 24 {
			r.clock.Advance(30 * time.Minute)
			r.serve(get("/", "Cookie", cookie))
		}
		if _, passed := r.serve(get("/", "Cookie", cookie)); passed != nil {
			t.Error("a session outlives its lifetime")
		}
	})
}

func TestTokensAreMintedOncePerSession(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	for range 10 {
		r.serve(get("/", "Cookie", cookie))
	}
	if r.broker.minted != 1 {
		t.Errorf("minted %d times", r.broker.minted)
	}
	r.clock.Advance(4*time.Minute + 50*time.Second) // less than the margin before their end
	r.serve(get("/", "Cookie", cookie))
	if r.broker.minted != 2 {
		t.Errorf("minted %d times after their life", r.broker.minted)
	}
}

func TestR13_MeShowsNoToken(t *testing.T) {
	r := newRig(t, nil)
	r.broker.claims = map[string]any{"name": "Ada"}
	rec, _ := r.serve(get("/.auth/me", "Cookie", r.session()))
	if body := rec.Body.String(); rec.Code != 200 || !strings.Contains(body, `"Ada"`) || strings.Contains(body, "access") {
		t.Errorf("%d %s", rec.Code, body)
	}
	if rec, _ := r.serve(get("/.auth/me")); rec.Code != http.StatusUnauthorized {
		t.Errorf("without a session: %d", rec.Code)
	}
	if rec, passed := r.serve(get("/.auth/unknown", "Cookie", r.session())); passed != nil || rec.Code != http.StatusNotFound {
		t.Errorf("an unknown reserved address: %d", rec.Code)
	}
}

// An attacker brings his own code and state into the victim's browser, which
// would sign the victim in as the attacker.
func TestS24_CallbackBelongsToTheBrowserThatBegan(t *testing.T) {
	r := newRig(t, nil)
	begin := func() (state, binding string) {
		rec, _ := r.serve(get("/page"))
		u, _ := url.Parse(rec.Header().Get("Location"))
		for _, c := range rec.Result().Cookies() {
			if c.Name == "__Host-auth_gate_flow" {
				binding = c.Value
			}
		}
		return u.Query().Get("state"), binding
	}
	authorization := func(code string) {
		sso, _, err := r.sessions.SignedIn(context.Background(), "", "auth0", session.Login{Subject: "attacker"})
		if err != nil {
			t.Fatal(err)
		}
		r.broker.codes[code] = &authn.Authorization{ClientID: "gate:app.example.com", SID: sso.SID, Subject: "attacker", Context: &authn.Context{Subject: "attacker"}}
	}
	attackerState, attackerBinding := begin()
	_, victimBinding := begin()
	for name, binding := range map[string]string{"victim": victimBinding, "no cookie": "", "garbage": "x"} {
		authorization(name)
		rec, _ := r.serve(get("/.auth/callback?code="+url.QueryEscape(name)+"&state="+attackerState, "Cookie", "__Host-auth_gate_flow="+binding))
		if rec.Code != http.StatusBadRequest || strings.Contains(rec.Header().Get("Set-Cookie"), "__Host-auth_gate=") {
			t.Errorf("%s: %d %v", name, rec.Code, rec.Header())
		}
	}
	authorization("own")
	rec, _ := r.serve(get("/.auth/callback?code=own&state="+attackerState, "Cookie", "__Host-auth_gate_flow="+attackerBinding))
	if rec.Code != http.StatusFound || rec.Header().Get("Location") != origin+"/page" {
		t.Errorf("own sign-in: %d %v", rec.Code, rec.Header())
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := NewCache(640)
	for i := range 10_000 {
		k := keyOf(strings.Repeat("x", i%50) + string(rune(i)))
		c.add(&k, newLive(&session.Gate{SID: "s"}))
	}
	n := 0
	for i := range c.shards {
		n += len(c.shards[i].entries)
	}
	if n > 640 {
		t.Errorf("%d entries", n)
	}
	c.Drop("s")
	for i := range c.shards {
		if len(c.shards[i].entries) != 0 {
			t.Fatal("Drop left entries")
		}
	}
}

func TestParseHeaderMistakes(t *testing.T) {
	for _, c := range [][2]string{
		{"", "x"},
		{"Bad Name", "x"},
		{"X", ""},
		{"X", "{claim.}"},
		{"X", "{nothing}"},
		{"X", "{claim.a"},
		{"X", "a\nb"},
		{"Host", "x"},
		{"Connection", "x"},
		{"Cookie", "x"},
		{"Content-Length", "1"},
	} {
		if _, err := ParseHeader(c[0], c[1]); err == nil {
			t.Errorf("%q: %q was accepted", c[0], c[1])
		}
	}
	if len(DefaultHeaders()) != 6 {
		t.Error("a default header does not parse")
	}
}

func BenchmarkGateHit(b *testing.B) {
	r := newRig(b, nil)
	cookie := "theme=dark; " + r.session()
	headers := get("/orders?id=7", "User-Agent", "Mozilla/5.0", "Accept", "text/html", "Accept-Language", "en", "Accept-Encoding", "gzip",
		"Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none", "Sec-Fetch-User", "?1", "Referer", origin+"/", "Dnt", "1", "Priority", "u=0, i")
	header := headers.Header
	req := headers.Clone(context.Background())
	next := func(http.ResponseWriter, *http.Request, *Visitor) error { return nil }
	rec := httptest.NewRecorder()
	cookieLines := make([]string, 1)
	b.ReportAllocs()
	for b.Loop() {
		maps.Copy(req.Header, header)
		cookieLines[0] = cookie
		req.Header["Cookie"] = cookieLines
		if err := r.gate.Serve(rec, req, req.URL, next); err != nil {
			b.Fatal(err)
		}
	}
}
