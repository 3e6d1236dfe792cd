// Package authn builds the authentication context: what the broker knows
// about a person who has just signed in, and how they did.
//
// A connection has one [Pipeline], made from its configuration. It takes
// the verified answer of the upstream through
//
//	attributes -> mappings -> authentication context -> AMR override
//
// and returns a [Context], or an error that ends the sign-in. Later stages
// may change the context before consent is asked; tokens are minted from it
// and from nothing else.
//
// A [Schema] types the context. It holds the names every broker has and
// those its operator added; nothing outside it gets in.
//
// A person is (connection, upstream issuer, upstream subject). Nothing else
// identifies them, an e-mail address least of all: whoever can have the
// upstream say an address would own every account that bears it. [Subject]
// turns the three into the name clients know.
package authn
