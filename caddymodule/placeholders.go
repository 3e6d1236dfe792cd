package caddymodule

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
)

// publish sets {http.auth.user.id} and {http.auth.user.NAME} for the
// request. Most are never asked for, so values are made when they are. What
// the visitor does not have is empty, and so is all where there is no
// visitor: left unknown, Caddy would pass the placeholder on as text.
func publish(r *http.Request, v *gateway.Visitor) {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	repl.Map(func(key string) (any, bool) {
		name, ok := strings.CutPrefix(key, "http.auth.user.")
		if !ok {
			return nil, false
		}
		if v == nil {
			return "", true
		}
		if name == "id" {
			return scalar(v.Subject), true
		}
		claim, ok := v.Claim(name)
		if !ok {
			return "", true
		}
		return scalar(claim), true
	})
}

// scalar returns a claim as Caddy's matchers and templates can use it. A
// list or an object becomes JSON: joined by commas, a group called
// "a,admin" would be two. A text with a control character is empty, as the
// gate's own headers leave it out: in a header of the operator's, Caddy would
// answer 502, and a user could lock himself out by his name.
func scalar(claim any) any {
	var text string
	switch claim := claim.(type) {
	case bool:
		return claim
	case string:
		text = claim
	case json.Number:
		text = claim.String()
	default:
		raw, err := json.Marshal(claim)
		if err != nil {
			return ""
		}
		text = string(raw)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return text
}
