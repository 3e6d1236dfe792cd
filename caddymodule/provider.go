package caddymodule

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
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

	// OpenID Connect: how the client proves itself: "client_secret_basic"
	// (the default), "client_secret_post" or "none".
	AuthenticationMethod string `json:"authentication_method,omitempty"`

	// What is asked for. Default: openid, profile and email.
	Scopes []string `json:"scopes,omitempty"`

	// Whether the userinfo endpoint is asked at each sign-in: "on", where a
	// failure ends the sign-in, or "optional", where it does not. Default:
	// not asked.
	GetUserInfo string `json:"get_user_info,omitempty"`

	// OpenID Connect: the algorithms that tokens may be signed with.
	// Default: RS256, ES256, PS256 and EdDSA.
	Algorithms []string `json:"algorithms,omitempty"`

	// Auth0: the API that the upstream access token is for.
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

	// Where this is configured, such as "Caddyfile:4".
	Origin string `json:"origin,omitempty"`
}

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

// connection makes the broker's connection. The provider's settings and
// those of its calls, of which print is the fingerprint, are its key in the
// pool.
func (p *Provider) connection(r resolver, path string, calls outbound.Config, print []string, pooled *references) (broker.Connection, error) {
	if err := checkKind(p.Kind); err != nil {
		return broker.Connection{}, fmt.Errorf("%s%w", at(p.Origin, path), err)
	}
	id := cmp.Or(p.ID, p.Kind)
	place := at(p.Origin, path) + "provider " + id
	resolved, err := p.resolve(r, place)
	if err != nil {
		return broker.Connection{}, err
	}
	settings := struct {
		Provider *Provider
		Outbound []string
	}{resolved, print}
	made, err := pooled.provider(settings, func() (provider.Provider, error) {
		return resolved.provider(calls, oidc.Deps{Outbound: outbound.New(calls), Logger: poolLogger().Named(id)})
	})
	if err != nil {
		return broker.Connection{}, fmt.Errorf("%s: %w", place, oneLine(err))
	}
	return broker.Connection{
		ID: id, Name: p.Name, Order: p.DisplayOrder, Disabled: p.Disabled, Hidden: p.Hidden,
		Provider: made, Pipeline: p.pipeline(),
	}, nil
}

// resolve returns the settings that shape the provider itself, without
// placeholders.
func (p *Provider) resolve(r resolver, place string) (*Provider, error) {
	if word := p.foreign(); word != "" {
		return nil, fmt.Errorf("%s: %s is no word of provider %s; remove it", place, word, p.Kind)
	}
	out := *p
	out.Origin, out.Name, out.DisplayOrder, out.Hidden, out.Disabled = "", "", 0, false, false
	var err error
	if out.ClientSecret, err = r.secret(place, "client_secret", p.ClientSecret); err != nil {
		return nil, err
	}
	for word, to := range map[string]*string{
		"domain": &out.Domain, "issuer": &out.Issuer, "client_id": &out.ClientID,
		"audience": &out.Audience, "organization": &out.Organization, "connection": &out.Connection,
	} {
		if *to, err = r.text(place, word, *to); err != nil {
			return nil, err
		}
	}
	if out.Organizations, err = r.texts(place, "organizations", p.Organizations); err != nil {
		return nil, err
	}
	return &out, nil
}

// foreign returns a word that is set and belongs to the other kind.
func (p *Provider) foreign() string {
	words := map[string]bool{
		"issuer": p.Issuer != "", "authentication_method": p.AuthenticationMethod != "", "algorithms": p.Algorithms != nil,
	}
	if p.Kind == kindOIDC {
		words = map[string]bool{
			"domain": p.Domain != "", "audience": p.Audience != "", "organization": p.Organization != "",
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

// provider makes the provider of resolved settings, whose calls go by the
// rules of calls.
func (p *Provider) provider(calls outbound.Config, deps oidc.Deps) (provider.Provider, error) {
	params := url.Values{}
	for name, value := range p.AuthorizeParams {
		params.Set(name, value)
	}
	if p.Kind == kindAuth0 {
		return auth0.New(auth0.Config{
			Domain: p.Domain, ClientID: p.ClientID, ClientSecret: p.ClientSecret,
			Audience: p.Audience, Organization: p.Organization, Organizations: p.Organizations,
			Connection: p.Connection, ScreenHint: p.ScreenHint, Scopes: p.Scopes,
			Userinfo: oidc.UserinfoMode(p.GetUserInfo), SendLoginHint: p.SendLoginHint,
			AuthorizeParams: params,
			AllowHTTP:       calls.AllowHTTP,
			AllowLocal:      len(calls.Allow) > 0,
		}, deps)
	}
	return oidc.New(oidc.Config{
		Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret, AuthMethod: p.AuthenticationMethod,
		Scopes: p.Scopes, Algorithms: p.Algorithms, Userinfo: oidc.UserinfoMode(p.GetUserInfo),
		SendLoginHint: p.SendLoginHint, AuthorizeParams: params,
	}, deps)
}

// pipeline returns what is made of the provider's answers: the standard
// attributes and their mappings.
func (p *Provider) pipeline() authn.Config {
	userinfo := p.GetUserInfo != ""
	return authn.Config{
		Attributes:   claims.Default(userinfo),
		Mappings:     claims.DefaultMappings(userinfo),
		ISOUpdatedAt: p.Kind == kindAuth0,
	}
}

// oneLine puts several errors into one line, as Caddy's log shows them.
func oneLine(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") {
		return errors.New(strings.ReplaceAll(text, "\n", "; "))
	}
	return err
}
