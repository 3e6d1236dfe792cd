package brokertest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestJarAdmits(t *testing.T) {
	for name, test := range map[string]struct {
		from, line string
		at         string // where it is then sent; empty: refused
		notAt      string
	}{
		"plain":                     {"https://app.example.com/a/b", "c=1", "https://app.example.com/a/x", "https://app.example.com/b"},
		"host only":                 {"https://app.example.com/", "c=1", "https://app.example.com/", "https://www.app.example.com/"},
		"domain":                    {"https://app.example.com/", "c=1; Domain=example.com", "https://www.example.com/", "https://example.org/"},
		"domain with a dot":         {"https://app.example.com/", "c=1; Domain=.example.com", "https://example.com/", ""},
		"foreign domain":            {"https://app.example.com/", "c=1; Domain=www.example.com", "", ""},
		"public suffix":             {"https://app.example.com/", "c=1; Domain=com", "", ""},
		"part of a name":            {"https://app.example.com/", "c=1; Domain=ample.com", "", ""},
		"path":                      {"https://app.example.com/", "c=1; Path=/a", "https://app.example.com/a/b", "https://app.example.com/ab"},
		"path with slash":           {"https://app.example.com/", "c=1; Path=/a/", "https://app.example.com/a/b", "https://app.example.com/a"},
		"Secure":                    {"https://app.example.com/", "c=1; Secure", "https://app.example.com/", "http://app.example.com/"},
		"Secure over http":          {"http://localhost/", "c=1; Secure", "", ""},
		"http only in name":         {"http://localhost/", "c=1; HttpOnly", "http://localhost/", ""},
		"__Host-":                   {"https://app.example.com/x", "__Host-c=1; Secure; Path=/", "https://app.example.com/", ""},
		"__Host- without Secure":    {"https://app.example.com/", "__Host-c=1; Path=/", "", ""},
		"__Host- without Path":      {"https://app.example.com/", "__Host-c=1; Secure", "", ""},
		"__Host- with Domain":       {"https://app.example.com/", "__Host-c=1; Secure; Path=/; Domain=app.example.com", "", ""},
		"__host- in lower case":     {"https://app.example.com/", "__host-c=1; Path=/", "", ""},
		"__Secure- without Secure":  {"https://app.example.com/", "__Secure-c=1", "", ""},
		"SameSite=None, not Secure": {"https://app.example.com/", "c=1; SameSite=None", "", ""},
		"too large":                 {"https://app.example.com/", "c=" + strings.Repeat("x", 4096), "", ""},
		"just not too large":        {"https://app.example.com/", "c=" + strings.Repeat("x", 4095), "https://app.example.com/", ""},
		"expired":                   {"https://app.example.com/", "c=1; Max-Age=0", "", ""},
		"expired long ago":          {"https://app.example.com/", "c=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "", ""},
		"Max-Age beats Expires":     {"https://app.example.com/", "c=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://app.example.com/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := http.ParseSetCookie(test.line)
			if err != nil {
				t.Fatal(err)
			}
			var b *brokertest.Browser
			refused := fails(t, func(tb testing.TB) {
				b = brokertest.NewBrowser(tb, brokertest.BrowserOptions{})
				b.SetCookie(test.from, c)
			})
			if test.at == "" {
				// What has expired is no error, it just goes.
				if !refused && (!strings.HasPrefix(name, "expired") || b.Cookie(test.from, c.Name) != nil) {
					t.Error("admitted")
				}
				return
			}
			if refused || b.Cookie(test.at, c.Name) == nil {
				t.Errorf("not sent to %s", test.at)
			}
			if test.notAt != "" && b.Cookie(test.notAt, c.Name) != nil {
				t.Errorf("sent to %s", test.notAt)
			}
		})
	}
}

func TestJarReplacesAndExpires(t *testing.T) {
	clock := new(brokertest.Clock)
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{Now: clock.Now})
	const at = "https://app.example.com/a/b"
	set := func(line string) {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		b.SetCookie(at, c)
	}
	got := func() string {
		var parts []string
		for _, c := range b.Cookies(at) {
			parts = append(parts, c.Name+"="+c.Value)
		}
		return strings.Join(parts, " ")
	}
	set("c=1; Path=/")
	set("d=1; Path=/")
	set("c=2; Path=/a")
	set("c=3; Path=/; Max-Age=60")
	if want := "c=2 c=3 d=1"; got() != want {
		t.Errorf("got %q, want %q: longest path first, then oldest", got(), want)
	}
	clock.Advance(59 * time.Second)
	if want := "c=2 c=3 d=1"; got() != want {
		t.Errorf("after 59 s: got %q, want %q", got(), want)
	}
	clock.Advance(time.Second)
	if want := "c=2 d=1"; got() != want {
		t.Errorf("after 60 s: got %q, want %q", got(), want)
	}
	set("c=; Path=/a; Max-Age=0")
	if want := "d=1"; got() != want {
		t.Errorf("deleted: got %q, want %q", got(), want)
	}
}

// A network attacker on the http twin of a site cannot overlay its Secure
// cookies ("leave secure cookies alone").
func TestJarLeavesSecureCookiesAlone(t *testing.T) {
	if !fails(t, func(tb testing.TB) {
		b := brokertest.NewBrowser(tb, brokertest.BrowserOptions{})
		b.SetCookie("https://app.example.com/", &http.Cookie{Name: "c", Secure: true, Path: "/"})
		b.SetCookie("http://www.example.com/", &http.Cookie{Name: "c", Domain: "example.com", Path: "/"})
		b.SetCookie("http://app.example.com/", &http.Cookie{Name: "c", Path: "/"})
	}) {
		t.Error("overlaid")
	}
}

func TestSameSite(t *testing.T) {
	w := newWeb(t)
	for _, site := range []string{"strict", "lax", "none"} {
		w.page("app.example.com/set/"+site, "", "Set-Cookie", site+"=1; Path=/; Secure; SameSite="+site)
	}
	w.page("app.example.com/set/unset", "", "Set-Cookie", "unset=1; Path=/; Secure")
	w.page("app.example.com/", "")
	const links = `<a id="link" href="https://app.example.com/">x</a>
		<form method="post" action="https://app.example.com/"><button id="post">y</button></form>`
	w.page("auth.example.com/", links)
	w.page("login.example.org/", links)
	w.redirect("login.example.org/bounce", "https://app.example.com/", http.StatusFound)
	w.redirect("app.example.com/round", "https://login.example.org/bounce", http.StatusFound)
	b := w.browser(t, brokertest.BrowserOptions{})
	for _, path := range []string{"strict", "lax", "none", "unset"} {
		b.Get("https://app.example.com/set/" + path)
	}
	for name, test := range map[string]struct {
		act  func()
		want string
	}{
		"typed":             {func() { b.Get("https://app.example.com/") }, "strict=1; lax=1; none=1; unset=1"},
		"from a sister":     {func() { b.Get("https://auth.example.com/"); b.Click("link") }, "strict=1; lax=1; none=1; unset=1"},
		"a sister's form":   {func() { b.Get("https://auth.example.com/"); b.Click("post") }, "strict=1; lax=1; none=1; unset=1"},
		"from a stranger":   {func() { b.Get("https://login.example.org/"); b.Click("link") }, "lax=1; none=1; unset=1"},
		"a stranger's form": {func() { b.Get("https://login.example.org/"); b.Click("post") }, "none=1"},
		"there and back":    {func() { b.Get("https://app.example.com/round") }, "lax=1; none=1; unset=1"},
	} {
		t.Run(name, func(t *testing.T) {
			test.act()
			if got := w.header("Cookie"); got != test.want {
				t.Errorf("sent %q, want %q", got, test.want)
			}
		})
	}
}

func TestCookiesBlocked(t *testing.T) {
	w := newWeb(t)
	w.page("app.example.com/", "", "Set-Cookie", "c=1; Path=/")
	b := w.browser(t, brokertest.BrowserOptions{BlockCookies: true})
	b.Get("https://app.example.com/")
	b.Get("https://app.example.com/")
	if got := w.header("Cookie"); got != "" {
		t.Errorf("sent %q", got)
	}
}

func TestCookieKeepsItsAttributes(t *testing.T) {
	w := newWeb(t)
	w.page("app.example.com/", "", "Set-Cookie", "__Host-c=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60")
	b := w.browser(t, brokertest.BrowserOptions{})
	b.Get("https://app.example.com/")
	got := b.Cookie("https://app.example.com/", "__Host-c")
	if got == nil || !got.HttpOnly || !got.Secure || got.SameSite != http.SameSiteLaxMode || got.MaxAge != 60 {
		t.Errorf("got %v", got)
	}
}

// The whole flow as a person would see it: an application on https under
// its own name, the tenant on https under another, a real callback.
func TestBrowserThroughApplicationAndTenant(t *testing.T) {
	w := newWeb(t)
	tenant := brokertest.StartTLS(t, brokertest.Options{
		CA: w.ca, Host: "tenant.example.org", Clients: []brokertest.Client{application()}, AskConsent: true,
	})
	p := newParty(t, tenant, application())
	w.redirect("app.example.com/", p.authorizeURL("response_mode", "form_post"), http.StatusFound)
	w.page("app.example.com/callback", `<p id="done">Signed in</p>`)
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{RootCAs: w.ca.Pool(), Resolve: map[string]string{
		"app.example.com": w.addr, "tenant.example.org": tenant.Addr(),
	}})
	b.Get("https://app.example.com/")
	page := b.SignIn("mfa")
	if page.Text("done") != "Signed in" {
		t.Fatalf("got %v", page)
	}
	w.mu.Lock()
	got := url.Values{"state": w.form["state"]}
	code := w.form.Get("code")
	w.mu.Unlock()
	if diff := cmp.Diff(url.Values{"state": {"a-state"}}, got); diff != "" || code == "" {
		t.Errorf("callback (-want +got):\n%s", diff)
	}
}
