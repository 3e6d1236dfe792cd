package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// decode reads one JSON value, with numbers as they are written.
func decode(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// constant returns a static value as a type of the context. A Caddyfile has
// texts only, so a text, or a list of them, is read as what the type wants.
func constant(v any, to claims.Type) (any, error) {
	if to.Matches(v) {
		return v, nil
	}
	switch v := v.(type) {
	case string:
		if element := elementOf(to); element != "" {
			return constant([]any{v}, to)
		}
		return fromText(v, to)
	case []any:
		element := elementOf(to)
		if element == "" {
			return nil, fmt.Errorf("it has %d values, but the type is %s; give one", len(v), to)
		}
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = constant(v[i], element); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("it is not of the type %s", to)
}

// elementOf returns the type of the elements of an array type, empty for
// another one.
func elementOf(t claims.Type) claims.Type {
	element, ok := strings.CutSuffix(string(t), "_array")
	if !ok {
		return ""
	}
	return claims.Type(element)
}

func fromText(text string, to claims.Type) (any, error) {
	switch to {
	case claims.Bool:
		switch text {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, fmt.Errorf("%q is no bool; write true or false", text)
	case claims.Number:
		if n := json.Number(text); claims.Number.Matches(n) {
			return n, nil
		}
		return nil, fmt.Errorf("%q is no number; write one such as 42 or 0.5", text)
	case claims.Object:
		return nil, fmt.Errorf("%q is no object; a Caddyfile cannot write one, so map its members", text)
	default: // texts and anything match, and array types are taken apart
		return nil, fmt.Errorf("%q is not of the type %s", text, to)
	}
}
