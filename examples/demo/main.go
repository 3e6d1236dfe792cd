// Command demo shows the whole path on one machine: a stand-in Auth0 tenant,
// Caddy with the broker, a gated site and an ordinary OpenID Connect client.
//
// With AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET set, it uses
// that tenant instead of its own.
package main

import (
	"crypto/rand"
	_ "embed"
	"net/http"

	"github.com/caddy-auth-broker/caddy-auth-broker/examples/internal/stage"
)

// Where everything listens; the Caddyfile says the same.
const (
	issuer    = "http://localhost:8420"
	gatedSite = "http://localhost:8421"
	clientApp = "http://localhost:8422"
)

//go:embed Caddyfile
var caddyfile []byte

func main() {
	secret := rand.Text() // between the client and the broker
	stage.Main(stage.Example{
		Name:      "demo",
		Caddyfile: caddyfile,
		Issuer:    issuer,
		Tenant:    "localhost:8423",
		Ports:     "8420 to 8425",
		Env:       map[string]string{"NOTES_SECRET": secret},
		Apps: map[string]http.Handler{
			"127.0.0.1:8422": notes(secret),
			"127.0.0.1:8424": stage.Echo("Orders"),
		},
		Greeting: greeting,
	})
}

const greeting = `
The demo is running. Open in one browser:

  ` + issuer + `/portal  the user portal: my apps, my data, my sessions
  ` + issuer + `/demo/   the demo application: choose what to ask for, see what comes
  ` + gatedSite + `/        a site behind auth_gate; it shows the headers it gets
  ` + clientApp + `/        an OpenID Connect client of the same broker

Ask it for what it knows, from another terminal:

  go run ./cmd/caddy auth-broker traces --address localhost:8425
  go run ./cmd/caddy auth-broker explain email --client notes --address localhost:8425
`
