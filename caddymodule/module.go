package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// Names of the modules.
const (
	appName  = "auth_broker"
	gateName = "auth_gate"
)

func init() {
	caddy.RegisterModule(App{})
	caddy.RegisterModule(Endpoints{})
	caddy.RegisterModule(Gate{})
	caddy.RegisterModule(adminAPI{})
	caddycmd.RegisterCommand(command())

	httpcaddyfile.RegisterGlobalOption(appName, parseApp)
	httpcaddyfile.RegisterDirective(gateName, parseGate)
	httpcaddyfile.RegisterHandlerDirective(appName, parseEndpoints)

	// Each registration inserts right behind forward_auth, so the later one
	// comes first: on a host that carries both, the endpoints answer before
	// the gate would send the visitor to sign in.
	httpcaddyfile.RegisterDirectiveOrder(gateName, httpcaddyfile.After, "forward_auth")
	httpcaddyfile.RegisterDirectiveOrder(appName, httpcaddyfile.After, "forward_auth")
}
