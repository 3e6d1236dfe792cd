package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// Gate lets only signed-in visitors through, and tells the application
// behind it who they are, in request headers.
//
// A request without a session is sent to sign in, or answered with 401 if
// it is not a navigation. Below the path /.auth/ the gate answers itself.
// It sets the placeholders {http.auth.user.id} and, by claim,
// {http.auth.user.NAME}. These are data: never expand them a second time.
type Gate struct {
	// The requests to guard. All others pass, but without the headers that
	// the gate sets for the application: whoever sends Remote-User himself
	// must not be believed on any path. Default: all requests.
	MatcherSetsRaw caddyhttp.RawMatcherSets `json:"match,omitempty" caddy:"namespace=http.matchers"`

	// What people read on the consent page. Default: the host.
	Name string `json:"name,omitempty"`

	// Do not ask for consent. For sites of the same organisation only.
	Trusted bool `json:"trusted,omitempty"`

	// The connections that visitors may come from. Default: all.
	Providers []string `json:"providers,omitempty"`

	// What is asked for. Default: openid, profile and email.
	Scopes []string `json:"scopes,omitempty"`

	// Scopes that the visitor cannot withhold.
	RequiredScopes []string `json:"required_scopes,omitempty"`

	// The headers that the application gets. Naming one replaces the whole
	// default set: Authorization, X-Id-Token, Remote-User, Remote-Email,
	// Remote-Name and Remote-Groups.
	Headers []Header `json:"headers,omitempty"`

	// Paths that need no sign-in: exact, or a prefix that ends in "/*".
	Public []string `json:"public,omitempty"`

	// The hosts that are guarded, each with a port or as a whole origin if
	// need be. Default: those of the site. Required where the site's
	// address is a wildcard or names no host.
	Hosts []string `json:"hosts,omitempty"`

	// Where this is configured, such as "Caddyfile:12". Without it, the
	// site cannot be found and hosts is required, as whole origins.
	Origin string `json:"origin,omitempty"`

	matchers caddyhttp.MatcherSets
	gate     *gateway.Gate
}

// Header is one request header for the application.
type Header struct {
	// The header's name.
	Name string `json:"name,omitempty"`

	// Its value, with {claim.NAME}, {sub}, {sid}, {access_token},
	// {id_token} or {verified_email} in it. Without a value for one of
	// them the header is not sent.
	Value string `json:"value,omitempty"`

	// Where this is configured.
	Origin string `json:"origin,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Gate) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.auth_gate", New: func() caddy.Module { return new(Gate) }}
}

// Provision makes the site a client of the broker.
func (g *Gate) Provision(ctx caddy.Context) error {
	place := at(g.Origin, "handler auth_gate") + "auth_gate"
	app, err := findApp(ctx, place)
	if err != nil {
		return err
	}
	matchers, err := ctx.LoadModule(g, "MatcherSetsRaw")
	if err != nil {
		return fmt.Errorf("%s: match: %w", place, err)
	}
	if err := g.matchers.FromInterface(matchers); err != nil {
		return fmt.Errorf("%s: match: %w", place, err)
	}
	config, err := g.config(ctx, place)
	if err != nil {
		return err
	}
	app.warnScopes(newResolver(ctx.Logger()), place, g.Scopes)
	if g.gate, err = app.broker.NewGate(config); err != nil {
		return fmt.Errorf("%s%w", at(g.Origin, "handler auth_gate"), err)
	}
	return nil
}

func (g *Gate) config(ctx caddy.Context, place string) (broker.GateConfig, error) {
	c := broker.GateConfig{
		Name: g.Name, Trusted: g.Trusted, Connections: g.Providers,
		Scopes: g.Scopes, RequiredScopes: g.RequiredScopes, Public: g.Public, Origin: g.Origin,
	}
	var err error
	if c.Origins, err = g.origins(ctx); err != nil {
		return c, fmt.Errorf("%s: %w", place, err)
	}
	for _, h := range g.Headers {
		header, err := gateway.ParseHeader(h.Name, h.Value)
		if err != nil {
			return c, fmt.Errorf("%sauth_gate: %w", at(h.Origin, place), err)
		}
		c.Headers = append(c.Headers, header)
	}
	return c, nil
}

// origins returns the origins to guard: those of the words hosts, or of the
// site.
func (g *Gate) origins(ctx caddy.Context) ([]string, error) {
	s, err := findSite(ctx, g.Origin)
	hosts := g.Hosts
	if err == nil && len(hosts) == 0 {
		hosts, err = s.exact()
	}
	partial := func(host string) bool { return !strings.Contains(host, "://") }
	switch {
	case errors.Is(err, errNoSite) && len(hosts) > 0 && !slices.ContainsFunc(hosts, partial):
	case errors.Is(err, errNoSite):
		return nil, fmt.Errorf("%w; write its origins, such as: hosts https://app.example.com", err)
	case err != nil:
		return nil, err
	}
	origins, err := s.origins(hosts)
	if err != nil {
		return nil, err
	}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err == nil && u.Scheme == "http" && !oauth.LoopbackHost(u.Hostname()) {
			return nil, fmt.Errorf("the site %s is not https, so its sessions could be stolen; if something in front of Caddy speaks https, write: hosts https://%s", origin, u.Hostname())
		}
	}
	return origins, nil
}

// ServeHTTP lets the request through to next, or answers it.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	guarded, err := g.matchers.AnyMatchWithError(r)
	if err != nil {
		return err
	}
	if !guarded {
		return g.skip(w, r, next)
	}
	return g.gate.Serve(w, r, originalURL(r), func(w http.ResponseWriter, r *http.Request, v *gateway.Visitor) error {
		if v != nil {
			caddyhttp.SetVar(r.Context(), passedVar, true)
		}
		publish(r, v)
		return next.ServeHTTP(w, r)
	})
}

// passedVar is the request variable that is true once a gate has let a
// visitor through.
const passedVar = "auth_gate.passed" //nolint:gosec // G101: passed, not password

// skip is for what the matcher leaves out. Where another gate of the site,
// for other paths, has set its headers, they stay.
func (g *Gate) skip(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if passed, _ := caddyhttp.GetVar(r.Context(), passedVar).(bool); passed {
		return next.ServeHTTP(w, r)
	}
	return g.gate.Skip(w, r, originalURL(r), func(w http.ResponseWriter, r *http.Request, _ *gateway.Visitor) error {
		return next.ServeHTTP(w, r)
	})
}

var (
	_ caddy.Provisioner           = (*Gate)(nil)
	_ caddyhttp.MiddlewareHandler = (*Gate)(nil)
)
