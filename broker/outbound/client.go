package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// Limits of a [Config] that sets none.
const (
	DefaultTimeout = 5 * time.Second
	DefaultMaxBody = 1 << 20
)

// maxConnsPerHost bounds what one slow host can tie up (S100); maxHeader
// bounds a response's header, which the body limit does not see.
const (
	maxConnsPerHost = 32
	maxHeader       = 64 << 10
)

// ErrRedirect is returned for an answer that points elsewhere. Following it
// would let the answering host choose the next one.
var ErrRedirect = errors.New("redirects are not followed")

// Config is the "outbound" block.
type Config struct {
	// TrustedRoots are the certificate authorities to trust; nil means
	// the system's. A pool that is set replaces them, so a private one
	// is added to a copy of the system's pool.
	TrustedRoots *x509.CertPool

	// Allow opens addresses that are otherwise refused.
	Allow []netip.Prefix

	// AllowHTTP permits plain http, to loopback names only (see
	// [Loopback]), and lets those names reach loopback addresses. It is
	// meant for demos and tests: whoever can name a URL to us can then
	// reach the plain services of this host.
	AllowHTTP bool

	// Timeout bounds a whole call, from dialing to the last byte of the
	// body. Default 5 s.
	Timeout time.Duration

	// MaxBody bounds a response body in bytes. Default 1 MiB.
	MaxBody int64
}

// A Client makes the guarded calls. It is safe for concurrent use and
// meant to be shared, since it pools connections.
type Client struct {
	guard *guard
	http  *http.Client
}

// New returns the client of cfg.
func New(cfg Config) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = DefaultMaxBody
	}
	g := newGuard(cfg)
	return &Client{guard: g, http: &http.Client{
		Transport:     &limiter{guard: g, maxBody: cfg.MaxBody, next: newTransport(cfg, g)},
		CheckRedirect: refuseRedirect,
		Timeout:       cfg.Timeout,
	}}
}

// HTTP returns the underlying client, for libraries that want one. All
// limits hold for whoever uses it or its transport.
func (c *Client) HTTP() *http.Client { return c.http }

// newTransport returns the transport below the limits. Its zero Proxy means
// none: HTTPS_PROXY would move the dial, and with it the address check, to
// another machine.
func newTransport(cfg Config, g *guard) *http.Transport {
	return &http.Transport{
		DialContext: g.dial,
		TLSClientConfig: &tls.Config{
			RootCAs:    cfg.TrustedRoots,
			MinVersion: tls.VersionTLS12,
		},
		TLSHandshakeTimeout:    cfg.Timeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxConnsPerHost:        maxConnsPerHost,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: maxHeader,
	}
}

func refuseRedirect(req *http.Request, via []*http.Request) error {
	return fmt.Errorf("%w: %s points to %q; write that address if it is meant",
		ErrRedirect, via[0].URL.Host, req.URL.Host)
}
