package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

const (
	sessionName = "__Host-auth_gate"
	flowName    = "__Host-auth_gate_flow"
)

// A jar is a browser that keeps cookies, or not, in front of an upstream that
// answers without asking.
type jar struct {
	*rig
	cookies map[string]string
	loses   string // the cookie that something on its way loses
	codes   int
}

func newJar(r *rig) *jar { return &jar{rig: r, cookies: map[string]string{}} }

func (j *jar) get(target string) (*httptest.ResponseRecorder, *http.Request) {
	return j.send(target, j.cookies)
}

// send is get with the cookies of an earlier moment.
func (j *jar) send(target string, cookies map[string]string) (*httptest.ResponseRecorder, *http.Request) {
	header := []string{"Sec-Fetch-Site", "same-origin"}
	for name, value := range cookies {
		header = append(header, "Cookie", name+"="+value)
	}
	rec, passed := j.serve(get(target, header...))
	for _, c := range rec.Result().Cookies() {
		switch {
		case c.MaxAge < 0:
			delete(j.cookies, c.Name)
		case c.Name != j.loses:
			j.cookies[c.Name] = c.Value
		}
	}
	return rec, passed
}

// callbackOf returns where the broker sends the browser back to.
func (j *jar) callbackOf(rec *httptest.ResponseRecorder) string {
	j.Helper()
	location, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || location.Host != "auth.example.com" {
		j.Fatalf("not sent to sign in: %d %v", rec.Code, rec.Header())
	}
	sso, _, err := j.sessions.SignedIn(j.Context(), "", "auth0", session.Login{Subject: "ada"})
	if err != nil {
		j.Fatal(err)
	}
	j.codes++
	code := fmt.Sprint(j.codes)
	j.broker.codes[code] = &authn.Authorization{ClientID: "gate:app.example.com", SID: sso.SID, Subject: "ada", Context: &authn.Context{Subject: "ada"}}
	return "/.auth/callback?" + url.Values{"code": {code}, "state": {location.Query().Get("state")}}.Encode()
}

// round goes through one sign-in that begins at target, and back.
func (j *jar) round(target string) {
	j.Helper()
	rec, _ := j.get(target)
	rec, _ = j.get(j.callbackOf(rec))
	if rec.Code != http.StatusFound || !strings.HasPrefix(rec.Header().Get("Location"), origin+"/") {
		j.Fatalf("not sent back: %d %s", rec.Code, rec.Body)
	}
}

var retryLink = regexp.MustCompile(`id="error-retry" href="([^"]*)"`)

// mustStop demands the explanation, and returns where its link leads.
func (j *jar) mustStop(target string) string {
	j.Helper()
	rec, passed := j.get(target)
	link := retryLink.FindStringSubmatch(rec.Body.String())
	if passed != nil || rec.Code != http.StatusBadRequest || link == nil || !strings.Contains(rec.Body.String(), "round in circles") {
		j.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return strings.ReplaceAll(strings.TrimPrefix(link[1], origin), "&amp;", "&")
}

// The upstream has a session and asks nothing; an application, or a proxy
// between, takes our cookie away. The person would see nothing but a page
// that never loads.
func TestS20_LoopStopsWithAnExplanation(t *testing.T) {
	j := newJar(newRig(t, nil))
	j.loses = sessionName
	for range loopLimit {
		j.round("/orders?id=7")
		j.clock.Advance(time.Second)
	}
	link := j.mustStop("/orders?id=7")
	j.mustStop("/")
	t.Run("who starts over gets as far again", func(t *testing.T) {
		if link != "/.auth/login?return_to=%2Forders%3Fid%3D7&start_over=1" {
			t.Fatalf("the link leads to %s", link)
		}
		j.round(link)
		for range loopLimit - 1 {
			j.round("/orders?id=7")
		}
		j.mustStop("/orders?id=7")
	})
	t.Run("the login address goes round no longer", func(t *testing.T) {
		j.mustStop("/.auth/login?return_to=/orders")
	})
	t.Run("scripts are told as ever", func(t *testing.T) {
		req := get("/orders", "Cookie", flowName+"="+j.cookies[flowName])
		req.Header.Set("Sec-Fetch-Mode", "cors")
		if rec, _ := j.serve(req); rec.Code != http.StatusUnauthorized {
			t.Errorf("%d", rec.Code)
		}
	})
	t.Run("a minute later", func(t *testing.T) {
		j.clock.Advance(loopWindow)
		j.loses = ""
		j.round("/orders?id=7")
		if _, passed := j.get("/orders?id=7"); passed == nil {
			t.Error("does not pass")
		}
	})
}

// A user of the application posts an image, or a link, that leads to the
// login address: neither may cost others their session, or their tries.
func TestS20_LoginAddressInAnApplicationsContent(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	image := get("/.auth/login?return_to=/orders", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	image.Header.Set("Sec-Fetch-Mode", "no-cors")
	for name, session := range map[string]string{"signed in": cookie, "a stranger": "__Host-auth_gate=unknown"} {
		image.Header.Set("Cookie", session)
		rec, _ := r.serve(image)
		if rec.Code != http.StatusUnauthorized || len(rec.Header()["Set-Cookie"]) > 0 || !strings.Contains(rec.Body.String(), "login_required") {
			t.Errorf("the image of %s: %d %v", name, rec.Code, rec.Header())
		}
	}
	rec, _ := r.serve(get("/.auth/login?return_to=/orders", "Cookie", cookie))
	if rec.Code != http.StatusFound || rec.Header().Get("Location") != origin+"/orders" || len(rec.Header()["Set-Cookie"]) > 0 {
		t.Errorf("the link: %d %v", rec.Code, rec.Header())
	}
	if _, passed := r.serve(get("/orders", "Cookie", cookie)); passed == nil {
		t.Error("signed out")
	}
	rec, _ = r.serve(get("/.auth/login?return_to=/orders", "Cookie", "__Host-auth_gate=unknown"))
	if rec.Code != http.StatusFound || !strings.HasPrefix(rec.Header().Get("Location"), "https://auth.example.com/") {
		t.Errorf("the link of a stranger: %d %v", rec.Code, rec.Header())
	}
}

// Whether somebody is signed in is not known: he keeps what he has.
func TestS01_LoginKeepsTheSessionWhileTheStoreFails(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	r.broker.mintErr = errors.New("no key")
	rec, _ := r.serve(get("/.auth/login", "Cookie", cookie))
	if rec.Code != http.StatusServiceUnavailable || len(rec.Header()["Set-Cookie"]) > 0 {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}

func TestS20_SigningOutIsNoLoop(t *testing.T) {
	j := newJar(newRig(t, nil))
	for range 3 * loopLimit {
		j.round("/")
		if _, passed := j.get("/"); passed == nil {
			t.Fatal("does not pass")
		}
		if rec, _ := j.get("/.auth/logout"); !strings.Contains(rec.Body.String(), "logout-done") {
			t.Fatalf("%d", rec.Code)
		}
	}
}

// A browser starts with the fifty tabs that it had yesterday. Browsers send
// a handful of requests at a time, with the cookies of that moment.
func TestS20_FiftyTabsAreNoLoop(t *testing.T) {
	for _, atOnce := range []int{1, 6, 50} {
		t.Run(fmt.Sprint(atOnce, " at once"), func(t *testing.T) {
			j := newJar(newRig(t, nil))
			j.cookies[sessionName] = "expired"
			const tabs = 50
			together := func(step func(cookies map[string]string, tab int)) {
				for first := 0; first < tabs; first += atOnce {
					cookies := map[string]string{}
					maps.Copy(cookies, j.cookies)
					for tab := first; tab < min(first+atOnce, tabs); tab++ {
						step(cookies, tab)
					}
				}
			}
			var callbacks [tabs]string
			page := func(tab int) string { return fmt.Sprintf("/tab/%d", tab) }
			j.get("/") // the first tab that is drawn
			together(func(cookies map[string]string, tab int) {
				rec, _ := j.send(page(tab), cookies)
				callbacks[tab] = j.callbackOf(rec)
			})
			together(func(cookies map[string]string, tab int) {
				if rec, _ := j.send(callbacks[tab], cookies); rec.Header().Get("Location") != origin+page(tab) {
					t.Fatalf("tab %d: %d %v", tab, rec.Code, rec.Header())
				}
			})
			together(func(cookies map[string]string, tab int) {
				if _, passed := j.send(page(tab), cookies); passed == nil {
					t.Fatalf("tab %d does not pass", tab)
				}
			})
			// And again, at once.
			delete(j.cookies, sessionName)
			j.round("/")
		})
	}
}

// Cookies of an older version, of another key, or of nobody's making lead to
// a sign-in, and nothing worse.
func TestS20_OldAndGarbledCookies(t *testing.T) {
	secret := store.NewSecret()
	for name, cookies := range map[string]map[string]string{
		"another key":        {sessionName: secret + "." + secret, flowName: secret},
		"an older version":   {sessionName: "v0.local.abc", flowName: "abc"},
		"garbage":            {sessionName: "%00;\xff", flowName: "...%00.\xff"},
		"times from nowhere": {flowName: secret + ".x.y.z"},
		"many times":         {flowName: secret + strings.Repeat(".1", 1000)},
		"a huge time":        {flowName: secret + ".99999999999999999999"},
		"times to come":      {flowName: secret + ".9223372036854775807.9223372036854775807.9223372036854775807"},
		"times long gone":    {flowName: secret + ".-9223372036854775808.0.1"},
		"empty":              {sessionName: "", flowName: ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJar(newRig(t, nil))
			maps.Copy(j.cookies, cookies)
			old := j.cookies[sessionName]
			if j.round("/"); j.cookies[sessionName] == old {
				t.Fatal("the session is that of before")
			}
			if _, passed := j.get("/"); passed == nil {
				t.Error("does not pass after the sign-in")
			}
		})
	}
	t.Run("a session cookie that is none is removed", func(t *testing.T) {
		j := newJar(newRig(t, nil))
		j.cookies[sessionName] = "garbage"
		if j.get("/"); j.cookies[sessionName] != "" {
			t.Error("it stays")
		}
	})
}

func TestFlow(t *testing.T) {
	now := time.Unix(1000, 0)
	f := flow{binding: "b"}
	for range 5 {
		f = f.complete(now)
	}
	if got := f.String(); got != "b.1000.1000.1000" || !cmp.Equal(readFlow(got), f, cmp.AllowUnexported(flow{})) {
		t.Errorf("cookie %q", got)
	}
	for after, loops := range map[time.Duration]bool{
		0: true, loopWindow - time.Second: true, loopWindow: false, -loopWindow: false,
		-time.Second: true, // another node's clock
	} {
		if f.loops(now.Add(after)) != loops {
			t.Errorf("after %v: loops %v", after, !loops)
		}
	}
	if got := readFlow("b.1.2.3.4").String(); got != "b" {
		t.Errorf("more times than there can be: %q", got)
	}
	if f.reset().String() != "b" {
		t.Errorf("reset: %q", f.reset())
	}
}

func FuzzS20_Flow(f *testing.F) {
	for _, cookie := range []string{"", "b", "b.1.2.3", "b.1.2.3.4", "b..", "b.x", ".1"} {
		f.Add(cookie)
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		read := readFlow(cookie)
		if again := readFlow(read.String()); !cmp.Equal(again, read, cmp.AllowUnexported(flow{})) {
			t.Errorf("%q: %+v became %+v", cookie, read, again)
		}
		if done := read.complete(time.Unix(0, 0)); len(done.completed) > loopLimit {
			t.Errorf("%q: %+v", cookie, done)
		}
	})
}
