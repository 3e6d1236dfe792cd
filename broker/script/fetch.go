package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A fetcher makes a script's calls. What host a call names is judged here,
// which address that host has is judged by the client (R64).
type fetcher struct {
	client http.Client
	hosts  []string // host:port, lower case
}

// newFetcher returns the fetcher for the words of allow_hosts.
func newFetcher(allowed []string, client *http.Client) (*fetcher, error) {
	if client == nil {
		return nil, errors.New("allow_hosts needs an HTTP client; set Client")
	}
	f := &fetcher{client: *client}
	for _, word := range allowed {
		host, err := hostPort(word)
		if err != nil {
			return nil, fmt.Errorf("allow_hosts %q: %w", word, err)
		}
		f.hosts = append(f.hosts, host)
	}
	// The answering host must not choose the next one, nor remember one
	// user for the next.
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	f.client.Jar = nil
	return f, nil
}

// hostPort returns the host:port that word stands for.
func hostPort(word string) (string, error) {
	u, err := url.Parse("https://" + word)
	switch {
	case err != nil, u.Host != word, u.Hostname() == "", strings.ContainsAny(word, "*/?#@ "):
		return "", errors.New("is no host name; write crm.example.com or crm.example.com:8443, without scheme, path or wildcard")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", errors.New("has no valid port")
		}
	}
	return address(u), nil
}

// address returns the host and the port of u, 443 if it names none.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// A call is what the prelude sends: the arguments of fetch.
type call struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`

	body *string
}

// An answer is what fetch resolves to, or why it rejects.
type answer struct {
	id int

	Error   string            `json:"error"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`

	body string
}

// framing are the header fields that belong to the connection. A script that
// set them could smuggle a second request past whatever checks the first.
var framing = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authorization",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// request checks c and returns it as a request. Its errors are for the
// script; they do not repeat the URL, which may hold a secret.
func (f *fetcher) request(c call) (*http.Request, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("the URL cannot be read; write https://host/path")
	case u.Scheme != "https":
		return nil, fmt.Errorf("%q is not https", u.Scheme)
	case u.User != nil:
		return nil, errors.New("the URL holds user information; use the header Authorization")
	case !slices.Contains(f.hosts, address(u)):
		return nil, fmt.Errorf("%q is not among allow_hosts", u.Host)
	}
	method := strings.ToUpper(c.Method)
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		return nil, errors.New("unknown method; use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")
	}
	var body io.Reader
	if c.body != nil {
		if method == http.MethodGet || method == http.MethodHead {
			return nil, fmt.Errorf("%s has no body", method)
		}
		body = strings.NewReader(*c.body)
	}
	req, err := http.NewRequest(method, u.String(), body)
	if err != nil {
		return nil, errors.New("the URL cannot be read; write https://host/path")
	}
	for name, value := range c.Headers {
		if slices.Contains(framing, http.CanonicalHeaderKey(name)) {
			return nil, fmt.Errorf("the header %s cannot be set", http.CanonicalHeaderKey(name))
		}
		req.Header.Set(name, value)
	}
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	return req, nil
}

// do makes one call of at most a second.
func (f *fetcher) do(ctx context.Context, id int, req *http.Request) (a answer) {
	a.id = id
	// The engine is not on this goroutine's stack, and nobody else would
	// catch a panic of a transport.
	defer func() {
		if p := recover(); p != nil {
			a = answer{id: id, Error: "the call failed"}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := f.client.Do(req.WithContext(ctx))
	if err != nil {
		a.Error = explain(ctx, req, err)
		return a
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	switch {
	case err != nil:
		a.Error = explain(ctx, req, err)
		return a
	case len(body) > maxResponse:
		a.Error = fmt.Sprintf("%s sent more than %d bytes", req.URL.Host, maxResponse)
		return a
	}
	a.Status = resp.StatusCode
	a.body = string(body)
	a.Headers = make(map[string]string, len(resp.Header))
	for name, values := range resp.Header {
		a.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return a
}

// explain returns err without the URL that http.Client puts in front.
func explain(ctx context.Context, req *http.Request, err error) string {
	if ctx.Err() != nil {
		return fmt.Sprintf("%s gave no answer within %v", req.URL.Host, callTimeout)
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return fmt.Sprintf("%s: %v", req.URL.Host, err)
}

// calls are the calls of one run.
type calls struct {
	fetcher *fetcher
	ctx     context.Context // of the run: what it leaves behind ends with it

	made    int
	open    int
	answers chan answer // with room for all: no call waits to report
	current answer      // what the prelude is about to receive
}

func newCalls(ctx context.Context, f *fetcher) *calls {
	return &calls{fetcher: f, ctx: ctx, answers: make(chan answer, maxCalls)}
}

// send begins a call. It returns why not, or "".
func (c *calls) send(args []any) (any, error) {
	if c.made == maxCalls {
		return fmt.Sprintf("a run has %d calls", maxCalls), nil
	}
	c.made++
	var what call
	if err := json.Unmarshal([]byte(args[1].(string)), &what); err != nil {
		return "the arguments cannot be read", nil
	}
	if body, ok := args[2].(string); ok {
		what.body = &body
	}
	req, err := c.fetcher.request(what)
	if err != nil {
		return err.Error(), nil
	}
	c.open++
	id := args[0].(int)
	go func() { c.answers <- c.fetcher.do(c.ctx, id, req) }()
	return "", nil
}

// wait returns when an answer is there for the prelude to receive.
func (c *calls) wait(ctx context.Context) error {
	select {
	case c.current = <-c.answers:
		c.open--
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive hands the current answer over, in two parts: what it says, as
// JSON, and its body.
func (c *calls) receive(args []any) (any, error) {
	if args[1] == "body" {
		return c.current.body, nil
	}
	return encodeJSON(c.current)
}
