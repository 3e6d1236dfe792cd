// Package script runs post-authentication scripts: one JavaScript function
// per connection that looks at a finished sign-in and may change its
// authentication context.
//
//	module.exports = async function (context) {
//	  // context: authn_ctx, secrets, amr, acr, idp_sub
//	  return { authn_ctx: { groups: ["x"] }, amr: ["mfa"], acr: "…", idp_sub: "…" };
//	};
//
// # Trust
//
// Scripts come from operators, never from users: whoever may write the
// configuration may write scripts. The engine (QuickJS, translated to Go) is
// memory-unsafe code, and a fault of its own could corrupt the process. So
// the limits here are no wall against the author of a script. They are there
// because authors err, and because the context holds what users typed: an
// endless loop, a runaway allocation or a claim of a million digits ends one
// sign-in and nothing else.
//
// # A run
//
// [Engine.Compile] compiles a script when the configuration loads and runs
// its top level once, without network, so that a script that cannot work
// stops the load. [Script.Run] then makes a fresh VM for each sign-in: the
// top level runs again, the function gets a deep copy of the context, and
// nothing a script leaves anywhere reaches the next user.
//
// A run takes turns. In a turn the VM runs, until nothing is left to do but
// wait for an answer to fetch; waiting is done in Go. Running time (50 ms)
// counts turns only, waiting time (2 s) everything from the call of Run:
// the queue, the turns, the answers.
//
// Memory bounds how many runs exist (8 of 16 MiB, at most 4 of one script, so
// that a slow host stops no other connection), processors how many are in
// a turn: half of them, at least one, so that runaway scripts leave the other
// half to everybody else, and so that 50 ms of a clock are 50 ms of work.
//
// The engine looks for its interrupt every ten thousand turns of a loop or
// calls, and never within a built-in function. A plain loop ends on time. One
// that parses a large document each time around goes on for as long as ten
// thousand of them take, and a single built-in function can take seconds:
// indexOf of one long string in another, BigInt.prototype.toString, a search
// through a made-up array of a billion holes. Such a run is given up at twice
// its time: Run returns a timeout and the turn is free for others, while a
// processor and the place of the run stay taken until the engine notices.
// With all eight places taken, scripts fail as busy.
//
// # Values
//
// Context and result cross as JSON. In a result undefined is "not returned",
// and null in authn_ctx is kept as nil: "remove". What JSON cannot hold (a
// function, a BigInt, NaN, a Map, a cycle) is refused with its place and
// never left out. Lone surrogates in strings become U+FFFD.
//
// JavaScript's numbers are doubles, claims may have more digits. A returned
// number that equals, as a double, the number that came in at the same place
// is the very text that came in: returning the object one got changes
// nothing. An integer beyond 2^53 that moved to another place is the text of
// the one number of the context with that value; if several share it, the
// result is refused, since the script could not know which one it moved. All
// other numbers are what JavaScript prints.
//
// # Secrecy
//
// Errors and the report hold names, types, sizes and places, with two
// exceptions that are the author's own words: the message of an exception
// and console lines. Configured secrets are blotted out of both, personal
// data is not: do not throw it.
package script
