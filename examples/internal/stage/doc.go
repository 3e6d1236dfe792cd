// Package stage is what the examples share, so that each of them shows only
// what it is about: its Caddyfile and, where it has one, its application.
//
// An example is one process: Caddy with the example's Caddyfile, the
// applications around it, and a stand-in for an Auth0 tenant. Everything
// listens on loopback. One host name with several ports works in every
// browser without a hosts file.
//
// With AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET set, that tenant
// takes the place of the stand-in.
package stage
