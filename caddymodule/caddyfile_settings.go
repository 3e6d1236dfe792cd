package caddymodule

import (
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// readStorage reads where the store is. Syntax:
//
//	storage embedded <path>
func (a *App) readStorage(d *caddyfile.Dispenser) error {
	s := &Storage{Origin: originOf(d)}
	if !d.NextArg() || d.Val() != "embedded" {
		return d.Errf("storage: write: storage embedded PATH")
	}
	s.Kind = d.Val()
	if !d.AllArgs(&s.Path) || s.Path == "" {
		return d.Errf("storage: write: storage embedded PATH")
	}
	a.Storage = s
	return nil
}

// settings reads a block that has no arguments.
func settings(d *caddyfile.Dispenser, words ...word) error {
	place := d.Val()
	if err := noArguments(d, place); err != nil {
		return err
	}
	return readBlock(d, place, words, map[string]bool{})
}

// readSession reads the limits of sessions. Syntax:
//
//	session {
//		idle_timeout <time>
//		lifetime <time>
//	}
func (a *App) readSession(d *caddyfile.Dispenser) error {
	s := &SessionSettings{Origin: originOf(d)}
	a.Session = s
	return settings(d,
		word{name: "idle_timeout", read: duration(&s.IdleTimeout)},
		word{name: "lifetime", read: duration(&s.Lifetime)})
}

// readTokens reads the limits of tokens. Syntax:
//
//	tokens {
//		access_lifetime <time>
//		refresh_lifetime <time>
//		refresh_grace <time>|0
//	}
func (a *App) readTokens(d *caddyfile.Dispenser) error {
	t := &TokenSettings{Origin: originOf(d)}
	a.Tokens = t
	return settings(d,
		word{name: "access_lifetime", read: duration(&t.AccessLifetime)},
		word{name: "refresh_lifetime", read: duration(&t.RefreshLifetime)},
		word{name: "refresh_grace", read: t.readGrace})
}

// readGrace reads a time that may be none at all.
func (t *TokenSettings) readGrace(d *caddyfile.Dispenser) error {
	t.RefreshGrace = new(caddy.Duration)
	if next := *d; next.NextArg() && next.Val() == "0" && !next.NextArg() {
		*d = next
		return nil
	}
	return duration(t.RefreshGrace)(d)
}

// readConsent reads the limits of consents. Syntax:
//
//	consent {
//		lifetime <time>
//	}
func (a *App) readConsent(d *caddyfile.Dispenser) error {
	c := &ConsentSettings{Origin: originOf(d)}
	a.Consent = c
	return settings(d, word{name: "lifetime", read: duration(&c.Lifetime)})
}

// readUI reads the look of the pages. Syntax:
//
//	ui {
//		title <text>
//		logo <file>
//		accent <colour>
//		templates <directory>
//	}
func (a *App) readUI(d *caddyfile.Dispenser) error {
	u := &UI{Origin: originOf(d)}
	a.UI = u
	return settings(d,
		word{name: "title", read: text(&u.Title)},
		word{name: "logo", read: text(&u.Logo)},
		word{name: "accent", read: colour(&u.Accent)},
		word{name: "templates", read: text(&u.Templates)})
}

// colour reads a colour. One in a placeholder is looked at later. The reader
// takes a # without quotes for a comment, so no argument is a likely mistake.
func colour(to *string) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name := d.Val()
		if !d.AllArgs(to) {
			return d.Errf(`%s takes one colour, in quotes, such as "#0a7cff"`, name)
		}
		if strings.Contains(*to, "{") {
			return nil
		}
		if _, err := ui.ParseAccent(*to); err != nil {
			return d.Errf("%s: %w", name, err)
		}
		return nil
	}
}

// readOutbound reads what the broker may call. Syntax:
//
//	outbound {
//		trusted_roots <file>...
//		allow <prefix>...
//		allow_http
//		timeout <time>
//	}
func (a *App) readOutbound(d *caddyfile.Dispenser) error {
	o := &Outbound{Origin: originOf(d)}
	a.Outbound = o
	return settings(d,
		word{name: "trusted_roots", read: list(&o.TrustedRoots), many: true},
		word{name: "allow", read: list(&o.Allow), many: true},
		word{name: "allow_http", read: toggle(&o.AllowHTTP)},
		word{name: "timeout", read: duration(&o.Timeout)})
}
