package caddymodule

import (
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// PostAuthnApp is an application of the operator that each user visits
// between signing in and consenting: to show terms of use, say, or to ask
// for what is missing.
type PostAuthnApp struct {
	// Where the browser is sent: an https address. Required.
	URL string `json:"url,omitempty"`

	// The client by which the application's back end proves itself. It
	// needs the grant client_credentials and the scope manage_post_authn.
	// Required.
	Client string `json:"client,omitempty"`

	// The names of the authentication context that the application may
	// set, "amr" and "acr" among them. Default: none, so that it can only
	// let users pass or turn them away.
	MaySet []string `json:"may_set,omitempty"`

	// How long it may take. Default: 10m.
	TTL caddy.Duration `json:"ttl,omitempty"`

	// Where this is configured, such as "Caddyfile:9".
	Origin string `json:"origin,omitempty"`
}

// application makes the broker's application. Origin is where it is
// configured, and place names the provider there.
func (a *PostAuthnApp) application(b *builder, origin, place string) (*op.Application, error) {
	if !b.customApps {
		return nil, fmt.Errorf("%s: post_authn_app is switched off; add to auth_broker the line: feature %s", place, featureCustomApps)
	}
	out := &op.Application{ClientID: a.Client, MaySet: a.MaySet, TTL: time.Duration(a.TTL), Origin: origin}
	var err error
	if out.URL, err = b.text(place, "post_authn_app: url", a.URL); err != nil {
		return nil, err
	}
	switch {
	case out.URL == "":
		return nil, fmt.Errorf("%s: post_authn_app: url is missing; write the address of the application", place)
	case out.ClientID == "":
		return nil, fmt.Errorf("%s: post_authn_app: client is missing; name the client that the application is", place)
	}
	return out, nil
}
