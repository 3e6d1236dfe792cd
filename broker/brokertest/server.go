package brokertest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/zap"
)

// A Server is a tenant that listens on a loopback address.
type Server struct {
	*Tenant

	// CA has issued the server's certificate; nil on plain http.
	CA *CA

	listener net.Listener
	http     *http.Server
	cancel   context.CancelFunc
}

// Start serves a tenant on plain http, on a free port of 127.0.0.1, until
// the test ends.
func Start(t testing.TB, opts Options) *Server {
	t.Helper()
	return start(t, opts, nil)
}

// StartTLS serves a tenant on https, on a free port of 127.0.0.1, until the
// test ends. Clients must trust [Server.CA].
func StartTLS(t testing.TB, opts Options) *Server {
	t.Helper()
	if opts.CA == nil {
		opts.CA = NewCA()
	}
	return start(t, opts, opts.CA)
}

func start(t testing.TB, opts Options, ca *CA) *Server {
	t.Helper()
	s, err := serve("127.0.0.1:0", opts, ca)
	if err != nil {
		t.Fatalf("starting the stand-in tenant: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Listen serves a tenant on plain http at addr, "localhost:8090" say, until
// [Server.Close]. The address must be a loopback one, for the login page
// shows the passwords.
func Listen(addr string, opts Options) (*Server, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("brokertest: listening: %w", err)
	}
	if !isLoopbackHost(host) {
		return nil, fmt.Errorf("brokertest: listening on %q: use localhost, 127.0.0.1 or [::1]", addr)
	}
	if opts.Host == "" {
		opts.Host = host
	}
	return serve(addr, opts, nil)
}

func serve(addr string, opts Options, ca *CA) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("brokertest: listening: %w", err)
	}
	if opts.Host == "" {
		opts.Host = "localhost"
	}
	if opts.Logger == nil {
		opts.Logger = zap.NewNop()
	}
	scheme := "http"
	if ca != nil {
		scheme = "https"
		listener = tls.NewListener(listener, &tls.Config{
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"h2", "http/1.1"},
			Certificates: []tls.Certificate{ca.Certificate(opts.Host, "localhost", "127.0.0.1", "::1")},
		})
	}
	if opts.Issuer == "" {
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("brokertest: reading the port: %w", err)
		}
		opts.Issuer = scheme + "://" + net.JoinHostPort(opts.Host, port) + "/"
	}
	if _, err := opts.complete(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{Tenant: NewTenant(opts), CA: ca, listener: listener, cancel: cancel}
	s.http = &http.Server{
		Handler:           s.Tenant,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          zap.NewStdLog(opts.Logger),
	}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Addr returns the address to dial, whatever host name the issuer has.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close stops the server at once and cuts what is in flight, requests that
// a fault holds back included. It may be called twice.
func (s *Server) Close() error {
	s.cancel()
	return s.http.Close()
}

// Client returns an http client that reaches this server, and no other,
// under the issuer's host name, and trusts its certificate.
func (s *Server) Client() *http.Client {
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			var d net.Dialer
			if addr != hostPort(s.Tenant.Issuer()) {
				return nil, fmt.Errorf("brokertest: dialling %q: this client reaches %s only", addr, s.Issuer())
			}
			return d.DialContext(ctx, network, s.Addr())
		},
	}
	if s.CA != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: s.CA.Pool(), MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}
}
