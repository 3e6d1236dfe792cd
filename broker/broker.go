package broker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/demo"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/portal"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// Deps are a broker's surroundings.
type Deps struct {
	// Store is sealed and required. It may open itself on first use.
	Store store.Store

	// Cache of gate sessions. It may be shared with the broker that this
	// one replaces, if both use the same store; nil makes a new one.
	Cache *gateway.Cache

	// Log; nil drops everything. Now; nil is time.Now.
	Log *zap.Logger
	Now func() time.Time
}

// A Broker serves one issuer and its gates. It is usable as soon as New
// returns; Start is upkeep.
type Broker struct {
	config   Config
	issuer   *url.URL
	deps     Deps
	pages    *ui.Pages
	sealer   *session.Sealer
	sessions *session.Manager
	minter   *token.Minter
	model    *model
	server   *op.Server
	demo     *demo.App // nil: off
	portal   portalHandler
	handler  http.Handler

	mu      sync.RWMutex
	clients map[string]*oauth.Client
	gates   []*gateway.Gate
}

// New connects the parts. It does no I/O; errors name the setting.
func New(config Config, deps Deps) (*Broker, error) {
	if deps.Store == nil {
		return nil, errors.New("broker: Deps.Store is nil")
	}
	issuer, err := parseIssuer(config.Issuer)
	if err != nil {
		return nil, err
	}
	config.defaults()
	if err := config.validateConnections(); err != nil {
		return nil, err
	}
	b := &Broker{config: config, issuer: issuer, deps: withDefaults(deps), clients: map[string]*oauth.Client{}}
	for i := range config.Clients {
		if err := b.addClient(&config.Clients[i]); err != nil {
			return nil, err
		}
	}
	if b.pages, err = b.newPages(issuer.Path + pathStyle); err != nil {
		return nil, err
	}
	if err := b.connect(); err != nil {
		return nil, err
	}
	b.handler = b.routes()
	return b, nil
}

// newPages returns pages for an origin that has their style sheet at this path.
func (b *Broker) newPages(style string) (*ui.Pages, error) {
	return ui.New(ui.Options{
		Title: b.config.Title, StylePath: style, Theme: b.config.Theme,
		Failed: func(err error) { b.deps.Log.Error("page not drawn", zap.Error(err)) },
	})
}

func withDefaults(d Deps) Deps {
	if d.Log == nil {
		d.Log = zap.NewNop()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Cache == nil {
		d.Cache = gateway.NewCache(gateway.DefaultCacheSize)
	}
	return d
}

// connect makes the parts and hands each the neighbours it needs. It is the
// one place that knows them all.
func (b *Broker) connect() error {
	var err error
	if b.model, err = b.config.model(); err != nil {
		return err
	}
	connections, err := b.connections()
	if err != nil {
		return err
	}
	b.sealer = &session.Sealer{Store: b.deps.Store}
	b.sessions = &session.Manager{Store: b.deps.Store, Now: b.deps.Now, Limits: b.config.Session, Ended: b.deps.Cache.Drop}
	b.minter = &token.Minter{
		Issuer: b.config.Issuer, Keys: token.NewKeys(b.deps.Store), Claims: b.model.claims,
		Now: b.deps.Now, Lifetime: b.config.AccessLifetime,
	}
	b.server = &op.Server{
		Issuer:          b.issuer,
		Connections:     connections,
		Client:          b.client,
		Grants:          b.grants(),
		Scopes:          b.model.scopes,
		Claims:          b.model.claims,
		Store:           b.deps.Store,
		Sealer:          b.sealer,
		Sessions:        b.sessions,
		Ledger:          &consent.Ledger{Store: b.deps.Store, Now: b.deps.Now, Lifetime: b.config.ConsentLifetime, Scopes: b.model.scopesByName(), Claims: b.model.claims},
		Minter:          b.minter,
		RefreshLifetime: b.config.RefreshLifetime,
		RefreshGrace:    *b.config.RefreshGrace,
		Schema:          b.model.schema,
		Subjects:        &subjects{store: b.deps.Store, legacy: b.config.SubjectFormat == SubjectLegacy, client: b.client},
		Pages:           b.pages,
		Cookies:         session.NewCookies(b.issuer),
		Logos:           b.config.Logos,
		PortalURL:       b.issuer.Path + portal.Path,
		Log:             b.deps.Log,
		Now:             b.deps.Now,
		Resume:          b.resume,
		OnWithdrawal:    b.deps.Cache.DropUser,
	}
	if err := b.addPortal(); err != nil {
		return err
	}
	return b.addDemo()
}

// ServeHTTP answers the addresses of the issuer.
func (b *Broker) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(w, r) }

// CallbackURLs returns, by connection, the address to register upstream.
func (b *Broker) CallbackURLs() map[string]string {
	urls := map[string]string{}
	for _, c := range b.server.Connections {
		urls[c.ID] = b.server.CallbackURL(c.ID)
	}
	return urls
}

// Start opens the store, makes the keys if there are none, and follows
// changes made by other nodes until ctx ends. An error means that nobody
// could sign in.
func (b *Broker) Start(ctx context.Context) error {
	if _, err := b.minter.Keys.JWKS(ctx); err != nil {
		return err
	}
	if err := b.server.ResumeTraces(ctx); err != nil {
		b.deps.Log.Warn("the lineage of earlier sign-ins cannot be read", zap.Error(err)) // people can sign in all the same
	}
	changes, err := b.deps.Store.Watch(ctx)
	if err != nil {
		return fmt.Errorf("watching the store: %w", err)
	}
	if changes != nil {
		go b.follow(changes)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	b.deps.Cache.Adopt(ctx, b.gates)
	return nil
}

// follow drops what other nodes have ended.
func (b *Broker) follow(changes <-chan string) {
	for key := range changes {
		if key == "" {
			b.deps.Cache.Drop("")
			continue
		}
		if subject, ok := op.WithdrawnFrom(key); ok {
			b.deps.Cache.DropUser(subject)
		}
		if rest, ok := strings.CutPrefix(key, "session/"); ok {
			sid, _, _ := strings.Cut(rest, "/")
			b.deps.Cache.Drop(sid)
		}
	}
}

// grants returns those that some client can use; gated sites use the first,
// and the demo application the first two.
func (b *Broker) grants() []string {
	return slices.DeleteFunc(oauth.Grants(), func(grant string) bool {
		switch grant {
		case oauth.GrantAuthorizationCode:
			return false
		case oauth.GrantRefreshToken:
			return !b.config.Demo && !slices.ContainsFunc(b.config.Clients, func(c oauth.Client) bool {
				return c.MayGrant(grant) && slices.Contains(c.Scopes, claims.ScopeOfflineAccess)
			})
		}
		return !slices.ContainsFunc(b.config.Clients, func(c oauth.Client) bool { return c.MayGrant(grant) })
	})
}

// client returns a client by id, nil for an unknown one.
func (b *Broker) client(id string) *oauth.Client {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.clients[id]
}

func (b *Broker) addClient(c *oauth.Client) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if err := b.config.checkConnections(c.Connections); err != nil {
		return fmt.Errorf("client %s: %w", c.ID, err)
	}
	if !c.Gate && c.ID == portal.ClientID {
		return errPortalID
	}
	if !c.Gate && strings.HasPrefix(c.ID, "gate:") {
		return fmt.Errorf("client %s: ids that begin with gate: belong to gated sites", c.ID)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.clients[c.ID] != nil {
		return fmt.Errorf("client %s: the id is given twice", c.ID)
	}
	b.clients[c.ID] = c
	return nil
}
