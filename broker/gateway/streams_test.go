package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Somebody signs out on a machine that others use, or because a cookie was
// stolen: what was opened with it must not go on.
func TestS09_SigningOutClosesEveryKindOfStream(t *testing.T) {
	for name, header := range map[string][]string{
		"WebSocket":             {"Connection", "Upgrade", "Upgrade", "websocket"},
		"WebSocket over HTTP/2": {"method", http.MethodConnect},
		"event stream":          {"Accept", "text/event-stream"},
		"one answer of two":     {"Accept", "application/json, text/event-stream"},
		"event stream, shouted": {"Accept", "Text/Event-Stream"},
		"gRPC":                  {"method", http.MethodPost, "Content-Type", "application/grpc+proto"},
		"gRPC, shouted":         {"method", http.MethodPost, "Content-Type", "Application/gRPC"},
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

// Somebody opens a stream in the last moment of a session, while those that
// it has are being cut: it must not slip through between them.
func TestS17_StreamOpenedAsItsSessionEnds(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada := s.signIn("ada")
		first := s.open(s.gate, origin, ada)
		synctest.Wait()
		handle := ada.cookies[origin][len("__Host-auth_gate="):]
		site := s.gate.sites["app.example.com"]
		l, _, err := s.gate.lookUp(s.Context(), site, handle)
		if err != nil {
			t.Fatal(err)
		}
		key, r := watchKey{s.gate, site, handle}, s.cache.streams
		s.sessions.Limits.Lifetime = 0
		r.cut(r.watches[key], session.ErrNoSession)
		ctx, cancel := context.WithCancel(s.Context())
		last := &stream{ResponseWriter: httptest.NewRecorder(), admission: admission{key, l, r.epoch.Load()}, cancel: cancel}
		if err := r.add(last); err != nil {
			t.Fatal(err)
		}
		if first.isOpen() {
			t.Error("the first is open")
		}
		time.Sleep(time.Second)
		if ctx.Err() == nil {
			t.Error("the last is open")
		}
		r.remove(last)
		last.over()
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

// One visitor opens what was meant for all, from one site after the other.
func TestS09_StreamsOfOneSessionAreBounded(t *testing.T) {
	bubble(t, func(s *streamRig) {
		s.cache.streams.maxOfEach = 2
		ada := s.signIn("ada")
		here, there := s.open(s.gate, origin, ada), s.open(s.gate, otherOrigin, ada)
		synctest.Wait()
		third := s.open(s.gate, origin, ada)
		if third.isOpen() || third.code != http.StatusServiceUnavailable || third.header.Get("Retry-After") == "" {
			t.Errorf("the third stream: %d %v", third.code, third.header)
		}
		if logged := s.logged.FilterMessage("request refused").All(); len(logged) != 1 || logged[0].ContextMap()["error"] != errTooManyStreamsOfEach.Error() {
			t.Errorf("logged %v", logged)
		}
		theirs := s.open(s.gate, origin, s.signIn("grace"))
		if !theirs.isOpen() {
			t.Error("another visitor is refused")
		}
		quiet := s.open(s.gate, origin, ada, "Accept", "*/*")
		if !quiet.isOpen() {
			t.Error("an ordinary request is refused")
		}
		time.Sleep(patience)
		if quiet.isOpen() {
			t.Error("what lasts goes on unwatched")
		}
		for _, o := range []*opened{here, there, theirs} {
			if !o.isOpen() {
				t.Error("a stream within the bounds was cut")
			}
			o.stop()
		}
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
