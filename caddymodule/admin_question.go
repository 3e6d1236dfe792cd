package caddymodule

import (
	"bytes"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// An adminQuestion is one path of the API. It is asked by GET and changes
// nothing. Its answer, as JSON, must never hold a secret: what is not meant
// to be shown has no place in the types that the functions return.
type adminQuestion struct {
	// parameters that it knows. Of those one can be given, unless they are
	// combined.
	parameters []string
	combined   bool
	answer     func(a *App, query url.Values) (any, error)

	// lines, in place of answer, are JSON lines: as many as there are, so
	// that they are written while they are read.
	lines func(a *App, query url.Values) (iter.Seq2[any, error], error)

	// seen returns what the log has about it, besides that it was asked; nil
	// is nothing.
	seen func(a *App, query url.Values) []zap.Field

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
		adminTraces:   {parameters: []string{"login"}, answer: answerTraces, seen: valuesSeen, views: tracesViews()},
		adminWindow:   {answer: func(a *App, _ url.Values) (any, error) { return a.broker.ValuesWindow(), nil }},
		adminConsents: {parameters: []string{"client", "subject", "withdrawn"}, combined: true, lines: consentLines},
		adminSessions: {parameters: []string{"subject"}, answer: answerSessions},
	}
}

// put answers a request.
func (q adminQuestion) put(r *http.Request, query url.Values) (*adminAnswer, error) {
	format, err := q.format(query, r.Header.Values("Accept"))
	if err != nil {
		return nil, err
	}
	if err := q.check(query); err != nil {
		return nil, err
	}
	app, err := runningApp()
	if err != nil {
		return nil, err
	}
	answer, err := q.show(app, query, format)
	if err == nil && q.seen != nil {
		answer.done = q.seen(app, query)
	}
	return answer, err
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
		return "", mistaken("parameter \"format\" must be one of: %s", strings.Join(names, ", "))
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
				return mistaken("parameter %q is unknown; there are none here", name)
			}
			return mistaken("parameter %q is unknown; use one of: %s", name, strings.Join(q.parameters, ", "))
		}
		switch {
		case len(query[name]) > 1 && q.combined:
			return mistaken("parameter %q is given twice; keep one", name)
		case q.combined:
		case len(query) > 1 || len(query[name]) > 1:
			return mistaken("one question at a time; use one of: %s", strings.Join(q.parameters, ", "))
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
	if q.lines != nil {
		answer.mediaType = mediaJSONLines
		answer.lines, err = q.lines(a, query)
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
	return encoded(v)
}

func encoded(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // nobody takes it for HTML
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
