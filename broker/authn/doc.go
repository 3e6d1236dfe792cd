// Package authn builds the authentication context: what the broker knows
// about a person who has just signed in, and how they did.
//
// A connection has one [Pipeline], made from its configuration. It takes
// the verified answer of the upstream through
//
//	attributes -> mappings -> authentication context -> AMR override
//
// and returns a [Context], or an error that ends the sign-in. What the
// upstream left out of how the person authenticated is inherited from the
// SSO session before, see [Inherit]. Later stages may change the context
// before consent is asked: [Schema.ApplyScript] and
// [Schema.ApplyApplication] merge what they return, whole or not at all.
// Tokens are minted from the context, as far as an [Authorization] gives it
// to a client, and from nothing else.
//
// Every stage leaves entries in the [Trace] of the sign-in: where a value
// came from, or why it did not arrive, and never the value itself.
//
// A [Schema] types the context. It holds the names every broker has and
// those its operator added; nothing outside it gets in.
//
// A person is (connection, upstream issuer, upstream subject). Nothing else
// identifies them, an e-mail address least of all: whoever can have the
// upstream say an address would own every account that bears it. [Subject]
// turns the three into the name clients know.
package authn
