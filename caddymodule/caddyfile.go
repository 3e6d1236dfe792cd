package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A block of the Caddyfile is a table of the words allowed in it. So a word
// that is unknown is answered with those that are known, and none can be
// given twice by accident, without any parser having to think of it.
type word struct {
	name string
	read func(*caddyfile.Dispenser) error

	// many words may be given several times.
	many bool
}

// readBlock reads the block, if any, at the dispenser. Words in given count
// as given already, and those that are read join them.
func readBlock(d *caddyfile.Dispenser, place string, words []word, given map[string]bool) error {
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name := d.Val()
		i := slices.IndexFunc(words, func(w word) bool { return w.name == name })
		if i < 0 {
			known := namesOf(words)
			near := strings.TrimSuffix(claims.DidYouMean(name, known), "?")
			return d.Errf("%s: %q is unknown%s; use one of: %s", place, name, near, strings.Join(known, ", "))
		}
		if given[name] && !words[i].many {
			return d.Errf("%s: %s is given twice; keep one", place, name)
		}
		given[name] = true
		if err := words[i].read(d); err != nil {
			return err
		}
	}
	return nil
}

func namesOf(words []word) []string {
	names := make([]string, 0, len(words))
	for _, w := range words {
		names = append(names, w.name)
	}
	slices.Sort(names)
	return names
}

// originOf returns the place of the current token, such as "Caddyfile:12".
func originOf(d *caddyfile.Dispenser) string {
	return fmt.Sprintf("%s:%d", d.File(), d.Line())
}

// text reads one argument.
func text(to *string) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name := d.Val()
		if !d.AllArgs(to) || *to == "" {
			return d.Errf("%s takes one argument", name)
		}
		return nil
	}
}

// list reads one argument or more.
func list(to *[]string) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name, args := d.Val(), d.RemainingArgs()
		if len(args) == 0 {
			return d.Errf("%s takes one argument or more", name)
		}
		for _, arg := range args {
			if slices.Contains(*to, arg) {
				return d.Errf("%s: %q is given twice; keep one", name, arg)
			}
			*to = append(*to, arg)
		}
		return nil
	}
}

// toggle reads a word without arguments.
func toggle(to *bool) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name := d.Val()
		if d.NextArg() {
			return d.Errf("%s takes no argument; leave the line out to turn it off", name)
		}
		*to = true
		return nil
	}
}

// number reads a whole number.
func number(to *int) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name, arg := d.Val(), ""
		if !d.AllArgs(&arg) {
			return d.Errf("%s takes one argument", name)
		}
		n, err := strconv.Atoi(arg)
		if err != nil {
			return d.Errf("%s: %q is not a whole number", name, arg)
		}
		*to = n
		return nil
	}
}

// duration reads a time such as 90s, 12h or 30d.
func duration(to *caddy.Duration) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name, arg := d.Val(), ""
		if !d.AllArgs(&arg) {
			return d.Errf("%s takes one argument", name)
		}
		value, err := caddy.ParseDuration(arg)
		if err != nil || value <= 0 {
			return d.Errf("%s: %q is not a time; write one such as 90s, 15m, 12h or 30d", name, arg)
		}
		*to = caddy.Duration(value)
		return nil
	}
}

// oneOf reads one argument out of several.
func oneOf(to *string, values ...string) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name, arg := d.Val(), ""
		if !d.AllArgs(&arg) || !slices.Contains(values, arg) {
			return d.Errf("%s: write one of: %s", name, strings.Join(values, ", "))
		}
		*to = arg
		return nil
	}
}

// someOf reads one argument or more out of several.
func someOf(to *[]string, values ...string) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name := d.Val()
		if err := list(to)(d); err != nil {
			return err
		}
		for _, arg := range *to {
			if !slices.Contains(values, arg) {
				return d.Errf("%s: %q is unknown; use one or more of: %s", name, arg, strings.Join(values, ", "))
			}
		}
		return nil
	}
}

// claimPath reads a path, in which "\." is a dot in a name.
func claimPath(to *string) func(*caddyfile.Dispenser) error {
	return func(d *caddyfile.Dispenser) error {
		name := d.Val()
		if err := text(to)(d); err != nil {
			return err
		}
		if _, err := claims.ParsePath(*to); err != nil {
			return d.Errf("%s: %w", name, err)
		}
		return nil
	}
}

// misread returns err as the parser's own errors are: with the place at the
// end, be it the one of the declaration at fault.
func misread(d *caddyfile.Dispenser, err error) error {
	if err == nil {
		return nil
	}
	if declared, ok := errors.AsType[*claims.ConfigError](err); ok && declared.Origin != "" {
		return fmt.Errorf("%s: %w, at %s", declared.Subject, declared.Err, declared.Origin)
	}
	return d.WrapErr(err)
}

// noArguments reads the rest of a line that must be empty.
func noArguments(d *caddyfile.Dispenser, place string) error {
	if d.NextArg() {
		return d.Errf("%s takes no argument, only a block", place)
	}
	return nil
}
