package brokertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestFailures(t *testing.T) {
	tenant, _, _ := start(t, brokertest.Options{})
	const path = "/.well-known/jwks.json"
	fail := func(f brokertest.Failure) {
		tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{path: f}})
	}
	fetch := func() (int, http.Header, string, error) {
		resp, err := tenant.Client().Get(tenant.Issuer() + path[1:])
		if err != nil {
			return 0, nil, "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header, string(body), err
	}
	t.Run("status", func(t *testing.T) {
		fail(brokertest.Failure{Status: 503})
		if status, _, body, err := fetch(); status != 503 || body != "" || err != nil {
			t.Errorf("got %d %q, %v", status, body, err)
		}
		if _, got := get(t, tenant, ".well-known/openid-configuration", ""); got["issuer"] == nil {
			t.Error("another endpoint is ill as well")
		}
	})
	t.Run("rate limited", func(t *testing.T) {
		fail(brokertest.Failure{Status: 429, Header: http.Header{"Retry-After": {"7"}}})
		status, header, body, _ := fetch()
		if status != 429 || header.Get("X-RateLimit-Reset") == "" || header.Get("Retry-After") != "7" ||
			!strings.Contains(body, "too_many_requests") {
			t.Errorf("got %d %v %q", status, header, body)
		}
	})
	t.Run("another body", func(t *testing.T) {
		fail(brokertest.Failure{Body: "<html>", ContentType: "text/html"})
		if status, header, body, _ := fetch(); status != 200 || header.Get("Content-Type") != "text/html" || body != "<html>" {
			t.Errorf("got %d %v %q", status, header, body)
		}
	})
	t.Run("a few times", func(t *testing.T) {
		fail(brokertest.Failure{Status: 500, Times: 2})
		for i, want := range []int{500, 500, 200} {
			if status, _, _, _ := fetch(); status != want {
				t.Errorf("request %d: got %d, want %d", i+1, status, want)
			}
		}
	})
	t.Run("cut in the middle", func(t *testing.T) {
		fail(brokertest.Failure{Cut: true})
		status, _, body, err := fetch()
		if status != 200 || err == nil || len(body) == 0 || !strings.HasPrefix(body, `{"keys"`) {
			t.Errorf("got %d, %d bytes, error %v; want half an answer and an error", status, len(body), err)
		}
	})
	t.Run("late", func(t *testing.T) {
		fail(brokertest.Failure{Delay: 20 * time.Millisecond})
		begun := time.Now()
		if status, _, _, _ := fetch(); status != 200 || time.Since(begun) < 20*time.Millisecond {
			t.Errorf("got %d after %v", status, time.Since(begun))
		}
	})
	t.Run("down", func(t *testing.T) {
		tenant.SetFaults(brokertest.Faults{Down: true})
		if _, _, _, err := fetch(); err == nil {
			t.Error("want an error")
		}
	})
	t.Run("healed", func(t *testing.T) {
		tenant.Heal()
		if status, _, _, err := fetch(); status != 200 || err != nil {
			t.Errorf("got %d, %v", status, err)
		}
	})
	if got := tenant.Requests(path); got < 8 {
		t.Errorf("counted %d requests, want the failed ones as well", got)
	}
}

// An endpoint that hangs must let go when the client gives up, and when the
// server closes; otherwise no test of a time-out would ever end.
func TestHang(t *testing.T) {
	tenant, p, _ := start(t, brokertest.Options{})
	tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Hang: true}}})
	client := tenant.Client()
	client.Timeout = 20 * time.Millisecond
	if _, err := client.PostForm(tenant.Issuer()+"oauth/token", p.tokenForm("x")); err == nil {
		t.Error("want a time-out")
	}
	ended := make(chan error, 1)
	go func() {
		_, err := tenant.Client().PostForm(tenant.Issuer()+"oauth/token", p.tokenForm("x"))
		ended <- err
	}()
	for tenant.Requests("/oauth/token") < 2 {
		runtime.Gosched() // the second request is on its way
	}
	if err := tenant.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("want an error")
	}
}

// A cut answer is one whose request was served: the code is spent.
func TestCutTokenAnswerSpendsTheCode(t *testing.T) {
	tenant, p, b := start(t, brokertest.Options{})
	p.signIn(b, "ada")
	form := p.tokenForm(p.code(b.Get(p.authorizeURL())))
	tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Cut: true, Times: 1}}})
	if resp, err := tenant.Client().PostForm(tenant.Issuer()+"oauth/token", form); err == nil {
		if _, err = io.ReadAll(resp.Body); err == nil {
			t.Error("want a cut answer")
		}
		_ = resp.Body.Close()
	}
	if resp, _ := post(t, tenant, "oauth/token", form); resp.StatusCode != http.StatusForbidden {
		t.Errorf("the code again: got status %d, want 403", resp.StatusCode)
	}
}

// The server hears of a client leaving only once it has read the request.
func TestHangEndsWhenTheClientLeaves(t *testing.T) {
	tenant := brokertest.NewTenant(brokertest.Options{Issuer: "https://tenant.example.com/"})
	tenant.SetFaults(brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/oauth/token": {Hang: true, Status: 503}}})
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		tenant.ServeHTTP(w, r)
	}))
	defer server.Close()
	client := server.Client()
	client.Timeout = 20 * time.Millisecond
	if _, err := client.PostForm(server.URL+"/oauth/token", url.Values{"code": {"x"}}); err == nil {
		t.Error("want a time-out")
	}
	<-ended
}
