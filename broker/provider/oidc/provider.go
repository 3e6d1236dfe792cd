package oidc

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"go.uber.org/zap"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// Deps are what a Provider needs from its surroundings.
type Deps struct {
	// Outbound makes all calls. Required.
	Outbound *outbound.Client

	// Now defaults to time.Now, Rand to crypto/rand.Reader, Logger to
	// one that drops everything. All must be safe for concurrent use.
	// The logger names the connection: what is logged here does not.
	Now    func() time.Time
	Rand   io.Reader
	Logger *zap.Logger
}

// A Provider is one connection to an OpenID Connect provider. It is safe
// for concurrent use and needs no closing.
type Provider struct {
	cfg      Config
	outbound *outbound.Client
	now      func() time.Time
	rand     io.Reader
	log      *zap.Logger

	metadata *cached[*metadata]
	keys     *keySet
	signer   jose.Signer // of client assertions, nil if there are none
}

// New returns the Provider of cfg. It does no I/O: the provider may be
// down, or be served by this very process. Errors are those of
// [Config.Validate], and an issuer that deps.Outbound refuses.
func New(cfg Config, deps Deps) (*Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Outbound == nil {
		return nil, errors.New("oidc: Deps.Outbound is nil")
	}
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if err := deps.Outbound.CheckURL(issuer); err != nil {
		return nil, fmt.Errorf("issuer %s: %w", cfg.Issuer, err)
	}
	signer, err := cfg.assertionSigner()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		cfg:      cfg.withDefaults(),
		signer:   signer,
		outbound: deps.Outbound,
		now:      deps.Now,
		rand:     deps.Rand,
		log:      deps.Logger,
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.rand == nil {
		p.rand = rand.Reader
	}
	if p.log == nil {
		p.log = zap.NewNop()
	}
	p.metadata = p.newMetadataCache()
	p.keys = p.newKeySet()
	return p, nil
}

// algorithms returns the allowed ones in go-jose's type.
func (p *Provider) algorithms() []jose.SignatureAlgorithm {
	algs := make([]jose.SignatureAlgorithm, len(p.cfg.Algorithms))
	for i, alg := range p.cfg.Algorithms {
		algs[i] = jose.SignatureAlgorithm(alg)
	}
	return algs
}

// oauth2Config is this connection in the words of x/oauth2. The style is
// fixed: with AuthStyleAutoDetect an error at the token endpoint makes the
// library post the code a second time, which ends the first one's session
// at providers that treat reuse as theft.
func (p *Provider) oauth2Config(md *metadata, redirectURI string) *oauth2.Config {
	style := oauth2.AuthStyleInParams
	if p.cfg.AuthMethod == AuthBasic {
		style = oauth2.AuthStyleInHeader
	}
	return &oauth2.Config{
		ClientID:     p.cfg.ClientID,
		ClientSecret: p.cfg.ClientSecret,
		Endpoint:     oauth2.Endpoint{AuthURL: md.AuthorizationEndpoint, TokenURL: md.TokenEndpoint, AuthStyle: style},
		RedirectURL:  redirectURI,
		Scopes:       p.cfg.Scopes,
	}
}

var (
	_ provider.Provider = (*Provider)(nil)
	_ provider.Checker  = (*Provider)(nil)
)
