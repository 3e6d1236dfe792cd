package stage

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// An Example says what is on stage. All fields but Env and Apps are needed.
type Example struct {
	// Name is the folder's.
	Name string

	// Caddyfile is the configuration. Its provider auth0 reads the
	// variables AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET.
	Caddyfile []byte

	// Issuer is the broker's address, as in the Caddyfile.
	Issuer string

	// Tenant is where the stand-in tenant listens, such as
	// "localhost:8423".
	Tenant string

	// Ports is what to say when one of them is taken: "8420 to 8424".
	Ports string

	// Env are further variables that the Caddyfile reads.
	Env map[string]string

	// Apps are the applications by the address each listens at.
	Apps map[string]http.Handler

	// Greeting tells what to open.
	Greeting string
}

// Main runs the example until it is interrupted, and ends the program.
func Main(e Example) {
	if err := e.run(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", e.Name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (e Example) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	// Each run begins anew, so that the consent page is seen each time.
	dir, err := os.MkdirTemp("", "auth-broker-"+e.Name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := setEnv(map[string]string{"XDG_DATA_HOME": dir}); err != nil {
		return err
	}
	if err := setEnv(e.Env); err != nil {
		return err
	}

	standIn := os.Getenv("AUTH0_DOMAIN") == ""
	if standIn {
		if err := e.startTenant(ctx); err != nil {
			return err
		}
	}
	for addr, app := range e.Apps {
		if err := e.serve(ctx, addr, app); err != nil {
			return err
		}
	}
	if err := e.startCaddy(); err != nil {
		return err
	}
	e.greet(standIn)
	<-ctx.Done()
	return caddy.Stop()
}

// serve starts a server and stops it with ctx.
func (e Example) serve(ctx context.Context, addr string, h http.Handler) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; the example needs ports %s", err, e.Ports)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	return nil
}

func setEnv(values map[string]string) error {
	for name, value := range values {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
}

func (e Example) greet(standIn bool) {
	fmt.Printf("\n%s\n\n", strings.TrimSpace(e.Greeting))
	if standIn {
		fmt.Printf("Sign in as one of the users that the stand-in tenant offers; each has the password \"not-a-secret\".\n")
	} else {
		fmt.Printf("At Auth0, enter in the settings of your application:\n\n")
		fmt.Printf("  Allowed Callback URLs   %s\n", e.callback())
		fmt.Printf("  Allowed Logout URLs     %s\n\n", e.afterLogout())
		fmt.Printf("Auth0 shows one more page of its own for callbacks on localhost.\n")
	}
	fmt.Printf("\nStop with Ctrl+C.\n")
}

// The addresses of the broker that a tenant has to know.
func (e Example) callback() string    { return e.Issuer + "/oauth2/callback/auth0" }
func (e Example) afterLogout() string { return e.Issuer + "/oauth2/logout" }
