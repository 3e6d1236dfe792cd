// Command caddy is Caddy with the auth_broker and auth_gate modules.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-auth-broker/caddy-auth-broker/caddymodule"
)

func main() {
	caddycmd.Main()
}
