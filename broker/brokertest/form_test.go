package brokertest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

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
		"by GET": {
			func() { b.Click("away") },
			"GET text=a&hidden=h&box=one&r=1&s=Y&area=one%0D%0Atwo&b=get&outside=in ",
		},
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
