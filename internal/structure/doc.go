// Package structure holds tests about the repository as a whole, which no
// single package can hold: in which direction packages import one another,
// that the build manifest is true, that every Caddyfile shown to a reader
// works, and that no file depends on the machine it was written on.
//
// Each check is a function over its input, tried on a made-up bad input
// beside its run on the real one: a check that cannot fail proves nothing.
package structure
