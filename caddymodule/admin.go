package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

// Paths of the admin API.
const (
	adminBase        = "/auth_broker/"
	adminConnections = adminBase + "connections"
	adminLineage     = adminBase + "lineage"
)

// adminAPI answers questions about the running broker at Caddy's own admin
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

// An adminQuestion is one path of the API. It is asked by GET and changes
// nothing. Its answer, as JSON, must never hold a secret: what is not meant
// to be shown has no place in the types that the functions return.
type adminQuestion struct {
	// parameters that it knows, of which one can be given.
	parameters []string
	answer     func(a *App, query url.Values) (any, error)
}

// adminQuestions are all there is: any other path is not found.
func adminQuestions() map[string]adminQuestion {
	return map[string]adminQuestion{
		adminConnections: {answer: func(a *App, _ url.Values) (any, error) { return a.broker.Connections(), nil }},
		adminLineage:     {parameters: []string{"client", "attribute", "connection"}, answer: answerLineage},
	}
}

func answerLineage(a *App, query url.Values) (any, error) {
	g := a.broker.Lineage()
	switch {
	case query.Has("client"):
		return g.What(query.Get("client"))
	case query.Has("attribute"):
		return g.Who(query.Get("attribute"))
	case query.Has("connection"):
		return g.Connection(query.Get("connection"))
	}
	return g, nil
}

// serve answers one request. Each is noted in the log, but not what it asks
// for: names are enough for nobody to miss.
func (adminAPI) serve(w http.ResponseWriter, r *http.Request) error {
	status, body, err := respond(r)
	poolLogger().Info("admin_called",
		zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Int("status", status))
	if err != nil {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodGet)
		}
		return caddy.APIError{HTTPStatus: status, Err: err}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) //nolint:gosec // no page: it is JSON, and nosniff keeps it that
	return nil
}

func respond(r *http.Request) (status int, body []byte, err error) {
	question, known := adminQuestions()[r.URL.Path]
	if !known {
		return http.StatusNotFound, nil, fmt.Errorf("there is no %s; ask for one of: %s",
			r.URL.Path, strings.Join(slices.Sorted(maps.Keys(adminQuestions())), ", "))
	}
	if r.Method != http.MethodGet {
		return http.StatusMethodNotAllowed, nil, fmt.Errorf("%s is not allowed; use GET", r.Method)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return http.StatusBadRequest, nil, errors.New("the query cannot be read")
	}
	if err := question.check(query); err != nil {
		return http.StatusBadRequest, nil, err
	}
	app, err := runningApp()
	if err != nil {
		return http.StatusNotFound, nil, err
	}
	body, err = question.ask(app, query)
	switch {
	case errors.Is(err, lineage.ErrUnknown):
		return http.StatusNotFound, nil, err
	case err != nil:
		return http.StatusInternalServerError, nil, err
	}
	return http.StatusOK, body, nil
}

// check refuses what would be passed over in silence.
func (q adminQuestion) check(query url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(q.parameters, name) {
			if len(q.parameters) == 0 {
				return fmt.Errorf("parameter %q is unknown; there are none here", name)
			}
			return fmt.Errorf("parameter %q is unknown; use one of: %s", name, strings.Join(q.parameters, ", "))
		}
		if len(query) > 1 || len(query[name]) > 1 {
			return fmt.Errorf("one question at a time; use one of: %s", strings.Join(q.parameters, ", "))
		}
	}
	return nil
}

// ask returns the answer as JSON.
func (q adminQuestion) ask(a *App, query url.Values) ([]byte, error) {
	v, err := q.answer(a, query)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // nobody takes it for HTML
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// runningApp returns the app of the configuration that runs. The one this
// module was made for may have failed while the old one lives on, and Caddy
// then keeps the admin endpoint of the new.
func runningApp() (*App, error) {
	app, err := caddy.ActiveContext().AppIfConfigured(appName)
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, errors.New("no broker runs here; add the global option auth_broker with an issuer and a provider")
	}
	if err != nil {
		return nil, err
	}
	return app.(*App), nil
}

var _ caddy.AdminRouter = adminAPI{}
