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
)

// An adminQuestion is one path of the API. It is asked by GET and changes
// nothing. Its answer, as JSON, must never hold a secret: what is not meant
// to be shown has no place in the types that the functions return.
type adminQuestion struct {
	parameters adminParameters
	answer     func(a *App, query url.Values) (any, error)

	// lines, in place of answer, are JSON lines: as many as there are, so
	// that they are written while they are read.
	lines func(a *App, query url.Values) (iter.Seq2[any, error], error)

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
			parameters: adminParameters{names: []string{"client", "attribute", "connection"}, alternative: true},
			answer:     answerLineage, views: lineageViews(),
		},
		adminTraces:   {parameters: adminParameters{names: []string{"login"}, alternative: true}, answer: answerTraces, views: tracesViews()},
		adminWindow:   {answer: func(a *App, _ url.Values) (any, error) { return a.broker.ValuesWindow(), nil }},
		adminConsents: {parameters: adminParameters{names: []string{"client", "subject", "withdrawn"}}, lines: consentLines},
		adminSessions: {parameters: adminParameters{names: []string{"subject"}}, answer: answerSessions},
	}
}

// reply answers a request.
func (q adminQuestion) reply(r *http.Request, query url.Values) (*adminAnswer, error) {
	format, err := q.format(query, r.Header.Values("Accept"))
	if err != nil {
		return nil, err
	}
	if err := q.parameters.checkQuery(query); err != nil {
		return nil, err
	}
	app, err := runningApp()
	if err != nil {
		return nil, err
	}
	return q.show(app, query, format)
}

// format takes the format out of the query, or finds it in Accept.
func (q adminQuestion) format(query url.Values, accept []string) (string, error) {
	if q.views == nil {
		return formatJSON, nil // checkQuery refuses the parameter
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
