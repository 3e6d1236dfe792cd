package interop

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// How the duet is played.
const (
	duetConnections = 32
	duetRounds      = 5
	duetSeconds     = 3

	// A control outside of this band says that the machine was too busy to
	// tell; the measurement is repeated.
	controlLow, controlHigh = 0.98, 1.02
	duetTries               = 4
)

// BenchmarkGateRatio compares the gate with a plain reverse_proxy that adds
// one constant header of the same size: two Caddy processes under the same load
// at the same moment, by the CPU time that each spends on a request. The
// same is done with two plain ones, which shows how far the figure can be
// trusted.
func BenchmarkGateRatio(b *testing.B) {
	d := newDuet(b)
	for range duetTries {
		control := d.ratio(b, d.plain, d.twin)
		ratio := d.ratio(b, d.gate, d.plain)
		fmt.Printf("gate ratio %.2f (A/A control %.2f)\n", ratio, control)
		b.ReportMetric(ratio, "gate/plain")
		b.ReportMetric(control, "plain/plain")
		if control >= controlLow && control <= controlHigh {
			return
		}
	}
	b.Fatalf("the control never came within %.2f and %.2f: the machine is too busy", controlLow, controlHigh)
}

// duet is three Caddy processes in front of one application.
type duet struct {
	gate, plain, twin *caddyProcess
}

// caddyProcess is a running Caddy with the request to send to it.
type caddyProcess struct {
	cmd     *exec.Cmd
	addr    string
	request []byte
}

func newDuet(b *testing.B) *duet {
	dir := b.TempDir()
	binary := filepath.Join(dir, "caddy")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/caddy-auth-broker/caddy-auth-broker/cmd/caddy").CombinedOutput(); err != nil {
		b.Fatalf("building caddy: %v\n%s", err, out)
	}
	app := newConstantApp(b)
	gateAddr, issuerAddr := freeAddr(b), freeAddr(b)
	tenant := brokertest.Start(b, brokertest.Options{Clients: []brokertest.Client{{
		ID: "bench", Secret: "not-a-secret", Callbacks: []string{"http://" + issuerAddr + "/oauth2/callback/auth0"},
	}}})
	d := &duet{gate: startCaddy(b, binary, filepath.Join(dir, "gate"), gateAddr, fmt.Sprintf(`{
	admin off
	auth_broker {
		issuer http://%s
		provider auth0 %s bench {env.SECRET}
		outbound {
			allow_http
		}
	}
}
http://%s {
	auth_broker
}
http://%s {
	auth_gate {
		trusted
	}
	reverse_proxy %s
}
`, issuerAddr, tenant.Domain(), issuerAddr, gateAddr, app.addr))}
	cookies := signIn(b, gateAddr)
	d.gate.request = requestFor(gateAddr, cookies)
	size := injectedSize(app.headersFor(b, d.gate))
	for _, p := range []**caddyProcess{&d.plain, &d.twin} {
		addr := freeAddr(b)
		*p = startCaddy(b, binary, filepath.Join(dir, addr), addr, fmt.Sprintf(`{
	admin off
}
http://%s {
	reverse_proxy %s {
		header_up Authorization "Bearer %s"
	}
}
`, addr, app.addr, strings.Repeat("x", size-len("Authorization: Bearer \r\n"))))
		(*p).request = requestFor(addr, cookies)
		if got := injectedSize(app.headersFor(b, *p)); got != size {
			b.Fatalf("the plain proxy sends %d bytes, the gate %d", got, size)
		}
	}
	return d
}

// injectedSize is how many bytes on the wire the gate's headers take.
func injectedSize(h http.Header) (n int) {
	for _, name := range []string{"Authorization", "X-Id-Token", "Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"} {
		if v := h.Get(name); v != "" {
			n += len(name) + len(": ") + len(v) + len("\r\n")
		}
	}
	return n
}

// signIn signs a browser in at the gated site and returns its cookies.
func signIn(b *testing.B, gateAddr string) string {
	browser := brokertest.NewBrowser(b, brokertest.BrowserOptions{})
	browser.Get("http://" + gateAddr + "/")
	if page := browser.SignIn("ada"); page.Status != http.StatusOK {
		b.Fatalf("signing in: %d %s", page.Status, page.URL)
	}
	var pairs []string
	for _, c := range browser.Cookies("http://" + gateAddr + "/") {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// requestFor is what a browser would send.
func requestFor(addr, cookies string) []byte {
	return []byte("GET /orders?id=7 HTTP/1.1\r\nHost: " + addr + "\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\n" +
		"Cookie: " + cookies + "\r\n\r\n")
}

func startCaddy(b *testing.B, binary, dir, addr, caddyfile string) *caddyProcess {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(caddyfile), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(binary, "run", "--config", file)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir, "SECRET=not-a-secret", "GOMAXPROCS=2")
	var logs strings.Builder
	cmd.Stderr = &logs
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	deadline := time.Now().Add(20 * time.Second)
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			return &caddyProcess{cmd: cmd, addr: addr}
		}
		if time.Now().After(deadline) {
			b.Fatalf("caddy does not listen on %s:\n%s", addr, logs.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func freeAddr(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}

// ratio is the median over the rounds of x's CPU time per request to y's.
func (d *duet) ratio(b *testing.B, x, y *caddyProcess) float64 {
	var ratios []float64
	for range duetRounds {
		var wg sync.WaitGroup
		var cost [2]float64
		for i, p := range []*caddyProcess{x, y} {
			wg.Go(func() { cost[i] = p.load(b) })
		}
		wg.Wait()
		ratios = append(ratios, cost[0]/cost[1])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// load sends requests for the seconds of a round and returns the CPU time,
// in clock ticks, that the process spent on each.
func (p *caddyProcess) load(b *testing.B) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), duetSeconds*time.Second)
	defer cancel()
	var requests atomic.Int64
	before := p.ticks(b)
	var wg sync.WaitGroup
	for range duetConnections {
		wg.Go(func() {
			n, err := p.hammer(ctx)
			requests.Add(n)
			if err != nil {
				b.Errorf("load on %s: %v", p.addr, err)
			}
		})
	}
	wg.Wait()
	return float64(p.ticks(b)-before) / float64(requests.Load())
}

// hammer sends one request after the other over one connection.
func (p *caddyProcess) hammer(ctx context.Context) (n int64, err error) {
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for ctx.Err() == nil {
		if _, err := conn.Write(p.request); err != nil {
			return n, err
		}
		if err := readAnswer(r); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// readAnswer reads one answer and demands the status 200.
func readAnswer(r *bufio.Reader) error {
	length := 0
	for line := 0; ; line++ {
		text, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		s := strings.TrimRight(string(text), "\r\n")
		switch {
		case line == 0 && !strings.Contains(s, " 200 "):
			return fmt.Errorf("answered %q", s)
		case s == "":
			_, err := r.Discard(length)
			return err
		case len(s) > 15 && strings.EqualFold(s[:15], "content-length:"):
			if length, err = strconv.Atoi(strings.TrimSpace(s[15:])); err != nil {
				return err
			}
		}
	}
}

// ticks is the CPU time of the process so far, in user and system mode
// (proc(5): fields 14 and 15 of stat).
func (p *caddyProcess) ticks(b *testing.B) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		b.Fatalf("reading %q", raw)
	}
	return user + system
}

// constantApp answers every request alike and keeps the last headers.
type constantApp struct {
	addr string
	last atomic.Pointer[http.Header]
}

func newConstantApp(b *testing.B) *constantApp {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	app := &constantApp{addr: l.Addr().String()}
	body := []byte(strings.Repeat("orders ", 150))
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := r.Header
		app.last.Store(&h)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body)
	})}
	go func() { _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close() })
	return app
}

// headersFor sends one request through p and returns what arrived.
func (a *constantApp) headersFor(b *testing.B, p *caddyProcess) http.Header {
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(p.request); err != nil {
		b.Fatal(err)
	}
	if err := readAnswer(bufio.NewReader(conn)); err != nil {
		b.Fatal(err)
	}
	return *a.last.Load()
}
