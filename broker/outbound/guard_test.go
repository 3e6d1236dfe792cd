package outbound

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// errDialed stands for "the guard let the dial pass": tests never connect
// to an address that is not loopback.
var errDialed = errors.New("dialed")

// dialOutcome asks the guard of cfg to dial host, which DNS resolves to
// answers, one after the other. The error is errDialed if any connection
// would have been made.
func dialOutcome(cfg Config, host string, answers ...netip.Addr) error {
	g := newGuard(cfg)
	g.dialer.Resolver = fakeDNS(answers...)
	g.dialer.FallbackDelay = -1
	g.dialer.Control = func(string, string, syscall.RawConn) error { return errDialed }
	conn, err := g.dial(context.Background(), "tcp", net.JoinHostPort(host, "443"))
	if conn != nil {
		conn.Close()
	}
	return err
}

// fakeDNS answers each lookup with the next address, and the last one ever
// after. A question for the other family gets an empty answer.
func fakeDNS(answers ...netip.Addr) *net.Resolver {
	var asked atomic.Int64
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			var size uint16
			for binary.Read(server, binary.BigEndian, &size) == nil {
				query := make([]byte, size)
				if _, err := io.ReadFull(server, query); err != nil {
					return
				}
				i := min(int(asked.Load()), len(answers)-1)
				reply, hit := dnsReply(query, answers[i])
				if hit {
					asked.Add(1)
				}
				reply = append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
				if _, err := server.Write(reply); err != nil {
					return
				}
			}
		}()
		return client, nil
	}}
}

// dnsReply answers query with ip if it asks for ip's family.
func dnsReply(query []byte, ip netip.Addr) (reply []byte, hit bool) {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // root label, type, class
	asked := binary.BigEndian.Uint16(query[end-4:])
	hit = asked == 1 && ip.Is4() || asked == 28 && ip.Is6()

	reply = append(reply, query[:2]...)
	reply = append(reply, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	reply = append(reply, query[12:end]...)
	if hit {
		reply[7] = 1
		reply = append(reply, 0xc0, 12)
		reply = append(reply, query[end-4:end]...)
		reply = append(reply, 0, 0, 0, 0, 0, byte(ip.BitLen()/8))
		reply = append(reply, ip.AsSlice()...)
	}
	return reply, hit
}

// Anyone who registers a client or runs a provider can name a host of his
// own whose DNS entry points into the operator's network: the cloud's
// metadata service, the database, Caddy's admin endpoint. Only the resolved
// address tells.
func TestR64_ResolvedAddressIsChecked(t *testing.T) {
	blocked := []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254",
		"127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
		"64:ff9b::7f00:1", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:20::1", "2001:db8::1",
		"2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1",
	}
	for _, text := range blocked {
		ip := netip.MustParseAddr(text)
		if err := dialOutcome(Config{}, "idp.example", ip); !errors.Is(err, ErrBlocked) {
			t.Errorf("name resolving to %s: got %v, want ErrBlocked", text, err)
		}
		if err := dialOutcome(Config{}, text, ip); !errors.Is(err, ErrBlocked) {
			t.Errorf("literal %s: got %v, want ErrBlocked", text, err)
		}
	}
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
		"192.0.1.1", "198.17.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
	} {
		if err := dialOutcome(Config{}, "idp.example", netip.MustParseAddr(text)); !errors.Is(err, errDialed) {
			t.Errorf("public %s: got %v, want it to be dialed", text, err)
		}
	}
}

// The attacker's name server answers the first lookup with a public address
// and each later one with the metadata service's (DNS rebinding).
func TestR64_Rebinding(t *testing.T) {
	g := newGuard(Config{})
	g.dialer.Resolver = fakeDNS(netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("169.254.169.254"))
	g.dialer.Control = func(string, string, syscall.RawConn) error { return errDialed }
	if _, err := g.dial(t.Context(), "tcp", "rebind.example:443"); !errors.Is(err, errDialed) {
		t.Fatalf("first dial: got %v, want it to pass", err)
	}
	if _, err := g.dial(t.Context(), "tcp", "rebind.example:443"); !errors.Is(err, ErrBlocked) {
		t.Fatalf("second dial: got %v, want ErrBlocked", err)
	}
}

func TestR64_AllowListOpensExactlyWhatItSays(t *testing.T) {
	allow := []netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"),
		netip.MustParsePrefix("::ffff:192.168.7.0/120"),
		netip.MustParsePrefix("fd00::/8"),
	}
	cases := map[string]error{
		"10.1.2.3":         errDialed,
		"::ffff:10.1.2.3":  errDialed,
		"192.168.7.9":      errDialed,
		"fd00::1":          errDialed,
		"10.2.0.1":         ErrBlocked,
		"192.168.8.1":      ErrBlocked,
		"fc00::1":          ErrBlocked,
		"127.0.0.1":        ErrBlocked,
		"::ffff:127.0.0.1": ErrBlocked,
	}
	for text, want := range cases {
		if err := dialOutcome(Config{Allow: allow}, "idp.example", netip.MustParseAddr(text)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
}

// With allow_http a loopback name means this machine, and nothing else: an
// answer that leads it elsewhere would carry plain http over a network.
func TestR64_LoopbackNamesReachLoopbackOnly(t *testing.T) {
	cfg := Config{AllowHTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	g := newGuard(cfg)
	for _, host := range []string{"localhost", "tenant.localhost", "127.0.0.1", "::1"} {
		for text, ok := range map[string]bool{"127.0.0.1": true, "::1": true, "10.0.0.1": false, "8.8.8.8": false} {
			if err := g.checkAddr(host, netip.MustParseAddr(text)); (err == nil) != ok {
				t.Errorf("%s at %s: got %v", host, text, err)
			}
		}
	}
	if err := dialOutcome(cfg, "tenant.localhost", netip.MustParseAddr("8.8.8.8")); !errors.Is(err, errDialed) {
		t.Errorf("*.localhost must be loopback without asking DNS: %v", err)
	}
	if err := dialOutcome(cfg, "idp.example", netip.MustParseAddr("127.0.0.1")); !errors.Is(err, ErrBlocked) {
		t.Errorf("allow_http must not open loopback to other names: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	cases := []struct {
		url       string
		allowHTTP bool
		want      string // part of the error; "" = accepted
	}{
		{"https://idp.example/jwks", false, ""},
		{"https://idp.example:8443/", false, ""},
		{"https://8.8.8.8/", false, ""},
		{"http://localhost:9000/x", true, ""},
		{"http://tenant.localhost/x", true, ""},
		{"http://127.0.0.1:9000/", true, ""},
		{"http://[::1]:9000/", true, ""},
		{"https://localhost/", true, ""},
		{"http://localhost/", false, "allow_http"},
		{"http://idp.example/", false, "http://idp.example is not https"},
		{"http://idp.example/", true, "allow_http"},
		{"http://localhost.evil.example/", true, "not https"},
		{"http://10.0.0.1/", true, "not https"},
		{"https://10.0.0.1/", false, "outbound { allow 10.0.0.1/32 }"},
		{"https://[::ffff:10.0.0.1]/", false, "outbound { allow 10.0.0.1/32 }"},
		{"https://[fe80::1%25eth0]/", false, "link-local"},
		{"https://127.0.0.1/", false, "loopback"},
		{"ftp://idp.example/", false, `scheme "ftp"`},
		{"file:///etc/passwd", true, "no host"},
		{"https:idp.example", false, "no host"},
		{"//idp.example/", false, "not https"},
		{"https:///x", false, "no host"},
		{"https://u:not-a-secret@idp.example/", false, "user information"},
	}
	for _, c := range cases {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		err = New(Config{AllowHTTP: c.allowHTTP}).CheckURL(u)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.url, err)
		case c.want != "" && (!errors.Is(err, ErrBlocked) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want ErrBlocked with %q", c.url, err, c.want)
		case err != nil && strings.Contains(err.Error(), "not-a-secret"):
			t.Errorf("%s: the error repeats the password: %v", c.url, err)
		}
	}
}

// The error is the operator's only way to learn what to open.
func TestR64_ErrorNamesHostAddressAndCure(t *testing.T) {
	err := dialOutcome(Config{}, "idp.example", netip.MustParseAddr("10.0.0.5"))
	for _, part := range []string{`"idp.example"`, "10.0.0.5", "private", "outbound { allow 10.0.0.5/32 }"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to contain %s", err, part)
		}
	}
}

// The check is in the client that everybody gets, not beside it.
func TestR64_ClientRefusesBeforeConnecting(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client := New(Config{})
	for _, target := range []string{"https://" + listener.Addr().String(), "http://" + listener.Addr().String()} {
		if _, err := client.HTTP().Get(target); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: got %v, want ErrBlocked", target, err)
		}
		req, _ := http.NewRequest(http.MethodPost, target, strings.NewReader("x"))
		if _, err := client.HTTP().Transport.RoundTrip(req); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s by transport: got %v, want ErrBlocked", target, err)
		}
	}
}

func TestLoopback(t *testing.T) {
	for _, host := range []string{"localhost", "LocalHost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"} {
		if !Loopback(host) {
			t.Errorf("%q: want loopback", host)
		}
	}
	for _, host := range []string{
		"", "localhost.", "localhost.example", "xlocalhost", "127.0.0.1.example", "127.1", "0x7f000001",
		"2130706433", "::ffff:10.0.0.1", "[::1]", "::1%lo", "0.0.0.0", "10.0.0.1",
	} {
		if Loopback(host) {
			t.Errorf("%q: want not loopback", host)
		}
	}
}
