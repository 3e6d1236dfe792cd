package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A tunnel is a server behind whose gate an application holds on to a
// request, over real connections.
type tunnel struct {
	*rig
	server *httptest.Server
	cookie string
	began  chan struct{}
	result chan error // why the application ended
}

func newTunnel(t *testing.T, http2 bool, serve func(w http.ResponseWriter, r *http.Request, began func()) error) *tunnel {
	tun := &tunnel{rig: newRig(t, nil), began: make(chan struct{}), result: make(chan error, 1)}
	tun.cookie = tun.session()
	tun.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = tun.gate.Serve(w, r, r.URL, func(w http.ResponseWriter, r *http.Request, _ *Visitor) error {
			err := serve(w, r, func() { close(tun.began) })
			tun.result <- err
			return err
		})
	}))
	if http2 {
		tun.server.EnableHTTP2 = true
		tun.server.StartTLS()
	} else {
		tun.server.Start()
	}
	t.Cleanup(tun.server.Close)
	return tun
}

func (tun *tunnel) request(header ...string) *http.Request {
	r, err := http.NewRequestWithContext(tun.Context(), http.MethodGet, tun.server.URL+"/live", nil)
	if err != nil {
		tun.Fatal(err)
	}
	r.Host = "app.example.com"
	r.Header.Set("Cookie", tun.cookie)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// signOut ends the visitor's session.
func (tun *tunnel) signOut() {
	if _, err := tun.sessions.SignOut(context.Background(), tun.cookie[len("__Host-auth_gate="):]); err != nil {
		tun.Fatal(err)
	}
}

// dial connects a visitor who speaks HTTP/1.1.
func (tun *tunnel) dial() net.Conn {
	conn, err := net.Dial("tcp", tun.server.Listener.Addr().String())
	if err != nil {
		tun.Fatal(err)
	}
	tun.Cleanup(func() { conn.Close() })
	return conn
}

// webSocket sends a request for one.
func (tun *tunnel) webSocket() net.Conn {
	conn := tun.dial()
	if err := tun.request("Connection", "Upgrade", "Upgrade", "websocket").Write(conn); err != nil {
		tun.Fatal(err)
	}
	return conn
}

// mustCut signs the visitor out as soon as the application has the request.
// Then it must come to an end on either side.
func (tun *tunnel) mustCut(visitor io.Reader) error {
	tun.Helper()
	within(tun, "the request", tun.began)
	tun.signOut()
	err := within(tun, "the application's end", tun.result)
	if err == nil {
		tun.Error("the application goes on")
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, visitor)
		close(ended)
	}()
	within(tun, "the visitor's end", ended)
	return err
}

// within fails unless something arrives soon. It is generous to slow
// machines; that it takes no more than a second is shown where time stands
// still.
func within[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing arrives", what)
	}
	return v
}

// The application has taken the connection over, and does not listen to the
// context of the request.
func TestS09_HijackedConnectionIsClosed(t *testing.T) {
	tun := newTunnel(t, false, func(w http.ResponseWriter, _ *http.Request, began func()) error {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		began()
		_, err = rw.ReadByte()
		return err
	})
	_ = tun.mustCut(tun.webSocket())
}

// A connection that is taken over only after the cut is closed at once.
func TestS09_CutBeforeTheTakeover(t *testing.T) {
	tun := newTunnel(t, false, func(w http.ResponseWriter, r *http.Request, began func()) error {
		began()
		<-r.Context().Done()
		_, _, err := http.NewResponseController(w).Hijack()
		return err
	})
	if err := tun.mustCut(tun.webSocket()); !errors.Is(err, errCut) {
		t.Errorf("Hijack returned %v", err)
	}
}

// The visitor does not read, so that the application is stuck in a write and
// never looks at the context. Neither may that keep the stream.
func TestS09_StreamOfAVisitorWhoDoesNotRead(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			tun := newTunnel(t, http2, func(w http.ResponseWriter, r *http.Request, began func()) error {
				if (r.ProtoMajor == 2) != http2 {
					return errors.New(r.Proto)
				}
				event := make([]byte, 1<<20)
				for sent := 0; ; sent++ {
					if sent == 1 {
						began()
					}
					if _, err := w.Write(event); err != nil {
						return err
					}
					w.(http.Flusher).Flush()
				}
			})
			response, err := tun.server.Client().Do(tun.request("Accept", "text/event-stream"))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			_ = tun.mustCut(response.Body)
		})
	}
}

// The application waits for what the visitor sends, as that of a remote call
// does.
func TestS09_BodyOfACutStreamEnds(t *testing.T) {
	call := func(_ http.ResponseWriter, r *http.Request, began func()) error {
		began()
		_, err := io.Copy(io.Discard, r.Body)
		return err
	}
	t.Run("HTTP/1.1", func(t *testing.T) {
		tun := newTunnel(t, false, call)
		visitor := tun.dial()
		fmt.Fprintf(visitor, "POST /call HTTP/1.1\r\nHost: app.example.com\r\nCookie: %s\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n", tun.cookie)
		tun.mustCut(visitor)
	})
	t.Run("HTTP/2", func(t *testing.T) {
		tun := newTunnel(t, true, call)
		body, send := io.Pipe()
		defer send.Close()
		request := tun.request("Content-Type", "application/grpc")
		request.Method, request.Body = http.MethodPost, body
		answer, write := io.Pipe()
		go func() {
			response, err := tun.server.Client().Do(request)
			if err == nil {
				_, err = io.Copy(write, response.Body)
				response.Body.Close()
			}
			write.CloseWithError(err)
		}()
		tun.mustCut(answer)
	})
}
