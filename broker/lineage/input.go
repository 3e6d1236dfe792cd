package lineage

import (
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// An Input is the configuration in effect, with all defaults, as a broker
// has accepted it.
type Input struct {
	Connections []ConnectionInput

	// Fields of the context schema.
	Fields []authn.Field

	// Claims, in order of precedence.
	Claims []claims.Claim

	// Scopes, for their display names.
	Scopes []claims.Scope

	// Clients, registered ones and sites, in the order to show them.
	Clients []ClientInput
}

// A ConnectionInput is one connection.
type ConnectionInput struct {
	ID, Name, Kind, Origin string
	State                  State

	// Attributes and Mappings in effect, the latter in order of precedence.
	// A mapping without a type has its target's.
	Attributes []claims.Attribute
	Mappings   []claims.Mapping

	// TrustEmail takes e-mail addresses for verified.
	TrustEmail bool

	// Script says that a post-authentication script may change the context.
	Script bool

	// Application says that there is a post-authentication application;
	// MaySet are the names that it may set.
	Application bool
	MaySet      []string
}

// A ClientInput is one registered client or gated site.
type ClientInput struct {
	ID, Name string
	Kind     ClientKind

	// Consent is when the client's consent page is shown.
	Consent string

	// Scopes that the client may ask for.
	Scopes []string

	// Connections that its users may come from; empty means all.
	Connections []string

	// Headers of a site.
	Headers []Header
}

// A State says whether a connection can be used.
type State string

// States of a connection.
const (
	Enabled  State = "enabled"  // offered to people
	Hidden   State = "hidden"   // usable where a client asks for it
	Disabled State = "disabled" // not usable
)

// A ClientKind says how a client gets tokens.
type ClientKind string

// Kinds of clients.
const (
	Registered ClientKind = "client"  // by OpenID Connect
	Site       ClientKind = "site"    // by its gate, in headers
	Service    ClientKind = "service" // for itself: no person signs in
)

// A Header is one request header that a site's application gets.
type Header struct {
	Name string `json:"name"`

	// Placeholders in its value: "sub", "access_token", "claim.email" ...
	Placeholders []string `json:"placeholders,omitempty"`
}
