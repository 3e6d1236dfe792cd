// Package caddymodule puts the broker into Caddy. It is the only package
// that knows Caddy; everything it serves is made by package broker.
//
// There is one app and there are two handlers. The app auth_broker, from
// the global option of that name, holds the configuration and the broker.
// The handler auth_broker answers the issuer's addresses on the site it
// stands in; the handler auth_gate protects its site. Both find the app
// while they are provisioned, and a gate then tells the broker which site
// it guards, because only there is the site's address known.
//
// Every block of the configuration is a struct, which is its JSON form, in a
// file of its name, such as provider.go; the words of the Caddyfile that
// fill it are in caddyfile_provider.go. What build.go makes of all of them
// is the configuration of the broker.
//
// The admin API (admin.go) tells what the running broker is configured to
// do, and changes nothing. The command "caddy auth-broker" (command.go) puts
// the same questions to it, or to a configuration that is only provisioned.
//
// Provisioning reads settings, secrets and scripts and computes; it opens no
// file of ours, makes no call and starts nothing, so that "caddy validate"
// can run beside a server. The broker works from then on. Starting the app opens
// the store at once and makes the keys, so that a store that cannot be had
// refuses the configuration instead of the first visitor.
//
// What must outlive a reload is in pool.go. A line of the Caddyfile is
// known only while that is adapted, so every object of the JSON carries its
// own as "origin", and errors found later begin with it.
package caddymodule
