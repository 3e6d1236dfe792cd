package caddymodule

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// An adminChange is a method of a path that does something. To ask for the
// same again changes nothing more.
type adminChange struct {
	// parameters that it knows, each once; those that are repeated as often
	// as one likes.
	parameters, repeated []string

	// apply returns the answer, and for the log what was done: the event,
	// whom it is about and how much, but no value and no secret.
	apply func(a *App, query url.Values) (any, []zap.Field, error)
}

// adminChanges are all there are, by path and method.
func adminChanges() map[string]map[string]adminChange {
	return map[string]map[string]adminChange{
		adminConsents: {
			http.MethodDelete: {parameters: []string{"subject", "client"}, repeated: []string{"scope"}, apply: withdrawConsents},
		},
		adminSessions: {
			http.MethodDelete: {parameters: []string{"subject", "sid"}, apply: endSessions},
		},
		adminWindow: {
			http.MethodPost:   {parameters: []string{"for"}, apply: openWindow},
			http.MethodDelete: {apply: closeWindow},
		},
	}
}

// errForeignPage refuses a change that another site's page asks for.
var errForeignPage = errors.New("pages of other sites may not change anything here")

// make makes the change that a request asks for.
//
// Caddy has checked Host and Origin. That is asked once more, and by what
// browsers say of themselves: an endpoint may be set to skip the check, and
// the harm is that a page which the operator has open ends everybody's
// sessions.
func (c adminChange) make(r *http.Request, query url.Values) (*adminAnswer, error) {
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return nil, errForeignPage
	}
	if err := c.check(query); err != nil {
		return nil, err
	}
	app, err := runningApp()
	if err != nil {
		return nil, err
	}
	v, done, err := c.apply(app, query)
	if err != nil {
		return nil, err
	}
	body, err := encoded(v)
	return &adminAnswer{mediaType: "application/json", body: body, done: done}, err
}

// check refuses what would be passed over in silence. An empty value is no
// value: it would name everybody where somebody is meant.
func (c adminChange) check(query url.Values) error {
	known := slices.Concat(c.parameters, c.repeated)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case !slices.Contains(known, name) && len(known) == 0:
			return mistaken("parameter %q is unknown; there are none here", name)
		case !slices.Contains(known, name):
			return mistaken("parameter %q is unknown; use one of: %s", name, strings.Join(known, ", "))
		case slices.Contains(query[name], ""):
			return mistaken("parameter %q is empty; give a value or leave it out", name)
		case len(query[name]) > 1 && !slices.Contains(c.repeated, name):
			return mistaken("parameter %q is given twice; keep one", name)
		}
	}
	return nil
}
