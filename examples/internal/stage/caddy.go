package stage

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile" // the adapter
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-auth-broker/caddy-auth-broker/caddymodule"
)

func (e Example) startCaddy() error {
	adapter := caddyconfig.GetAdapter("caddyfile")
	config, _, err := adapter.Adapt(e.Caddyfile, map[string]any{"filename": "examples/" + e.Name + "/Caddyfile"})
	if err != nil {
		return err
	}
	return caddy.Load(config, true)
}
