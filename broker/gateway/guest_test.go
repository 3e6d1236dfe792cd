package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// A thief who has the cookie asks for anything, and gets a stream.
func TestS09_NoStreamEscapesByWhatItsVisitorSays(t *testing.T) {
	for name, header := range map[string][]string{
		"anything":      {"Accept", "*/*"},
		"a page":        {"Accept", "text/html"},
		"a form's post": {"method", http.MethodPost, "Content-Type", "application/x-www-form-urlencoded"},
		"HEAD":          {"method", http.MethodHead},
	} {
		for when, wait := range map[string]time.Duration{"at once": 0, "in the middle": patience / 2, "later": time.Hour} {
			t.Run(name+", cut "+when, func(t *testing.T) {
				bubble(t, func(s *streamRig) {
					ada, grace := s.signIn("ada"), s.signIn("grace")
					mine, theirs := s.open(s.gate, origin, ada, header...), s.open(s.gate, origin, grace, header...)
					synctest.Wait()
					time.Sleep(wait)
					signedOut := time.Now()
					if err := s.sessions.End(s.Context(), ada.sid); err != nil {
						t.Fatal(err)
					}
					<-mine.ended
					if after := time.Since(signedOut); after > time.Second {
						t.Errorf("cut after %v", after)
					}
					if !theirs.isOpen() {
						t.Error("another visitor's request was cut")
					}
					theirs.stop()
				})
			})
		}
	}
}

// The same visitor signs out while his requests are answered: those that are
// answered at once get through, whatever ends them.
func TestOrdinaryRequestsAreNotCut(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada := s.signIn("ada")
		o := s.open(s.gate, origin, ada, "Accept", "*/*")
		<-o.began
		if err := s.sessions.End(s.Context(), ada.sid); err != nil {
			t.Fatal(err)
		}
		time.Sleep(patience - 1)
		if !o.isOpen() {
			t.Errorf("cut after %v", o.took)
		}
		o.stop()
	})
}

func TestS17_LongRequestsEndWithTheLifeOfTheirSession(t *testing.T) {
	bubble(t, func(s *streamRig) {
		o := s.open(s.gate, origin, s.signIn("ada"), "Accept", "*/*")
		<-o.ended
		if o.took != 12*time.Hour {
			t.Errorf("cut after %v", o.took)
		}
	})
}

// The gate uses a guest again. What became of the first one's request must
// not reach the second's.
func TestGuestsAreUsedAgain(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada, grace := s.signIn("ada"), s.signIn("grace")
		for range 20 {
			first := s.open(s.gate, origin, ada, "Accept", "*/*")
			<-first.began
			time.Sleep(patience / 2)
			first.stop()
			<-first.ended
		}
		second := s.open(s.gate, origin, grace, "Accept", "*/*")
		<-second.began
		time.Sleep(patience - 1) // when the last timer of the first would ring
		s.mustBeGone()
		time.Sleep(patience)
		if err := s.sessions.End(s.Context(), ada.sid); err != nil {
			t.Fatal(err)
		}
		if !second.isOpen() {
			t.Error("cut with the session of another")
		}
		if err := s.sessions.End(s.Context(), grace.sid); err != nil {
			t.Fatal(err)
		}
		if second.isOpen() {
			t.Error("goes on after its session")
		}
	})
}

// A handler keeps its writer, and ends in a panic, as reverse_proxy does when
// its upstream breaks off.
func TestGuestsLeaveWhenTheirHandlerPanics(t *testing.T) {
	bubble(t, func(s *streamRig) {
		ada := s.signIn("ada")
		for _, last := range []time.Duration{0, 2 * patience} {
			func() {
				defer func() {
					if recover() != http.ErrAbortHandler {
						t.Error("no panic, or another")
					}
				}()
				req := get("/", "Cookie", ada.cookies[origin])
				_ = s.gate.Serve(httptest.NewRecorder(), req, req.URL, func(http.ResponseWriter, *http.Request, *Visitor) error {
					time.Sleep(last)
					panic(http.ErrAbortHandler)
				})
			}()
			s.mustBeGone()
		}
	})
}

// Applications must be able to do all that the server's writer can, such as
// handing a file to the kernel. An interface that is lost here is lost.
func TestHandlersGetTheServersOwnWriter(t *testing.T) {
	r := newRig(t, nil)
	req := get("/", "Cookie", r.session())
	given := httptest.NewRecorder()
	err := r.gate.Serve(given, req, req.URL, func(w http.ResponseWriter, _ *http.Request, _ *Visitor) error {
		if w != given {
			t.Errorf("got a %T", w)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The same over real connections, where only deadlines can cut: the server
// must understand them, in both of its protocols.
func TestS09_StreamsThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	handlers := map[string]func(http.ResponseWriter, *http.Request, func()) error{
		"silent": func(w http.ResponseWriter, r *http.Request, began func()) error {
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			began()
			<-r.Context().Done()
			return r.Context().Err()
		},
		"long poll": func(_ http.ResponseWriter, r *http.Request, began func()) error {
			began()
			<-r.Context().Done()
			return r.Context().Err()
		},
		"busy": func(w http.ResponseWriter, _ *http.Request, began func()) error {
			event := make([]byte, 1<<20)
			began()
			for {
				if _, err := w.Write(event); err != nil {
					return err
				}
			}
		},
		"early hints": func(w http.ResponseWriter, r *http.Request, began func()) error {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
			began()
			<-r.Context().Done()
			return r.Context().Err()
		},
	}
	for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		for name, handler := range handlers {
			t.Run(protocol+", "+name, func(t *testing.T) {
				t.Parallel()
				tun := newTunnel(t, http2, handler)
				answer, write := io.Pipe()
				go func() {
					response, err := tun.server.Client().Do(tun.request("Accept", "*/*"))
					if err == nil {
						_, err = io.Copy(write, response.Body)
						response.Body.Close()
					}
					write.CloseWithError(err)
				}()
				go io.Copy(io.Discard, answer)
				_ = tun.mustCut(answer)
			})
		}
	}
}

// A visitor who has sent the beginning of another request is not known to be
// gone by reading from him. Still he gets no more of this answer.
func TestS09_PipelinedRequestDoesNotSaveAStream(t *testing.T) {
	tun := newTunnel(t, false, func(w http.ResponseWriter, r *http.Request, began func()) error {
		began()
		for {
			if _, err := io.WriteString(w, "data: news\n\n"); err != nil {
				return err
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return err
			}
			select {
			case <-r.Context().Done():
				return errors.New("the request was cancelled: the test shows nothing")
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	visitor := tun.dial()
	fmt.Fprintf(visitor, "GET /live HTTP/1.1\r\nHost: app.example.com\r\nCookie: %s\r\n\r\nGET", tun.cookie)
	if err := tun.mustCut(visitor); errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
