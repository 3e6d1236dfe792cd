// Package demo is an application to try the broker with: a client that has
// no more rights than any other, and shows its user what it got.
//
// It is written as an ordinary client is, with the ordinary libraries: it
// discovers the broker, asks for a code with PKCE, redeems it, verifies the
// ID token, reads userinfo. It is public and not trusted, so people are asked
// for consent. Nothing in a sign-in is made easier for it; only the way to
// the broker is short, because its requests never leave the process
// (transport.go).
//
//	/demo/           what to ask for, or what was got (front.go)
//	/demo/login      begins a sign-in (login.go)
//	/demo/callback   ends it (callback.go)
//	/demo/refresh    uses the refresh token (refresh.go)
//	/demo/logout     forgets what was got (logout.go)
//
// What it got, tokens among it, is a record below the browser's SSO session
// (package session): signing out anywhere ends it. The browser holds a handle.
//
// The one thing that no client could know is where the broker has each claim
// from. The broker tells it, as it tells the person in other places.
package demo
