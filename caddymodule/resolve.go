package caddymodule

import (
	"fmt"
	"regexp"
	"strings"

	"go.uber.org/zap"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// at returns the beginning of a message about what is configured at origin.
// JSON written by hand has no lines; its path stands in.
func at(origin, path string) string {
	if origin == "" {
		return path + ": "
	}
	return origin + ": "
}

// A resolver replaces the placeholders of settings. That happens while
// provisioning and not while parsing: what the parser replaced would be in
// the JSON, which the admin API shows and Caddy saves to disk.
type resolver struct {
	repl *caddy.Replacer
	log  *zap.Logger
}

func newResolver(log *zap.Logger) resolver {
	return resolver{repl: caddy.NewReplacer(), log: log}
}

// placeholder matches those whose text may be shown: a name, not a value.
var placeholder = regexp.MustCompile(`\{(?:env|file)\.[^{}]+\}`)

// text returns value with its placeholders replaced. One that is empty is
// an error: an unset variable must not become an empty setting.
func (r resolver) text(place, word, value string) (string, error) {
	out, err := r.repl.ReplaceOrErr(value, true, true)
	if err == nil {
		return out, nil
	}
	// The replacer's own error quotes whatever stood in braces, which may
	// be part of a secret.
	named := placeholder.FindAllString(value, -1)
	if len(named) == 0 {
		return "", fmt.Errorf(`%s: %s has braces that are no placeholder; use {env.NAME} or {file.PATH}, or write \{ for a brace`, place, word)
	}
	if strings.HasPrefix(named[0], "{file.") {
		return "", fmt.Errorf("%s: %s %s is empty; write the value into that file and let Caddy read it", place, word, strings.Join(named, " "))
	}
	return "", fmt.Errorf("%s: %s %s is empty; set the variable or use {file.path}", place, word, strings.Join(named, " "))
}

// texts is text for a list.
func (r resolver) texts(place, word string, values []string) ([]string, error) {
	var out []string
	for _, v := range values {
		v, err := r.text(place, word, v)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// secret is text for a secret: one that stands in the configuration itself
// works, with a warning.
func (r resolver) secret(place, word, value string) (string, error) {
	out, err := r.text(place, word, value)
	if err == nil && value != "" && out == value {
		r.log.Warn(place + ": " + word + " is written literally, so everyone who can read the configuration has it; use {env.NAME} or {file.PATH}")
	}
	return out, err
}

// warn tells of what is allowed and probably a mistake.
func (r resolver) warn(place, format string, args ...any) {
	r.log.Warn(place + ": " + fmt.Sprintf(format, args...))
}

// warnPath tells of a path that looks like a URL whose dots separate.
func (r resolver) warnPath(place string, p claims.Path) {
	if meant, ok := p.Suggestion(); ok {
		r.warn(place, `the dots of %s lead from object to object; if it is one name, write %s`, p, meant)
	}
}
