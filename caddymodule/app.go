package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// App is an OpenID Connect broker in front of one or more identity
// providers, with an authentication gate for sites of this server.
//
// A site with the handler auth_broker serves its endpoints; sites with the
// handler auth_gate are protected.
type App struct {
	// The broker's own address, such as "https://auth.example.com": the
	// "iss" of its tokens. It has no trailing slash and may have a path.
	// Plain http is accepted on loopback hosts only. Required.
	Issuer string `json:"issuer,omitempty"`

	// Where sessions, consents and keys are kept. Default: one file in
	// Caddy's data directory.
	Storage *Storage `json:"storage,omitempty"`

	// The upstream identity providers. At least one is required.
	Providers []Provider `json:"providers,omitempty"`

	// The applications that sign in by OpenID Connect. Gated sites are not
	// listed: each is a client by itself.
	Clients []Client `json:"clients,omitempty"`

	// Limits of sessions.
	Session *SessionSettings `json:"session,omitempty"`

	// Limits of tokens.
	Tokens *TokenSettings `json:"tokens,omitempty"`

	// Limits of consents.
	Consent *ConsentSettings `json:"consent,omitempty"`

	// The look of the pages.
	UI *UI `json:"ui,omitempty"`

	// The broker's own calls.
	Outbound *Outbound `json:"outbound,omitempty"`

	// Where this is configured, such as "Caddyfile:2".
	Origin string `json:"origin,omitempty"`

	ctx    caddy.Context
	log    *zap.Logger
	issuer string // without placeholders
	broker *broker.Broker
	served bool // some site has auth_broker
	pooled references
	stop   context.CancelFunc
}

// CaddyModule returns the Caddy module information.
func (App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: appName, New: func() caddy.Module { return new(App) }}
}

// Provision makes the broker. It does no I/O but for reading the files that
// the configuration names.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx, a.log = ctx, ctx.Logger()
	r := newResolver(a.log)
	config, err := a.config(r)
	if err != nil {
		return err
	}
	a.issuer = config.Issuer
	a.warn()
	path, err := a.Storage.path(r)
	if err != nil {
		return err
	}
	state := a.pooled.state(path)
	a.broker, err = broker.New(config, broker.Deps{Store: state.store, Cache: state.cache, Log: a.log})
	if err != nil {
		return fmt.Errorf("%s%w", at(a.Origin, "apps.auth_broker"), err)
	}
	return nil
}

// warn tells about what is fit for development only.
func (a *App) warn() {
	if strings.HasPrefix(a.issuer, "http://") {
		a.log.Warn("the issuer is plain http; use https except for development", zap.String("issuer", a.issuer))
	}
	if a.Outbound != nil && a.Outbound.AllowHTTP {
		a.log.Warn("providers may be called by plain http on this machine; leave out allow_http except for development")
	}
}

// config puts the parts together.
func (a *App) config(r resolver) (broker.Config, error) {
	var c broker.Config
	var err error
	place := at(a.Origin, "apps.auth_broker") + "auth_broker"
	if c.Issuer, err = r.text(place, "issuer", a.Issuer); err != nil {
		return c, err
	}
	if c.Connections, err = a.connections(r); err != nil {
		return c, err
	}
	for i := range a.Clients {
		made, err := a.Clients[i].client(r, fmt.Sprintf("apps.auth_broker.clients[%d]", i), c.Connections)
		if err != nil {
			return c, err
		}
		c.Clients = append(c.Clients, made)
	}
	if a.Session != nil {
		c.Session = session.Limits{Idle: time.Duration(a.Session.IdleTimeout), Lifetime: time.Duration(a.Session.Lifetime)}
	}
	if a.Tokens != nil {
		c.AccessLifetime = time.Duration(a.Tokens.AccessLifetime)
	}
	if a.Consent != nil {
		c.ConsentLifetime = time.Duration(a.Consent.Lifetime)
	}
	if a.UI != nil {
		if c.Title, err = r.text(at(a.UI.Origin, "apps.auth_broker.ui")+"ui", "title", a.UI.Title); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (a *App) connections(r resolver) ([]broker.Connection, error) {
	calls, print, err := a.Outbound.config(r)
	if err != nil {
		return nil, err
	}
	var out []broker.Connection
	for i := range a.Providers {
		c, err := a.Providers[i].connection(r, fmt.Sprintf("apps.auth_broker.providers[%d]", i), calls, print, &a.pooled)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Validate checks the limits of times.
func (a *App) Validate() error {
	for _, d := range a.durations() {
		if d.value < 0 {
			return fmt.Errorf("%s%s: must not be negative", at(d.origin, "apps.auth_broker"), d.word)
		}
	}
	return nil
}

type namedDuration struct {
	origin, word string
	value        caddy.Duration
}

func (a *App) durations() (out []namedDuration) {
	if s := a.Session; s != nil {
		out = append(out, namedDuration{s.Origin, "session: idle_timeout", s.IdleTimeout},
			namedDuration{s.Origin, "session: lifetime", s.Lifetime})
	}
	if t := a.Tokens; t != nil {
		out = append(out, namedDuration{t.Origin, "tokens: access_lifetime", t.AccessLifetime})
	}
	if c := a.Consent; c != nil {
		out = append(out, namedDuration{c.Origin, "consent: lifetime", c.Lifetime})
	}
	if o := a.Outbound; o != nil {
		out = append(out, namedDuration{o.Origin, "outbound: timeout", o.Timeout})
	}
	return out
}

// Start opens the store, makes keys where there are none, and tells the
// operator what to enter at the providers. An error refuses the
// configuration; no provider is called.
func (a *App) Start() error {
	ctx, cancel := context.WithCancel(a.ctx)
	a.stop = cancel
	if err := a.broker.Start(ctx); err != nil {
		cancel()
		return fmt.Errorf("%s%w", at(a.Origin, "apps.auth_broker"), err)
	}
	if !a.served {
		a.log.Warn("no site has auth_broker, so nobody can sign in unless another Caddy serves the issuer; add it to the issuer's site",
			zap.String("issuer", a.issuer))
	}
	urls := a.broker.CallbackURLs()
	for _, id := range slices.Sorted(maps.Keys(urls)) {
		a.log.Info("enter this redirect URL at the provider",
			zap.String("connection", id), zap.String("redirect_url", urls[id]))
	}
	return nil
}

// Stop ends what Start began.
func (a *App) Stop() error {
	if a.stop != nil {
		a.stop()
	}
	return nil
}

// Cleanup gives back what Provision took from the pools. Caddy calls it
// also after a Provision that failed, and without Start.
func (a *App) Cleanup() error {
	return errors.Join(a.Stop(), a.pooled.release())
}

var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.Validator    = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
