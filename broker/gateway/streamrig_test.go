package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// ledger is a broker from whose clients consent can be taken back.
type ledger struct {
	*fakeBroker
	mu        sync.Mutex
	withdrawn map[string]bool // by client
	before    func()          // runs once, in the middle of a lookup
}

func (l *ledger) Mint(ctx context.Context, c *oauth.Client, a *authn.Authorization) (token.Tokens, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.withdrawn[c.ID] {
		return token.Tokens{}, session.ErrNoSession
	}
	t, err := l.fakeBroker.Mint(ctx, c, a)
	if run := l.before; run != nil {
		l.before = nil
		run()
	}
	return t, err
}

func (l *ledger) withdraw(client string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.withdrawn[client] = true
}

// streamRig is a rig of two sites on the bubble's clock.
type streamRig struct {
	*rig
	ledger *ledger
	cache  *Cache
	config Config
	deps   Deps
	logged *observer.ObservedLogs
}

const otherOrigin = "https://other.example.com"

func newStreamRig(t *testing.T) *streamRig {
	s := &streamRig{ledger: &ledger{withdrawn: map[string]bool{}}}
	s.rig = newRig(t, func(c *Config, d *Deps) {
		u, _ := url.Parse(otherOrigin)
		c.Sites = append(c.Sites, Site{Origin: u, Client: &oauth.Client{ID: ClientID(u), Gate: true}})
		s.ledger.fakeBroker = d.Broker.(*fakeBroker)
		s.ledger.now = time.Now
		d.Broker, d.Now = s.ledger, time.Now
		core, logged := observer.New(zap.InfoLevel)
		d.Log, s.logged = zap.New(core), logged
		s.config, s.deps, s.cache = *c, *d, d.Cache
	})
	s.sessions.Now = time.Now
	return s
}

// visit is somebody's browser, by origin the cookie it has there.
type visit struct {
	sid     string
	cookies map[string]string
}

func (s *streamRig) signIn(subject string) visit {
	sso, _, err := s.sessions.SignedIn(s.Context(), "", "auth0", session.Login{Subject: subject})
	if err != nil {
		s.Fatal(err)
	}
	v := visit{sid: sso.SID, cookies: map[string]string{}}
	for _, o := range []string{origin, otherOrigin} {
		u, _ := url.Parse(o)
		_, handle, err := s.sessions.CreateGate(s.Context(), &authn.Authorization{
			ClientID: ClientID(u), SID: sso.SID, Subject: subject, Context: &authn.Context{Subject: subject},
		})
		if err != nil {
			s.Fatal(err)
		}
		v.cookies[o] = "__Host-auth_gate=" + handle
	}
	return v
}

// An opened is a stream under way.
type opened struct {
	began chan struct{} // closed once the application has it
	ended chan struct{} // closed at its end
	took  time.Duration // until then
	stop  context.CancelFunc
	code  int

	header http.Header
}

// A line is the writer of a server that notices when its visitor is gone.
type line struct {
	*httptest.ResponseRecorder
	hangUp context.CancelFunc
}

func (l line) SetReadDeadline(at time.Time) error {
	if at.Before(time.Now()) {
		l.hangUp()
	}
	return nil
}

// open opens a stream of the visitor at the origin, as an application would
// serve it that waits for news.
func (s *streamRig) open(g *Gate, at string, v visit, header ...string) *opened {
	req := httptest.NewRequest(http.MethodGet, at+"/live", nil)
	if len(header) == 0 {
		header = []string{"Accept", "text/event-stream"}
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "method" {
			req.Method = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	req.Header.Set("Cookie", v.cookies[at])
	ctx, stop := context.WithCancel(s.Context())
	o := &opened{began: make(chan struct{}), ended: make(chan struct{}), stop: stop}
	go func() {
		defer close(o.ended)
		rec, start := httptest.NewRecorder(), time.Now()
		served, hangUp := context.WithCancel(ctx)
		defer hangUp()
		err := g.Serve(line{rec, hangUp}, req.WithContext(served), req.URL, func(_ http.ResponseWriter, r *http.Request, _ *Visitor) error {
			close(o.began)
			<-r.Context().Done()
			return r.Context().Err()
		})
		o.took, o.code, o.header = time.Since(start), rec.Code, rec.Header()
		if err != nil && ctx.Err() == nil {
			s.Errorf("Serve: %v", err)
		}
	}()
	return o
}

func (o *opened) isOpen() bool {
	synctest.Wait()
	select {
	case <-o.ended:
		return false
	default:
		return true
	}
}

// mustBeGone checks that nothing is left of any stream.
func (s *streamRig) mustBeGone() {
	s.Helper()
	synctest.Wait()
	r := s.cache.streams
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open != 0 || len(r.watches) != 0 || len(r.openBySID) != 0 {
		s.Errorf("%d streams of %d sessions are left", r.open, len(r.watches))
	}
}

// A bubble does not end while goroutines live in it, so each of these tests
// also says that a stream leaves none behind.
func bubble(t *testing.T, test func(s *streamRig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStreamRig(t)
		test(s)
		s.mustBeGone()
	})
}
