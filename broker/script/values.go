package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// Input is what the function learns of the sign-in, besides the secrets.
type Input struct {
	// Attributes are context.authn_ctx: JSON with numbers as
	// [json.Number].
	Attributes map[string]any

	// AMR and ACR are context.amr, always an array, and context.acr,
	// always a string.
	AMR []string
	ACR string

	// IDPSubject is context.idp_sub.
	IDPSubject string
}

// Output is what the function returned. What it did not return is nil;
// returning nothing, undefined, null or {} leaves all of it nil.
type Output struct {
	// Attributes are the top-level keys of authn_ctx, decoded as the
	// Input is. A key with the value nil is to be removed. Names are
	// unchecked: they may be reserved or outside the schema.
	Attributes map[string]any

	AMR *[]string
	ACR *string

	// IDPSubject is never the empty string.
	IDPSubject *string
}

// document is the context as the script sees it. Its fields are in the
// order in which authors print it.
type document struct {
	AuthnCtx map[string]any    `json:"authn_ctx"`
	Secrets  map[string]string `json:"secrets"`
	AMR      []string          `json:"amr"`
	ACR      string            `json:"acr"`
	IDPSub   string            `json:"idp_sub"`
}

// encodeInput returns the context as JSON.
func encodeInput(in Input, secrets map[string]string) (string, *Error) {
	d := document{AuthnCtx: in.Attributes, Secrets: secrets, AMR: in.AMR, ACR: in.ACR, IDPSub: in.IDPSubject}
	if d.AuthnCtx == nil {
		d.AuthnCtx = map[string]any{}
	}
	if d.Secrets == nil {
		d.Secrets = map[string]string{}
	}
	if d.AMR == nil {
		d.AMR = []string{}
	}
	// The engine's parser recurses on a small stack, and so would whoever
	// reads the result.
	if depth(in.Attributes) > maxDepth {
		return "", failure(KindInput, "the context is nested deeper than %d levels", maxDepth)
	}
	text, err := encodeJSON(d)
	if err != nil {
		return "", failure(KindInput, "the context is not JSON") // err holds values
	}
	if len(text) > maxInput {
		return "", failure(KindInputSize, "the context has %d bytes, more than %d", len(text), maxInput)
	}
	return text, nil
}

// decodeOutput reads the JSON that the prelude made of the result. input is
// what encodeInput returned.
func decodeOutput(text, input string) (*Output, *Error) {
	if len(text) > maxOutput {
		return nil, failure(KindOutputSize, "the result is larger than %d bytes", maxOutput)
	}
	result, err := decodeJSON(text)
	if err != nil {
		return nil, failure(KindEngine, "the result is not JSON")
	}
	if result == nil {
		return &Output{}, nil
	}
	members, ok := result.(map[string]any)
	if !ok {
		return nil, wrongType("the result", "an object, or nothing", result)
	}
	out := &Output{}
	// Sorted, so that of two faults the same one is always told.
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := out.set(name, members[name]); err != nil {
			return nil, err
		}
	}
	return out, restoreNumbers(out, input)
}

// set takes over one member of the result.
func (o *Output) set(name string, value any) *Error {
	switch name {
	case "authn_ctx":
		attributes, ok := value.(map[string]any)
		if !ok {
			return wrongType(name, "an object", value)
		}
		o.Attributes = attributes
	case "amr":
		list, ok := value.([]any)
		if !ok {
			return wrongType(name, "an array of strings", value)
		}
		amr := make([]string, len(list))
		for i, element := range list {
			if amr[i], ok = element.(string); !ok {
				return wrongType("an element of amr", "a string", element)
			}
		}
		o.AMR = &amr
	case "acr":
		acr, ok := value.(string)
		if !ok {
			return wrongType(name, "a string", value)
		}
		o.ACR = &acr
	case "idp_sub":
		// Without a subject all users would be one.
		subject, ok := value.(string)
		if !ok || subject == "" {
			return wrongType(name, "a string that is not empty", value)
		}
		o.IDPSubject = &subject
	default:
		return failure(KindUnknownKey, "the result has the key %q; the keys are authn_ctx, amr, acr and idp_sub", name)
	}
	return nil
}

func wrongType(place, want string, got any) *Error {
	return failure(KindWrongType, "%s is %s; it must be %s", place, typeName(got), want)
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		if v == "" {
			return "an empty string"
		}
		return "a string"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

// depth returns how many objects and arrays contain the innermost one.
func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			deepest = max(deepest, depth(member))
		}
	case []any:
		for _, element := range v {
			deepest = max(deepest, depth(element))
		}
	default:
		return 0
	}
	return deepest + 1
}

func encodeJSON(v any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func decodeJSON(text string) (v any, err error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the end")
	}
	return v, nil
}
