// Package interop tests the broker against software that others wrote: the
// OpenID Connect implementations and browsers that users will point at it.
// It is a module of its own so that users of the broker inherit none of
// these dependencies.
//
// The helpers here run that software. The Node scripts (folder node) speak
// one JSON value a line over standard input and output; Chromium is driven
// by chromedp. Everything listens on loopback only, ends with its test, and
// is never skipped: where Node, its packages or Chromium are missing, a test
// fails and names the command that installs them.
package interop
