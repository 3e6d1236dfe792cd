// Command claims runs the Caddyfile beside it: the groups that a tenant puts
// into its ID token reach the application behind the gate. The application
// is one that shows what it gets.
package main

import (
	_ "embed"
	"net/http"

	"github.com/caddy-auth-broker/caddy-auth-broker/examples/internal/stage"
)

//go:embed Caddyfile
var caddyfile []byte

func main() {
	stage.Main(stage.Example{
		Name:      "claims",
		Caddyfile: caddyfile,
		Issuer:    "http://localhost:8430",
		Tenant:    "localhost:8432",
		Ports:     "8430 to 8433",
		Apps:      map[string]http.Handler{"127.0.0.1:8433": stage.Echo("Orders")},
		Greeting: `
The example is running. Open in a browser:

  http://localhost:8431/   a site behind auth_gate; look for X-Groups and "groups"
`,
	})
}
