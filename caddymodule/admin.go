package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// Paths of the admin API.
const (
	adminBase        = "/auth_broker/"
	adminConnections = adminBase + "connections"
	adminLineage     = adminBase + "lineage"
	adminTraces      = adminBase + "traces"
	adminWindow      = adminTraces + "/window"
	adminConsents    = adminBase + "consents"
	adminSessions    = adminBase + "sessions"
)

// adminAPI answers questions about the running broker, and changes what its
// users have given and where they are signed in, at Caddy's own admin
// endpoint. It is no part of any site: who may ask is what Caddy says, by
// listener, by Host, Origin and Sec-Fetch-Mode, and by client certificate.
//
// Caddy makes one for each configuration, before its apps and even if these
// then fail, and never cleans it up. So it holds nothing.
type adminAPI struct{}

// CaddyModule returns the Caddy module information.
func (adminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.auth_broker", New: func() caddy.Module { return new(adminAPI) }}
}

// Routes returns one route for all paths, so that those which nobody
// declared are refused here too.
func (a adminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: adminBase, Handler: caddy.AdminHandlerFunc(a.serve)}}
}

// serve answers one request. Each is noted in the log, with what it has done
// if that is more than to look, but not with its query.
func (adminAPI) serve(w http.ResponseWriter, r *http.Request) error {
	status, answer, err := respond(r)
	begun := false
	if err == nil {
		if begun, err = answer.write(w); err != nil && !begun {
			status = http.StatusInternalServerError
		}
	}
	event := []zap.Field{zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Int("status", status)}
	if answer != nil {
		event = append(event, answer.done...)
	}
	if err != nil && (begun || status == http.StatusInternalServerError) {
		event = append(event, zap.Error(err)) // a mistake is told to who made it
	}
	poolLogger().Info("admin_called", event...)
	switch {
	case err != nil && begun:
		// The rest of the answer is missing, which whoever reads it must not
		// take for its end.
		panic(http.ErrAbortHandler)
	case err != nil:
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", strings.Join(methods(r.URL.Path), ", "))
		}
		return caddy.APIError{HTTPStatus: status, Err: err}
	}
	return nil
}

// methods are those that a path knows.
func methods(path string) []string {
	known := append(slices.Collect(maps.Keys(adminChanges()[path])), http.MethodGet)
	slices.Sort(known)
	return known
}

func respond(r *http.Request) (status int, answer *adminAnswer, err error) {
	question, known := adminQuestions()[r.URL.Path]
	if !known {
		return http.StatusNotFound, nil, fmt.Errorf("there is no %s; ask for one of: %s",
			r.URL.Path, strings.Join(slices.Sorted(maps.Keys(adminQuestions())), ", "))
	}
	change, changes := adminChanges()[r.URL.Path][r.Method]
	if !changes && r.Method != http.MethodGet {
		return http.StatusMethodNotAllowed, nil, fmt.Errorf("%s is not allowed; use %s", r.Method, strings.Join(methods(r.URL.Path), " or "))
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return http.StatusBadRequest, nil, errors.New("the query cannot be read")
	}
	if changes {
		answer, err = change.carryOut(r, query)
	} else {
		answer, err = question.reply(r, query)
	}
	return statusOf(err), answer, err
}

// A mistake is an error of whoever asked, who can tell what to change.
type mistake struct{ error }

func mistaken(format string, args ...any) error { return mistake{fmt.Errorf(format, args...)} }

// errNotRunning is returned while there is nothing to ask.
var errNotRunning = errors.New("no broker runs here; add the global option auth_broker with an issuer and a provider")

func statusOf(err error) int {
	_, isMistake := errors.AsType[mistake](err)
	switch {
	case err == nil:
		return http.StatusOK
	case isMistake:
		return http.StatusBadRequest
	case errors.Is(err, errForeignPage):
		return http.StatusForbidden
	case errors.Is(err, errNotRunning), errors.Is(err, lineage.ErrUnknown), errors.Is(err, op.ErrNoTrace), errors.Is(err, broker.ErrNoSession):
		return http.StatusNotFound
	default:
		return http.StatusInternalServerError
	}
}

// runningApp returns the app of the configuration that runs. The one this
// module was made for may have failed while the old one lives on, and Caddy
// then keeps the admin endpoint of the new.
func runningApp() (*App, error) {
	app, err := caddy.ActiveContext().AppIfConfigured(appName)
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, errNotRunning
	}
	if err != nil {
		return nil, err
	}
	return app.(*App), nil
}

var _ caddy.AdminRouter = adminAPI{}
