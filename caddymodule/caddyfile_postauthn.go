package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// readPostAuthnApp reads a post-authentication application. Syntax:
//
//	post_authn_app {
//		url <url>
//		client <client>
//		may_set <context attribute>...
//		ttl <time>
//	}
func (p *Provider) readPostAuthnApp(d *caddyfile.Dispenser) error {
	a := &PostAuthnApp{Origin: originOf(d)}
	p.PostAuthnApp = a
	return settings(d, a.words()...)
}

func (a *PostAuthnApp) words() []word {
	return []word{
		{name: "url", read: text(&a.URL)},
		{name: "client", read: text(&a.Client)},
		{name: "may_set", read: list(&a.MaySet), many: true},
		{name: "ttl", read: duration(&a.TTL)},
	}
}
