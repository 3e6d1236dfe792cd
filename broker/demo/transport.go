package demo

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// handlerTransport is an http.RoundTripper that hands requests for the broker
// to its handler. So the demo needs no network to itself, through whatever
// proxies and certificates people come, and it reaches nothing else: whatever
// a document names as an address, the request ends here.
type handlerTransport struct {
	issuer *url.URL
	broker http.Handler
}

// RoundTrip answers with what the handler writes.
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	if !t.ours(r.URL) {
		return nil, fmt.Errorf("%s://%s is not the broker", r.URL.Scheme, r.URL.Host)
	}
	in := r.Clone(r.Context())
	in.Host, in.RequestURI = t.issuer.Host, r.URL.RequestURI()
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	out := &response{header: http.Header{}, status: http.StatusOK}
	t.broker.ServeHTTP(out, in)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", out.status, http.StatusText(out.status)), StatusCode: out.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(&out.body), ContentLength: int64(out.body.Len()), Request: r,
	}, nil
}

// ours says whether u is an address of the issuer.
func (t handlerTransport) ours(u *url.URL) bool {
	return u.Scheme == t.issuer.Scheme && u.Host == t.issuer.Host && strings.HasPrefix(u.Path, t.issuer.Path+"/")
}

// response is an http.ResponseWriter in memory. The broker's answers to
// programs are small.
type response struct {
	header http.Header
	body   bytes.Buffer
	status int
	begun  bool
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if !r.begun {
		r.status, r.begun = status, true
	}
}

func (r *response) Write(p []byte) (int, error) {
	r.begun = true
	return r.body.Write(p)
}
