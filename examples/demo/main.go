// Command demo shows the whole path on one machine: a stand-in Auth0 tenant,
// Caddy with the broker, a gated site and an ordinary OpenID Connect client.
//
// With AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET set, it uses
// that tenant instead of its own.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-auth-broker/caddy-auth-broker/caddymodule"
)

// Where everything listens; the Caddyfile says the same. One host name with
// several ports works in every browser without a hosts file.
const (
	issuer    = "http://localhost:8420"
	gatedSite = "http://localhost:8421"
	clientApp = "http://localhost:8422"

	tenantAddr = "127.0.0.1:8423"
	ordersAddr = "127.0.0.1:8424"
	notesAddr  = "127.0.0.1:8422"
)

//go:embed Caddyfile
var caddyfile []byte

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	// Each run begins anew, so that the consent page is seen each time.
	dir, err := os.MkdirTemp("", "auth-broker-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("XDG_DATA_HOME", dir); err != nil {
		return err
	}

	real := os.Getenv("AUTH0_DOMAIN") != ""
	if !real {
		closeTenant, err := startTenant()
		if err != nil {
			return err
		}
		defer closeTenant()
	}
	secret, err := notesSecret()
	if err != nil {
		return err
	}
	if err := serve(ctx, ordersAddr, orders()); err != nil {
		return err
	}
	if err := serve(ctx, notesAddr, notes(secret)); err != nil {
		return err
	}
	if err := startCaddy(); err != nil {
		return err
	}
	greet(real)
	<-ctx.Done()
	return caddy.Stop()
}

// serve starts an application of the demo and stops it with ctx.
func serve(ctx context.Context, addr string, h http.Handler) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; the demo needs ports 8420 to 8424", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	return nil
}

func startCaddy() error {
	adapter := caddyconfig.GetAdapter("caddyfile")
	config, _, err := adapter.Adapt(caddyfile, map[string]any{"filename": "examples/demo/Caddyfile"})
	if err != nil {
		return err
	}
	return caddy.Load(config, true)
}

// The Caddyfile adapter registers itself when it is imported.
var _ = httpcaddyfile.ServerType{}

func greet(real bool) {
	fmt.Printf("\nThe demo is running. Open in one browser:\n\n")
	fmt.Printf("  %s/   a site behind auth_gate; it shows the headers it gets\n", gatedSite)
	fmt.Printf("  %s/   an OpenID Connect client of the same broker\n\n", clientApp)
	if real {
		fmt.Printf("At Auth0, enter in the settings of your application:\n\n")
		fmt.Printf("  Allowed Callback URLs   %s/oauth2/callback/auth0\n", issuer)
		fmt.Printf("  Allowed Logout URLs     %s/oauth2/logout\n\n", issuer)
		fmt.Printf("Auth0 shows one more page of its own for callbacks on localhost.\n")
	} else {
		fmt.Printf("Sign in as one of the users that the stand-in tenant offers; each has the password \"not-a-secret\".\n")
	}
	fmt.Printf("\nStop with Ctrl+C.\n")
}
