package caddymodule

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// adminParameters are what a path of the API can be asked about, or be told
// what to change.
type adminParameters struct {
	names    []string // each once
	repeated []string // as often as one likes

	// alternative are names of which a query has one at most.
	alternative bool
}

// checkQuery refuses what would be passed over in silence: what is not known,
// and of two values the second. An empty value is no value: it would name
// everybody where somebody is meant.
func (p adminParameters) checkQuery(query url.Values) error {
	known := slices.Concat(p.names, p.repeated)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			return mistaken("parameter %q is unknown; there are none here", name)
		case !slices.Contains(known, name):
			return mistaken("parameter %q is unknown; use one of: %s", name, strings.Join(known, ", "))
		case p.alternative && (len(query) > 1 || len(query[name]) > 1):
			return mistaken("one question at a time; use one of: %s", strings.Join(known, ", "))
		case slices.Contains(query[name], ""):
			return mistaken("parameter %q is empty; give a value or leave it out", name)
		case len(query[name]) > 1 && !slices.Contains(p.repeated, name):
			return mistaken("parameter %q is given twice; keep one", name)
		}
	}
	return nil
}
