package caddymodule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
)

// resolve returns the settings that shape the upstream provider itself,
// without placeholders, and no others: what is not listed here does not
// reach it, and may change without fetching its metadata again.
func (p *Provider) resolve(r resolver, place string) (*Provider, error) {
	if word := p.foreign(); word != "" {
		return nil, fmt.Errorf("%s: %s is no word of provider %s; remove it", place, word, p.Kind)
	}
	out := &Provider{
		Kind: p.Kind, AuthenticationMethod: p.AuthenticationMethod, Scopes: p.Scopes, GetUserInfo: p.GetUserInfo,
		Algorithms: p.Algorithms, ScreenHint: p.ScreenHint, SendLoginHint: p.SendLoginHint, AuthorizeParams: p.AuthorizeParams,
	}
	var err error
	if out.ClientSecret, err = r.secret(place, "client_secret", p.ClientSecret); err != nil {
		return nil, err
	}
	if out.SigningKey, err = signingKey(r, place, p.SigningKey); err != nil {
		return nil, err
	}
	for _, field := range []struct {
		word string
		from string
		to   *string
	}{
		{"domain", p.Domain, &out.Domain},
		{"issuer", p.Issuer, &out.Issuer},
		{"client_id", p.ClientID, &out.ClientID},
		{"audience", p.Audience, &out.Audience},
		{"organization", p.Organization, &out.Organization},
		{"connection", p.Connection, &out.Connection},
	} {
		if *field.to, err = r.text(place, field.word, field.from); err != nil {
			return nil, err
		}
	}
	if out.Organizations, err = r.texts(place, "organizations", p.Organizations); err != nil {
		return nil, err
	}
	return out, nil
}

// foreign returns a word that is set and belongs to the other kind.
func (p *Provider) foreign() string {
	words := map[string]bool{"issuer": p.Issuer != "", "algorithms": p.Algorithms != nil}
	if p.Kind == kindOIDC {
		words = map[string]bool{
			"domain": p.Domain != "", "organization": p.Organization != "",
			"organizations": p.Organizations != nil, "connection": p.Connection != "", "screen_hint": p.ScreenHint != "",
		}
	}
	for _, word := range slices.Sorted(maps.Keys(words)) {
		if words[word] {
			return word
		}
	}
	return ""
}

// signingKey returns the text of a private key. A placeholder stands for
// the text itself; anything else is the name of a file. Which of both it is
// must not depend on what a placeholder contains: a key in a form that we do
// not know would be taken for a name, and be quoted in the error.
func signingKey(r resolver, place, value string) (string, error) {
	const word = "authentication_method private_key_jwt"
	if value == "" || placeholder.FindString(value) == value || strings.Contains(value, "-----BEGIN") {
		return r.secret(place, word, value)
	}
	name, err := r.text(place, word, value)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w; name the file of the private key, or write {file.PATH}", place, word, err)
	}
	return string(text), nil
}

// fingerprint changes with what shapes the provider, and with what its
// script is given. It is a hash: secrets are among both.
func fingerprint(upstream *Provider, extension *Script) (string, error) {
	raw, err := json.Marshal(struct {
		Provider *Provider
		Script   *Script
	}{upstream, extension})
	if err != nil {
		return "", fmt.Errorf("encoding the settings: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// pooled returns the provider of resolved settings. They and those of its
// calls are the key in the pool.
func (p *Provider) pooled(b *builder, place, id string) (provider.Provider, error) {
	config, err := p.config(b.calls)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, oneLine(err))
	}
	settings := struct {
		Provider *Provider
		Outbound []string
	}{p, b.print}
	made, err := b.pooled.provider(settings, func() (provider.Provider, error) {
		return config.provider(oidc.Deps{Outbound: outbound.New(b.calls), Logger: poolLogger().Named(id)})
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, oneLine(err))
	}
	for _, warning := range config.Warnings() {
		b.warn(place, "%s", warning)
	}
	return made, nil
}

// An upstreamConfig is the configuration of a provider of some kind.
type upstreamConfig interface {
	Warnings() []string
	provider(deps oidc.Deps) (provider.Provider, error)
}

type (
	auth0Config struct{ auth0.Config }
	oidcConfig  struct{ oidc.Config }
)

func (c auth0Config) provider(d oidc.Deps) (provider.Provider, error) { return auth0.New(c.Config, d) }

func (c oidcConfig) provider(d oidc.Deps) (provider.Provider, error) { return oidc.New(c.Config, d) }

// config returns the configuration that resolved settings are, for calls by
// the rules of calls.
func (p *Provider) config(calls outbound.Config) (upstreamConfig, error) {
	params := url.Values{}
	for name, value := range p.AuthorizeParams {
		params.Set(name, value)
	}
	var key *oidc.SigningKey
	if p.SigningKey != "" {
		var err error
		if key, err = oidc.ParseSigningKey([]byte(p.SigningKey)); err != nil {
			return nil, fmt.Errorf("authentication_method private_key_jwt: %w", err)
		}
	}
	if p.Kind == kindAuth0 {
		return auth0Config{auth0.Config{
			Domain: p.Domain, ClientID: p.ClientID, ClientSecret: p.ClientSecret,
			AuthMethod: p.AuthenticationMethod, SigningKey: key,
			Audience: p.Audience, Organization: p.Organization, Organizations: p.Organizations,
			Connection: p.Connection, ScreenHint: p.ScreenHint, Scopes: p.Scopes,
			Userinfo: oidc.UserinfoMode(p.GetUserInfo), SendLoginHint: p.SendLoginHint,
			AuthorizeParams: params,
			AllowHTTP:       calls.AllowHTTP,
			AllowLocal:      len(calls.Allow) > 0,
		}}, nil
	}
	return oidcConfig{oidc.Config{
		Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret,
		AuthMethod: p.AuthenticationMethod, SigningKey: key,
		Audience: p.Audience, Scopes: p.Scopes, Algorithms: p.Algorithms, Userinfo: oidc.UserinfoMode(p.GetUserInfo),
		SendLoginHint: p.SendLoginHint, AuthorizeParams: params,
	}}, nil
}

// oneLine puts several errors into one line, as Caddy's log shows them.
func oneLine(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") {
		return errors.New(strings.ReplaceAll(text, "\n", "; "))
	}
	return err
}
