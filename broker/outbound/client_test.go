package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble runs test with a client whose calls are served by handler over
// in-memory connections, with a fake clock: seconds pass at once.
func inBubble(t *testing.T, cfg Config, handler http.HandlerFunc, test func(t *testing.T, c *http.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: handler}
		go server.Serve(listener)

		cfg.AllowHTTP = true
		client := New(cfg)
		transport := client.http.Transport.(*limiter).next.(*http.Transport)
		transport.DialContext = listener.dial
		test(t, client.HTTP())
		transport.CloseIdleConnections()
		server.Close()
	})
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// fetch reads a whole answer, as any caller would.
func fetch(c *http.Client) (n int, err error) {
	resp, err := c.Get("http://localhost/")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return len(body), err
}

// A hostile provider never stops sending: without a limit one sign-in
// fills the memory of the server.
func TestR55_EndlessBodyIsCut(t *testing.T) {
	var sent atomic.Int64
	chunk := make([]byte, 64<<10)
	endless := func(w http.ResponseWriter, r *http.Request) {
		for {
			n, err := w.Write(chunk)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}
	inBubble(t, Config{}, endless, func(t *testing.T, c *http.Client) {
		n, err := fetch(c)
		if !errors.Is(err, ErrTooLarge) || n != DefaultMaxBody {
			t.Errorf("got %d bytes and %v, want %d and ErrTooLarge", n, err, DefaultMaxBody)
		}
	})
	if got := sent.Load(); got > 2*DefaultMaxBody {
		t.Errorf("took %d bytes off the wire", got)
	}
}

func TestR55_DeclaredLengthIsRefusedUnread(t *testing.T) {
	huge := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10000000000")
		w.Write([]byte("x"))
	}
	inBubble(t, Config{}, huge, func(t *testing.T, c *http.Client) {
		if _, err := c.Get("http://localhost/"); !errors.Is(err, ErrTooLarge) {
			t.Errorf("got %v, want ErrTooLarge", err)
		}
	})
}

func TestR55_BodyOfExactlyTheLimitPasses(t *testing.T) {
	for size, want := range map[int]error{99: nil, 100: nil, 101: ErrTooLarge} {
		body := func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush() // no Content-Length
			w.Write(make([]byte, size))
		}
		inBubble(t, Config{MaxBody: 100}, body, func(t *testing.T, c *http.Client) {
			n, err := fetch(c)
			if !errors.Is(err, want) || n != min(size, 100) {
				t.Errorf("%d bytes: got %d and %v, want %v", size, n, err, want)
			}
		})
	}
}

// One byte per second resets every idle timer; only a limit on the whole
// call ends it.
func TestR55_DripIsCutAtTheTimeout(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			if _, err := w.Write([]byte("x")); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	}
	inBubble(t, Config{}, drip, func(t *testing.T, c *http.Client) {
		start := time.Now()
		_, err := fetch(c)
		if took := time.Since(start); err == nil || took != DefaultTimeout {
			t.Errorf("ended after %v with %v, want %v and an error", took, err, DefaultTimeout)
		}
	})
}

func TestR55_SilenceIsCutAtTheTimeout(t *testing.T) {
	silent := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	inBubble(t, Config{Timeout: 2 * time.Second}, silent, func(t *testing.T, c *http.Client) {
		start := time.Now()
		_, err := fetch(c)
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second {
			t.Errorf("ended after %v with %v, want 2 s and DeadlineExceeded", took, err)
		}
	})
}

// A redirect hands the choice of the next host to whoever answered.
func TestR55_RedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var calls atomic.Int64
		redirect := func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			http.Redirect(w, r, "http://localhost/next?code=not-a-secret", status)
		}
		inBubble(t, Config{}, redirect, func(t *testing.T, c *http.Client) {
			_, err := fetch(c)
			if !errors.Is(err, ErrRedirect) || calls.Load() != 1 {
				t.Errorf("%d: got %v after %d calls, want ErrRedirect after 1", status, err, calls.Load())
			}
		})
	}
}

// What the dial cannot see, the scheme, is judged for each request, too.
func TestR64_PlainHTTPLeavesNoMachine(t *testing.T) {
	served := func(w http.ResponseWriter, r *http.Request) { t.Errorf("%s was asked", r.Host) }
	inBubble(t, Config{}, served, func(t *testing.T, c *http.Client) {
		for _, target := range []string{"http://idp.example/", "http://localhost.example/", "http://user:x@localhost/"} {
			if _, err := c.Get(target); !errors.Is(err, ErrBlocked) {
				t.Errorf("%s: got %v, want ErrBlocked", target, err)
			}
		}
	})
}

// A compressed body could hide a bomb from the limit.
func TestNoCompressionIsOffered(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("Accept-Encoding"))
	}
	inBubble(t, Config{}, echo, func(t *testing.T, c *http.Client) {
		if n, err := fetch(c); n != 0 || err != nil {
			t.Errorf("Accept-Encoding of %d bytes, %v; want none", n, err)
		}
	})
}

// HTTPS_PROXY in the environment would hand the address check, and with
// plain http the traffic, to another machine.
func TestProxyVariablesAreIgnored(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the proxy was asked")
	}))
	defer proxy.Close()
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	client := New(Config{})
	if client.http.Transport.(*limiter).next.(*http.Transport).Proxy != nil {
		t.Error("the transport has a proxy function")
	}
	if _, err := client.HTTP().Get("https://192.0.2.1/"); !errors.Is(err, ErrBlocked) {
		t.Errorf("got %v, want ErrBlocked", err)
	}
}

// S34: a certificate that does not verify ends the call, and there is no
// word to change that but trusted_roots.
func TestS34_TLSIsVerified(t *testing.T) {
	serve := func(maxVersion uint16) *httptest.Server {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: maxVersion}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	server := serve(tls.VersionTLS13)
	allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

	t.Run("unknown authority", func(t *testing.T) {
		_, err := New(Config{Allow: allow}).HTTP().Get(server.URL)
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("got %v, want a certificate error", err)
		}
	})
	t.Run("trusted root", func(t *testing.T) {
		roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		resp, err := New(Config{Allow: allow, TrustedRoots: roots}).HTTP().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	})
	t.Run("TLS 1.1", func(t *testing.T) {
		old := serve(tls.VersionTLS11)
		roots := old.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		_, err := New(Config{Allow: allow, TrustedRoots: roots}).HTTP().Get(old.URL)
		if err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("got %v, want a protocol version error", err)
		}
	})
}
