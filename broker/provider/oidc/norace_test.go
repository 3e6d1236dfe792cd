//go:build !race

package oidc

const slowdown = 1
