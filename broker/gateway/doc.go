// Package gateway is the gate in front of a web application: it lets nobody
// through who is not signed in, and tells the application who is.
//
// A gated site is a client of the broker like any other, except that the
// gate plays the client's part inside the process: it begins authorizations
// by redirecting, and redeems codes by a call. The browser holds an opaque
// handle; the tokens and header values that belong to it are made once and
// kept in a bounded [Cache], so that a request of a signed-in visitor costs
// one hash and no I/O.
//
// A request is let through once, a stream goes on. So what stays open is
// watched, whatever it calls itself, and cut when its session ends, or when
// a new configuration would not let it in. A browser that signs in again and
// again without getting a session is stopped, with an explanation.
//
// Nothing is decided before every header that the gate could ever set has
// been removed from the request, in every spelling that an application
// could take for it.
package gateway
