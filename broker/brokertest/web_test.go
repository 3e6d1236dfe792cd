package brokertest_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

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
