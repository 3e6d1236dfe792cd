package outbound

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrTooLarge is returned, by the call or by reading the body, when a
// response exceeds [Config.MaxBody].
var ErrTooLarge = errors.New("response too large")

// A limiter checks each request's URL and cuts each response's body.
type limiter struct {
	guard   *guard
	maxBody int64
	next    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (l *limiter) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := l.guard.checkURL(req.URL); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > l.maxBody {
		_ = resp.Body.Close()
		return nil, l.tooLarge(req)
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: l.maxBody, err: l.tooLarge(req)}
	return resp, nil
}

func (l *limiter) tooLarge(req *http.Request) error {
	return fmt.Errorf("%w: %s sent more than %d bytes", ErrTooLarge, req.URL.Host, l.maxBody)
}

// A limitedBody fails where [io.LimitReader] would end: a document cut in
// silence could still parse, and then says something else.
type limitedBody struct {
	io.ReadCloser
	left int64
	err  error
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, b.err
	}
	return n, err
}
