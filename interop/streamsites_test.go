package interop_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// What must be closed has a second (S9, M94).
const streamsCloseWithin = time.Second

// liveSites are two gated sites with an application behind that sends news,
// over WebSockets and as event streams.
type liveSites struct {
	*installation
	other string       // the second site
	open  atomic.Int32 // streams that the application has
}

// installLive starts Caddy with both sites; settings are further lines of the
// global option.
func installLive(t *testing.T, settings string) *liveSites {
	t.Helper()
	l := &liveSites{other: "http://" + freeAddr(t)}
	l.installation = install(t, setup{clients: `client notes {
			name Notes
			secret {env.CLIENT_SECRET}
			redirect_uris ` + callback + `
			scopes openid revoke_client_access
		}
		` + settings})
	app := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(app.Close)
	live := strings.TrimPrefix(app.URL, "http://")
	l.config = strings.Replace(l.config, "\treverse_proxy ", "\treverse_proxy /live/* "+live+"\n\treverse_proxy ", 1) + l.other + ` {
	auth_gate {
		name Invoices
	}
	reverse_proxy ` + live + `
}
`
	if status, body := l.load(t, l.config); status != http.StatusOK {
		t.Fatalf("loading the second site answered %d: %s", status, body)
	}
	l.waitFor(t, strings.TrimPrefix(l.other, "http://"))
	return l
}

// serve is the application. It keeps streams until they are taken away.
func (l *liveSites) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/live/socket":
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n\x81\x04news",
			webSocketAccept(r.Header.Get("Sec-WebSocket-Key")))
		_ = rw.Flush()
		l.open.Add(1)
		defer l.open.Add(-1)
		_, _ = io.Copy(io.Discard, rw)
	case "/live/events":
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: news\n\n")
		w.(http.Flusher).Flush()
		l.open.Add(1)
		defer l.open.Add(-1)
		<-r.Context().Done()
	case "/live/watch":
		serveWatchPage(w)
	default:
		l.serveApp(w, r)
	}
}

// webSocketAccept answers the key of a handshake (RFC 6455, 4.2.2).
func webSocketAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// A liveStream is one that a browser has open.
type liveStream struct {
	name  string
	ended chan struct{}
	at    time.Time // of the end
}

// streams opens one of each kind at the site.
func (l *liveSites) streams(t *testing.T, b *brokertest.Browser, who, site string) []*liveStream {
	t.Helper()
	return []*liveStream{
		l.stream(t, b, who+"'s WebSocket at "+site, site, "/live/socket", "101", "\x81\x04news",
			"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
		l.stream(t, b, who+"'s event stream at "+site, site, "/live/events", "200", "data: news\n\n", "Accept: text/event-stream"),
	}
}

func (l *liveSites) stream(t *testing.T, b *brokertest.Browser, name, site, path, status, first string, header ...string) *liveStream {
	t.Helper()
	host := strings.TrimPrefix(site, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	request := []string{"GET " + path + " HTTP/1.1", "Host: " + host}
	for _, c := range b.Cookies(site) {
		header = append(header, "Cookie: "+c.Name+"="+c.Value)
	}
	request = append(request, header...)
	if _, err := io.WriteString(conn, strings.Join(request, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || !strings.HasPrefix(response.Status, status) {
		t.Fatalf("%s: %v, %+v", name, err, response)
	}
	body := io.Reader(reader)
	if status == "101" {
		if got := response.Header.Get("Sec-WebSocket-Accept"); got != webSocketAccept("dGhlIHNhbXBsZSBub25jZQ==") {
			t.Fatalf("%s: Sec-WebSocket-Accept %q", name, got)
		}
	} else {
		body = response.Body
	}
	news := make([]byte, len(first))
	if _, err := io.ReadFull(body, news); err != nil || string(news) != first {
		t.Fatalf("%s: got %q, %v", name, news, err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	s := &liveStream{name: name, ended: make(chan struct{})}
	go func() {
		_, _ = io.Copy(io.Discard, body)
		s.at = time.Now()
		close(s.ended)
	}()
	return s
}

// mustClose demands that the streams end in time, and nowhere else but here:
// so many are left at the application.
func (l *liveSites) mustClose(t *testing.T, left int32, streams ...*liveStream) {
	t.Helper()
	limit, stop := context.WithTimeout(t.Context(), streamsCloseWithin)
	defer stop()
	for _, s := range streams {
		select {
		case <-s.ended:
		case <-limit.Done():
			t.Errorf("%s is open after %v", s.name, streamsCloseWithin)
		}
	}
	for deadline := time.Now().Add(streamsCloseWithin); l.open.Load() != left; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the application has %d streams, want %d", l.open.Load(), left)
		}
	}
}

func mustStayOpen(t *testing.T, streams ...*liveStream) {
	t.Helper()
	for _, s := range streams {
		select {
		case <-s.ended:
			t.Errorf("%s was closed", s.name)
		default:
		}
	}
}

// enterAs signs somebody in at a site.
func (l *liveSites) enterAs(t *testing.T, b *brokertest.Browser, user, site string) {
	t.Helper()
	page := b.Get(site + "/")
	if page.Has("tenant-login-form") {
		page = b.SignIn(user)
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if !page.Has("app") {
		t.Fatalf("signing in as %s led to %s:\n%s", user, page, page.Body)
	}
}
