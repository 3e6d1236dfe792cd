package lineage

import (
	"errors"
	"fmt"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Graph is the lineage of a whole configuration. Its JSON form is public:
// names of members do not change. A decoded Graph can be shown, but not
// asked: only [New] makes one that answers.
type Graph struct {
	Connections []Connection       `json:"connections"`
	Attributes  []Attribute        `json:"attributes"`
	Extensions  []Extension        `json:"extensions"`
	Mappings    []Mapping          `json:"mappings"`
	Context     []ContextAttribute `json:"context"`
	Claims      []Claim            `json:"claims"`
	Scopes      []claims.Scope     `json:"scopes"`
	Clients     []Client           `json:"clients"`
	Edges       []Edge             `json:"edges"`
	Warnings    []Warning          `json:"warnings"`

	input    Input
	fillers  map[string]*filler // by connection
	receipts map[string][]Receipt
	seeds    []string // what Through was asked for
}

// A Connection is a node: one upstream.
type Connection struct {
	Node   string `json:"node"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Kind   string `json:"kind,omitempty"`
	State  State  `json:"state"`
	Origin string `json:"origin,omitempty"`
}

// An Attribute is a node: a value that a connection declares. Type and
// display name are there by default, too.
type Attribute struct {
	Node       string `json:"node"`
	Connection string `json:"connection"`
	claims.Attribute

	// Mapped says that some mapping reads it.
	Mapped bool `json:"mapped"`
}

// An Extension is a node: the script or the application of a connection.
type Extension struct {
	Node       string        `json:"node"`
	Connection string        `json:"connection"`
	Kind       ExtensionKind `json:"kind"`

	// MaySet are the names that an application may set. A script may set
	// every name of the schema.
	MaySet []string `json:"may_set,omitempty"`
}

// An ExtensionKind is what extends the context of a connection.
type ExtensionKind string

// Kinds of extensions.
const (
	Script      ExtensionKind = "script"
	Application ExtensionKind = "post_authn_app"
)

// A Mapping is a node: how an attribute, or a constant, gets to its place in
// the context.
type Mapping struct {
	Node       string `json:"node"`
	Connection string `json:"connection"`
	Mode       Mode   `json:"mode"`
	claims.Mapping

	// Unreachable is why the mapping can never fill its target: shadowed,
	// unverified_pair or type_mismatch. It is empty for all others.
	Unreachable claims.Reason `json:"unreachable,omitempty"`
}

// A Mode says what a mapping reads.
type Mode string

// Modes of a mapping.
const (
	Dynamic Mode = "dynamic" // an attribute
	Static  Mode = "static"  // a constant
)

// A ContextAttribute is a node: a name of the context schema.
type ContextAttribute struct {
	Node string `json:"node"`
	authn.Field

	// FilledBy are the connections of which something may fill it. A
	// computed one has a value for everybody, and none listed here.
	FilledBy []string `json:"filled_by,omitempty"`
}

// A Claim is a node: a declared claim, with its source path by default, too.
type Claim struct {
	Node string `json:"node"`
	claims.Claim
}

// A Client is a node: who gets claims.
type Client struct {
	Node    string     `json:"node"`
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Kind    ClientKind `json:"kind"`
	Consent string     `json:"consent,omitempty"`
	Scopes  []string   `json:"scopes,omitempty"`

	// Connections that its users can come from, without disabled ones.
	Connections []string `json:"connections,omitempty"`
	Headers     []Header `json:"headers,omitempty"`
}

// An Edge leads from one node to the next. The last one of a value, from
// claim to client, says how it gets there.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`

	// Tokens that carry the claim, Scopes of which one must be granted
	// (none is needed where there are none), and the Headers of a site
	// that hold it.
	Tokens  []claims.TokenType `json:"tokens,omitempty"`
	Scopes  []string           `json:"scopes,omitempty"`
	Headers []string           `json:"headers,omitempty"`
}

// ErrUnknown is what questions about something that is not configured come
// back with. The error names what comes near.
var ErrUnknown = errors.New("not configured")

func unknown(what, name string, names []string) error {
	return fmt.Errorf("%s %q is %w%s", what, name, ErrUnknown, claims.DidYouMean(name, names))
}
