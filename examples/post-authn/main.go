// Command post-authn runs the Caddyfile beside it and the application that
// the broker sends users to after they have signed in: welcome.go is what
// they see, api.go how it talks to the broker.
package main

import (
	"cmp"
	"crypto/rand"
	_ "embed"
	"net/http"
	"os"

	"github.com/caddy-auth-broker/caddy-auth-broker/examples/internal/stage"
)

const issuer = "http://localhost:8440"

//go:embed Caddyfile
var caddyfile []byte

func main() {
	// The broker and the application share it. One that is set already can
	// be used with curl, as the README shows.
	secret := cmp.Or(os.Getenv("WELCOME_SECRET"), rand.Text())
	stage.Main(stage.Example{
		Name:      "post-authn",
		Caddyfile: caddyfile,
		Issuer:    issuer,
		Tenant:    "localhost:8442",
		Ports:     "8440 to 8444",
		Env:       map[string]string{"WELCOME_SECRET": secret},
		Apps: map[string]http.Handler{
			"127.0.0.1:8443": stage.Echo("Orders"),
			"127.0.0.1:8444": newWelcome(newAPI(issuer, "welcome", secret)),
		},
		Greeting: `
The example is running. Open in a browser:

  http://localhost:8441/   a site behind auth_gate; on the way you are asked for your organization
`,
	})
}
