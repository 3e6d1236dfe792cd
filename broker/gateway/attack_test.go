package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// hookedStore runs after once a Get of a gate session has its answer.
type hookedStore struct {
	store.Store
	after func()
}

func (s *hookedStore) Get(ctx context.Context, key string) ([]byte, error) {
	raw, err := s.Store.Get(ctx, key)
	if s.after != nil && strings.Contains(key, "/gate/") {
		run := s.after
		s.after = nil
		run()
	}
	return raw, err
}

// A stolen cookie is used while its owner signs out: the session was read
// before the logout and is put into the cache after it, where nothing would
// remove it again.
func TestS18_LogoutWhileTheSessionIsBeingRead(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	_, handle, _ := strings.Cut(cookie, "=")
	sid, _, _ := strings.Cut(handle, ".")
	hooked := &hookedStore{Store: r.store}
	r.sessions.Store = hooked
	hooked.after = func() {
		if err := r.sessions.End(t.Context(), sid); err != nil {
			t.Error(err)
		}
	}
	r.serve(get("/", "Cookie", cookie)) // began before the logout
	if _, passed := r.serve(get("/", "Cookie", cookie)); passed != nil {
		t.Error("the session lives on in the cache")
	}
}

// The store learns of uses late. Somebody who was active a while ago signs
// out when, by the store's knowledge, the session has just gone idle.
func TestR46_LogoutOfASessionThatTheStoreThinksIdle(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	r.serve(get("/", "Cookie", cookie))
	r.clock.Advance(7 * time.Minute) // less than what the store is told of
	r.serve(get("/", "Cookie", cookie))
	r.clock.Advance(54 * time.Minute)
	r.serve(get("/.auth/logout", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"))
	if _, passed := r.serve(get("/", "Cookie", cookie)); passed != nil {
		t.Error("signed out, and the cookie still passes")
	}
}

// A user of the application posts an image whose address is the logout.
func TestR46_ImageInTheApplicationSignsNobodyOut(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	req := get("/.auth/logout", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	req.Header.Set("Sec-Fetch-Mode", "no-cors")
	r.serve(req)
	if _, passed := r.serve(get("/", "Cookie", cookie)); passed == nil {
		t.Error("signed out by an image")
	}
}

// Caddy hands a failed request to handle_errors as it is.
func TestR11_ErrorPagesGetNoToken(t *testing.T) {
	r := newRig(t, func(c *Config, _ *Deps) { c.Public = []string{"/open"} })
	for _, path := range []string{"/", "/open"} {
		req := get(path, "Cookie", r.session())
		original, failed := *req.URL, errors.New("bad gateway")
		err := r.gate.Serve(httptest.NewRecorder(), req, &original, func(http.ResponseWriter, *http.Request, *Visitor) error { return failed })
		if !errors.Is(err, failed) {
			t.Fatalf("error %v", err)
		}
		for _, name := range append(everyManaged, "Cookie") {
			if v := req.Header.Get(name); v != "" {
				t.Errorf("%s: the error page gets %s: %s", path, name, v)
			}
		}
	}
}

// Caddy's request_header replaces text in place.
func TestS04_WhatAHandlerDoesToAHeaderStaysInItsRequest(t *testing.T) {
	r := newRig(t, nil)
	cookie := r.session()
	_, passed := r.serve(get("/", "Cookie", cookie))
	for _, values := range passed.Header {
		for i := range values {
			values[i] = "admin"
		}
	}
	_, passed = r.serve(get("/", "Cookie", cookie))
	if got := passed.Header["Remote-User"]; len(got) != 1 || got[0] != "subject" {
		t.Errorf("Remote-User %q", got)
	}
}

// Ports do not separate cookies: the application behind one gate would get
// the handles of its neighbour's visitors, and of the broker on its host.
func TestS06_NeighboursCookiesStayHere(t *testing.T) {
	r := newRig(t, nil)
	own := r.session()
	for _, name := range []string{
		"__Host-auth_gate_8443", "__Host-auth_gate_flow_8443", "auth_gate_3000", "auth_gate",
		"__Host-auth_broker_sso", "__Host-auth_broker_flow", "auth_broker_sso_2000",
	} {
		_, passed := r.serve(get("/", "Cookie", "a=1; "+own+"; "+name+"=secret; b=2"))
		if got := passed.Header.Get("Cookie"); got != "a=1; b=2" {
			t.Errorf("%s: the application gets %q", name, got)
		}
	}
	_, passed := r.serve(get("/", "Cookie", own+"; auth_gateway=x; auth=y"))
	if got := passed.Header.Get("Cookie"); got != "auth_gateway=x; auth=y" {
		t.Errorf("the application's own: %q", got)
	}
}

// A chunked request brings headers behind its body, announced or not, and
// reverse_proxy passes on what is there at the body's end.
func TestS02_TrailersBehindTheBody(t *testing.T) {
	for name, announced := range map[string]string{"announced": "X-Sum, Remote-User", "not announced": "X-Sum", "none announced": ""} {
		for _, path := range []string{"/", "/open"} {
			t.Run(name+path, func(t *testing.T) {
				r := newRig(t, func(c *Config, _ *Deps) { c.Public = []string{"/open"} })
				cookie := r.session()
				got := make(chan http.Header, 1)
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					req.Host = "app.example.com"
					original := *req.URL
					err := r.gate.Serve(w, req.WithContext(req.Context()), &original, func(_ http.ResponseWriter, req *http.Request, _ *Visitor) error {
						_, err := io.Copy(io.Discard, req.Body)
						got <- req.Trailer
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}))
				defer srv.Close()
				conn, err := net.Dial("tcp", srv.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				head := ""
				if announced != "" {
					head = "Trailer: " + announced + "\r\n"
				}
				fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n%sTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nRemote-User: admin\r\nremote_user: admin\r\n\r\n", path, cookie, head)
				if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
					t.Fatal(err)
				}
				trailer := <-got
				for key := range trailer {
					if fold(key) == "remote-user" {
						t.Errorf("the application gets the trailer %s: %s", key, trailer[key])
					}
				}
				if announced != "" && trailer.Get("X-Sum") != "1" {
					t.Error("an honest trailer is lost")
				}
			})
		}
	}
}

// A cached visitor was minted under another configuration of the broker.
func TestS23_ReloadMintsAnew(t *testing.T) {
	cache := NewCache(10)
	var fingerprint string
	r := newRig(t, func(c *Config, d *Deps) { d.Cache, c.Fingerprint = cache, fingerprint })
	cookie := r.session()
	r.serve(get("/", "Cookie", cookie))
	config := Config{Sites: []Site{r.gate.sites["app.example.com"].Site}, Fingerprint: "another issuer"}
	next, err := New(config, r.gate.deps)
	if err != nil {
		t.Fatal(err)
	}
	r.gate = next
	before := r.broker.minted
	r.serve(get("/", "Cookie", cookie))
	if r.broker.minted != before+1 {
		t.Error("tokens of the old configuration are sent on")
	}
}

// The error page's code and trace come with a link.
func TestS29_ErrorsInLinksAreNotRepeated(t *testing.T) {
	for sent, want := range map[string]string{
		"error=access_denied":                                         "access_denied",
		"error=" + url.QueryEscape("call +1 555"):                     "server_error",
		"error=" + strings.Repeat("a", 100):                           "server_error",
		"error=x&error_description=(reason+user_blocked,+trace+AB12)": "user_blocked",
	} {
		query, err := url.ParseQuery(sent)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := reasonOf(query); got != want {
			t.Errorf("%s: %q, want %q", sent, got, want)
		}
	}
}
