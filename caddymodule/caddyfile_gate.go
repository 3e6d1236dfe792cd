package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// parseGate reads the site directive. Syntax:
//
//	auth_gate [<matcher>] {
//		name <text>
//		trusted
//		provider <connection>...
//		scopes <scope>...
//		required_scopes <scope>...
//		header <name> <value>
//		public <path>...
//		hosts <host>...
//	}
//
// The matcher goes into the handler and not into the route: what it leaves
// out must pass through the gate as well, to be rid of forged headers, and
// /.auth/* is always the gate's.
func parseGate(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	h.Next()
	matcher, err := h.ExtractMatcherSet()
	if err != nil {
		return nil, err
	}
	h.Next()
	g := &Gate{Origin: originIn(h)}
	if err := noArguments(h.Dispenser, "auth_gate"); err != nil {
		return nil, err
	}
	if err := readBlock(h.Dispenser, "auth_gate", g.words(), map[string]bool{}); err != nil {
		return nil, err
	}
	if matcher != nil {
		g.MatcherSetsRaw = caddyhttp.RawMatcherSets{matcher}
	}
	return h.NewRoute(nil, g), nil
}

func (g *Gate) words() []word {
	return []word{
		{name: "name", read: text(&g.Name)},
		{name: "trusted", read: toggle(&g.Trusted)},
		{name: "provider", read: list(&g.Providers)},
		{name: "scopes", read: list(&g.Scopes)},
		{name: "required_scopes", read: list(&g.RequiredScopes)},
		{name: "header", read: g.readHeader, many: true},
		{name: "public", read: list(&g.Public), many: true},
		{name: "hosts", read: list(&g.Hosts)},
	}
}

func (g *Gate) readHeader(d *caddyfile.Dispenser) error {
	h := Header{Origin: originOf(d)}
	if !d.AllArgs(&h.Name, &h.Value) || h.Name == "" || h.Value == "" {
		return d.Errf("header takes a name and a value, such as: header X-User-Email {claim.email}")
	}
	g.Headers = append(g.Headers, h)
	return nil
}

// originIn returns the origin of a directive, made unique: a snippet that
// several sites import has one line, and each handler must find its own
// site.
func originIn(h httpcaddyfile.Helper) string {
	const state = "auth_broker.origins"
	seen, ok := h.State[state].(map[string]int)
	if !ok {
		seen = map[string]int{}
		h.State[state] = seen
	}
	origin := originOf(h.Dispenser)
	seen[origin]++
	if n := seen[origin]; n > 1 {
		return fmt.Sprintf("%s (%d)", origin, n)
	}
	return origin
}
