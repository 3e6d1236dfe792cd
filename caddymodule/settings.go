package caddymodule

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// Storage says where the broker keeps what must survive a restart.
type Storage struct {
	// The backend. "embedded" is the only one: one file, which belongs to
	// one process.
	Kind string `json:"kind,omitempty"`

	// The file of the embedded backend. Its sealing key is made beside it,
	// under the same name with ".key" behind: keep both or none. Default:
	// auth_broker/auth_broker.db in Caddy's data directory.
	Path string `json:"path,omitempty"`

	// Where this is configured, such as "Caddyfile:12".
	Origin string `json:"origin,omitempty"`
}

// SessionSettings limit SSO sessions and the sessions of gated sites.
type SessionSettings struct {
	// How long a session lives without being used. Default: 1h.
	IdleTimeout caddy.Duration `json:"idle_timeout,omitempty"`

	// How long a session lives at all. Default: 12h.
	Lifetime caddy.Duration `json:"lifetime,omitempty"`

	// Where this is configured.
	Origin string `json:"origin,omitempty"`
}

// TokenSettings are about the tokens that the broker mints.
type TokenSettings struct {
	// How long access and ID tokens live. Default: 10m. Those that a gate
	// sends upstream live 5m at most.
	AccessLifetime caddy.Duration `json:"access_lifetime,omitempty"`

	// How long refresh tokens live from the sign-in on, however often they
	// are used. Default: 30d.
	RefreshLifetime caddy.Duration `json:"refresh_lifetime,omitempty"`

	// How long a refresh token that was used brings the same successor
	// again, to a client that got no answer. With 0 a second use ends all
	// that came of the sign-in at once. Default: 10s.
	RefreshGrace *caddy.Duration `json:"refresh_grace,omitempty"`

	// Where this is configured.
	Origin string `json:"origin,omitempty"`
}

// ConsentSettings are about what users have agreed to.
type ConsentSettings struct {
	// After which time users are asked again. Default: never.
	Lifetime caddy.Duration `json:"lifetime,omitempty"`

	// Where this is configured.
	Origin string `json:"origin,omitempty"`
}

// UI is the look of the pages. Its files are read when the configuration is
// loaded. Relative names start from the directory that Caddy was started in.
type UI struct {
	// The operator's name, on every page.
	Title string `json:"title,omitempty"`

	// The file of a picture that stands at the top of every page in place
	// of the title: PNG, JPEG, GIF, WebP or SVG, 256 KiB at most.
	Logo string `json:"logo,omitempty"`

	// The colour of buttons and links, "#rgb" or "#rrggbb". Where it would
	// be hard to read it is made darker or, on dark pages, lighter.
	Accent string `json:"accent,omitempty"`

	// A directory of templates. Its files replace the built-in ones of the
	// same names, and the rules of its style.css come after the built-in
	// ones. Each has 256 KiB at most.
	Templates string `json:"templates,omitempty"`

	// Where this is configured.
	Origin string `json:"origin,omitempty"`
}

// Outbound is about the broker's own calls to providers.
type Outbound struct {
	// PEM files of certificate authorities to trust besides those of the
	// system.
	TrustedRoots []string `json:"trusted_roots,omitempty"`

	// Address ranges to open, such as "10.1.0.0/16". Without it only
	// public addresses can be called.
	Allow []string `json:"allow,omitempty"`

	// Permit plain http, to loopback names only. For demos and tests.
	AllowHTTP bool `json:"allow_http,omitempty"`

	// Limit of a whole call. Default: 5s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// Where this is configured.
	Origin string `json:"origin,omitempty"`
}

// look returns the settings without placeholders.
func (u *UI) look(r resolver, place string) (title string, look ui.Look, err error) {
	for _, setting := range []struct {
		word, value string
		to          *string
	}{
		{"title", u.Title, &title},
		{"logo", u.Logo, &look.Logo},
		{"accent", u.Accent, &look.Accent},
		{"templates", u.Templates, &look.Templates},
	} {
		if *setting.to, err = r.text(place, setting.word, setting.value); err != nil {
			return "", look, err
		}
	}
	return title, look, nil
}

// path returns the absolute name of the database file.
func (s *Storage) path(r resolver) (string, error) {
	if s == nil {
		return filepath.Join(caddy.AppDataDir(), "auth_broker", "auth_broker.db"), nil
	}
	place := at(s.Origin, "apps.auth_broker.storage") + "storage"
	if s.Kind != "" && s.Kind != "embedded" {
		return "", fmt.Errorf("%s: %q is unknown; use: embedded", place, s.Kind)
	}
	if s.Path == "" {
		return (*Storage)(nil).path(r)
	}
	path, err := r.text(place, "embedded", s.Path)
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("%s: %w", place, err)
	}
	return path, nil
}

// config reads the files and ranges that o names. The second result
// changes with everything that shapes the first.
func (o *Outbound) config(r resolver) (outbound.Config, []string, error) {
	if o == nil {
		return outbound.Config{}, nil, nil
	}
	place := at(o.Origin, "apps.auth_broker.outbound") + "outbound"
	c := outbound.Config{AllowHTTP: o.AllowHTTP, Timeout: time.Duration(o.Timeout)}
	print := []string{fmt.Sprint(o.AllowHTTP, c.Timeout)}
	for _, text := range o.Allow {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return c, nil, fmt.Errorf("%s: allow %q is not an address range; write one such as 10.1.0.0/16", place, text)
		}
		c.Allow = append(c.Allow, prefix)
		print = append(print, prefix.String())
	}
	for _, name := range o.TrustedRoots {
		name, err := r.text(place, "trusted_roots", name)
		if err != nil {
			return c, nil, err
		}
		pem, err := os.ReadFile(name)
		if err != nil {
			return c, nil, fmt.Errorf("%s: trusted_roots: %w", place, err)
		}
		if c.TrustedRoots == nil {
			if c.TrustedRoots, err = x509.SystemCertPool(); err != nil {
				c.TrustedRoots = x509.NewCertPool() // no system pool: these only
			}
		}
		if !c.TrustedRoots.AppendCertsFromPEM(pem) {
			return c, nil, fmt.Errorf("%s: trusted_roots %s holds no PEM certificate", place, name)
		}
		print = append(print, string(pem))
	}
	return c, print, nil
}
