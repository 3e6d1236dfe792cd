package caddymodule

import (
	"bufio"
	"iter"
	"net/http"

	"go.uber.org/zap"
)

// mediaJSONLines is the media type of one JSON text a line.
const mediaJSONLines = "application/x-ndjson"

// An adminAnswer is a body in one of the forms of a question.
type adminAnswer struct {
	body      []byte
	mediaType string
	headers   func(http.Header)
	varies    bool // by Accept

	// lines, in place of body, are written one by one.
	lines iter.Seq2[any, error]

	// done is what the log has about it.
	done []zap.Field
}

// write sends the answer. On an error it has sent nothing unless it has begun.
func (a *adminAnswer) write(w http.ResponseWriter) (begun bool, err error) {
	if a.lines != nil {
		return a.writeLines(w)
	}
	a.writeHeader(w)
	_, _ = w.Write(a.body) //nolint:gosec // JSON or plain text, which nosniff keeps it, or a page that html/template wrote
	return true, nil
}

func (a *adminAnswer) writeHeader(w http.ResponseWriter) {
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
}

// writeLines sends the lines as they come: it holds one, and what the
// connection has not taken yet.
func (a *adminAnswer) writeLines(w http.ResponseWriter) (begun bool, err error) {
	out := bufio.NewWriter(w)
	n := 0
	defer func() { a.done = append(a.done, zap.Int("lines", n)) }()
	for line, err := range a.lines {
		if err != nil {
			return n > 0, err
		}
		if n == 0 {
			a.writeHeader(w)
		}
		raw, err := encoded(line)
		if err == nil {
			_, err = out.Write(raw)
		}
		if err != nil {
			return true, err // whoever asked has gone
		}
		n++
	}
	if n == 0 {
		a.writeHeader(w)
	}
	return true, out.Flush()
}
