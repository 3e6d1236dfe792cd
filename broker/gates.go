package broker

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// gateLifetime bounds tokens that travel to an application behind a gate:
// they are renewed there, so nobody gains by longer ones (S8).
const gateLifetime = 5 * time.Minute

// NewGate returns the gate of one or more sites, each of which becomes a
// client of the broker. Several gates may guard one site, if they agree on
// what the site is as a client.
func (b *Broker) NewGate(c GateConfig) (*gateway.Gate, error) {
	pages, err := b.newPages(gateway.PathStyle)
	if err != nil {
		return nil, err
	}
	b.warnHeaders(c)
	config := gateway.Config{Headers: c.Headers, Public: c.Public, Fingerprint: b.fingerprint()}
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" {
			return nil, fmt.Errorf("auth_gate: %q is not an origin such as https://app.example.com", origin)
		}
		client, err := b.gateClient(u, c)
		if err != nil {
			return nil, fmt.Errorf("auth_gate of %s: %w", u.Host, err)
		}
		config.Sites = append(config.Sites, gateway.Site{Origin: u, Client: client})
	}
	g, err := gateway.New(config, gateway.Deps{
		Broker: inProcess{b}, Sessions: b.sessions, Sealer: b.sealer, Cache: b.deps.Cache,
		Pages: pages, Log: b.deps.Log, Now: b.deps.Now,
	})
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gates = append(b.gates, g)
	return g, nil
}

// warnHeaders tells of header lines whose claim the site cannot have: a
// misspelled one, or one whose scopes it does not ask for, would never be
// sent, without a word.
func (b *Broker) warnHeaders(c GateConfig) {
	asked := c.Scopes
	if len(asked) == 0 {
		asked = oauth.DefaultScopes
	}
	for _, h := range c.Headers {
		for _, placeholder := range h.Placeholders() {
			name, ok := strings.CutPrefix(placeholder, "claim.")
			if !ok {
				continue
			}
			if problem := b.model.unavailable(name, asked); problem != "" {
				b.deps.Log.Warn(fmt.Sprintf("%s: auth_gate: header %s is never sent: %s", cmp.Or(c.Origin, strings.Join(c.Origins, ", ")), h.Name, problem))
			}
		}
	}
}

// fingerprint changes with all settings of the broker's own that decide
// which tokens a gate gets, and whether it gets any.
func (b *Broker) fingerprint() string {
	var text strings.Builder
	text.WriteString(fmt.Sprintf("%s %s", b.config.Issuer, b.config.AccessLifetime))
	for _, c := range b.config.Connections {
		text.WriteString(fmt.Sprintf(" %s:%t", c.ID, c.Disabled))
	}
	for _, c := range b.model.claims {
		text.WriteString(fmt.Sprintf(" %s<%s%v%v", c.Name, c.From, c.Types, c.Scopes))
	}
	return text.String()
}

// gateClient returns the client that a gated site is.
func (b *Broker) gateClient(origin *url.URL, c GateConfig) (*oauth.Client, error) {
	client := &oauth.Client{
		ID:             gateway.ClientID(origin),
		Name:           c.Name,
		URI:            origin.String(),
		RedirectURIs:   []string{gateway.CallbackURL(origin)},
		Scopes:         slices.Clone(c.Scopes),
		RequiredScopes: c.RequiredScopes,
		Connections:    c.Connections,
		IDTokenAlg:     token.ES256,
		Audience:       origin.String(),
		AccessLifetime: gateLifetime,
		IDLifetime:     gateLifetime,
		Gate:           true,
	}
	if client.Name == "" {
		client.Name = origin.Host
	}
	if own := b.config.AccessLifetime; own > 0 {
		client.AccessLifetime = min(own, gateLifetime)
		client.IDLifetime = client.AccessLifetime
	}
	if c.Trusted {
		client.Consent = oauth.ConsentTrusted
	}
	if known := b.client(client.ID); known != nil {
		if err := client.Validate(); err != nil {
			return nil, err
		}
		if fmt.Sprintf("%+v", *known) != fmt.Sprintf("%+v", *client) {
			return nil, fmt.Errorf("another auth_gate of the same site has another name, scopes, provider or trusted; make them equal")
		}
		return known, nil
	}
	if err := b.addClient(client); err != nil {
		return nil, err
	}
	return client, nil
}

// resume finds the page that a lost sign-in was for.
func (b *Broker) resume(ctx context.Context, clientID, state string) (string, bool) {
	b.mu.RLock()
	gates := b.gates
	b.mu.RUnlock()
	for _, g := range gates {
		if page, ok := g.Resume(ctx, clientID, state); ok {
			return page, true
		}
	}
	return "", false
}
