package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// A Broker is what the gate needs of the OpenID Provider in its process.
type Broker interface {
	// AuthorizeURL is the authorization endpoint.
	AuthorizeURL() string
	// Redeem spends a code of client c.
	Redeem(ctx context.Context, c *oauth.Client, code, redirectURI, verifier string) (*authn.Authorization, error)
	// Mint makes tokens for an authorization of c. It returns
	// session.ErrNoSession if c's users may not come from there any more.
	Mint(ctx context.Context, c *oauth.Client, a *authn.Authorization) (token.Tokens, error)
	// UserClaims are the claims that a lets c see.
	UserClaims(a *authn.Authorization) map[string]any

	Lineage
}

// Config of a gate. Sites is required.
type Config struct {
	Sites []Site

	// Headers sent to the application; nil is DefaultHeaders.
	Headers []Header

	// Public paths: exact, or a prefix that ends in "/*".
	Public []string

	// Origins says that the application wants to know where the visitor's
	// data comes from, see [Visitor.Authorization]. It costs a look into
	// the store for each request.
	Origins bool

	// Fingerprint changes with all that the broker's own configuration
	// contributes to tokens and to who may have them. What was minted under
	// another one is not used.
	Fingerprint string
}

// Deps are the gate's surroundings, all required.
type Deps struct {
	Broker   Broker
	Sessions *session.Manager
	Sealer   *session.Sealer
	Cache    *Cache
	Pages    *ui.Pages
	Log      *zap.Logger
	Now      func() time.Time
}

// A Gate guards one or more sites with one set of rules.
type Gate struct {
	deps    Deps
	sites   map[string]*site
	headers []Header
	managed managedNames
	public  publicPaths
	whole   bool // see Config.Origins
	retired bool // see Cache.Adopt; of the lock of the cache's streams

	// print changes with everything that shapes the header values, so that
	// a cached set made under another configuration is not used.
	print [sha256.Size]byte
}

// New returns a gate. Errors name what is wrong with the configuration.
func New(c Config, d Deps) (*Gate, error) {
	if len(c.Sites) == 0 {
		return nil, errors.New("auth_gate: no site; name the hosts of this gate")
	}
	if c.Headers == nil {
		c.Headers = DefaultHeaders()
	}
	public, err := parsePublic(c.Public)
	if err != nil {
		return nil, err
	}
	g := &Gate{
		deps:    d,
		sites:   map[string]*site{},
		headers: c.Headers,
		managed: newManagedNames(c.Headers),
		public:  public,
		whole:   c.Origins,
	}
	print := sha256.New()
	fmt.Fprintf(print, "%q\n", c.Fingerprint)
	for _, h := range c.Headers {
		fmt.Fprintf(print, "%q %q\n", h.Name, h.text)
	}
	for _, s := range c.Sites {
		made, err := newSite(s)
		if err != nil {
			return nil, fmt.Errorf("auth_gate: %w", err)
		}
		g.sites[strings.ToLower(s.Origin.Host)] = made
		fmt.Fprintf(print, "%s %v %q %q %s\n", s.Origin, s.Client.AccessLifetime, s.Client.Scopes, s.Client.Connections, s.Client.IDTokenAlg)
	}
	print.Sum(g.print[:0])
	return g, nil
}

// A Next is what stands behind the gate. It gets the visitor, or nil on a
// public path.
type Next func(w http.ResponseWriter, r *http.Request, v *Visitor) error

// Serve answers the request, or lets it through to next. The original URL
// is the one the browser asked for, before any rewrite: it decides about
// reserved paths and where to return to. An error never means that the
// request may pass.
func (g *Gate) Serve(w http.ResponseWriter, r *http.Request, original *url.URL, next Next) error {
	// Strip before deciding anything. Any visitor can send Remote-User, and
	// on a public path nothing later would overwrite it: the application
	// would take the visitor for that user.
	g.managed.strip(r)

	s := g.site(r)
	if s == nil {
		g.page(w, r, failure{reason: "wrong_host", status: http.StatusMisdirectedRequest})
		return nil
	}
	handle := takeCookie(r, s.session, s.flow)
	if kept, ok := r.Context().Value(skippedKey{}).(cookies); ok {
		handle = kept
	}
	if strings.HasPrefix(original.Path, s.Reserved) {
		return g.serveReserved(w, r, s, original, handle)
	}
	if g.public.match(r.URL) && g.public.match(original) {
		return g.pass(w, r, nil, next)
	}
	opens, epoch := staysOpen(r), g.deps.Cache.streams.epoch.Load()
	l, v, err := g.lookUp(r.Context(), s, handle.session)
	if g.whole && err == nil {
		v, err = g.withOrigins(r.Context(), handle.session, v)
	}
	switch {
	case errors.Is(err, session.ErrNoSession):
		return g.challenge(w, r, s, original, handle)
	case err != nil:
		g.unavailable(w, r, err)
		return nil
	}
	v.setHeaders(r.Header)
	in := admission{watchKey{g, s, handle.session}, l, epoch}
	if opens {
		return g.passStream(w, r, in, v, next)
	}
	return g.passGuest(w, r, in, v, next)
}

// Skip is Serve for a request that the operator does not have guarded: it
// passes as on a public path. It must come here all the same, because the
// application behind is the same one, and believes in the same headers.
func (g *Gate) Skip(w http.ResponseWriter, r *http.Request, original *url.URL, next Next) error {
	s := g.site(r)
	if s == nil || strings.HasPrefix(original.Path, s.Reserved) {
		return g.Serve(w, r, original, next)
	}
	g.managed.strip(r)
	kept := takeCookie(r, s.session, s.flow)
	if kept != (cookies{}) {
		r = r.WithContext(context.WithValue(r.Context(), skippedKey{}, kept))
	}
	return g.pass(w, r, nil, next)
}

// skippedKey is the context key of the cookies that Skip took: a second gate
// of the site, which guards the request, comes after it.
type skippedKey struct{}

// pass lets the request through. If that fails, the headers go: the server
// hands the same request to whatever draws its error pages, which is not the
// application that the tokens are for (R11).
func (g *Gate) pass(w http.ResponseWriter, r *http.Request, v *Visitor, next Next) error {
	err := next(w, r, v)
	if err != nil {
		g.managed.strip(r)
	}
	return err
}

// site returns the site that the request is for. The host decides, whatever
// its case and with or without the root dot, and an unknown one has no
// site: its cookies and addresses could not be right.
func (g *Gate) site(r *http.Request) *site {
	if s := g.sites[r.Host]; s != nil {
		return s
	}
	host, port, found := strings.Cut(strings.ToLower(r.Host), ":")
	host = strings.TrimSuffix(host, ".")
	if found && !(r.TLS != nil && port == "443") && !(r.TLS == nil && port == "80") {
		host += ":" + port
	}
	return g.sites[host]
}

// serveReserved answers below the reserved path, which never reaches the
// application.
func (g *Gate) serveReserved(w http.ResponseWriter, r *http.Request, s *site, original *url.URL, c cookies) error {
	w.Header().Set("Cache-Control", "no-store")
	switch path := original.Path; {
	case path == s.style && r.Method == http.MethodGet:
		w.Header().Del("Cache-Control")
		g.deps.Pages.Style().ServeHTTP(w, r)
	case path == s.brand && r.Method == http.MethodGet:
		w.Header().Del("Cache-Control")
		g.deps.Pages.Logo().ServeHTTP(w, r)
	case path == s.login && r.Method == http.MethodGet:
		g.login(w, r, s, original.Query(), c)
	case path == s.callbackAt && r.Method == http.MethodGet:
		g.callback(w, r, s, original.Query(), c)
	case path == s.logout && (r.Method == http.MethodGet || r.Method == http.MethodPost):
		g.logout(w, r, s, c)
	case path == s.me && r.Method == http.MethodGet:
		g.me(w, r, s, c, original.Query().Has("explain"))
	case path == s.login, path == s.callbackAt, path == s.logout, path == s.me:
		g.page(w, r, failure{reason: "method_not_allowed", status: http.StatusMethodNotAllowed})
	default:
		http.Error(w, "not found", http.StatusNotFound)
	}
	return nil
}
