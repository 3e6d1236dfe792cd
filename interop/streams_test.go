package interop_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

func TestS09_SigningOutClosesStreams(t *testing.T) {
	l := installLive(t, "")
	ada, phone, grace := brokertest.NewBrowser(t, brokertest.BrowserOptions{}), brokertest.NewBrowser(t, brokertest.BrowserOptions{}), brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	l.enterAs(t, ada, "ada", l.site)
	l.enterAs(t, ada, "ada", l.other)
	l.enterAs(t, phone, "ada", l.site)
	l.enterAs(t, grace, "grace", l.site)
	mine := append(l.streams(t, ada, "Ada", l.site), l.streams(t, ada, "Ada", l.other)...)
	others := append(l.streams(t, phone, "Ada's telephone", l.site), l.streams(t, grace, "Grace", l.site)...)
	mustStayOpen(t, mine...)

	if page := ada.Get(l.site + "/.auth/logout"); !page.Has("logout-done") {
		t.Fatalf("signing out led to %s:\n%s", page, page.Body)
	}
	l.mustClose(t, int32(len(others)), mine...)
	mustStayOpen(t, others...)
}

func TestM94_WithdrawalClosesStreams(t *testing.T) {
	l := installLive(t, "")
	ada, phone, grace := brokertest.NewBrowser(t, brokertest.BrowserOptions{}), brokertest.NewBrowser(t, brokertest.BrowserOptions{}), brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	l.enterAs(t, ada, "ada", l.site)
	l.enterAs(t, ada, "ada", l.other)
	l.enterAs(t, phone, "ada", l.site)
	l.enterAs(t, grace, "grace", l.site)
	here := append(l.streams(t, ada, "Ada", l.site), l.streams(t, phone, "Ada's telephone", l.site)...)
	others := append(l.streams(t, ada, "Ada", l.other), l.streams(t, grace, "Grace", l.site)...)

	id := "gate:" + strings.TrimPrefix(l.site, "http://")
	request, err := http.NewRequest(http.MethodDelete, l.issuer+"/oauth2/clients/"+url.PathEscape(id), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+l.selfServiceToken(t, ada))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("withdrawing answered %s", response.Status)
	}
	l.mustClose(t, int32(len(others)), here...)
	mustStayOpen(t, others...)
	// The next request of either browser is that of a stranger.
	for _, b := range []*brokertest.Browser{ada, phone} {
		if page := b.Fetch(l.site + "/"); page.Status != http.StatusUnauthorized {
			t.Errorf("a script's request answered %d", page.Status)
		}
	}
}

// A thief who has the cookie of a session asks for the events as if they were
// a page. The application is silent, so that only the server's own look at the
// connection can find out.
func TestS09_SigningOutClosesStreamsThatNobodyAskedFor(t *testing.T) {
	l := installLive(t, "")
	ada, grace := brokertest.NewBrowser(t, brokertest.BrowserOptions{}), brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	l.enterAs(t, ada, "ada", l.site)
	l.enterAs(t, grace, "grace", l.site)
	var mine []*liveStream
	for _, accept := range []string{"*/*", "text/html", "Text/Event-Stream"} {
		mine = append(mine, l.stream(t, ada, "the stream of "+accept, l.site, "/live/events", "200", "data: news\n\n", "Accept: "+accept))
	}
	theirs := l.stream(t, grace, "Grace's stream", l.site, "/live/events", "200", "data: news\n\n", "Accept: */*")
	mustStayOpen(t, append(mine, theirs)...)
	if page := ada.Get(l.site + "/.auth/logout"); !page.Has("logout-done") {
		t.Fatalf("signing out led to %s:\n%s", page, page.Body)
	}
	l.mustClose(t, 1, mine...)
	mustStayOpen(t, theirs)
}

// A reload takes a site away. What the old configuration let in goes on at
// the server, but not for us.
func TestS09_ReloadWithoutASiteClosesItsStreams(t *testing.T) {
	l := installLive(t, "")
	ada := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	l.enterAs(t, ada, "ada", l.site)
	l.enterAs(t, ada, "ada", l.other)
	here := l.stream(t, ada, "the stream that stays", l.site, "/live/events", "200", "data: news\n\n", "Accept: text/event-stream")
	there := l.stream(t, ada, "the stream of the site that goes", l.other, "/live/events", "200", "data: news\n\n", "Accept: text/event-stream")
	l.config = l.config[:strings.LastIndex(l.config, l.other)]
	if status, body := l.load(t, l.config); status != http.StatusOK {
		t.Fatalf("the reload answered %d: %s", status, body)
	}
	l.mustClose(t, 1, there)
	mustStayOpen(t, here)
}

// Nobody does anything: the session reaches the end of its life.
func TestS17_StreamsEndWithTheLifeOfTheirSession(t *testing.T) {
	const lifetime = 4 * time.Second
	l := installLive(t, "session {\n\t\t\tlifetime 4s\n\t\t}")
	ada := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	before := time.Now()
	l.enterAs(t, ada, "ada", l.site)
	signedIn := time.Now()
	streams := l.streams(t, ada, "Ada", l.site)
	time.Sleep(time.Until(signedIn.Add(lifetime)))
	l.mustClose(t, 0, streams...)
	for _, s := range streams {
		if lived := s.at.Sub(before); lived < lifetime {
			t.Errorf("%s was closed %v after the sign-in began", s.name, lived)
		}
	}
}

// A reload waits for what the old configuration still serves. Its streams
// hear of a sign-out that the new one is told of.
func TestS09_SigningOutClosesStreamsOfBeforeAReload(t *testing.T) {
	l := installLive(t, "")
	ada, grace := brokertest.NewBrowser(t, brokertest.BrowserOptions{}), brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	l.enterAs(t, ada, "ada", l.site)
	l.enterAs(t, grace, "grace", l.site)
	events := l.streams(t, ada, "Ada", l.site)[1]
	theirs := l.streams(t, grace, "Grace", l.site)[1]

	loaded := make(chan int, 1)
	go func() {
		status, _ := l.load(t, strings.ReplaceAll(l.config, "\tauth_gate {", "\theader X-Reloaded yes\n\tauth_gate {"))
		loaded <- status
	}()
	for deadline := time.Now().Add(caddyStartTimeout); ada.Fetch(l.site+"/").Header.Get("X-Reloaded") != "yes"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new configuration does not serve")
		}
	}
	mustStayOpen(t, events, theirs)
	if page := ada.Get(l.site + "/.auth/logout"); !page.Has("logout-done") {
		t.Fatalf("signing out led to %s:\n%s", page, page.Body)
	}
	l.mustClose(t, 1, events)
	mustStayOpen(t, theirs)
	if page := grace.Get(l.site + "/.auth/logout"); !page.Has("logout-done") {
		t.Fatalf("signing out led to %s:\n%s", page, page.Body)
	}
	l.mustClose(t, 0, theirs)
	select {
	case status := <-loaded:
		if status != http.StatusOK {
			t.Errorf("the reload answered %d", status)
		}
	case <-time.After(caddyStartTimeout):
		t.Error("the reload does not end")
	}
}

// selfServiceToken is one by which the user of the browser may withdraw.
func (l *liveSites) selfServiceToken(t *testing.T, b *brokertest.Browser) string {
	t.Helper()
	const verifier = "a-verifier-of-more-than-forty-three-characters"
	b.StopBefore = callback
	page := b.Get(l.issuer + "/oauth2/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"notes"}, "redirect_uri": {callback}, "scope": {"openid revoke_client_access"},
		"state": {"state"}, "code_challenge": {oauth.S256(verifier)}, "code_challenge_method": {"S256"},
	}.Encode())
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	b.StopBefore = ""
	if page.Location == nil {
		t.Fatalf("authorizing led to %s:\n%s", page, page.Body)
	}
	response, err := http.PostForm(l.issuer+"/oauth2/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {page.Location.Query().Get("code")}, "redirect_uri": {callback},
		"code_verifier": {verifier}, "client_id": {"notes"}, "client_secret": {clientSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&tokens); err != nil || tokens.AccessToken == "" {
		t.Fatalf("the token endpoint answered %s: %v", response.Status, err)
	}
	return tokens.AccessToken
}
