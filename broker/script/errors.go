package script

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A Kind says in one word why a script failed. The words are stable: they
// are the outcome in audit events.
type Kind string

// Kinds of [Engine.Compile].
const (
	KindSyntax     Kind = "syntax"      // the source is not JavaScript
	KindNoFunction Kind = "no_function" // it exports no function
)

// Kinds of [Script.Run]; those of an exception and of a limit can come from
// Compile, too, which runs the top level.
const (
	KindException  Kind = "exception"   // thrown, not within a promise
	KindRejected   Kind = "rejected"    // the returned promise was rejected
	KindUnsettled  Kind = "unsettled"   // the returned promise can never settle
	KindTimeout    Kind = "timeout"     // ran, or waited for answers, too long
	KindMemory     Kind = "memory"      // needs more memory than a run may have
	KindStack      Kind = "stack"       // calls nested too deep
	KindInput      Kind = "input"       // the context is no JSON, or nested too deep
	KindInputSize  Kind = "input_size"  // the context is larger than 256 KiB
	KindOutputSize Kind = "output_size" // the result is larger than 64 KiB
	KindWrongType  Kind = "wrong_type"  // the result, or a part of it, has the wrong type
	KindUnknownKey Kind = "unknown_key" // the result has a member of another name
	KindBusy       Kind = "busy"        // no free place within the waiting time
	KindCancelled  Kind = "cancelled"   // the caller's context ended
	KindEngine     Kind = "engine"      // a fault of the JavaScript engine or of this package
)

// An Error is why a script failed. Its texts are printable and short. An
// exception's message is the author's and holds what they put there; nothing
// else in an Error is a value of the context.
type Error struct {
	Kind    Kind
	Script  string // Config.Name
	Line    int    // in the script, 0 if unknown
	Message string // of the exception, or what is wrong

	cause error
}

func (e *Error) Error() string {
	place := e.Script
	if e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line)
	}
	return fmt.Sprintf("%s: %s: %s", place, e.Kind, e.Message)
}

// Unwrap returns the error of the caller's context, for KindCancelled.
func (e *Error) Unwrap() error { return e.cause }

func failure(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: printable(fmt.Sprintf(format, args...), maxShown)}
}

// engineMessages are the engine's own words for limits it met; it throws
// them like any exception.
var engineMessages = []struct {
	suffix string
	kind   Kind
}{
	{"InternalError: out of memory", KindMemory},
	{"InternalError: string too long", KindMemory},
	{"RangeError: invalid string length", KindMemory},
	{"RangeError: invalid array buffer length", KindMemory},
	{"RangeError: BigInt is too large", KindMemory},
	{"RangeError: BigInt is too large to allocate", KindMemory},
	{"InternalError: stack overflow", KindStack},
	{"SyntaxError: stack overflow", KindStack}, // in JSON.parse
}

// thrown returns the error of an exception with the given text, in a line of
// the script or in none.
func thrown(kind Kind, text string, line int) *Error {
	for _, m := range engineMessages {
		if strings.HasSuffix(text, m.suffix) {
			kind = m.kind
			break
		}
	}
	if kind == KindMemory && text == "null" {
		text = "out of memory (or null was thrown, the engine's word for it)"
	}
	return &Error{Kind: kind, Message: text, Line: line}
}

var frame = regexp.MustCompile(`<eval>:([0-9]+)`)

// lineOf returns the script's innermost line in a stack trace, or 0. The
// engine gives all code one file name; the prelude is compiled behind as
// many empty lines as the script has, so that its frames are told by their
// line.
func (s *Script) lineOf(stack string) int {
	for _, m := range frame.FindAllStringSubmatch(stack, -1) {
		if line, err := strconv.Atoi(m[1]); err == nil && line <= s.lines {
			return line
		}
	}
	return 0
}

// printable returns s with a space for each character that is not, so that
// nobody forges a line of a log, and cut after the given number of
// characters.
func printable(s string, length int) string {
	var b strings.Builder
	for _, r := range s {
		if length--; length < 0 {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
