package lineage

import (
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A ClientAnswer says what one client gets.
type ClientAnswer struct {
	Client Client `json:"client"`

	// Receipts has an element for every declared claim, in their order.
	Receipts []Receipt `json:"claims"`
}

// What returns what the client gets, from where, under which scope and in
// which tokens, and why it does not get the rest. The error is ErrUnknown.
func (g *Graph) What(client string) (*ClientAnswer, error) {
	var ids []string
	for _, c := range g.Clients {
		if c.ID == client {
			receipts := g.receipts[c.ID]
			if receipts == nil {
				receipts = []Receipt{}
			}
			return &ClientAnswer{Client: c, Receipts: receipts}, nil
		}
		ids = append(ids, c.ID)
	}
	return nil, unknown("client", client, ids)
}

// An AttributeAnswer says who gets one attribute.
type AttributeAnswer struct {
	// Attributes of connections that go by the name asked for, or fill the
	// context attribute of that name.
	Attributes []Attribute `json:"attributes"`

	// Context are the names under which the value is in the context.
	Context []ContextAttribute `json:"context"`

	// Receivers are the clients that get it, and those that might and do
	// not.
	Receivers []Receiver `json:"receivers"`

	// Warnings are those about these attributes.
	Warnings []Warning `json:"warnings"`
}

// A Receiver is one client with one claim that reads the attribute.
type Receiver struct {
	Client string     `json:"client"`
	Name   string     `json:"name"`
	Kind   ClientKind `json:"kind"`

	// Claim is how the client gets the value, in Tokens and Headers, under
	// one of Scopes, of users of Connections.
	Claim       string             `json:"claim"`
	Tokens      []claims.TokenType `json:"tokens,omitempty"`
	Headers     []string           `json:"headers,omitempty"`
	Scopes      []string           `json:"scopes,omitempty"`
	Connections []string           `json:"connections,omitempty"`

	// Reason is why the client does not get it, empty if it can, and Cure
	// what to do about it.
	Reason claims.Reason `json:"reason,omitempty"`
	Cure   string        `json:"cure,omitempty"`
}
