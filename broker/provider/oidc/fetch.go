package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// A document is a fetched body with its media type.
type document struct {
	body      []byte
	mediaType string
}

// A statusError is an answer other than 200. It holds nothing of the body,
// which may repeat what was sent.
type statusError struct {
	host       string
	status     int
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answered %d %s", e.host, e.status, http.StatusText(e.status))
}

// retryAfter returns what an answer asked for, or 0.
func retryAfter(err error) time.Duration {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.retryAfter
	}
	return 0
}

// fetch gets a document of at most limit bytes. With a token it is sent as
// bearer (RFC 6750, 2.1).
func (p *Provider) fetch(ctx context.Context, target, token string, limit int64) (*document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("preparing request: %w", err)
	}
	req.Header.Set("Accept", "application/json, application/jwt;q=0.9, */*;q=0.1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := p.outbound.HTTP().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{
			host: req.URL.Host, status: resp.StatusCode,
			retryAfter: retryAfterHeader(resp.Header, p.now()),
		}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading answer of %s: %w", req.URL.Host, err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("answer of %s is larger than %d bytes", req.URL.Host, limit)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return &document{body: body, mediaType: mediaType}, nil
}

// retryAfterHeader returns how long h asks to wait: Retry-After in seconds
// or as a date (RFC 9110, 10.2.3), else Auth0's X-RateLimit-Reset in Unix
// seconds. A time is by the clock of whoever sent it, which Date tells;
// without that by ours, now. The result is 0 if unknown and at most an hour.
func retryAfterHeader(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	var wait time.Duration
	after := h.Get("Retry-After")
	if n, err := strconv.Atoi(after); err == nil {
		wait = time.Duration(min(n, 3600)) * time.Second
	} else if date, err := http.ParseTime(after); err == nil {
		wait = date.Sub(now)
	} else if n, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
		wait = time.Unix(n, 0).Sub(now)
	}
	return min(max(wait, 0), time.Hour)
}
