package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// ErrBlocked is returned, before any connection exists, for a URL or a
// resolved address that the guard refuses.
var ErrBlocked = errors.New("outbound call refused")

// A guard decides which URLs and addresses may be reached.
type guard struct {
	allow     []netip.Prefix
	allowHTTP bool

	// dialer is copied for each dial, with the address check put in.
	dialer net.Dialer
}

func newGuard(cfg Config) *guard {
	g := &guard{allowHTTP: cfg.AllowHTTP, dialer: net.Dialer{Timeout: cfg.Timeout}}
	for _, p := range cfg.Allow {
		g.allow = append(g.allow, unmapPrefix(p))
	}
	return g
}

// unmapPrefix turns ::ffff:10.0.0.0/104 into 10.0.0.0/8, the form in which
// addresses are compared.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

// CheckURL says whether u may be called, as far as its text tells: https,
// or http to a loopback name where that is allowed; a host, no user
// information, and no address literal of a refused range. Names are judged
// again when they are dialed. Errors are [ErrBlocked].
func (c *Client) CheckURL(u *url.URL) error { return c.guard.checkURL(u) }

func (g *guard) checkURL(u *url.URL) error {
	host := u.Hostname()
	switch {
	case host == "" || u.Opaque != "":
		return fmt.Errorf("%w: the URL has no host", ErrBlocked)
	case u.User != nil:
		// The URL stays out of the message: it holds a password.
		return fmt.Errorf("%w: the URL of host %q carries user information; remove it", ErrBlocked, host)
	case u.Scheme == "https":
	case u.Scheme == "http" && g.local(host):
	case u.Scheme == "http":
		return fmt.Errorf("%w: http://%s is not https; plain http is for loopback names, under outbound { allow_http }",
			ErrBlocked, host)
	default:
		return fmt.Errorf("%w: scheme %q is not https", ErrBlocked, u.Scheme)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.checkAddr(host, ip)
	}
	return nil
}

// local says whether host is a loopback name that may be reached as such.
func (g *guard) local(host string) bool { return g.allowHTTP && Loopback(host) }

// dial connects to addr ("host:port") if the address that host resolves to
// is allowed.
//
// The check sits in Control, between resolution and connect: an attacker
// who answers the first DNS query with a public address and the next one
// with 127.0.0.1 finds no gap between the two (R64).
func (g *guard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%w: address %q", ErrBlocked, addr)
	}
	if g.local(host) && strings.HasSuffix(strings.ToLower(host), ".localhost") {
		// RFC 6761, 6.3: such names are loopback without asking DNS.
		addr = net.JoinHostPort("localhost", port)
	}
	d := g.dialer
	next := d.Control
	d.Control = func(network, address string, conn syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %q resolves to %q, which is no IP address", ErrBlocked, host, address)
		}
		if err := g.checkAddr(host, ap.Addr()); err != nil || next == nil {
			return err
		}
		return next(network, address, conn)
	}
	return d.DialContext(ctx, network, addr)
}

// checkAddr says whether host may be reached at ip.
func (g *guard) checkAddr(host string, ip netip.Addr) error {
	// Mapped addresses and zones are other spellings of the same place.
	ip = ip.Unmap().WithZone("")
	if g.local(host) {
		if ip.IsLoopback() {
			return nil
		}
		return fmt.Errorf("%w: %q resolves to %s, which is not loopback", ErrBlocked, host, ip)
	}
	kind := special(ip)
	if kind == "" {
		return nil
	}
	for _, p := range g.allow {
		if p.Contains(ip) {
			return nil
		}
	}
	return fmt.Errorf("%w: %q is at %s (%s); if that is meant, write outbound { allow %s }",
		ErrBlocked, host, ip, kind, netip.PrefixFrom(ip, ip.BitLen()))
}

// Loopback says whether host, without port or brackets, is a name or
// address that means this machine by definition: localhost, *.localhost,
// 127.0.0.0/8 and ::1, in ordinary spelling.
func Loopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() && ip.Zone() == ""
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
