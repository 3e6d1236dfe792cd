package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
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

	// Names of the authentication context besides the default ones: those
	// of OpenID Connect Core, 5.1, and "groups".
	Context []ContextField `json:"context,omitempty"`

	// Scopes besides the default ones. One that has a default's name
	// replaces it.
	Scopes []Scope `json:"scopes,omitempty"`

	// Claims besides the default ones, which are those that the standard
	// scopes carry in the ID token. One of a default's name for the same
	// token replaces it.
	Claims []Claim `json:"claims,omitempty"`

	// How users are called in tokens: "hash" (the default), a keyed hash
	// of provider and user; or "legacy", as the provider calls them, which
	// works with a single provider.
	SubjectFormat string `json:"subject_format,omitempty"`

	// What is off unless it is named: "custom_apps" admits providers with
	// a post-authentication application.
	Features []string `json:"features,omitempty"`

	// Demo switches the demo application on: an ordinary client with the id
	// "demo", at the path /demo/ below the issuer, that shows its users what
	// an application gets. Default: off.
	Demo bool `json:"demo,omitempty"`

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
	served bool            // some site has auth_broker
	scopes map[string]bool // declared, or warned about
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
	a.warn(r)
	path, err := a.Storage.path(r)
	if err != nil {
		return err
	}
	state := a.pooled.state(path)
	a.broker, err = broker.New(config, broker.Deps{Store: state.store, Cache: state.cache, Log: a.log})
	if err != nil {
		return a.locate(err)
	}
	return nil
}

// warn tells about what is fit for development only, and about scopes that
// nobody declared.
func (a *App) warn(r resolver) {
	if strings.HasPrefix(a.issuer, "http://") {
		a.log.Warn("the issuer is plain http; use https except for development", zap.String("issuer", a.issuer))
	}
	if a.Outbound != nil && a.Outbound.AllowHTTP {
		a.log.Warn("providers may be called by plain http on this machine; leave out allow_http except for development")
	}
	for i, c := range a.Claims {
		a.warnScopes(r, at(c.Origin, indexed("claims", i))+"claim "+c.Name, c.Scopes)
	}
	for i, c := range a.Clients {
		a.warnScopes(r, at(c.Origin, indexed("clients", i))+"client "+c.ID, c.Scopes)
	}
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
		out = append(out, namedDuration{t.Origin, "tokens: access_lifetime", t.AccessLifetime},
			namedDuration{t.Origin, "tokens: refresh_lifetime", t.RefreshLifetime})
		if t.RefreshGrace != nil {
			out = append(out, namedDuration{t.Origin, "tokens: refresh_grace", *t.RefreshGrace})
		}
	}
	if c := a.Consent; c != nil {
		out = append(out, namedDuration{c.Origin, "consent: lifetime", c.Lifetime})
	}
	if o := a.Outbound; o != nil {
		out = append(out, namedDuration{o.Origin, "outbound: timeout", o.Timeout})
	}
	for i := range a.Providers {
		out = append(out, a.Providers[i].durations(indexed("providers", i))...)
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
	for _, w := range a.broker.Lineage().Warnings {
		if w.Code != lineage.AttributeNotMapped { // told when provisioning, with the lines around it
			a.log.Warn(w.String())
		}
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
