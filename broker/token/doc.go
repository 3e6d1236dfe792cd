// Package token holds the broker's signing keys and mints its tokens.
//
// A [Keys] is one active key per algorithm, all live at once, because
// registered clients expect RS256 and signing with RS256 costs thirty times
// what ES256 does (RFC 7518, 3.1). Keys make themselves on first use; nodes
// that start together settle on one set by compare-and-swap, and the set is
// then kept in memory, so that a slow store cannot stop signing.
//
// A [Minter] turns an authorization into an access token (RFC 9068) and an
// ID token (OpenID Connect Core, 2). It serialises by hand, which halves the
// cost; every kind of token is parsed and verified by go-jose.
package token
