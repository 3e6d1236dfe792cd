package brokertest_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// A web is a set of https sites on one listener: a handler for each host
// and path.
type web struct {
	ca     *brokertest.CA
	addr   string
	mux    *http.ServeMux
	mu     sync.Mutex
	latest http.Header
	form   url.Values
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{ca: brokertest.NewCA(), mux: http.NewServeMux()}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.mu.Lock()
		w.latest, w.form = r.Header.Clone(), r.PostForm
		w.mu.Unlock()
		w.mux.ServeHTTP(rw, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{w.ca.Certificate("*.example.com", "*.example.org")}}
	server.StartTLS()
	t.Cleanup(server.Close)
	w.addr = server.Listener.Addr().String()
	return w
}

// page serves body, with headers in pairs.
func (w *web) page(pattern, body string, headers ...string) {
	w.mux.HandleFunc(pattern, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		for i := 0; i < len(headers); i += 2 {
			rw.Header().Add(headers[i], headers[i+1])
		}
		fmt.Fprint(rw, body)
	})
}

func (w *web) redirect(pattern, target string, status int, headers ...string) {
	w.mux.HandleFunc(pattern, func(rw http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			rw.Header().Add(headers[i], headers[i+1])
		}
		rw.Header().Set("Location", target)
		rw.WriteHeader(status)
	})
}

func (w *web) header(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest.Get(name)
}

func (w *web) browser(t testing.TB, opts brokertest.BrowserOptions) *brokertest.Browser {
	t.Helper()
	opts.RootCAs = w.ca.Pool()
	opts.Resolve = make(map[string]string)
	for _, host := range []string{"app.example.com", "auth.example.com", "login.example.org"} {
		opts.Resolve[host] = w.addr
	}
	return brokertest.NewBrowser(t, opts)
}

func TestBrowserFollowsRedirects(t *testing.T) {
	w := newWeb(t)
	w.redirect("app.example.com/", "https://auth.example.com/login?x=1", http.StatusFound)
	w.redirect("auth.example.com/login", "/page", http.StatusSeeOther)
	w.page("auth.example.com/page", `<title> A  page </title><p id="hello">Hello <b>there</b></p>`)
	b := w.browser(t, brokertest.BrowserOptions{})
	page := b.Get("https://app.example.com/#part")
	if page.Status != 200 || page.URL.String() != "https://auth.example.com/page#part" {
		t.Errorf("got %d at %s", page.Status, page.URL)
	}
	if page.Title() != "A page" || page.Text("hello") != "Hello there" || page.Text("nothing") != "" || page.Has("") {
		t.Errorf("got title %q, text %q", page.Title(), page.Text("hello"))
	}
	want := []string{"https://app.example.com/#part", "https://auth.example.com/login?x=1#part", "https://auth.example.com/page#part"}
	if diff := cmp.Diff(want, b.History()); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	b.StopBefore = "https://auth.example.com/login"
	if page := b.Get("https://app.example.com/"); page.Status != 302 || page.Location.Query().Get("x") != "1" {
		t.Errorf("StopBefore: got %v", page)
	}
}

func TestBrowserRefusals(t *testing.T) {
	w := newWeb(t)
	w.redirect("app.example.com/loop", "/loop", http.StatusFound)
	w.redirect("app.example.com/app", "com.example.app:/callback?code=x", http.StatusFound)
	b := w.browser(t, brokertest.BrowserOptions{MaxRedirects: 3})
	if _, err := b.Visit("https://app.example.com/loop?code=not-a-secret"); err == nil || strings.Contains(err.Error(), "not-a-secret") {
		t.Errorf("a loop: got error %v", err)
	}
	if got := len(b.History()); got != 4 {
		t.Errorf("a loop: got %d requests, want 4", got)
	}
	if page := b.Get("https://app.example.com/app"); page.Location == nil || page.Location.Scheme != "com.example.app" {
		t.Errorf("another program's address: got %v", page)
	}
	for name, address := range map[string]string{
		"a name nobody has given":     "https://www.example.net/?code=not-a-secret",
		"an address of the network":   "http://192.0.2.1/",
		"a certificate for others":    "https://localhost:" + w.addr[strings.LastIndex(w.addr, ":")+1:] + "/",
		"an address that is not read": "https://app.example.com:port/",
	} {
		if page, err := b.Visit(address); err == nil || strings.Contains(err.Error(), "not-a-secret") {
			t.Errorf("%s: got %v, error %v", name, page, err)
		}
	}
	open := brokertest.NewBrowser(t, brokertest.BrowserOptions{Resolve: map[string]string{"app.example.com": "192.0.2.1:443"}})
	if _, err := open.Visit("https://app.example.com/"); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("resolved to the network: got error %v", err)
	}
}

func TestBrowserNavigationHeaders(t *testing.T) {
	w := newWeb(t)
	for _, host := range []string{"app.example.com", "auth.example.com", "login.example.org"} {
		w.page(host+"/", `<a id="same" href="/x">x</a> <a id="sister" href="https://auth.example.com/">y</a>
			<a id="stranger" href="https://login.example.org/">z</a>
			<form method="post" action="/"><button id="post">go</button></form>`)
	}
	w.redirect("login.example.org/back", "https://app.example.com/", http.StatusFound)
	b := w.browser(t, brokertest.BrowserOptions{})
	check := func(when, site, referer, origin string) {
		t.Helper()
		if w.header("Sec-Fetch-Site") != site || w.header("Referer") != referer || w.header("Origin") != origin {
			t.Errorf("%s: got Sec-Fetch-Site %q, Referer %q, Origin %q", when,
				w.header("Sec-Fetch-Site"), w.header("Referer"), w.header("Origin"))
		}
		if w.header("Sec-Fetch-Mode") != "navigate" || w.header("Sec-Fetch-Dest") != "document" ||
			!strings.HasPrefix(w.header("Accept"), "text/html,") {
			t.Errorf("%s: not the headers of a navigation", when)
		}
	}
	b.Get("https://app.example.com/?q=1")
	check("typed", "none", "", "")
	b.Click("same")
	check("same origin", "same-origin", "https://app.example.com/?q=1", "")
	b.Click("post")
	check("form", "same-origin", "https://app.example.com/x", "https://app.example.com")
	b.Click("sister")
	check("same site", "same-site", "https://app.example.com/", "")
	b.Click("stranger")
	check("cross site", "cross-site", "https://auth.example.com/", "")
	b.Get("https://login.example.org/back")
	check("typed, redirected", "none", "", "")

	b.Fetch("/data")
	if w.header("Sec-Fetch-Mode") != "cors" || w.header("Sec-Fetch-Dest") != "empty" || w.header("Accept") != "*/*" ||
		w.header("Sec-Fetch-User") != "" {
		t.Error("fetch: the headers of a navigation")
	}
}

// The policy no-referrer makes browsers send "Origin: null" with forms,
// which origin checks refuse: a page that sets it breaks its own form.
func TestBrowserReferrerPolicy(t *testing.T) {
	w := newWeb(t)
	const form = `<form method="post" action="%s"><input name="a" value="b"><button id="go">go</button></form>`
	for _, test := range []struct{ policy, action, referer, origin string }{
		{"", "/end", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"no-referrer", "/end", "", "null"},
		{"same-origin", "/end", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"same-origin", "https://login.example.org/", "", "null"},
		{"strict-origin", "/end", "https://app.example.com/", "https://app.example.com"},
		{"origin", "https://login.example.org/", "https://app.example.com/", "https://app.example.com"},
		{"unsafe-url", "https://login.example.org/", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"origin-when-cross-origin", "/end", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"no-referrer-when-downgrade", "https://login.example.org/", "https://app.example.com/start?q=1", "https://app.example.com"},
		{"unknown, no-referrer", "/end", "", "null"},
		{"", "https://auth.example.com/307", "https://app.example.com/", "null"},
	} {
		t.Run(test.policy+" to "+test.action, func(t *testing.T) {
			w.mux = http.NewServeMux()
			w.page("login.example.org/", "")
			w.page("app.example.com/end", "")
			w.redirect("auth.example.com/307", "https://login.example.org/307", http.StatusTemporaryRedirect)
			w.redirect("login.example.org/307", "https://app.example.com/end", http.StatusTemporaryRedirect)
			w.page("app.example.com/start", fmt.Sprintf(form, test.action), "Referrer-Policy", test.policy)
			b := w.browser(t, brokertest.BrowserOptions{})
			b.Get("https://app.example.com/start?q=1")
			b.Click("go")
			if got := w.header("Referer"); got != test.referer && !strings.Contains(test.action, "307") {
				t.Errorf("got Referer %q, want %q", got, test.referer)
			}
			if got := w.header("Origin"); got != test.origin {
				t.Errorf("got Origin %q, want %q", got, test.origin)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.form.Get("a") != "b" {
				t.Error("the form did not arrive")
			}
		})
	}
	t.Run("in a meta element", func(t *testing.T) {
		w.page("app.example.com/meta", `<meta name="referrer" content="no-referrer">`+fmt.Sprintf(form, "/end"))
		b := w.browser(t, brokertest.BrowserOptions{})
		b.Get("https://app.example.com/meta")
		b.Click("go")
		if got := w.header("Origin"); got != "null" {
			t.Errorf("got Origin %q, want null", got)
		}
	})
}

// Chromium applies form-action to the redirects after a form, too: a
// consent page that allows only 'self' never reaches the application.
func TestBrowserEnforcesFormAction(t *testing.T) {
	w := newWeb(t)
	w.redirect("auth.example.com/go", "https://app.example.com/cb", http.StatusSeeOther)
	w.page("app.example.com/cb", "arrived")
	for i, test := range []struct {
		policy string
		ok     bool
	}{
		{"", true},
		{"default-src 'none'", true}, // does not cover form-action
		{"form-action 'self'", false},
		{"form-action 'none'", false},
		{"form-action", false},
		{"form-action 'self' https://app.example.com", true},
		{"form-action 'self' https://app.example.com:443/other/path", true}, // paths are ignored after a redirect
		{"form-action 'self' https://app.example.com:8443", false},
		{"form-action 'self' app.example.com", true},
		{"form-action 'self' https://*.example.com", true},
		{"form-action 'self' https://*.example.org", false},
		{"form-action 'self' https:", true},
		{"form-action 'self' http:", true},
		{"form-action *", true},
		{"default-src 'none'; FORM-ACTION 'self'", false},
		{"form-action https://app.example.com, form-action 'self'", false},
	} {
		path := fmt.Sprintf("/page%d", i)
		w.page("auth.example.com"+path, `<form id="f" method="post" action="/go"><button>go</button></form>`,
			"Content-Security-Policy", test.policy)
		blocked := fails(t, func(tb testing.TB) {
			b := w.browser(tb, brokertest.BrowserOptions{})
			b.Get("https://auth.example.com" + path)
			b.Submit("f", nil)
		})
		if blocked == test.ok {
			t.Errorf("%q: blocked %v, want success %v", test.policy, blocked, test.ok)
		}
	}
}

const formPage = `<!doctype html><form id="f" method="post" action="/form?kept=1">
<input name="text" value="a"><input type="hidden" name="hidden" value="h">
<input type="checkbox" name="box" id="box1" value="one" checked><input type="checkbox" name="box" id="box2">
<input type="radio" name="r" id="r1" value="1" checked><input type="radio" name="r" id="r2" value="2">
<select name="s" id="s"><option value="x">X<option selected>Y</select>
<textarea name="area" id="area">one
two</textarea>
<input name="off" value="no" disabled><fieldset disabled><input name="off2" value="no"></fieldset>
<button id="first" name="b" value="first">1</button><input type="submit" id="second" name="b" value="second">
<button id="away" formaction="/form" formmethod="get" name="b" value="get">3</button>
<button id="dead" disabled>4</button><button id="plain" type="button">5</button></form>
<input name="outside" form="f" value="in">`

func TestBrowserForms(t *testing.T) {
	w := newWeb(t)
	w.page("app.example.com/{$}", formPage)
	w.mux.HandleFunc("app.example.com/form", func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		fmt.Fprint(rw, r.Method, " ", r.URL.RawQuery, " ", r.PostForm.Encode())
	})
	b := w.browser(t, brokertest.BrowserOptions{})
	const untouched = "area=one%0D%0Atwo&b=first&box=one&hidden=h&outside=in&r=1&s=Y&text=a"
	for name, test := range map[string]struct {
		act  func()
		want string
	}{
		"untouched":     {func() { b.Submit("f", nil) }, "POST kept=1 " + untouched},
		"second button": {func() { b.Click("second") }, "POST kept=1 " + strings.Replace(untouched, "first", "second", 1)},
		"filled": {func() {
			b.Check("box1", false)
			b.Check("box2", true)
			b.Check("r2", true)
			b.Fill("s", "x")
			b.Fill("area", "")
			b.Submit("f", map[string]string{"text": "ü&="})
		}, "POST kept=1 area=&b=first&box=on&hidden=h&outside=in&r=2&s=x&text=%C3%BC%26%3D"},
		"by GET": {func() { b.Click("away") },
			"GET text=a&hidden=h&box=one&r=1&s=Y&area=one%0D%0Atwo&b=get&outside=in "},
	} {
		t.Run(name, func(t *testing.T) {
			b.Get("https://app.example.com/")
			test.act()
			if got := string(b.Page().Body); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	t.Run("back and again", func(t *testing.T) {
		b.Get("https://app.example.com/")
		b.Submit("f", nil)
		if page := b.Back(); !page.Has("f") {
			t.Fatalf("got %v", page)
		}
		if page := b.Submit("f", nil); page.Status != 200 {
			t.Errorf("got %v", page)
		}
	})
	t.Run("values of one's own", func(t *testing.T) {
		b.Get("https://app.example.com/")
		if got := string(b.Post("/form", url.Values{"x": {"y"}}).Body); got != "POST  x=y" {
			t.Errorf("got %q", got)
		}
		if got := string(b.NewTab().Post("https://app.example.com/form", url.Values{"x": {"y"}}).Body); got != "POST  x=y" || w.header("Origin") != "" {
			t.Errorf("from an empty tab: got %q, Origin %q", got, w.header("Origin"))
		}
		if page := b.Reload(); page.Status != 200 || !strings.HasPrefix(string(page.Body), "GET") {
			t.Errorf("reload: got %v", page)
		}
	})
}

// A test that clicks what is not there must fail, not pass.
func TestBrowserMisuseFailsTheTest(t *testing.T) {
	w := newWeb(t)
	w.page("app.example.com/", formPage+`<form id="r"><input name="must" required><button id="send">x</button></form>`+
		`<p id="p">x</p><button id="lonely">x</button>`)
	for name, act := range map[string]func(b *brokertest.Browser){
		"click nothing":       func(b *brokertest.Browser) { b.Click("nothing") },
		"click a paragraph":   func(b *brokertest.Browser) { b.Click("p") },
		"click disabled":      func(b *brokertest.Browser) { b.Click("dead") },
		"click a mere button": func(b *brokertest.Browser) { b.Click("plain") },
		"click out of a form": func(b *brokertest.Browser) { b.Click("lonely") },
		"required is empty":   func(b *brokertest.Browser) { b.Click("send") },
		"submit nothing":      func(b *brokertest.Browser) { b.Submit("nothing", nil) },
		"submit a paragraph":  func(b *brokertest.Browser) { b.Submit("p", nil) },
		"unknown field":       func(b *brokertest.Browser) { b.Submit("f", map[string]string{"x": "y"}) },
		"disabled field":      func(b *brokertest.Browser) { b.Submit("f", map[string]string{"off": "y"}) },
		"fill nothing":        func(b *brokertest.Browser) { b.Fill("nothing", "") },
		"fill a check box":    func(b *brokertest.Browser) { b.Fill("box1", "x") },
		"unknown option":      func(b *brokertest.Browser) { b.Fill("s", "z") },
		"check a text":        func(b *brokertest.Browser) { b.Check("area", true) },
		"back of nothing":     func(b *brokertest.Browser) { b.Back() },
		"no page yet":         func(b *brokertest.Browser) { b.NewTab().Click("p") },
		"no such host":        func(b *brokertest.Browser) { b.Get("https://www.example.net/") },
		"cookie refused": func(b *brokertest.Browser) {
			b.SetCookie("http://app.example.com/", &http.Cookie{Name: "__Host-a", Path: "/"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !fails(t, func(tb testing.TB) {
				b := w.browser(tb, brokertest.BrowserOptions{})
				b.Get("https://app.example.com/")
				act(b)
			}) {
				t.Error("the test goes on")
			}
		})
	}
}

func TestTabsShareCookies(t *testing.T) {
	w := newWeb(t)
	w.mux.HandleFunc("app.example.com/", func(rw http.ResponseWriter, r *http.Request) {
		http.SetCookie(rw, &http.Cookie{Name: strings.Trim(r.URL.Path, "/"), Value: "x", Path: "/"})
	})
	b := w.browser(t, brokertest.BrowserOptions{})
	var wg sync.WaitGroup
	for i := range 10 {
		tab := b.NewTab()
		wg.Go(func() { tab.Get(fmt.Sprintf("https://app.example.com/tab%d", i)) })
	}
	wg.Wait()
	if got := len(b.Cookies("https://app.example.com/")); got != 10 {
		t.Errorf("got %d cookies, want one of each tab", got)
	}
	b.ClearCookies()
	if got := len(b.Cookies("https://app.example.com/")); got != 0 {
		t.Errorf("cleared: got %d cookies", got)
	}
}

func TestFetchStaysInTheOrigin(t *testing.T) {
	w := newWeb(t)
	w.page("app.example.com/{$}", "", "Set-Cookie", "a=1; Path=/; Secure")
	w.redirect("app.example.com/away", "https://login.example.org/", http.StatusFound)
	w.page("auth.example.com/", "", "Set-Cookie", "b=1; Path=/; Secure; SameSite=None")
	b := w.browser(t, brokertest.BrowserOptions{})
	b.Get("https://app.example.com/")
	b.Fetch("/")
	if got := w.header("Cookie"); got != "a=1" {
		t.Errorf("same origin: sent %q", got)
	}
	if page := b.Fetch("/away"); page.Status != 302 || page.Location == nil {
		t.Errorf("redirected away: got %v", page)
	}
	b.Fetch("https://auth.example.com/")
	if got := b.Cookie("https://auth.example.com/", "b"); got != nil {
		t.Error("cross origin: kept a cookie")
	}
	if got := b.Page().URL.Host; got != "app.example.com" {
		t.Errorf("the tab shows %s", got)
	}
}

func TestPageJSON(t *testing.T) {
	w := newWeb(t)
	w.page("app.example.com/", `{"n": 9007199254740993}`, "Content-Type", "application/json")
	page := w.browser(t, brokertest.BrowserOptions{}).Get("https://app.example.com/")
	var got map[string]any
	if err := page.JSON(&got); err != nil || fmt.Sprint(got["n"]) != "9007199254740993" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := page.JSON(new([]string)); err == nil {
		t.Error("an object into an array: want an error")
	}
}

func TestClock(t *testing.T) {
	clock := new(brokertest.Clock)
	if got := clock.Now(); !got.Equal(brokertest.Epoch) {
		t.Errorf("zero clock: got %v", got)
	}
	clock.Advance(90 * time.Minute)
	clock.Advance(-time.Hour)
	if got := clock.Now(); !got.Equal(brokertest.Epoch.Add(30 * time.Minute)) {
		t.Errorf("moved: got %v", got)
	}
	then := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	clock.Set(then)
	if got := clock.Now(); !got.Equal(then) || !brokertest.NewClock(then).Now().Equal(then) {
		t.Errorf("set: got %v", got)
	}
}
