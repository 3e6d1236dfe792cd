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

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// Endpoints answers the addresses of the broker's issuer and passes all
// else on, so that an application can share the host.
type Endpoints struct {
	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`

	app *App
}

// CaddyModule returns the Caddy module information.
func (Endpoints) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.auth_broker", New: func() caddy.Module { return new(Endpoints) }}
}

// Provision finds the broker and checks that this site is the issuer's.
func (e *Endpoints) Provision(ctx caddy.Context) error {
	app, err := findApp(ctx, at(e.Origin, "handler auth_broker")+"auth_broker")
	if err != nil {
		return err
	}
	e.app = app
	app.served = true
	site, err := findSite(ctx, e.Origin)
	if errors.Is(err, errNoSite) {
		return nil // as in JSON written by hand: there is nothing to compare
	}
	if err != nil {
		return fmt.Errorf("%sauth_broker: %w", at(e.Origin, ""), err)
	}
	issuer, err := url.Parse(app.issuer)
	if err != nil {
		return err
	}
	host := issuer.Hostname()
	if !site.serves(host) {
		return fmt.Errorf("%sauth_broker: this site is %s, but the issuer is %s; put auth_broker into the site %s, or change the issuer",
			at(e.Origin, ""), strings.Join(site.hosts, ", "), issuer, host)
	}
	if origins, err := site.origins([]string{host}); err == nil && !slices.Contains(origins, issuer.Scheme+"://"+issuer.Host) {
		ctx.Logger().Warn(fmt.Sprintf("%sauth_broker: this site is at %s, but the issuer is %s; unless something in front of Caddy maps the one to the other, nobody can sign in",
			at(e.Origin, ""), strings.Join(origins, ", "), issuer))
	}
	return nil
}

// ServeHTTP goes by the address that the browser asked for: a rewrite for
// the application must not move the endpoints.
func (e *Endpoints) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	original := originalURL(r)
	if !e.app.broker.Ours(original.Path) {
		// What shares the issuer's host gets all its cookies. The handle of a
		// session at the broker is none of an application's business.
		session.HideBrokers(r.Header)
		return next.ServeHTTP(w, r)
	}
	if r.URL != original {
		r = r.WithContext(r.Context())
		r.URL = original
	}
	e.app.broker.ServeHTTP(w, r)
	return nil
}

// originalURL returns the URL before any rewrite.
func originalURL(r *http.Request) *url.URL {
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		return original.URL
	}
	return r.URL
}

// findApp returns the app. Context.App would make an empty one where it is
// not configured, which is an error here that names the place. An app that
// is configured wrongly names its own.
func findApp(ctx caddy.Context, place string) (*App, error) {
	app, err := ctx.AppIfConfigured(appName)
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, fmt.Errorf("%s: the broker is not configured; add the global option auth_broker with an issuer and a provider", place)
	}
	if err != nil {
		return nil, err
	}
	return app.(*App), nil
}

var (
	_ caddy.Provisioner           = (*Endpoints)(nil)
	_ caddyhttp.MiddlewareHandler = (*Endpoints)(nil)
)
