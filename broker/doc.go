// Package broker is an OpenID Connect broker and a gate for web
// applications, in one: people sign in at an upstream provider, and
// applications behind the gate as well as ordinary clients get tokens that
// the broker mints.
//
// A sign-in takes these steps:
//
//  1. A client asks for a code (op), or the gate does for its site (gateway).
//  2. The broker asks the upstream (provider).
//  3. The user signs in there.
//  4. The upstream sends a code to our callback (op).
//  5. The broker redeems it (provider/oidc).
//  6. It verifies what it gets (provider/oidc).
//  7. Attributes become the authentication context (claims, authn), which a
//     script (script) and an application of the operator may extend (op).
//  8. The user consents (consent, ui).
//  9. The broker issues its own code (op).
//  10. The client redeems it (op), or the gate does (gateway).
//  11. The broker mints tokens (token).
//
// Sessions of the browser are kept by package session, everything that
// outlives a request by package store. Where the context cache of a
// connection is on, the session has a context that answers in place of steps
// 2 to 7. Package lineage tells, without any sign-in, which data go where;
// package demo is a client to try a sign-in with. Package portal is where
// people see all this about themselves, and take it back: an application
// behind a gate of its own, on the issuer's origin.
//
// # Layers
//
// Packages import downwards only: claims, oauth, outbound and store know
// nobody; authn and provider (the contract) stand on them; then the
// providers, consent, lineage, script, session, token and ui; then op,
// gateway, portal and demo, which do not know each other; then this package,
// which connects them. Nothing here imports Caddy: package caddymodule adapts.
package broker
