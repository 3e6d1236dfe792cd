package claims

import "encoding/json"

// Measure returns all that lineage may tell of a value: its JSON type
// ("string", "number", "bool", "object", "array" or "null") and the bytes
// of its JSON. The size of what is no JSON is 0.
func Measure(v any) (kindName string, size int) {
	text, err := json.Marshal(v)
	if err != nil {
		return kind(v), 0
	}
	return kind(v), len(text)
}
