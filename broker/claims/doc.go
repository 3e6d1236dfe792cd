// Package claims turns what an upstream said about a person into what a
// client may learn.
//
// Data takes four steps, and nothing skips one:
//
//	Documents --Extract--> attributes --Mapper--> context --Release--> claims
//
// An [Attribute] declares one value of one document: where it is, under
// which name it is known here and of which type it should be. A [Mapping]
// moves an attribute to its place in the authentication context. A [Claim]
// says which part of the context goes into which kind of token, and which
// [Scope] the person must have granted for it. What nobody declared does
// not arrive: an undeclared claim cannot be mapped, an unmapped attribute
// is not in the context, and what no claim names is in no token.
//
// A value that falls by the wayside is a [Drop] with a stable [Reason],
// never a wrong-typed or half-converted value. [Explain] gives the reason of
// a claim that a token lacks, by the very decision of [Release].
//
// A mistake in a declaration is a [ConfigError], which knows where the
// declaration stands.
//
// Values are JSON as [encoding/json] decodes it with UseNumber: string,
// bool, [json.Number], []any and map[string]any. A null is as good as
// absent. Numbers stay texts, so that a 64-bit identifier leaves as it came.
//
// The package does no I/O and imports no sibling. Everything it builds is
// read-only afterwards and safe for concurrent use.
package claims
