package brokertest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

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
