package script

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// beyond is the first integer that shares its double with another one.
const beyond = 1 << 53

// restoreNumbers gives the numbers in o the digits they had in the context;
// the package comment says which ones.
func restoreNumbers(o *Output, input string) *Error {
	if o.Attributes == nil {
		return nil
	}
	// Read again what the script was given, rather than the caller's
	// values: those may hold Go numbers, and must not be shared.
	decoded, err := decodeJSON(input)
	if err != nil {
		return failure(KindEngine, "the context is not JSON")
	}
	d, _ := decoded.(map[string]any)
	r := restorer{context: d["authn_ctx"]}
	_, failed := r.restore(o.Attributes, r.context, "authn_ctx")
	return failed
}

type restorer struct {
	context any

	// digits are the texts that numbers beyond 2^53 have in the context,
	// by the double they share: two are as bad as a thousand. Made when
	// first needed.
	digits map[float64][]json.Number
}

// restore returns out with the digits of in, which was at the same place.
// Objects and arrays are changed where they are.
func (r *restorer) restore(out, in any, place string) (any, *Error) {
	var err *Error
	switch out := out.(type) {
	case map[string]any:
		from, _ := in.(map[string]any)
		for name, v := range out {
			if out[name], err = r.restore(v, from[name], place+"."+name); err != nil {
				return nil, err
			}
		}
	case []any:
		from, _ := in.([]any)
		for i, v := range out {
			var at any
			if i < len(from) {
				at = from[i]
			}
			if out[i], err = r.restore(v, at, place+"["+strconv.Itoa(i)+"]"); err != nil {
				return nil, err
			}
		}
	case json.Number:
		return r.number(out, in, place)
	}
	return out, nil
}

func (r *restorer) number(out json.Number, in any, place string) (any, *Error) {
	value := double(out)
	if same, ok := in.(json.Number); ok && double(same) == value {
		return same, nil
	}
	if math.Abs(value) < beyond || value != math.Trunc(value) {
		return out, nil
	}
	// It moved, or the script computed it.
	if r.digits == nil {
		r.digits = make(map[float64][]json.Number)
		r.collect(r.context)
	}
	switch texts := r.digits[value]; {
	case len(texts) == 1:
		return texts[0], nil
	case len(texts) > 1:
		return nil, failure(KindWrongType,
			"%s is a number that JavaScript cannot tell from another one of the context; have such identifiers sent as strings", place)
	case math.IsInf(value, 0):
		return nil, failure(KindWrongType, "%s is an infinite number", place)
	}
	return out, nil
}

// collect fills digits from v.
func (r *restorer) collect(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			r.collect(member)
		}
	case []any:
		for _, element := range v {
			r.collect(element)
		}
	case json.Number:
		value := double(v)
		known := r.digits[value]
		if math.Abs(value) < beyond || len(known) == 2 || slices.Contains(known, v) {
			return
		}
		r.digits[value] = append(known, v)
	}
}

// double returns the number as JavaScript reads it: rounded, and infinite
// beyond the largest double.
func double(n json.Number) float64 {
	f, _ := strconv.ParseFloat(string(n), 64) // out of range is ±Inf or 0
	return f
}
