package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// featureCustomApps admits post-authentication applications.
const featureCustomApps = "custom_apps"

// A builder has what the parts of a broker are made with.
type builder struct {
	resolver

	// calls are the rules of the broker's own calls, print changes with
	// all that shapes them, and client makes them.
	calls  outbound.Config
	print  []string
	client *outbound.Client

	schema     *authn.Schema
	customApps bool
	pooled     *references
}

func (a *App) builder(r resolver) (*builder, error) {
	b := &builder{resolver: r, customApps: slices.Contains(a.Features, featureCustomApps), pooled: &a.pooled}
	var err error
	if b.calls, b.print, err = a.Outbound.config(r); err != nil {
		return nil, err
	}
	b.client = outbound.New(b.calls)
	if b.schema, err = a.schema(); err != nil {
		return nil, a.locate(err)
	}
	return b, nil
}

// config puts the parts together.
func (a *App) config(r resolver) (broker.Config, error) {
	var c broker.Config
	b, err := a.builder(r)
	if err != nil {
		return c, err
	}
	c.CustomApps, c.Logos = b.customApps, b.client.HTTP()
	for _, part := range []func(*builder, *broker.Config) error{
		a.configureBroker, a.configureClaims, a.configureConnections, a.configureClients, a.configurePages,
	} {
		if err := part(b, &c); err != nil {
			return c, err
		}
	}
	a.configureLimits(&c)
	return c, nil
}

func (a *App) configureBroker(b *builder, c *broker.Config) (err error) {
	place := at(a.Origin, "apps.auth_broker") + "auth_broker"
	if c.Issuer, err = b.text(place, "issuer", a.Issuer); err != nil {
		return err
	}
	if _, err := either(a.SubjectFormat, broker.SubjectHash, broker.SubjectLegacy); err != nil {
		return fmt.Errorf("%s: subject_format %w", place, err)
	}
	c.SubjectFormat, c.Demo = a.SubjectFormat, a.Demo
	for _, name := range a.Features {
		if err := checkFeature(name); err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
	}
	return nil
}

// checkFeature says which features there are.
func checkFeature(name string) error {
	if name != featureCustomApps {
		return fmt.Errorf("feature %q is unknown; use one or more of: %s", name, featureCustomApps)
	}
	return nil
}

func (a *App) configureClaims(b *builder, c *broker.Config) (err error) {
	if c.Context, err = a.fields(); err != nil {
		return a.locate(err)
	}
	for _, f := range c.Context {
		b.warnPath(f.Origin+": context", f.Name)
	}
	if c.Scopes, err = a.allScopes(); err != nil {
		return a.locate(err)
	}
	if c.Claims, err = a.allClaims(b.resolver); err != nil {
		return a.locate(err)
	}
	return nil
}

func (a *App) configureConnections(b *builder, c *broker.Config) error {
	for i := range a.Providers {
		made, err := a.Providers[i].connection(b, indexed("providers", i))
		if err != nil {
			return err
		}
		c.Connections = append(c.Connections, made)
	}
	return nil
}

func (a *App) configureClients(b *builder, c *broker.Config) error {
	for i := range a.Clients {
		made, err := a.Clients[i].client(b.resolver, indexed("clients", i), c.Connections)
		if err != nil {
			return err
		}
		c.Clients = append(c.Clients, made)
	}
	return nil
}

func (a *App) configurePages(b *builder, c *broker.Config) error {
	if a.UI == nil {
		return nil
	}
	place := at(a.UI.Origin, "apps.auth_broker.ui") + "ui"
	title, look, err := a.UI.look(b.resolver, place)
	if err != nil {
		return err
	}
	c.Title = title
	if c.Theme, err = ui.NewTheme(look); err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	return nil
}

func (a *App) configureLimits(c *broker.Config) {
	if a.Session != nil {
		c.Session = session.Limits{Idle: time.Duration(a.Session.IdleTimeout), Lifetime: time.Duration(a.Session.Lifetime)}
	}
	if a.Tokens != nil {
		c.AccessLifetime = time.Duration(a.Tokens.AccessLifetime)
		c.RefreshLifetime = time.Duration(a.Tokens.RefreshLifetime)
		c.RefreshGrace = (*time.Duration)(a.Tokens.RefreshGrace)
	}
	if a.Consent != nil {
		c.ConsentLifetime = time.Duration(a.Consent.Lifetime)
	}
}

// locate puts in front of an error of the core where its cause stands: the
// place that the error brings along, else the app's.
func (a *App) locate(err error) error {
	if declared, ok := errors.AsType[*claims.ConfigError](err); ok && declared.Origin != "" {
		return declared
	}
	return fmt.Errorf("%s%w", at(a.Origin, "apps.auth_broker"), err)
}

// indexed is the JSON path of an element of one of the app's lists.
func indexed(list string, i int) string {
	return fmt.Sprintf("apps.auth_broker.%s[%d]", list, i)
}
