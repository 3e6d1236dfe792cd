package caddymodule

import (
	"errors"
	"net/http"
	"net/url"

	"go.uber.org/zap"
)

// An adminChange is a method of a path that does something. To ask for the
// same again changes nothing more.
type adminChange struct {
	parameters adminParameters

	// apply returns the answer, and for the log what was done: the event,
	// whom it is about and how much, but no value and no secret.
	apply func(a *App, query url.Values) (any, []zap.Field, error)
}

// adminChanges are all there are, by path and method.
func adminChanges() map[string]map[string]adminChange {
	return map[string]map[string]adminChange{
		adminConsents: {
			http.MethodDelete: {parameters: adminParameters{names: []string{"subject", "client"}, repeated: []string{"scope"}}, apply: withdrawConsents},
		},
		adminSessions: {
			http.MethodDelete: {parameters: adminParameters{names: []string{"subject", "sid"}}, apply: endSessions},
		},
		adminWindow: {
			http.MethodPost:   {parameters: adminParameters{names: []string{"for"}}, apply: openWindow},
			http.MethodDelete: {apply: closeWindow},
		},
	}
}

// errForeignPage refuses a change that another site's page asks for.
var errForeignPage = errors.New("pages of other sites may not change anything here")

// carryOut makes the change that a request asks for.
//
// Caddy has checked Host and Origin. That is asked once more, and by what
// browsers say of themselves: an endpoint may be set to skip the check, and
// the harm is that a page which the operator has open ends everybody's
// sessions.
func (c adminChange) carryOut(r *http.Request, query url.Values) (*adminAnswer, error) {
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return nil, errForeignPage
	}
	if err := c.parameters.checkQuery(query); err != nil {
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
