package caddymodule

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
)

// parseApp reads the global option. A second block, usually imported, joins
// the first. Syntax:
//
//	auth_broker {
//		issuer <url>
//		storage embedded <path>
//		provider <kind> ...
//		context <name> <type> ...
//		scope <name> ...
//		claim <name> <type>... ...
//		client <id> { ... }
//		subject_format hash|legacy
//		feature <name>...
//		demo
//		session { ... }
//		tokens { ... }
//		consent { ... }
//		ui { ... }
//		outbound { ... }
//	}
func parseApp(d *caddyfile.Dispenser, existing any) (any, error) {
	app := new(App)
	if previous, ok := existing.(httpcaddyfile.App); ok {
		if err := json.Unmarshal(previous.Value, app); err != nil {
			return nil, fmt.Errorf("reading the first auth_broker block again: %w", err)
		}
	}
	d.Next()
	if app.Origin == "" {
		app.Origin = originOf(d)
	}
	if err := noArguments(d, "auth_broker"); err != nil {
		return nil, err
	}
	if err := readBlock(d, "auth_broker", app.words(), app.given()); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: appName, Value: caddyconfig.JSON(app, nil)}, nil
}

func (a *App) words() []word {
	return []word{
		{name: "issuer", read: text(&a.Issuer)},
		{name: "storage", read: a.readStorage},
		{name: "provider", read: a.readProvider, many: true},
		{name: "context", read: a.readContext, many: true},
		{name: "scope", read: a.readScope, many: true},
		{name: "claim", read: a.readClaim, many: true},
		{name: "client", read: a.readClient, many: true},
		{name: "subject_format", read: oneOf(&a.SubjectFormat, broker.SubjectHash, broker.SubjectLegacy)},
		{name: "feature", read: someOf(&a.Features, featureCustomApps), many: true},
		{name: "demo", read: toggle(&a.Demo)},
		{name: "session", read: a.readSession},
		{name: "tokens", read: a.readTokens},
		{name: "consent", read: a.readConsent},
		{name: "ui", read: a.readUI},
		{name: "outbound", read: a.readOutbound},
	}
}

// given are the words that an earlier block has set.
func (a *App) given() map[string]bool {
	return map[string]bool{
		"issuer":         a.Issuer != "",
		"storage":        a.Storage != nil,
		"subject_format": a.SubjectFormat != "",
		"demo":           a.Demo,
		"session":        a.Session != nil,
		"tokens":         a.Tokens != nil,
		"consent":        a.Consent != nil,
		"ui":             a.UI != nil,
		"outbound":       a.Outbound != nil,
	}
}

// parseEndpoints reads the site directive. Syntax:
//
//	auth_broker
func parseEndpoints(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	e := &Endpoints{Origin: originIn(h)}
	if h.NextArg() || h.NextBlock(0) {
		return nil, h.Err("auth_broker takes no argument and no block in a site; its settings belong into the global option auth_broker")
	}
	return e, nil
}
