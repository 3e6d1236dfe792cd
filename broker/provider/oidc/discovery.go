package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/zap"
)

// metadataAge is how old the metadata may be before a use refreshes it;
// maxMetadata bounds the document (Auth0's has 3 KB).
const (
	metadataAge = time.Hour
	maxMetadata = 128 << 10
)

// errMisconfigured marks a document that is there, but not usable: waiting
// does not help.
var errMisconfigured = errors.New("provider is not usable")

// metadata is what we use of a discovery document (OpenID Connect
// Discovery, 3). The algorithms it lists are left out on purpose: a
// provider that lists HS256 would otherwise choose our checks.
type metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserinfoEndpoint      string `json:"userinfo_endpoint"`
	JWKSURI               string `json:"jwks_uri"`

	// SendsIssuer says that authorization responses carry "iss"
	// (RFC 9207, 3).
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

// newMetadataCache keeps the last good document for as long as no other
// comes: a provider that fails, or names endpoints we refuse, does not
// take the old ones away.
func (p *Provider) newMetadataCache() *cached[*metadata] {
	return &cached[*metadata]{
		load: p.discover,
		now:  p.now,
		rand: p.rand,
		onFailure: func(err error) {
			p.log.Warn("refreshing provider metadata failed, keeping the last", zap.Error(err))
		},
		refreshAfter: metadataAge,
	}
}

// Check implements [provider.Checker] by reading the metadata anew. Errors
// are *provider.Error.
func (p *Provider) Check(ctx context.Context) error {
	if err := p.metadata.check(ctx); err != nil {
		return upstreamFailure(err)
	}
	return nil
}

func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	target := strings.TrimSuffix(p.cfg.Issuer, "/") + "/.well-known/openid-configuration"
	doc, err := p.fetch(ctx, target, "", maxMetadata)
	if err != nil {
		return nil, fmt.Errorf("discovering %s: %w", p.cfg.Issuer, err)
	}
	md, err := p.parseMetadata(doc.body)
	if err != nil {
		return nil, fmt.Errorf("discovering %s: %w", p.cfg.Issuer, err)
	}
	return md, nil
}

// parseMetadata decodes and checks a discovery document.
func (p *Provider) parseMetadata(raw []byte) (*metadata, error) {
	md := new(metadata)
	if err := json.Unmarshal(raw, md); err != nil {
		return nil, fmt.Errorf("%w: the discovery document is not the JSON it should be", errMisconfigured)
	}
	if md.Issuer != p.cfg.Issuer {
		return nil, issuerMismatch(p.cfg.Issuer, md.Issuer)
	}
	endpoints := []struct {
		name, value string
		required    bool
	}{
		{"authorization_endpoint", md.AuthorizationEndpoint, true},
		{"token_endpoint", md.TokenEndpoint, true},
		{"jwks_uri", md.JWKSURI, true},
		{"userinfo_endpoint", md.UserinfoEndpoint, p.cfg.Userinfo == UserinfoOn},
	}
	for _, e := range endpoints {
		if e.value == "" && !e.required {
			continue
		}
		if err := p.checkEndpoint(e.value); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errMisconfigured, e.name, err)
		}
	}
	if err := p.checkSigningKey(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errMisconfigured, err)
	}
	return md, nil
}

// checkSigningKey refuses a provider that says it does not take what the
// client would prove itself with: better here than at the end of everybody's
// sign-in. Other methods are left to try, because many documents leave out
// one that works, and nobody else has to get these members right.
func (p *Provider) checkSigningKey(raw []byte) error {
	if p.cfg.AuthMethod != AuthPrivateKeyJWT {
		return nil
	}
	var takes struct {
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
		Algorithms []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	}
	if json.Unmarshal(raw, &takes) != nil {
		return errors.New("how it authenticates clients is not the list it should be")
	}
	if len(takes.Methods) > 0 && !slices.Contains(takes.Methods, AuthPrivateKeyJWT) {
		return fmt.Errorf("it does not take authentication_method %s, only %s",
			AuthPrivateKeyJWT, clip(fmt.Sprintf("%q", takes.Methods)))
	}
	alg := p.cfg.SigningKey.Algorithm()
	if len(takes.Algorithms) > 0 && !slices.Contains(takes.Algorithms, alg) {
		return fmt.Errorf("it does not take a signing key for %s, only for %s",
			alg, clip(fmt.Sprintf("%q", takes.Algorithms)))
	}
	return nil
}

func (p *Provider) checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return errors.New("missing")
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Fragment != "" {
		return fmt.Errorf("%.200q is not an endpoint URL", endpoint)
	}
	return p.outbound.CheckURL(u)
}

// issuerMismatch names the fix. A document that calls itself by another
// issuer is refused even if it came from the right place: in a mix-up
// attack the attacker's issuer hands out the honest one's endpoints.
func issuerMismatch(want, got string) error {
	err := &goidc.IssuerMismatchError{Provided: want, Discovered: clip(got)}
	switch {
	case got == "":
		return fmt.Errorf("%w: the discovery document has no issuer", errMisconfigured)
	case strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/"):
		return fmt.Errorf("%w: the trailing slash differs: write issuer %s: %w", errMisconfigured, clip(got), err)
	}
	return fmt.Errorf("%w: if the provider calls itself so, write issuer %q: %w", errMisconfigured, clip(got), err)
}
