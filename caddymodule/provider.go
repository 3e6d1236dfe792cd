package caddymodule

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
)

// Kinds of providers.
const (
	kindAuth0 = "auth0"
	kindOIDC  = "oidc"
	kindSAML  = "saml"
)

// Provider is one upstream identity provider: a connection of the broker.
type Provider struct {
	// "auth0" or "oidc". Required.
	Kind string `json:"kind,omitempty"`

	// The connection's name in addresses and in the identity of its users:
	// a connection with another id has other users. 1 to 64 of a-z, 0-9,
	// "_" and "-". Default: the kind.
	ID string `json:"id,omitempty"`

	// What people read on the chooser. Default: the id.
	Name string `json:"name,omitempty"`

	// The place on the chooser, lowest first. Default: 0.
	DisplayOrder int `json:"display_order,omitempty"`

	// Not offered on the chooser, but usable where a client asks for it.
	Hidden bool `json:"hidden,omitempty"`

	// Not usable at all.
	Disabled bool `json:"disabled,omitempty"`

	// Auth0: the tenant's host name, with a port if it is not the usual
	// one: "example.eu.auth0.com" or a custom domain, without "https://".
	// Required.
	Domain string `json:"domain,omitempty"`

	// OpenID Connect: the provider's issuer, exactly as it calls itself.
	// Required.
	Issuer string `json:"issuer,omitempty"`

	// The broker's client at the provider. Required.
	ClientID string `json:"client_id,omitempty"`

	// The client's secret, as {env.NAME} or {file.PATH}.
	ClientSecret string `json:"client_secret,omitempty"`

	// How the client proves itself: "client_secret_basic" (the default,
	// but not known to Auth0), "client_secret_post" (Auth0's default),
	// "private_key_jwt", or "none" (not known to Auth0).
	AuthenticationMethod string `json:"authentication_method,omitempty"`

	// The private key for "private_key_jwt" in PEM, as {file.PATH} or
	// {env.NAME}, or the name of its file.
	SigningKey string `json:"signing_key,omitempty"`

	// What is asked for. Default: openid, profile and email.
	Scopes []string `json:"scopes,omitempty"`

	// Whether the userinfo endpoint is asked at each sign-in: "on", where a
	// failure ends the sign-in, or "optional", where it does not. Default:
	// not asked.
	GetUserInfo string `json:"get_user_info,omitempty"`

	// OpenID Connect: the algorithms that tokens may be signed with.
	// Default: RS256, ES256, PS256 and EdDSA.
	Algorithms []string `json:"algorithms,omitempty"`

	// The API that the upstream access token is for. Without it the token
	// is not read.
	Audience string `json:"audience,omitempty"`

	// Auth0: the organization to sign in to.
	Organization string `json:"organization,omitempty"`

	// Auth0: the organizations whose members may sign in. Default: all.
	Organizations []string `json:"organizations,omitempty"`

	// Auth0: the connection there that is used without asking the user.
	Connection string `json:"connection,omitempty"`

	// Auth0: the page to begin with, such as "signup".
	ScreenHint string `json:"screen_hint,omitempty"`

	// Pass on whom a client says the user is. Default: false.
	SendLoginHint bool `json:"send_login_hint,omitempty"`

	// Further parameters of the authorization request.
	AuthorizeParams map[string]string `json:"authorize_params,omitempty"`

	// The picture on the chooser, an https address. It is fetched by the
	// broker and shown from its own.
	LogoURI string `json:"logo_uri,omitempty"`

	// The e-mail domains whose users sign in here. A domain leads to one
	// provider.
	Domains []string `json:"domains,omitempty"`

	// What is read from the provider's answers besides the default
	// attributes: the claims of OpenID Connect Core, 5.1, from the ID
	// token, and with get_user_info those from there, as "userinfo.NAME".
	Attributes []Attribute `json:"attributes,omitempty"`

	// Where the attributes go, in order of precedence. The default
	// mappings come last: each default attribute to the place of its name.
	Mappings []Mapping `json:"mappings,omitempty"`

	// The places that have no default mapping.
	Unmap []string `json:"unmap,omitempty"`

	// How users have authenticated (RFC 8176), whatever the provider says.
	// Default: what the provider says.
	StaticAMR []string `json:"static_amr,omitempty"`

	// Permit other values in static_amr than those of RFC 8176.
	AllowCustomAMR bool `json:"allow_custom_amr,omitempty"`

	// Take the provider's e-mail addresses for verified.
	TrustEmail bool `json:"trust_email,omitempty"`

	// How long a sign-in answers the further requests of the same browser,
	// counted from the sign-in. Default: 0, each request goes to the
	// provider.
	ContextCache caddy.Duration `json:"context_cache,omitempty"`

	// The issuer in the identity of the users, for a provider that has
	// moved to another address. Default: the provider's issuer.
	SubjectNamespace string `json:"subject_namespace,omitempty"`

	// Runs after each sign-in and may change the authentication context.
	Script *Script `json:"script,omitempty"`

	// An application that each user visits after the script. It needs the
	// feature custom_apps.
	PostAuthnApp *PostAuthnApp `json:"post_authn_app,omitempty"`

	// Where this is configured, such as "Caddyfile:4".
	Origin string `json:"origin,omitempty"`

	amrOrigin string // while parsing
}

// id returns the id with its default.
func (p *Provider) id() string { return cmp.Or(p.ID, p.Kind) }

// checkKind says which kinds there are.
func checkKind(kind string) error {
	switch kind {
	case kindAuth0, kindOIDC:
		return nil
	case kindSAML:
		return errors.New("provider saml belongs to the package github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/saml, which does not exist yet; use provider oidc if the provider speaks OpenID Connect")
	}
	return fmt.Errorf("provider %q is of no known kind; use one of: auth0, oidc, saml", kind)
}

// connection makes the broker's connection.
func (p *Provider) connection(b *builder, path string) (broker.Connection, error) {
	origin := cmp.Or(p.Origin, path)
	if err := checkKind(p.Kind); err != nil {
		return broker.Connection{}, fmt.Errorf("%s: %w", origin, err)
	}
	c := broker.Connection{
		ID: p.id(), Kind: p.Kind, Name: p.Name, Order: p.DisplayOrder, Disabled: p.Disabled, Hidden: p.Hidden,
		Domains: p.Domains, TrustEmail: p.TrustEmail, ContextCache: time.Duration(p.ContextCache), Origin: origin,
	}
	place := origin + ": provider " + p.id()
	var err error
	if c.SubjectNamespace, err = b.text(place, "subject_namespace", p.SubjectNamespace); err != nil {
		return c, err
	}
	if c.LogoURI, err = p.logo(b, place); err != nil {
		return c, err
	}
	if c.Pipeline, err = p.pipeline(b, path); err != nil {
		return c, err
	}
	upstream, err := p.resolve(b.resolver, place)
	if err != nil {
		return c, err
	}
	if c.Provider, err = upstream.pooled(b, place, p.id()); err != nil {
		return c, err
	}
	extension, err := p.extend(b, path, &c)
	if err != nil {
		return c, err
	}
	c.Settings, err = fingerprint(upstream, extension)
	return c, err
}

// extend gives c its script and its application. The result changes with
// what the script is given.
func (p *Provider) extend(b *builder, path string, c *broker.Connection) (*Script, error) {
	var resolved *Script
	if s := p.Script; s != nil {
		place := cmp.Or(s.Origin, path+".script") + ": provider " + p.id()
		var err error
		if resolved, err = s.resolve(b.resolver, place); err != nil {
			return nil, err
		}
		if c.Script, err = resolved.script(b, place); err != nil {
			return nil, err
		}
	}
	if a := p.PostAuthnApp; a != nil {
		var err error
		origin := cmp.Or(a.Origin, path+".post_authn_app")
		if c.Application, err = a.application(b, origin, origin+": provider "+p.id()); err != nil {
			return nil, err
		}
	}
	return resolved, nil
}

// logo returns the address of the picture.
func (p *Provider) logo(b *builder, place string) (string, error) {
	address, err := b.text(place, "logo_uri", p.LogoURI)
	if err != nil || address == "" {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("%s: logo_uri: %w; write an https address", place, err)
	}
	if err := b.client.CheckURL(u); err != nil {
		return "", fmt.Errorf("%s: logo_uri: %w", place, err)
	}
	return address, nil
}

// durations are the times of p, which is at path.
func (p *Provider) durations(path string) []namedDuration {
	about := "provider " + p.id() + ": "
	out := []namedDuration{{cmp.Or(p.Origin, path), about + "context_cache", p.ContextCache}}
	if s := p.Script; s != nil {
		origin := cmp.Or(s.Origin, path+".script")
		out = append(out, namedDuration{origin, about + "script: timeout", s.Timeout}, namedDuration{origin, about + "script: wait", s.Wait})
	}
	if a := p.PostAuthnApp; a != nil {
		out = append(out, namedDuration{cmp.Or(a.Origin, path+".post_authn_app"), about + "post_authn_app: ttl", a.TTL})
	}
	return out
}
