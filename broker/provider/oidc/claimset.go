package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A claimSet is a decoded JSON object with exact member names and exact
// numbers. A struct would not do: one string where a bool is expected makes
// the whole token unreadable, and encoding/json takes "SUB" for "sub".
type claimSet map[string]any

// decodeClaims decodes exactly one JSON object.
func decodeClaims(raw []byte) (claimSet, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var set claimSet
	if dec.Decode(&set) != nil || set == nil {
		return nil, errors.New("not a JSON object")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("data after the JSON object")
	}
	return set, nil
}

// text returns the string claim name, or "".
func (c claimSet) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// instant returns the time claim name (NumericDate, RFC 7519, 2). A
// fraction is cut off; what is no plausible number is not there.
func (c claimSet) instant(name string) (time.Time, bool) {
	n, ok := c[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := n.Float64()
	if err != nil || math.IsNaN(f) || f <= 0 || f > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

// audience returns "aud", which is a string or an array of strings
// (RFC 7519, 4.1.3); nil for anything else.
func (c claimSet) audience() []string {
	switch aud := c["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		all, foreign := textElements(aud)
		if foreign > 0 {
			return nil
		}
		return all
	}
	return nil
}

// isFor says whether "aud" names audience.
func (c claimSet) isFor(audience string) bool {
	return audience != "" && slices.Contains(c.audience(), audience)
}

// textElements returns the strings of an array and how many of its
// elements are none.
func textElements(array []any) (texts []string, foreign int) {
	for _, element := range array {
		if s, ok := element.(string); ok {
			texts = append(texts, s)
		} else {
			foreign++
		}
	}
	return texts, foreign
}

// clip bounds text of the other side for errors and logs.
func clip(s string) string {
	const limit = 200
	if len(s) > limit {
		for s = s[:limit]; s != "" && !utf8.ValidString(s[max(0, len(s)-4):]); {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "?")
}
