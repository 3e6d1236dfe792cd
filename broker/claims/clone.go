package claims

// Clone returns a deep copy of a JSON value: nothing written to the copy is
// seen in the original.
func Clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = Clone(value)
		}
		return out
	case []any:
		if v == nil {
			return v
		}
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = Clone(value)
		}
		return out
	default:
		return v
	}
}
