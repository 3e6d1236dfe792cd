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
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
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

	// views are the other forms of the answer, by the parameter format. A
	// browser gets the one that is named html without asking for it.
	views map[string]adminView
}

// formatJSON is the format that every question has.
const formatJSON = "json"

// adminQuestions are all there is: any other path is not found.
func adminQuestions() map[string]adminQuestion {
	return map[string]adminQuestion{
		adminConnections: {answer: func(a *App, _ url.Values) (any, error) { return a.broker.Connections(), nil }},
		adminLineage: {
			parameters: []string{"client", "attribute", "connection"}, answer: answerLineage, views: lineageViews(),
		},
		adminTraces: {parameters: []string{"login"}, answer: answerTraces},
	}
}

// serve answers one request. Each is noted in the log, but not what it asks
// for: names are enough for nobody to miss.
func (adminAPI) serve(w http.ResponseWriter, r *http.Request) error {
	status, answer, err := respond(r)
	poolLogger().Info("admin_called",
		zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Int("status", status))
	if err != nil {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodGet)
		}
		return caddy.APIError{HTTPStatus: status, Err: err}
	}
	answer.write(w)
	return nil
}

// An adminAnswer is a body in one of the forms of a question.
type adminAnswer struct {
	body      []byte
	mediaType string
	headers   func(http.Header)
	varies    bool // by Accept
}

func (a *adminAnswer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", a.mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.varies {
		h.Set("Vary", "Accept")
	}
	if a.headers != nil {
		a.headers(h)
	}
	_, _ = w.Write(a.body) //nolint:gosec // JSON or plain text, which nosniff keeps it, or a page that html/template wrote
}

func respond(r *http.Request) (status int, answer *adminAnswer, err error) {
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
	format, err := question.format(query, r.Header.Values("Accept"))
	if err != nil {
		return http.StatusBadRequest, nil, err
	}
	if err := question.check(query); err != nil {
		return http.StatusBadRequest, nil, err
	}
	app, err := runningApp()
	if err != nil {
		return http.StatusNotFound, nil, err
	}
	answer, err = question.show(app, query, format)
	switch {
	case errors.Is(err, lineage.ErrUnknown), errors.Is(err, op.ErrNoTrace):
		return http.StatusNotFound, nil, err
	case err != nil:
		return http.StatusInternalServerError, nil, err
	}
	return http.StatusOK, answer, nil
}

// format takes the format out of the query, or finds it in Accept.
func (q adminQuestion) format(query url.Values, accept []string) (string, error) {
	if q.views == nil {
		return formatJSON, nil // check refuses the parameter
	}
	formats, given := query["format"]
	query.Del("format")
	_, hasPage := q.views["html"]
	switch {
	case given && len(formats) == 1 && (formats[0] == formatJSON || q.views[formats[0]].render != nil):
		return formats[0], nil
	case given:
		names := append(slices.Collect(maps.Keys(q.views)), formatJSON)
		slices.Sort(names)
		return "", fmt.Errorf("parameter \"format\" must be one of: %s", strings.Join(names, ", "))
	case hasPage && prefersHTML(accept):
		return "html", nil
	}
	return formatJSON, nil
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

// show returns the answer in one of its forms.
func (q adminQuestion) show(a *App, query url.Values, format string) (answer *adminAnswer, err error) {
	answer = &adminAnswer{mediaType: "application/json", varies: q.views != nil}
	if view, ok := q.views[format]; ok {
		answer.mediaType, answer.headers = view.mediaType+"; charset=utf-8", view.headers
		answer.body, err = view.render(a, query)
		return answer, err
	}
	answer.body, err = q.ask(a, query)
	return answer, err
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
