package claims

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// A Type is the JSON type an attribute or a place in the context has.
type Type string

// The types. Any takes every value but null; an array type takes arrays
// whose elements all are of the one type, and the empty array.
const (
	String      Type = "string"
	Number      Type = "number"
	Bool        Type = "bool"
	Object      Type = "object"
	StringArray Type = "string_array"
	NumberArray Type = "number_array"
	BoolArray   Type = "bool_array"
	ObjectArray Type = "object_array"
	Any         Type = "any"
)

// Types returns every Type.
func Types() []Type {
	return []Type{String, Number, Bool, Object, StringArray, NumberArray, BoolArray, ObjectArray, Any}
}

// Validate returns an error that lists the types unless t is one of them.
func (t Type) Validate() error {
	if !slices.Contains(Types(), t) {
		return fmt.Errorf("unknown type %q; use one of %v", string(t), Types())
	}
	return nil
}

// Matches reports whether v is of type t, without any conversion.
func (t Type) Matches(v any) bool {
	switch t {
	case Any:
		return v != nil
	case StringArray, NumberArray, BoolArray, ObjectArray:
		elements, ok := v.([]any)
		if !ok {
			return false
		}
		for _, e := range elements {
			if !t.element().Matches(e) {
				return false
			}
		}
		return true
	case Number:
		n, ok := v.(json.Number)
		return ok && isNumber(string(n))
	case String, Bool, Object:
		return kind(v) == string(t)
	default:
		return false
	}
}

// element returns the type of the elements of an array type.
func (t Type) element() Type {
	switch t {
	case StringArray:
		return String
	case NumberArray:
		return Number
	case BoolArray:
		return Bool
	case ObjectArray:
		return Object
	default:
		return ""
	}
}

// kind names the JSON type of v, for comparing and for messages.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return string(String)
	case json.Number:
		return string(Number)
	case bool:
		return string(Bool)
	case map[string]any:
		return string(Object)
	case []any:
		return "array"
	default:
		return fmt.Sprintf("%T, which is not decoded JSON", v)
	}
}

// isNumber reports whether text is a number by the grammar of RFC 8259, 6.
// A json.Number is any string: "NaN" or "" in one would later fail to
// encode, at a point where the sign-in cannot fail cleanly any more.
func isNumber(text string) bool {
	if text == "" {
		return false
	}
	first, last := text[0], text[len(text)-1]
	return (first == '-' || isDigit(first)) && isDigit(last) && json.Valid([]byte(text))
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// ErrType is what every *TypeError is.
var ErrType = errors.New("type mismatch")

// A TypeError says that a value has not the type its place demands. It
// names types only: the value is personal data.
type TypeError struct {
	Got  string
	Want Type
}

// Error returns the two types.
func (e *TypeError) Error() string {
	return fmt.Sprintf("type mismatch: got %s, want %s", e.Got, e.Want)
}

// Is makes every TypeError an [ErrType].
func (e *TypeError) Is(target error) bool { return target == ErrType }
