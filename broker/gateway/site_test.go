package gateway

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// partOfOrigin turns the rig's site into a part of its origin.
func partOfOrigin(c *Config, _ *Deps) {
	c.Sites[0].Client = &oauth.Client{ID: "portal", Gate: true, Scopes: []string{"openid"}}
	c.Sites[0].Reserved = "/sso/portal/auth/"
	c.Sites[0].Cookie = "auth_broker_portal"
	c.Sites[0].Home = "/sso/portal/"
	c.Headers = []Header{}
}

// A gate can guard a part of an origin whose other parts have sessions of
// their own: neither sees or writes the other's cookies and addresses.
func TestM84_GateOfAPartOfAnOrigin(t *testing.T) {
	r := newRig(t, partOfOrigin)
	rec, passed := r.serve(get("/sso/portal/sessions"))
	if passed != nil || rec.Code != http.StatusFound {
		t.Fatalf("without a session: %d", rec.Code)
	}
	location, _ := url.Parse(rec.Header().Get("Location"))
	const callback = origin + "/sso/portal/auth/callback"
	if got := location.Query().Get("redirect_uri"); got != callback || r.gate.sites["app.example.com"].CallbackURL() != callback {
		t.Errorf("redirect_uri %s", got)
	}
	flow := rec.Result().Cookies()[0]
	if flow.Name != "__Host-auth_broker_portal_flow" {
		t.Errorf("cookie %s", flow.Name)
	}

	sso, _, err := r.sessions.SignedIn(context.Background(), "", "auth0", session.Login{Subject: "subject"})
	if err != nil {
		t.Fatal(err)
	}
	a := &authn.Authorization{ClientID: "portal", SID: sso.SID, Subject: "subject", Context: &authn.Context{Subject: "subject"}}
	r.broker.codes["code"] = a
	rec, _ = r.serve(get("/sso/portal/auth/callback?code=code&state="+location.Query().Get("state"), "Cookie", flow.Name+"="+flow.Value))
	if got := rec.Header().Get("Location"); got != origin+"/sso/portal/sessions" {
		t.Fatalf("after the sign-in: %d %s", rec.Code, got)
	}
	kept := rec.Result().Cookies()[0]
	if kept.Name != "__Host-auth_broker_portal" {
		t.Errorf("cookie %s", kept.Name)
	}
	cookie := kept.Name + "=" + kept.Value

	var visitor *Visitor
	req := get("/sso/portal/", "Cookie", cookie+"; __Host-auth_gate=x; __Host-auth_broker_sso=y; theme=dark")
	err = r.gate.Serve(rec, req, req.URL, func(_ http.ResponseWriter, req *http.Request, v *Visitor) error {
		visitor = v
		if got := req.Header["Cookie"]; !cmp.Equal(got, []string{"theme=dark"}) {
			t.Errorf("the application gets the cookies %q", got)
		}
		return nil
	})
	if err != nil || visitor == nil || visitor.Authorization().ClientID != "portal" {
		t.Fatalf("visitor %+v, %v", visitor, err)
	}

	if rec, _ := r.serve(get("/sso/portal/auth/me", "Cookie", cookie)); rec.Code != http.StatusOK {
		t.Errorf("me: %d", rec.Code)
	}
	if _, passed := r.serve(get("/", "Cookie", "__Host-auth_gate="+kept.Value)); passed != nil {
		t.Error("the handle passes under the name of another cookie")
	}
	rec, _ = r.serve(get("/sso/portal/auth/logout", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"))
	if !strings.Contains(rec.Body.String(), `action="/sso/portal/auth/logout"`) {
		t.Errorf("the form that asks: %s", rec.Body)
	}
	rec, _ = r.serve(get("/sso/portal/auth/logout", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"))
	if !strings.Contains(rec.Body.String(), `href="/sso/portal/"`) || rec.Result().Cookies()[0].Name != kept.Name {
		t.Errorf("signed out: %v %s", rec.Header(), rec.Body)
	}
}

func TestM84_ReturnToWithinAPart(t *testing.T) {
	c := Config{Sites: []Site{{Origin: testSite(t).Origin}}}
	partOfOrigin(&c, nil)
	s, err := newSite(c.Sites[0])
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{
		"": "/sso/portal/", "//evil.example": "/sso/portal/", "/sso/portal/auth/logout": "/sso/portal/",
		"/sso/portal/apps": "/sso/portal/apps", "/.auth/logout": "/.auth/logout",
	} {
		if got := s.returnTo(to); got != want {
			t.Errorf("returnTo(%q) = %q, want %q", to, got, want)
		}
	}
}

func TestSiteMistakes(t *testing.T) {
	for name, change := range map[string]func(*Site){
		"reserved path is everything":           func(s *Site) { s.Reserved = "/" },
		"reserved path without a slash":         func(s *Site) { s.Reserved = "/auth" },
		"reserved path is relative":             func(s *Site) { s.Reserved = "auth/" },
		"reserved path with two readings":       func(s *Site) { s.Reserved = "/a/../auth/" },
		"home is relative":                      func(s *Site) { s.Home = "portal" },
		"home on another host":                  func(s *Site) { s.Home = "//evil.example" },
		"home is reserved":                      func(s *Site) { s.Home = "/.auth/logout" },
		"a cookie that the application may see": func(s *Site) { s.Cookie = "portal" },
		"http":                                  func(s *Site) { s.Origin = &url.URL{Scheme: "http", Host: "app.example.com"} },
	} {
		s := Site{Origin: testSite(t).Origin}
		change(&s)
		if _, err := newSite(s); err == nil {
			t.Errorf("%s: was accepted", name)
		}
	}
}
