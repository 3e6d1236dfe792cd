package claims

import (
	"encoding/json"
	"maps"
	"math/big"
	"strconv"
	"strings"
)

// Convert returns v as a value of type to, or a *TypeError.
//
// Strictly (weak false) the types must agree and v comes back as it is; one
// bad element fails a whole array. Weak conversion adds, and adds no more:
//
//	bool          -> string "1" or "0", number 1 or 0
//	number        -> string in base 10, bool (true unless zero)
//	string        -> number, its base told by the prefix 0x, 0o, 0 or 0b
//	string        -> bool, of 1 t T TRUE true True 0 f F FALSE false False
//	empty object <-> empty array
//	object array  -> object, merged, the later key wins
//	scalar        -> array of that one element
//
// The elements of arrays convert likewise. Numbers stay exact, and one of
// more than 512 characters or with an exponent beyond 400 is not converted.
// The result may share memory with v.
func Convert(v any, to Type, weak bool) (any, error) {
	if to.Matches(v) {
		return v, nil
	}
	if weak {
		if out, ok := convertWeak(v, to); ok {
			return out, nil
		}
	}
	return nil, &TypeError{Got: kind(v), Want: to}
}

func convertWeak(v any, to Type) (any, bool) {
	switch to {
	case String:
		return weakString(v)
	case Number:
		return weakNumber(v)
	case Bool:
		return weakBool(v)
	case Object:
		return weakObject(v)
	case StringArray, NumberArray, BoolArray, ObjectArray:
		return weakArray(v, to.element())
	default:
		return nil, false
	}
}

func weakString(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return "1", true
		}
		return "0", true
	case json.Number:
		return decimal(string(v))
	}
	return nil, false
}

func weakNumber(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return json.Number("1"), true
		}
		return json.Number("0"), true
	case string:
		return parseNumber(v)
	}
	return nil, false
}

func weakBool(v any) (any, bool) {
	switch v := v.(type) {
	case json.Number:
		if !isNumber(string(v)) {
			return nil, false
		}
		// Only the digits before the exponent decide: 1e-400 is not zero,
		// though the nearest float is.
		mantissa, _, _ := strings.Cut(strings.ToLower(string(v)), "e")
		return strings.ContainsAny(mantissa, "123456789"), true
	case string:
		// The table is strconv's; an upstream's "yes", "TrUe" or " true"
		// is no boolean.
		b, err := strconv.ParseBool(v)
		return b, err == nil
	}
	return nil, false
}

func weakObject(v any) (any, bool) {
	elements, ok := v.([]any)
	if !ok {
		return nil, false
	}
	merged := make(map[string]any)
	for _, e := range elements {
		object, ok := e.(map[string]any)
		if !ok {
			return nil, false
		}
		maps.Copy(merged, object)
	}
	return merged, true
}

func weakArray(v any, element Type) (any, bool) {
	var elements []any
	switch v := v.(type) {
	case []any:
		elements = v
	case map[string]any:
		if len(v) > 0 {
			return nil, false
		}
	case string, bool, json.Number:
		elements = []any{v}
	default:
		return nil, false
	}
	out := make([]any, len(elements))
	for i, e := range elements {
		converted, err := Convert(e, element, true)
		if err != nil {
			return nil, false
		}
		out[i] = converted
	}
	return out, true
}

// Bounds of what is converted. An upstream that sends "1e999999999" must
// not make us write a billion digits.
const (
	maxNumberText = 512
	maxExponent   = 400
)

// decimal writes a JSON number in base 10 without an exponent, exactly.
func decimal(number string) (any, bool) {
	if len(number) > maxNumberText || !isNumber(number) {
		return nil, false
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(number), "e")
	if !scientific {
		return number, true
	}
	e, err := strconv.Atoi(exponent)
	if err != nil || e < -maxExponent || e > maxExponent {
		return nil, false
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return nil, false
	}
	_, fraction, _ := strings.Cut(mantissa, ".")
	text := r.FloatString(max(0, len(fraction)-e))
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text, true
}

// parseNumber reads an integer of any size, with the base prefixes of Go,
// or any JSON number.
func parseNumber(text string) (any, bool) {
	if len(text) > maxNumberText || strings.Contains(text, "_") {
		return nil, false
	}
	if i, ok := new(big.Int).SetString(text, 0); ok {
		return json.Number(i.String()), true
	}
	if isNumber(text) {
		return json.Number(text), true
	}
	return nil, false
}
