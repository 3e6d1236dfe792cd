package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
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
		err := g.Serve(rec, req.WithContext(ctx), req.URL, func(_ http.ResponseWriter, r *http.Request, _ *Visitor) error {
			close(o.began)
			<-r.Context().Done()
			return r.Context().Err()
		})
		o.took, o.code = time.Since(start), rec.Code
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
	if r.open != 0 || len(r.watches) != 0 {
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

// Somebody signs out on a machine that others use, or because a cookie was
// stolen: what was opened with it must not go on.
func TestS09_SigningOutClosesEveryKindOfStream(t *testing.T) {
	for name, header := range map[string][]string{
		"WebSocket":             {"Connection", "Upgrade", "Upgrade", "websocket"},
		"WebSocket over HTTP/2": {"method", http.MethodConnect},
		"event stream":          {"Accept", "text/event-stream"},
		"one answer of two":     {"Accept", "application/json, text/event-stream"},
		"gRPC":                  {"method", http.MethodPost, "Content-Type", "application/grpc+proto"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *streamRig) {
				ada, grace := s.signIn("ada"), s.signIn("grace")
				mine, mineToo, theirs := s.open(s.gate, origin, ada, header...), s.open(s.gate, otherOrigin, ada, header...), s.open(s.gate, origin, grace, header...)
				synctest.Wait()
				if err := s.sessions.End(s.Context(), ada.sid); err != nil {
					t.Fatal(err)
				}
				if mine.isOpen() || mineToo.isOpen() {
					t.Error("a stream goes on")
				}
				if !theirs.isOpen() {
					t.Error("another visitor's stream was cut")
				}
				theirs.stop()
			})
		})
	}
}

func TestOrdinaryRequestsAreNotWatched(t *testing.T) {
	bubble(t, func(s *streamRig) {
		for _, header := range [][]string{
			{"Accept", "text/html,application/xhtml+xml"},
			{"Accept", "*/*", "Upgrade-Insecure-Requests", "1"},
			{"method", http.MethodPost, "Content-Type", "application/json"},
		} {
			ada := s.signIn("ada")
			o := s.open(s.gate, origin, ada, header...)
			<-o.began
			s.mustBeGone()
			o.stop()
		}
	})
}

// Consent is taken back from one site, on this node or another: the streams
// of the others are none of its business.
func TestM94_WithdrawalClosesTheStreamsOfOneSite(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada, grace := s.signIn("ada"), s.signIn("grace")
		phone := s.signIn("ada")
		here, alsoHere, there, theirs := s.open(s.gate, origin, ada), s.open(s.gate, origin, phone), s.open(s.gate, otherOrigin, ada), s.open(s.gate, otherOrigin, grace)
		synctest.Wait()
		s.ledger.withdraw("gate:app.example.com")
		s.cache.DropUser("ada")
		if here.isOpen() || alsoHere.isOpen() {
			t.Error("a stream of the site goes on")
		}
		if !there.isOpen() || !theirs.isOpen() {
			t.Error("a stream of another site, or of another visitor, was cut")
		}
		// Whatever may have ended: nothing has, as it turns out.
		s.cache.Drop("")
		if !there.isOpen() || !theirs.isOpen() {
			t.Error("a stream whose session holds was cut")
		}
		there.stop()
		theirs.stop()
	})
}

func TestS17_StreamsEndWithTheLifeOfTheirSession(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada := s.signIn("ada")
		time.Sleep(10 * time.Minute)
		o := s.open(s.gate, origin, ada)
		time.Sleep(11*time.Hour + 49*time.Minute)
		if !o.isOpen() {
			t.Fatalf("cut after %v, although an open stream is a use", o.took)
		}
		if _, passed := s.serve(get("/", "Cookie", ada.cookies[origin])); passed == nil {
			t.Error("the session has gone idle, although an open stream is a use")
		}
		time.Sleep(time.Minute)
		if o.isOpen() || o.took != 11*time.Hour+50*time.Minute {
			t.Errorf("still open, or cut after %v", o.took)
		}
	})
}

// The attacker keeps the store busy, or it fails: what nobody can look up
// does not stay open.
func TestS09_StoreFaultClosesStreams(t *testing.T) {
	for name, fault := range map[string]func(context.Context) error{
		"an error":  func(context.Context) error { return errors.New("no store") },
		"no answer": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *streamRig) {
				var open []*opened
				for range 5 * checksAtOnce {
					open = append(open, s.open(s.gate, origin, s.signIn("ada")))
				}
				synctest.Wait()
				s.sessions.Store = &faultyStore{Store: s.store, fault: fault}
				dropped := time.Now()
				s.cache.Drop("")
				for _, o := range open {
					<-o.ended
				}
				if took := time.Since(dropped); took > time.Second {
					t.Errorf("cut after %v", took)
				}
			})
		})
	}
}

// faultyStore answers no Get.
type faultyStore struct {
	store.Store
	fault func(context.Context) error
}

func (f *faultyStore) Get(ctx context.Context, _ string) ([]byte, error) { return nil, f.fault(ctx) }

// The session ends between its lookup and the moment its stream is watched.
func TestS18_SigningOutWhileAStreamIsBeingOpened(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada := s.signIn("ada")
		s.ledger.before = func() {
			if err := s.sessions.End(s.Context(), ada.sid); err != nil {
				t.Error(err)
			}
		}
		if o := s.open(s.gate, origin, ada); o.isOpen() {
			t.Error("the stream goes on")
			o.stop()
		}
	})
}

// A reload puts another gate in the place of the one that opened the stream;
// what they share is the cache.
func TestS09_StreamsOfAnOldGateAreCutAfterAReload(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada, grace := s.signIn("ada"), s.signIn("grace")
		before := s.open(s.gate, origin, ada)
		theirs := s.open(s.gate, origin, grace)
		synctest.Wait()
		sessions := *s.sessions
		s.deps.Sessions = &sessions
		replaced, err := New(s.config, s.deps)
		if err != nil {
			t.Fatal(err)
		}
		after := s.open(replaced, origin, ada)
		synctest.Wait()
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodGet, origin+"/.auth/logout", nil)
		req.Header.Set("Cookie", ada.cookies[origin])
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		if err := replaced.Serve(rec, req, req.URL, nil); err != nil || !strings.Contains(rec.Body.String(), "logout-done") {
			t.Fatalf("%v %d", err, rec.Code)
		}
		if before.isOpen() || after.isOpen() {
			t.Errorf("open before the reload: %v, after: %v", before.isOpen(), after.isOpen())
		}
		if !theirs.isOpen() {
			t.Error("another visitor's stream was cut")
		}
		theirs.stop()
	})
}

func TestStreamsAreBounded(t *testing.T) {
	bubble(t, func(s *streamRig) {
		s.cache.streams.max = 2
		ada := s.signIn("ada")
		one, two := s.open(s.gate, origin, ada), s.open(s.gate, origin, ada)
		synctest.Wait()
		if three := s.open(s.gate, origin, ada); three.isOpen() || three.code != http.StatusServiceUnavailable {
			t.Errorf("the third stream: %d", three.code)
		}
		one.stop()
		synctest.Wait()
		four := s.open(s.gate, origin, ada)
		if !four.isOpen() {
			t.Error("a stream that ended still counts")
		}
		two.stop()
		four.stop()
	})
}

func TestStreamsInParallel(t *testing.T) {
	bubble(t, func(s *streamRig) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				ada := s.signIn("ada")
				for i := range 50 {
					o := s.open(s.gate, origin, ada)
					switch i % 3 {
					case 0:
						s.cache.Drop("")
					case 1:
						s.cache.Drop(ada.sid)
					}
					o.stop()
					<-o.ended
				}
				o := s.open(s.gate, origin, ada)
				<-o.began
				if err := s.sessions.End(s.Context(), ada.sid); err != nil {
					t.Error(err)
				}
				<-o.ended
			})
		}
		wg.Wait()
	})
}
