//go:build race

package oidc

// slowdown is what the race detector costs, for tests that measure time.
const slowdown = 20
