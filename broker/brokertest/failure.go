package brokertest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// A Failure is what goes wrong with the answers of one endpoint. With
// Status, Body or Header the endpoint does nothing and answers so; with
// Delay, Hang and Cut it does its work, and the answer comes late, never,
// or in half: what a client sees of an answer lost on the way.
type Failure struct {
	// Status of the answer. Default 200 if there is a Body or Header. 429
	// brings Auth0's rate limit headers.
	Status int

	// Body and ContentType of the answer. The type defaults to JSON.
	Body, ContentType string

	// Header holds more headers of the answer, as Location.
	Header http.Header

	// Delay holds the answer back, in real time.
	Delay time.Duration

	// Hang never answers: it waits until the client gives up.
	Hang bool

	// Cut sends the first half of the answer and drops the connection.
	Cut bool

	// Times is how many requests fail before the endpoint is well again.
	// Default: all of them.
	Times int
}

// replaces says whether the failure is an answer of its own.
func (f Failure) replaces() bool { return f.Status != 0 || f.Body != "" || f.Header != nil }

func (f Failure) serve(w http.ResponseWriter, r *http.Request, now func() time.Time, next http.Handler) {
	if f.replaces() {
		next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { f.answer(w, now()) })
	}
	if !f.Hang && !f.Cut && f.Delay == 0 {
		next.ServeHTTP(w, r)
		return
	}
	held := heldAnswer{header: w.Header()}
	next.ServeHTTP(&held, r)
	f.wait(r)
	if f.Cut {
		held.cut(w)
	}
	held.send(w)
}

func (f Failure) answer(w http.ResponseWriter, now time.Time) {
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	contentType := f.ContentType
	if contentType == "" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	if status == http.StatusTooManyRequests {
		setRateLimit(w.Header(), 10, 0, now.Add(12*time.Second))
	}
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(status)
	body := f.Body
	if body == "" && status == http.StatusTooManyRequests {
		body = tooManyRequests
	}
	_, _ = io.WriteString(w, body)
}

// wait holds the answer back for as long as the client is willing to wait.
func (f Failure) wait(r *http.Request) {
	// Only once the body is read does the server notice a client leaving.
	_, _ = io.Copy(io.Discard, r.Body)
	var late <-chan time.Time
	if !f.Hang {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-late:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// A heldAnswer keeps an answer until it is sent, in whole or in part. Its
// headers are those of the real answer.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header { return a.header }

func (a *heldAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *heldAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *heldAnswer) send(w http.ResponseWriter) {
	a.WriteHeader(http.StatusOK)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes())
}

// cut promises the whole answer, sends half of it and aborts.
func (a *heldAnswer) cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()+1))
	a.WriteHeader(http.StatusOK)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()[:a.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
